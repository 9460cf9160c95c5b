package elf

import "hallmark/artifact"

// dynamic is what entries of the dynamic table say about other tables.
type dynamic struct {
	values  map[uint64]uint64 // the first of each tag
	strings string
	base    int64 // of strings in the file
}

// readDynamic reads the interpreter and the dynamic table: pairs of tag and value.
func (m *image) readDynamic() {
	m.dynamic.values = map[uint64]uint64{}
	var table artifact.Range
	for _, s := range m.Segments {
		switch {
		case s.Type == ptInterp && m.Interp.Text == "":
			m.Interp, _ = text(string(m.bytes(s.File, maxName)), s.File.Off, 0)
		case s.Type == ptDynamic && table.Len == 0:
			table = s.File
		}
	}
	step := int64(m.Bits / 4)
	f := m.fields(m.bytes(table, maxEntries*step))
	type named struct{ tag, off uint64 }
	var names []named
	for int64(len(f.b)) >= step {
		tag, value := f.word(), f.word()
		if tag == 0 {
			break
		}
		switch tag {
		case dtNeeded, dtSoname, dtRpath, dtRunpath:
			names = append(names, named{tag, value})
		}
		if _, dup := m.dynamic.values[tag]; !dup && len(m.dynamic.values) < maxEntries {
			m.dynamic.values[tag] = value
		}
	}
	m.readStrings()
	for _, n := range names {
		v, ok := text(m.dynamic.strings, m.dynamic.base, n.off)
		if !ok {
			m.problem(artifact.Damaged, table, "dynamic entry %#x: name at %#x, table has %#x bytes", n.tag, n.off, len(m.dynamic.strings))
			continue
		}
		switch n.tag {
		case dtNeeded:
			m.Needed = append(m.Needed, v)
		case dtSoname:
			m.Soname = v
		case dtRpath:
			m.Rpath = append(m.Rpath, v)
		case dtRunpath:
			m.Runpath = append(m.Runpath, v)
		}
	}
}

// readStrings reads the dynamic string table. Without a size it reaches to the end of its segment.
func (m *image) readStrings() {
	addr, ok := m.dynamic.values[dtStrtab]
	if !ok {
		return
	}
	at, ok := m.locate(addr)
	if !ok {
		m.problem(artifact.Damaged, artifact.Range{}, "dynamic strings: address %#x is in no segment", addr)
		return
	}
	if n := m.dynamic.values[dtStrsz]; n > 0 && n < uint64(at.Len) {
		at.Len = int64(n)
	}
	m.dynamic.strings, m.dynamic.base = string(m.bytes(at, maxTable)), at.Off
}
