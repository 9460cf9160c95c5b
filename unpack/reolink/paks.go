package reolink

import (
	"encoding/binary"
	"fmt"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const paksMagic = "SKAP" // 0x50414b53, little endian

// Paks is the update of newer devices.
var Paks = format.Format{
	Name:   "reolink-paks",
	Title:  "Reolink update (PAKS)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: paksMagic}},
	Refs:   []format.Ref{{Title: "pakler", URL: "https://github.com/vmallet/pakler"}},
	Limits: []string{
		"The checksums are not verified: what they cover is not known.",
		"The layout is known from sources; no image was at hand.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return openPaks(src) },
}

// The header, little endian: 0 magic, 8 size of the file, 28 version of the hardware (32), 60 of
// the firmware (32), 92 size of what follows, 96 sections. Each section begins with 4 checksum,
// 8 name (32), 40 version (32), 72 length.
const (
	paksHeader  = 104
	paksSection = 88
)

type paks struct {
	header   []byte
	sections []section
	size     int64
	problems []error
}

func openPaks(src format.Source) (*paks, error) {
	h := make([]byte, paksHeader)
	if n, _ := src.ReadAt(h, 0); n < len(h) || string(h[:4]) != paksMagic {
		return nil, format.Not("reolink: header")
	}
	le := binary.LittleEndian
	p := &paks{header: h, size: int64(le.Uint32(h[8:]))}
	count := le.Uint32(h[96:])
	if p.size != int64(le.Uint32(h[92:]))+paksHeader || count == 0 || count > maxSections {
		return nil, format.Not("reolink: %d bytes, %d behind the header, %d sections", p.size, le.Uint32(h[92:]), count)
	}
	at := int64(paksHeader)
	for i := range int64(count) {
		var b [paksSection]byte
		if n, _ := src.ReadAt(b[:], at); n < len(b) {
			p.problems = append(p.problems, format.Errorf(artifact.Truncated, min(at, src.Size()), "reolink: section %d at %#x: content ends at %#x", i, at, src.Size()))
			break
		}
		s := section{path: text(b[8:40]), version: text(b[40:72]), entry: at, at: artifact.Range{Off: at + paksSection, Len: int64(le.Uint32(b[72:]))}}
		if s.path == "" {
			s.path = fmt.Sprintf("section%d", i)
		}
		if s.at.End() > p.size {
			if i == 0 {
				return nil, format.Not("reolink: section %q ends at %#x of %#x", s.path, s.at.End(), p.size)
			}
			p.problems = append(p.problems, format.Errorf(artifact.Damaged, at, "reolink: section %q at %#x ends at %#x of %#x", s.path, at, s.at.End(), p.size))
			break
		}
		at = s.at.End()
		if left := src.Size() - s.at.Off; s.at.Len > left {
			p.problems = append(p.problems, format.Errorf(artifact.Truncated, at, "reolink: section %q at %#x: %d bytes, %d left", s.path, s.at.Off, s.at.Len, left))
			s.at.Len = left
		}
		p.sections = append(p.sections, s)
	}
	p.size = min(p.size, src.Size())
	return p, nil
}

func (p *paks) Size() int64 { return p.size }

func (p *paks) Entries() iter.Seq2[format.Entry, error] {
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

func (p *paks) Describe() []artifact.Attr {
	attrs := []artifact.Attr{
		{Name: "hardware", Value: text(p.header[28:60]), At: artifact.Range{Off: 28, Len: 32}},
		{Name: "firmware", Value: text(p.header[60:92]), At: artifact.Range{Off: 60, Len: 32}},
	}
	for _, s := range p.sections {
		attrs = append(attrs, artifact.Attr{Name: "version", Value: s.path + " " + s.version, At: artifact.Range{Off: s.entry + 40, Len: 32}})
	}
	return attrs
}
