// Package pe reads Windows executables, PE32 and PE32+.
//
// Specification: https://learn.microsoft.com/windows/win32/debug/pe-format.
//
// A program is a file like others, whose bytes tell who made it and of what: they must be
// searched as those of one program. So the chunk is the headers alone, and what stands behind
// them stays unclaimed, where other formats find what they know; attributes tell of the version
// resource, the sections and the resources by their ranges. Only a program with something
// appended is divided as a whole: into the program, the overlay and the table of certificates.
// Not read: imports, exports, and programs whose headers are cut off.
package pe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is PE.
var Format = format.Format{
	Name:   "pe",
	Title:  "Windows executable",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: "MZ"}},
	Refs:   []format.Ref{{Title: "PE format", URL: "https://learn.microsoft.com/windows/win32/debug/pe-format"}},
	Limits: []string{"An overlay is told only of a program at the start of its content, and from 512 bytes.", "Resources are told by type, name and range, not handed out."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The DOS header, little endian, with what is used of it:
//
//	 0  2  magic MZ
//	60  4  offset of the PE header
//
// The PE header:
//
//	 0  4  PE\0\0
//	 4  2  machine
//	 6  2  number of sections
//	 8  4  time
//	12  4  offset of the symbol table
//	16  4  number of symbols
//	20  2  size of the optional header, which follows
//	22  2  characteristics
//
// The optional header:
//
//	 0  2  magic, 0x10b or 0x20b (PE32+)
//	60  4  size of all headers
//	68  2  subsystem
//	92  4  number of directories; PE32+ 108
//	96  8  each: address, size; PE32+ 112
//
// A section header:
//
//	 0  8  name
//	 8  4  size in memory
//	12  4  address
//	16  4  size in the file
//	20  4  offset in the file
const (
	dosHeader     = 64
	peHeader      = 24
	sectionHeader = 40
	symbolSize    = 18

	magic32 = 0x10b
	magic64 = 0x20b

	maxLfanew   = 4096
	maxSections = 96  // what Windows loads
	minOverlay  = 512 // fewer bytes are alignment, or not worth dividing a program for
)

// Directories of the optional header.
const (
	dirResources    = 2
	dirCertificates = 4 // the one whose address is an offset in the file
	dirDebug        = 6
)

type section struct {
	name             string
	at               artifact.Range // its header
	address, memSize uint32
	data             artifact.Range // empty if none is stored
}

type program struct {
	src          format.Source
	headers      int64 // bytes of all headers
	image        int64 // bytes up to the end of the last section and of the symbols
	end          int64 // where the table of certificates or the content ends
	sections     []section
	directories  []artifact.Range // address and size
	certificates artifact.Range
	overlay      artifact.Range // may be empty
	attrs        []artifact.Attr
	problem      error
}

func open(src format.Source) (*program, error) {
	dos := make([]byte, dosHeader)
	if n, _ := src.ReadAt(dos, 0); n < dosHeader || string(dos[:2]) != "MZ" {
		return nil, format.Not("pe: DOS header")
	}
	at := int64(binary.LittleEndian.Uint32(dos[60:]))
	b := make([]byte, peHeader+2)
	if at < 4 || at > maxLfanew {
		return nil, format.Not("pe: header at %#x", at)
	}
	if n, _ := src.ReadAt(b, at); n < len(b) || string(b[:4]) != "PE\x00\x00" {
		return nil, format.Not("pe: header")
	}
	optional := int64(binary.LittleEndian.Uint16(b[20:]))
	count := int64(binary.LittleEndian.Uint16(b[6:]))
	magic := binary.LittleEndian.Uint16(b[24:])
	if magic != magic32 && magic != magic64 || count == 0 || count > maxSections || optional < 72 || optional > 1024 {
		return nil, format.Not("pe: optional header of %d bytes, %d sections", optional, count)
	}
	b, err := format.ReadAt(src, at, peHeader+optional+count*sectionHeader, "pe: headers")
	if err != nil {
		return nil, format.Not("%v", err)
	}
	p := &program{src: src}
	if err := p.readSections(b[peHeader+optional:], at+peHeader+optional); err != nil {
		return nil, err
	}
	p.readOptional(b[peHeader:peHeader+optional], magic, at+int64(len(b)))
	p.measure(b)
	p.describe(b, at, magic)
	return p, nil
}

func (p *program) readSections(b []byte, at int64) error {
	for ; len(b) > 0; b, at = b[sectionHeader:], at+sectionHeader {
		s := section{
			name:    strings.ToValidUTF8(strings.TrimRight(string(b[:8]), "\x00"), "\uFFFD"),
			at:      artifact.Range{Off: at, Len: sectionHeader},
			memSize: binary.LittleEndian.Uint32(b[8:]),
			address: binary.LittleEndian.Uint32(b[12:]),
			data:    artifact.Range{Off: int64(binary.LittleEndian.Uint32(b[20:])), Len: int64(binary.LittleEndian.Uint32(b[16:]))},
		}
		if s.data.Off == 0 {
			s.data.Len = 0
		}
		if s.address == 0 || s.address%32 != 0 { // aligned to a page, in drivers to 32 bytes
			return format.Not("pe: section %q at address %#x", s.name, s.address)
		}
		p.sections = append(p.sections, s)
	}
	return nil
}

func (p *program) readOptional(b []byte, magic uint16, tableEnd int64) {
	p.headers = max(tableEnd, min(int64(binary.LittleEndian.Uint32(b[60:])), p.src.Size(), 64<<10))
	for _, s := range p.sections {
		if s.data.Len > 0 && s.data.Off >= tableEnd {
			p.headers = min(p.headers, s.data.Off)
		}
	}
	first := 96
	if magic == magic64 {
		first = 112
	}
	if len(b) < first {
		return
	}
	n := binary.LittleEndian.Uint32(b[first-4:])
	for b = b[first:]; len(b) >= 8 && n > 0 && len(p.directories) < 16; b, n = b[8:], n-1 {
		p.directories = append(p.directories, artifact.Range{Off: int64(binary.LittleEndian.Uint32(b)), Len: int64(binary.LittleEndian.Uint32(b[4:]))})
	}
}

func (p *program) directory(i int) artifact.Range {
	if i < len(p.directories) {
		return p.directories[i]
	}
	return artifact.Range{}
}

// measure finds where the program ends and what stands behind it.
func (p *program) measure(header []byte) {
	size := p.src.Size()
	p.image = p.headers
	for _, s := range p.sections {
		p.image = max(p.image, s.data.End())
	}
	if at, n := int64(binary.LittleEndian.Uint32(header[12:])), int64(binary.LittleEndian.Uint32(header[16:])); at >= p.headers && n > 0 && at+n*symbolSize+4 <= size {
		at += n * symbolSize
		var length [4]byte // of the string table, with itself
		p.src.ReadAt(length[:], at)
		if k := int64(binary.LittleEndian.Uint32(length[:])); k >= 4 && k <= size-at {
			p.image = max(p.image, at+k)
		}
	}
	if p.image > size {
		p.problem = format.Errorf(artifact.Truncated, size, "pe: sections end at %#x: content ends at %#x", p.image, size)
		p.image = size
	}
	p.end = size
	if c := p.directory(dirCertificates); c.Len >= 8 && c.Off >= p.image && c.Within(size) {
		p.certificates = c
	}
	if p.src.Before == 0 && p.problem == nil {
		p.overlay = artifact.Range{Off: p.image, Len: size - p.image}
		if c := p.certificates; c.Len > 0 {
			p.overlay.Len = c.Off - p.image
			if behind := size - c.End(); p.overlay.Len < minOverlay && behind >= minOverlay {
				p.overlay = artifact.Range{Off: c.End(), Len: behind}
			}
		}
		if p.overlay.Len < minOverlay || p.filler(p.overlay.Off) {
			p.overlay = artifact.Range{}
		}
	}
}

// filler reports whether what stands at off begins with one byte value, repeated.
func (p *program) filler(off int64) bool {
	b := make([]byte, minOverlay)
	n, _ := p.src.ReadAt(b, off)
	return bytes.Count(b[:n], b[:1]) == n
}

// Size is that of the headers, or of the content if it is divided.
func (p *program) Size() int64 {
	if p.overlay.Len > 0 {
		return p.end
	}
	return p.headers
}

// Entries yields the parts of a program with an overlay. Bytes between them are alignment.
func (p *program) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if p.problem != nil && !yield(format.Entry{}, p.problem) {
			return
		}
		if p.overlay.Len == 0 {
			return
		}
		for _, x := range []struct {
			path string
			at   artifact.Range
		}{{"program", artifact.Range{Len: p.image}}, {"overlay", p.overlay}, {"certificates.p7b", p.certificates}} {
			if x.at.Len > 0 && !yield(format.Entry{Path: x.path, Size: x.at.Len, Window: &x.at}, nil) {
				return
			}
		}
	}
}

