// Package elf reads what an executable, library or kernel module says of itself, tolerantly.
//
// It starts from the program headers and PT_DYNAMIC, as a loader does, so that a file without a
// section table or with a cut end still tells its names, symbols and notes; sections are used
// where they exist. Every value comes with the bytes that say so. 32 and 64 bit files of both
// byte orders are read, of type executable, shared object, core and relocatable.
//
// Specifications: System V ABI, https://gabi.xinuos.com/elf/ ; symbol versions and GNU_HASH,
// https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic.html ;
// notes, https://man7.org/linux/man-pages/man5/elf.5.html.
//
// Not read: relocations, debug information, line tables, the 64-bit hash entries of Alpha and
// s390x, compressed sections.
package elf

import (
	"encoding/binary"
	"errors"
	"io"

	"hallmark/artifact"
)

// ErrNotELF is wrapped by the error of [Read] for what does not begin as an ELF file.
var ErrNotELF = errors.New("elf: not an ELF file")

// File is what was read. Text is as stored, so it may not be valid UTF-8.
type File struct {
	Bits    int // 32 or 64
	Order   binary.ByteOrder
	OSABI   byte
	Type    Type
	Machine Machine
	Flags   uint32 // of the processor
	Entry   uint64

	Segments []Segment
	Sections []Section // empty if the table is missing or unreadable

	Interp  Value // path of the program interpreter; empty Text if there is none
	Soname  Value
	Needed  []Value // libraries, in order
	Rpath   []Value // as stored: a list joined by colons
	Runpath []Value

	// Dynamic symbols in order of the table; of a relocatable file its global symbols.
	Exports      []Symbol
	Imports      []Symbol
	MoreSymbols  int64 // symbols beyond MaxSymbols, not read
	Notes        []Note
	BuildID      Value // hexadecimal, from the GNU build-id note
	Comments     []Value
	Modinfo      []Pair // entries of .modinfo in order
	End          int64  // end of the file's own bytes as its headers have it, not beyond the content: an overlay starts there
	DeclaredSize int64  // End, but also if the content is shorter

	Problems []artifact.Problem
}

// Value is a text and the bytes that say it.
type Value struct {
	Text string
	At   artifact.Range
}

// Pair is an entry key=value; At covers both.
type Pair struct {
	Key, Value string
	At         artifact.Range
}

// Segment is an entry of the program header table.
type Segment struct {
	Type, Flags  uint32
	File         artifact.Range // as declared, so perhaps not within the content
	Addr, Memory uint64         // virtual address and size in memory
	Align        uint64
}

// Section is an entry of the section header table.
type Section struct {
	Name  string
	Type  uint32
	Flags uint64
	Addr  uint64
	File  artifact.Range // as declared; Len is zero for a section without bytes (SHT_NOBITS)
	Link  uint32
	Info  uint32
}

// Symbol is a dynamic symbol.
type Symbol struct {
	Name    string
	At      artifact.Range // of the name
	Version string         // name of the version, or ""
	Library string         // of an import: the needed library that defines the version, or ""
	Addr    uint64
	Size    uint64
	Kind    SymbolKind
	Weak    bool
}

// SymbolKind is the type that a symbol's info byte gives (STT_...).
type SymbolKind byte

// The kinds of symbol that matter here.
const (
	NoKind   SymbolKind = 0
	Object   SymbolKind = 1
	Function SymbolKind = 2
	TLS      SymbolKind = 6
	IFunc    SymbolKind = 10
)

// Note is an entry of a note segment or section.
type Note struct {
	Owner string
	Type  uint32
	Desc  artifact.Range
}

// Limits of what is read of one file, against hostile ones.
const (
	MaxSymbols  = 200_000  // largest seen in a library: some 90,000
	maxSegments = 4096     // Linux itself takes no program header table above 64 KiB
	maxHeader   = 256      // bytes of any one program or section header
	maxTable    = 32 << 20 // bytes of any one string or symbol table
	maxName     = 16 << 10 // bytes of any one string; C++ names reach some KiB
	maxEntries  = 65536    // of any other table
	maxProblems = 32
)

// Read reads the file that the first size bytes of r are. It fails only if they do not begin as
// an ELF file; anything else that is wrong is one of Problems, and the rest is read.
func Read(r io.ReaderAt, size int64) (*File, error) {
	m := &image{r: r, size: size, budget: 2*size + 1<<20}
	f := &m.File
	if err := m.readHeader(); err != nil {
		return nil, err
	}
	m.readSegments()
	m.readSections()
	m.readDynamic()
	m.readSymbols()
	m.readNotes()
	m.readComments()
	m.readModinfo()
	if f.DeclaredSize > size {
		m.problem(artifact.Truncated, artifact.Range{Off: size}, "headers speak of %#x bytes, content has %#x", f.DeclaredSize, size)
	}
	f.End = min(f.DeclaredSize, size)
	return f, nil
}

// Allocated reports whether all of at lies in bytes that are loaded into memory: in one segment
// of type PT_LOAD, or in one allocated section of a relocatable file.
func (f *File) Allocated(at artifact.Range) bool {
	for _, r := range f.AllocatedRanges() {
		if r.Contains(at) {
			return true
		}
	}
	return false
}

// AllocatedRanges returns the ranges of the content that are loaded into memory, in order of the headers.
func (f *File) AllocatedRanges() []artifact.Range {
	var out []artifact.Range
	for _, s := range f.Segments {
		if s.Type == ptLoad && s.File.Len > 0 {
			out = append(out, s.File)
		}
	}
	if len(f.Segments) == 0 {
		for _, s := range f.Sections {
			if s.Flags&shfAlloc != 0 && s.File.Len > 0 {
				out = append(out, s.File)
			}
		}
	}
	return out
}

// Section returns the first section named name, or nil.
func (f *File) Section(name string) *Section {
	for i := range f.Sections {
		if f.Sections[i].Name == name {
			return &f.Sections[i]
		}
	}
	return nil
}
