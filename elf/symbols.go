package elf

import (
	"math"

	"hallmark/artifact"
)

// readSymbols reads the dynamic symbol table, or a relocatable file's own one.
func (m *image) readSymbols() {
	if m.Type == Relocatable {
		m.readOwnSymbols()
		return
	}
	at, ok := m.table(dtSymtab)
	if !ok {
		return
	}
	n := m.countSymbols(at)
	m.addSymbols(at, n, m.dynamic.strings, m.dynamic.base, m.readVersions(n))
}

func (m *image) readOwnSymbols() {
	for _, s := range m.Sections {
		if s.Type == shtSymtab && int(s.Link) < len(m.Sections) {
			names := m.Sections[s.Link].File
			m.addSymbols(s.File, s.File.Len/m.symbolSize(), string(m.bytes(names, maxTable)), names.Off, nil)
			return
		}
	}
}

// table returns where the table that the dynamic entry tag points to begins, and the rest of its segment.
func (m *image) table(tag uint64) (artifact.Range, bool) {
	addr, ok := m.dynamic.values[tag]
	if !ok {
		return artifact.Range{}, false
	}
	at, ok := m.locate(addr)
	if !ok {
		m.problem(artifact.Damaged, artifact.Range{}, "dynamic entry %#x: address %#x is in no segment", tag, addr)
	}
	return at, ok
}

func (m *image) symbolSize() int64 {
	if m.Bits == 64 {
		return 24
	}
	return 16
}

// countSymbols finds the length of the symbol table, which no entry gives: MIPS has one that
// does, DT_HASH has one chain link for each symbol, DT_GNU_HASH ends with the last link of its
// chains but leaves imports out. Failing these, the string table usually follows.
func (m *image) countSymbols(symtab artifact.Range) int64 {
	n := int64(m.dynamic.values[dtMIPSSyms] & math.MaxUint32)
	if at, ok := m.table(dtHash); ok && n == 0 {
		f := m.fields(m.bytes(at, 8))
		f.u32() // buckets
		n = int64(f.u32())
	}
	if at, ok := m.table(dtGNUHash); ok && n == 0 {
		n = m.countGNU(at)
	}
	for _, s := range m.Sections {
		if s.Type == shtDynsym && s.File.Off == symtab.Off && n == 0 {
			n = s.File.Len / m.symbolSize()
		}
	}
	if n == 0 && m.dynamic.base > symtab.Off {
		n = (m.dynamic.base - symtab.Off) / m.symbolSize()
	}
	return min(n, symtab.Len/m.symbolSize())
}

// countGNU reads a GNU hash table: nbuckets, symoffset, bloom words, bloom shift, the bloom
// filter, the buckets, and from symoffset on one link a symbol, the last of a chain being odd.
// It returns 0 if the table does not tell.
func (m *image) countGNU(at artifact.Range) int64 {
	f := m.fields(m.bytes(at, 16))
	buckets, first, bloom := int64(f.u32()), int64(f.u32()), int64(f.u32())
	skip := 16 + bloom*int64(m.Bits/8)
	if buckets > MaxSymbols || skip+4*buckets > at.Len {
		m.problem(artifact.Damaged, at, "GNU hash table at %#x: %d buckets, %d bloom words", at.Off, buckets, bloom)
		return 0
	}
	b := m.fields(m.bytes(artifact.Range{Off: at.Off + skip, Len: 4 * buckets}, 4*MaxSymbols))
	last := int64(0)
	for range buckets {
		last = max(last, int64(b.u32()))
	}
	if last < first {
		return 0 // nothing is exported
	}
	links := artifact.Range{Off: at.Off + skip + 4*buckets + 4*(last-first), Len: at.Len - skip - 4*buckets - 4*(last-first)}
	c := m.fields(m.bytes(links, 4*MaxSymbols))
	for len(c.b) >= 4 {
		last++
		if c.u32()&1 != 0 {
			break
		}
	}
	return last
}

