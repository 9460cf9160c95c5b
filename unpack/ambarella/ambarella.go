// Package ambarella reads the sections that firmware for Ambarella's chips consists of, and the
// ROMFS that some of them hold.
//
// There is no official specification. The layouts are those of public readers,
// https://github.com/o-gs/dji-firmware-tools and
// https://github.com/armijnhemel/binaryanalysis-ng, and of the vendor's own header files, which
// several makers published. What stands around the sections differs from maker to maker and is
// not read.
package ambarella

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "\x90\xeb\x24\xa3"

// Section is one section: a header of 256 bytes and its body.
var Section = format.Format{
	Name:   "ambarella",
	Title:  "Ambarella firmware section",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic, Off: 24}},
	Refs:   []format.Ref{{Title: "dji-firmware-tools", URL: "https://github.com/o-gs/dji-firmware-tools"}},
	Limits: []string{"A section whose CRC does not fit is not told from chance and is refused."},
	Open:   func(src format.Source) (format.Chunk, error) { return openSection(src) },
}

// The header, little endian: CRC-32 of the body, version, date (year[2], month, day from the
// highest byte), length of the body, load address, flags, magic.
const sectionHeader = 256

type section struct {
	raw  []byte
	body artifact.Range
	crc  string
}

func openSection(src format.Source) (*section, error) {
	s := &section{raw: make([]byte, 32), body: artifact.Range{Off: sectionHeader}}
	if n, _ := src.ReadAt(s.raw, 0); n < len(s.raw) || s.u32(24) != 0xa324eb90 {
		return nil, format.Not("ambarella: header")
	}
	s.body.Len = int64(s.u32(12))
	if month, day := s.raw[9], s.raw[8]; s.body.Len == 0 || !s.body.Within(src.Size()) || month > 0x12 || day > 0x31 || s.u32(20) > 0xffff {
		return nil, format.Not("ambarella: body of %d bytes, %d left", s.body.Len, src.Size()-sectionHeader)
	}
	h := &sum{Hash32: crc32.NewIEEE()}
	if _, err := io.Copy(h, io.NewSectionReader(format.Summed(src), s.body.Off, s.body.Len)); err != nil {
		return nil, format.Errorf(artifact.Damaged, s.body.Off, "ambarella: body: %v", err)
	}
	if s.crc = "ok"; h.Sum32() != s.u32(0) {
		// A body full of headers is taken as stated: else each of them would be read to its end.
		if h.headers < manyHeaders {
			return nil, format.Not("ambarella: CRC %#x, want %#x", h.Sum32(), s.u32(0))
		}
		s.crc = "bad"
	}
	return s, nil
}

const manyHeaders = 16

// sum is a CRC that counts headers in passing.
type sum struct {
	hash.Hash32
	headers int
}

func (s *sum) Write(b []byte) (int, error) {
	s.headers += bytes.Count(b, []byte(magic))
	return s.Hash32.Write(b)
}

func (s *section) u32(off int) uint32 { return binary.LittleEndian.Uint32(s.raw[off:]) }

func (s *section) Size() int64 { return s.body.End() }

func (s *section) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if s.crc == "bad" && !yield(format.Entry{}, format.Errorf(artifact.Checksum, 0, "ambarella: CRC of the body does not fit %#x", s.u32(0))) {
			return
		}
		yield(format.Entry{Size: s.body.Len, Window: &s.body}, nil)
	}
}

func (s *section) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "crc", Value: s.crc, At: at(0, 4)},
		{Name: "version", Value: fmt.Sprintf("%d.%d", s.u32(4)>>16, s.u32(4)&0xffff), At: at(4, 4)},
		{Name: "date", Value: s.date(), At: at(8, 4)},
		{Name: "size", Value: strconv.FormatInt(s.body.Len, 10), At: at(12, 4)},
		{Name: "load", Value: fmt.Sprintf("%#x", s.u32(16)), At: at(16, 4)},
		{Name: "flags", Value: fmt.Sprintf("%#x", s.u32(20)), At: at(20, 4)},
	}
}

// date reads a date in binary, or in BCD as some makers write it.
func (s *section) date() string {
	if year := s.u32(8) >> 16; year < 2100 {
		return fmt.Sprintf("%04d-%02d-%02d", year, s.raw[9], s.raw[8])
	}
	return fmt.Sprintf("%04x-%02x-%02x", s.u32(8)>>16, s.raw[9], s.raw[8])
}

// ROMFS is the read-only file system of Ambarella's boot loader and system.
var ROMFS = format.Format{
	Name:   "ambarella-romfs",
	Title:  "Ambarella ROMFS",
	Kind:   format.Filesystem,
	Magics: []format.Magic{{Bytes: "\x8a\x32\xfc\x66", Off: 4}},
	Refs:   []format.Ref{{Title: "BANG, romfs_ambarella", URL: "https://github.com/armijnhemel/binaryanalysis-ng"}},
	Open:   func(src format.Source) (format.Chunk, error) { return openROMFS(src) },
}

// The header fills 2,048 bytes: number of files, magic, padding of 0xff. An entry has 128 bytes:
// name[116], offset, length, magic. Directories and times are not kept.
const (
	romfsHeader = 2048
	entrySize   = 128
	maxFiles    = 4096
)

type romfs struct {
	files   []file
	size    int64
	problem error
}

type file struct {
	path string
	at   artifact.Range
}

func openROMFS(src format.Source) (*romfs, error) {
	b := make([]byte, 8)
	if n, _ := src.ReadAt(b, 0); n < len(b) || string(b[4:]) != "\x8a\x32\xfc\x66" {
		return nil, format.Not("ambarella-romfs: header")
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n < 1 || n > maxFiles {
		return nil, format.Not("ambarella-romfs: %d files", n)
	}
	table := make([]byte, n*entrySize)
	if got, _ := src.ReadAt(table, romfsHeader); got < len(table) {
		return nil, format.Not("ambarella-romfs: table of %d files, %d bytes left", n, src.Size()-romfsHeader)
	}
	r := &romfs{size: romfsHeader + int64(len(table))}
	var total int64
	for off := 0; off < len(table); off += entrySize {
		e := table[off : off+entrySize]
		name, _, _ := bytes.Cut(e[:116], []byte{0})
		f := file{string(name), artifact.Range{Off: int64(binary.LittleEndian.Uint32(e[116:])), Len: int64(binary.LittleEndian.Uint32(e[120:]))}}
		if binary.LittleEndian.Uint32(e[124:]) != 0x2387ab76 || len(name) == 0 || f.at.Off < romfsHeader+int64(len(table)) {
			return nil, format.Not("ambarella-romfs: entry at %#x: %q", romfsHeader+off, name)
		}
		if total += f.at.Len; !f.at.Within(src.Size()) || total > src.Size() {
			r.problem = format.Errorf(artifact.Truncated, int64(romfsHeader+off), "ambarella-romfs: file %q at %#x: %d bytes, content ends at %#x", name, f.at.Off, f.at.Len, src.Size())
			continue
		}
		r.files = append(r.files, f)
		r.size = max(r.size, f.at.End())
	}
	return r, nil
}

func (r *romfs) Size() int64 { return r.size }

func (r *romfs) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if r.problem != nil && !yield(format.Entry{}, r.problem) {
			return
		}
		for _, f := range r.files {
			if !yield(format.Entry{Path: f.path, Size: f.at.Len, Window: &f.at}, nil) {
				return
			}
		}
	}
}
