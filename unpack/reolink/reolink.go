// Package reolink reads the PAK update of Reolink and Swann: a header, a table of sections, a
// table of flash partitions, and the sections.
//
// There is no official specification. The layout follows two public readers that agree,
// https://github.com/vmallet/pakler and https://github.com/hn/reolink-camera.
package reolink

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// The second is that of network recorders.
var magics = []format.Magic{{Bytes: "\x13\x59\x72\x32"}, {Bytes: "\x23\x59\x72\x32"}}

// Format is the PAK update.
var Format = format.Format{
	Name:   "reolink",
	Title:  "Reolink update (PAK)",
	Kind:   format.Container,
	Magics: magics,
	Refs: []format.Ref{
		{Title: "pakler", URL: "https://github.com/vmallet/pakler"},
		{Title: "reolink-camera", URL: "https://github.com/hn/reolink-camera"},
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian, with words of 4 bytes, or of 8 in devices of 64 bits:
//
//	magic, CRC-32, type of board
//	sections:   name[32], version[24], offset word, length word
//	partitions: name[32], offset, device[32], unknown, length, all of 4 bytes
//
// There are as many partitions as sections. Their number is not stored: the first section
// begins where the tables end.
const (
	sectionText   = 56
	partitionSize = 76
	maxSections   = 64 // 10 to 14 were seen
)

type pak struct {
	src      format.Source
	word     int64 // 4 or 8
	header   []byte
	sections []section
	end      int64
	crc      string
	problems []error
}

type section struct {
	path, version string
	entry         int64 // where it is described
	at            artifact.Range
}

func open(src format.Source) (*pak, error) {
	p := &pak{src: src, word: 4}
	b := make([]byte, 3*8+sectionText+16)
	if n, _ := src.ReadAt(b, 0); n < len(b) || string(b[:4]) != magics[0].Bytes && string(b[:4]) != magics[1].Bytes {
		return nil, format.Not("reolink: header")
	}
	u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
	if u32(4) == 0 && u32(12) == 0 && u32(20) == 0 {
		p.word = 8 // the upper halves of magic, CRC and type
	}
	each := sectionText + 2*p.word
	start := p.number(b, 3*p.word+sectionText)
	n := (start - 3*p.word) / (each + partitionSize)
	if n < 1 || n > maxSections || 3*p.word+n*(each+partitionSize) != start {
		return nil, format.Not("reolink: first section at %#x", start)
	}
	var err error
	if p.header, err = format.ReadAt(src, 0, start, "reolink: tables"); err != nil {
		return nil, err
	}
	p.end = start
	for i := range n {
		if err := p.section(3*p.word+i*each, i); err != nil {
			return nil, err
		}
	}
	p.check()
	return p, nil
}

func (p *pak) number(b []byte, off int64) int64 {
	if p.word == 8 {
		return int64(binary.LittleEndian.Uint64(b[off:]))
	}
	return int64(binary.LittleEndian.Uint32(b[off:]))
}

// section reads entry i of the table at off. Sections follow one another, some of them empty.
func (p *pak) section(off, i int64) error {
	b := p.header[off:]
	s := section{text(b[:32]), text(b[32:sectionText]), off, artifact.Range{Off: p.number(b, sectionText), Len: p.number(b, sectionText+p.word)}}
	if s.at.Len == 0 {
		return nil
	}
	if s.path == "" {
		s.path = fmt.Sprintf("section%d", i)
	}
	switch left := p.src.Size() - s.at.Off; {
	case s.at.Off < p.end || s.at.Len < 0:
		return format.Not("reolink: section %q at %#x+%#x, before %#x", s.path, s.at.Off, s.at.Len, p.end)
	case left <= 0:
		p.problems = append(p.problems, format.Errorf(artifact.Truncated, off, "reolink: section %q at %#x: content ends at %#x", s.path, s.at.Off, p.src.Size()))
		return nil
	case s.at.Len > left:
		p.problems = append(p.problems, format.Errorf(artifact.Truncated, off, "reolink: section %q at %#x: %d bytes, %d left", s.path, s.at.Off, s.at.Len, left))
		s.at.Len = left
	}
	p.end = s.at.End()
	p.sections = append(p.sections, s)
	return nil
}

// text returns what stands before the first NUL, without what cannot be printed.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, b))
}

// check computes the CRC-32, without inversion at either end, over the sections, the type with
// its second byte taken as 0, and the table of sections.
func (p *pak) check() {
	if len(p.problems) > 0 {
		p.crc = "not checked: sections cut off"
		return
	}
	h := inverted{0xffffffff}
	start := int64(len(p.header))
	if _, err := io.Copy(&h, io.NewSectionReader(format.Summed(p.src), start, p.end-start)); err != nil {
		p.crc = "not checked: sections cannot be read"
		p.problems = append(p.problems, format.Errorf(artifact.Damaged, start, "reolink: sections at %#x: %v", start, err))
		return
	}
	board := bytes.Clone(p.header[2*p.word : 2*p.word+4])
	board[1] = 0
	h.Write(board)
	h.Write(p.header[3*p.word : start-partitionSize*p.count()])
	p.crc = "ok"
	if want := binary.LittleEndian.Uint32(p.header[p.word:]); ^h.sum != want {
		p.crc = "bad"
		p.problems = append(p.problems, format.Errorf(artifact.Checksum, p.word, "reolink: CRC: %#x, want %#x", ^h.sum, want))
	}
}

// inverted is a CRC-32 whose state the caller starts and ends.
type inverted struct{ sum uint32 }

func (h *inverted) Write(b []byte) (int, error) {
	h.sum = crc32.Update(h.sum, crc32.IEEETable, b)
	return len(b), nil
}

func (p *pak) count() int64 {
	return (int64(len(p.header)) - 3*p.word) / (sectionText + 2*p.word + partitionSize)
}

func (p *pak) Size() int64 { return p.end }

func (p *pak) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range p.problems {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		for _, s := range p.sections {
			if !yield(format.Entry{Path: s.path, Size: s.at.Len, Window: &s.at}, nil) {
				return
			}
		}
	}
}

func (p *pak) Describe() []artifact.Attr {
	var attrs []artifact.Attr
	add := func(name, value string, off, n int64) {
		attrs = append(attrs, artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: off, Len: n}})
	}
	add("bits", strconv.FormatInt(8*p.word, 10), 0, 3*p.word)
	add("crc", p.crc, p.word, 4)
	add("board-type", fmt.Sprintf("%#x", binary.LittleEndian.Uint32(p.header[2*p.word:])), 2*p.word, 4)
	for _, s := range p.sections {
		if s.version != "" {
			add("version", s.path+" "+s.version, s.entry+32, int64(len(s.version)))
		}
	}
	for off := int64(len(p.header)) - partitionSize*p.count(); off < int64(len(p.header)); off += partitionSize {
		b := p.header[off:]
		if name := text(b[:32]); name != "" {
			add("partition", fmt.Sprintf("%s %#x+%#x", name, binary.LittleEndian.Uint32(b[32:]), binary.LittleEndian.Uint32(b[72:])), off, partitionSize)
		}
	}
	return attrs
}