// addSymbols reads n symbols of 16 or 24 bytes.
func (m *image) addSymbols(at artifact.Range, n int64, names string, base int64, versions []version) {
	if n > MaxSymbols {
		m.MoreSymbols = n - MaxSymbols
		n = MaxSymbols
	}
	at.Len = n * m.symbolSize()
	if at.End() > m.size {
		m.problem(artifact.Truncated, at, "symbols at %#x: content ends before all %d", at.Off, n)
	}
	b := m.bytes(at, at.Len)
	for i := 0; int64(len(b)) >= m.symbolSize(); i++ {
		f := m.fields(b[:m.symbolSize()])
		b = b[m.symbolSize():]
		var s Symbol
		var info byte
		var section uint16
		name := f.u32()
		if f.wide {
			info, _, section, s.Addr, s.Size = f.u8(), f.u8(), f.u16(), f.u64(), f.u64()
		} else {
			s.Addr, s.Size, info, _, section = uint64(f.u32()), uint64(f.u32()), f.u8(), f.u8(), f.u16()
		}
		bind := info >> 4
		s.Kind, s.Weak = SymbolKind(info&15), bind == stbWeak
		if bind != stbGlobal && bind != stbWeak && bind != stbUnique || s.Kind == sttSection || s.Kind == sttFile {
			continue
		}
		v, ok := text(names, base, uint64(name))
		if !ok || v.Text == "" {
			continue
		}
		s.Name, s.At = v.Text, v.At
		if i < len(versions) {
			s.Version, s.Library = versions[i].name, versions[i].library
		}
		if section == shnUndef {
			m.Imports = append(m.Imports, s)
		} else {
			m.Exports = append(m.Exports, s)
		}
	}
}

// version is what a version index stands for.
type version struct{ name, library string }

// readVersions returns the version of each of n symbols, or nil if there are none.
func (m *image) readVersions(n int64) []version {
	at, ok := m.table(dtVersym)
	if !ok {
		return nil
	}
	known := map[uint16]version{}
	m.readDefinitions(known)
	m.readRequirements(known)
	at.Len = 2 * min(n, MaxSymbols)
	f := m.fields(m.bytes(at, at.Len))
	out := make([]version, len(f.b)/2)
	for i := range out {
		out[i] = known[f.u16()&0x7fff] // the upper bit hides the symbol from the default version
	}
	return out
}

// readDefinitions reads DT_VERDEF: entries of 20 bytes (version, flags, index, count, hash, offset
// of the names, offset of the next), names of 8 (string, next). Flag 1 marks the file's own name.
func (m *image) readDefinitions(known map[uint16]version) {
	at, ok := m.table(dtVerdef)
	for range m.entries(dtVerdefnum, ok) {
		f := m.fields(m.bytes(at, 20))
		if len(f.b) < 20 {
			return
		}
		_, flags, index, _, _, aux, next := f.u16(), f.u16(), f.u16(), f.u16(), f.u32(), f.u32(), f.u32()
		name := m.fields(m.bytes(at.Shift(int64(aux)), 4)).u32()
		if v, ok := text(m.dynamic.strings, m.dynamic.base, uint64(name)); ok && flags&1 == 0 {
			known[index&0x7fff] = version{name: v.Text}
		}
		if next == 0 {
			return
		}
		at = at.Shift(int64(next))
	}
}

// readRequirements reads DT_VERNEED: entries of 16 bytes (version, count, library, offset of the
// names, offset of the next), names of 16 (hash, flags, index, string, next).
func (m *image) readRequirements(known map[uint16]version) {
	at, ok := m.table(dtVerneed)
	left := maxEntries
	for range m.entries(dtVerneednum, ok) {
		f := m.fields(m.bytes(at, 16))
		if len(f.b) < 16 {
			return
		}
		_, count, file, aux, next := f.u16(), f.u16(), f.u32(), f.u32(), f.u32()
		library, _ := text(m.dynamic.strings, m.dynamic.base, uint64(file))
		for v := at.Shift(int64(aux)); count > 0 && left > 0; count-- {
			left--
			f := m.fields(m.bytes(v, 16))
			if len(f.b) < 16 {
				break
			}
			_, _, index, name, step := f.u32(), f.u16(), f.u16(), f.u32(), f.u32()
			if t, ok := text(m.dynamic.strings, m.dynamic.base, uint64(name)); ok {
				known[index&0x7fff] = version{t.Text, library.Text}
			}
			if step == 0 {
				break
			}
			v = v.Shift(int64(step))
		}
		if next == 0 {
			return
		}
		at = at.Shift(int64(next))
	}
}

// entries returns how many entries the tag promises, bounded.
func (m *image) entries(tag uint64, present bool) int {
	if !present {
		return 0
	}
	return int(min(m.dynamic.values[tag], maxEntries))
}