func (p *program) Describe() []artifact.Attr { return p.attrs }

func (p *program) tell(name, value string, at artifact.Range) {
	if value != "" && len(p.attrs) < maxAttrs {
		p.attrs = append(p.attrs, artifact.Attr{Name: name, Value: value, At: at})
	}
}

const maxAttrs = 400

func (p *program) describe(b []byte, at int64, magic uint16) {
	field := func(off, n int64) artifact.Range { return artifact.Range{Off: at + off, Len: n} }
	machine := binary.LittleEndian.Uint16(b[4:])
	p.tell("machine", machineName(machine), field(4, 2))
	p.tell("time", strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[8:])), 10), field(8, 4))
	kind := "PE32"
	if magic == magic64 {
		kind = "PE32+"
	}
	p.tell("kind", kind, field(peHeader, 2))
	p.tell("subsystem", subsystemName(binary.LittleEndian.Uint16(b[peHeader+68:])), field(peHeader+68, 2))
	for _, s := range p.sections {
		p.tell("section", fmt.Sprintf("%s %#x+%d", s.name, s.data.Off, s.data.Len), s.at)
	}
	if p.overlay.Len > 0 {
		p.tell("overlay", fmt.Sprintf("%#x+%d", p.overlay.Off, p.overlay.Len), p.overlay)
	}
	if p.certificates.Len > 0 {
		p.tell("certificates", fmt.Sprintf("%#x+%d", p.certificates.Off, p.certificates.Len), p.certificates)
	}
	if p.overlay.Len == 0 { // otherwise the program within tells
		p.tellDebug()
		p.tellResources()
	}
}

