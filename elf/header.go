package elf

import (
	"encoding/binary"
	"fmt"

	"hallmark/artifact"
)

// readHeader reads the file header: e_ident at 0, e_type at 16, and on.
func (m *image) readHeader() error {
	b := m.bytes(artifact.Range{Len: 64}, 64)
	if len(b) < 20 || string(b[:4]) != "\x7fELF" {
		return ErrNotELF
	}
	switch b[4] {
	case 1:
		m.Bits = 32
	case 2:
		m.Bits = 64
	default:
		return fmt.Errorf("%w: class %d, want 1 or 2", ErrNotELF, b[4])
	}
	switch b[5] {
	case 1:
		m.Order = binary.LittleEndian
	case 2:
		m.Order = binary.BigEndian
	default:
		return fmt.Errorf("%w: byte order %d, want 1 or 2", ErrNotELF, b[5])
	}
	m.OSABI = b[7]
	f := m.fields(b[16:])
	m.Type, m.Machine = Type(f.u16()), Machine(f.u16())
	f.u32() // version
	m.Entry = f.word()
	m.phoff, m.shoff = fileRange(f.word(), 0).Off, fileRange(f.word(), 0).Off
	m.Flags = f.u32()
	ehsize := f.u16()
	m.phsize, m.phnum = int(f.u16()), int(f.u16())
	m.shsize, m.shnum, m.shstrndx = int(f.u16()), int(f.u16()), int(f.u16())
	m.declare(artifact.Range{Len: int64(ehsize)})
	return nil
}

// readSegments reads the program header table.
func (m *image) readSegments() {
	entry := 32
	if m.Bits == 64 {
		entry = 56
	}
	if m.phnum == 0 || m.phoff == 0 {
		return
	}
	table := artifact.Range{Off: m.phoff, Len: int64(m.phnum) * int64(m.phsize)}
	if m.phsize < entry || m.phsize > maxHeader {
		m.problem(artifact.Damaged, table, "program headers at %#x: %d bytes each, want %d", m.phoff, m.phsize, entry)
		return
	}
	m.declare(table)
	b := m.bytes(table, maxSegments*int64(m.phsize))
	for ; len(b) >= entry && len(m.Segments) < maxSegments; b = b[min(m.phsize, len(b)):] {
		m.addSegment(m.fields(b))
	}
	if len(m.Segments) < m.phnum {
		m.problem(artifact.Truncated, table, "program headers at %#x: %d of %d read", m.phoff, len(m.Segments), m.phnum)
	}
}

func (m *image) addSegment(f *fields) {
	var s Segment
	var off, n uint64
	s.Type = f.u32()
	if f.wide {
		s.Flags = f.u32()
	}
	off, s.Addr = f.word(), f.word()
	f.word() // physical address
	n, s.Memory = f.word(), f.word()
	if !f.wide {
		s.Flags = f.u32()
	}
	s.Align = f.word()
	s.File = fileRange(off, n)
	if s.File.Len == 0 && n > 0 {
		m.problem(artifact.Damaged, artifact.Range{}, "segment %d: %#x bytes at %#x", len(m.Segments), n, off)
	}
	m.declare(s.File)
	m.Segments = append(m.Segments, s)
}

// readSections reads the section header table, if there is one.
func (m *image) readSections() {
	entry := 40
	if m.Bits == 64 {
		entry = 64
	}
	if m.shoff == 0 || m.shsize < entry || m.shsize > maxHeader {
		return
	}
	// With 65280 sections and more, the first header holds the numbers.
	if first, names, ok := m.section(m.fields(m.bytes(artifact.Range{Off: m.shoff, Len: int64(entry)}, int64(entry)))); ok && names == 0 {
		if m.shnum == 0 {
			m.shnum = int(min(first.File.Len, maxEntries))
		}
		if m.shstrndx == 0xffff {
			m.shstrndx = int(first.Link)
		}
	}
	table := artifact.Range{Off: m.shoff, Len: int64(m.shnum) * int64(m.shsize)}
	m.declare(table)
	b := m.bytes(table, maxEntries*int64(m.shsize))
	var names []uint32
	for ; len(b) >= entry && len(m.Sections) < maxEntries; b = b[min(m.shsize, len(b)):] {
		s, name, _ := m.section(m.fields(b))
		names = append(names, name)
		if s.Type == shtNobits {
			s.File.Len = 0
		}
		m.declare(s.File)
		m.Sections = append(m.Sections, s)
	}
	if m.shstrndx < len(m.Sections) {
		at := m.Sections[m.shstrndx].File
		table := string(m.bytes(at, maxTable))
		for i, name := range names {
			v, _ := text(table, at.Off, uint64(name))
			m.Sections[i].Name = v.Text
		}
	}
	if len(m.Sections) < m.shnum {
		m.problem(artifact.Truncated, table, "section headers at %#x: %d of %d read", m.shoff, len(m.Sections), m.shnum)
	}
}

func (m *image) section(f *fields) (s Section, name uint32, ok bool) {
	ok = len(f.b) > 0
	name, s.Type, s.Flags, s.Addr = f.u32(), f.u32(), f.word(), f.word()
	s.File = fileRange(f.word(), f.word())
	s.Link, s.Info = f.u32(), f.u32()
	return s, name, ok
}