func machineName(m uint16) string {
	switch m {
	case 0x14c:
		return "i386"
	case 0x8664:
		return "x86-64"
	case 0x1c0, 0x1c4:
		return "arm"
	case 0xaa64:
		return "arm64"
	case 0xebc:
		return "efi-bytecode"
	case 0x5032:
		return "riscv32"
	case 0x5064:
		return "riscv64"
	}
	return fmt.Sprintf("%#x", m)
}

func subsystemName(s uint16) string {
	switch s {
	case 1:
		return "native"
	case 2:
		return "Windows"
	case 3:
		return "console"
	case 9:
		return "Windows CE"
	case 10, 11, 12, 13:
		return "EFI"
	}
	return strconv.Itoa(int(s))
}

// stored returns where the n bytes at an address stand in the content.
func (p *program) stored(address, n int64) (artifact.Range, bool) {
	for _, s := range p.sections {
		if off := address - int64(s.address); off >= 0 && off < s.data.Len {
			at := artifact.Range{Off: s.data.Off + off, Len: n}
			return at, n >= 0 && n <= s.data.Len-off && at.Within(p.src.Size())
		}
	}
	return artifact.Range{}, false
}

// at reads the bytes at an address; nil if they are not stored.
func (p *program) at(address, n int64) ([]byte, artifact.Range) {
	at, ok := p.stored(address, n)
	if !ok || n > maxRead {
		return nil, artifact.Range{}
	}
	b := make([]byte, n)
	if got, _ := p.src.ReadAt(b, at.Off); int64(got) < n {
		return nil, artifact.Range{}
	}
	return b, at
}

const maxRead = 256 << 10

// tellDebug tells the path of the program database, which often names the project and who built it.
// An entry of the debug directory of type 2 leads to a record "RSDS", GUID, age, path.
func (p *program) tellDebug() {
	d := p.directory(dirDebug)
	for i := int64(0); i+28 <= d.Len && i < 16*28; i += 28 {
		b, _ := p.at(d.Off+i, 28)
		if b == nil || binary.LittleEndian.Uint32(b[12:]) != 2 {
			continue
		}
		size, address := int64(binary.LittleEndian.Uint32(b[16:])), int64(binary.LittleEndian.Uint32(b[20:]))
		record, at := p.at(address, min(size, 4096))
		if len(record) < 25 || string(record[:4]) != "RSDS" {
			continue
		}
		path, _, _ := strings.Cut(string(record[24:]), "\x00")
		p.tell("pdb", strings.ToValidUTF8(path, "\uFFFD"), artifact.Range{Off: at.Off + 24, Len: int64(len(path))})
	}
}
