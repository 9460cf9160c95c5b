// Package grainmedia reads images for the chips of Grain Media (GM81xx): the wrapper around a
// kernel, and the application update of Gwell's cameras, which such chips and others run.
//
// There are no public specifications. The wrapper follows FACT's extractor,
// https://github.com/fkie-cad/fact_extractor, the update https://github.com/zzerrg/gmfwtools.
package grainmedia

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	magic = "\x80\x5a\x47\x4d" // 0x4d475a80
	jffs2 = "\x85\x19"
	elf   = "\x7fELF"
)

// Format is the wrapper.
var Format = format.Format{
	Name:   "grainmedia",
	Title:  "Grain Media GM81xx image",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "FACT extractor", URL: "https://github.com/fkie-cad/fact_extractor"}},
	Limits: []string{"Of the header only size and name are understood."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// Gwell is the application update. It has no magic of its own: its JFFS2 stands at 32.
var Gwell = format.Format{
	Name:   "gwell",
	Title:  "Gwell application update",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: jffs2, Off: gwellHeader, Start: true}},
	Refs:   []format.Ref{{Title: "gmfwtools", URL: "https://github.com/zzerrg/gmfwtools"}},
	Limits: []string{"The signature, MD5 under DES, is not verified.", "It is found only at the start of a file that ends with it."},
	Open:   func(src format.Source) (format.Chunk, error) { return openGwell(src) },
}

// The header of the wrapper: magic, 4 opaque bytes, size of the payload, big endian, 4 opaque
// bytes, name[16].
const (
	headerSize = 0x100
	nameAt     = 16
	nameSize   = 16
)

// The header of the update, little endian: 0, size of the JFFS2, size of the updater behind it,
// signature[16], version[4], the last number first.
const gwellHeader = 32

// image is either.
type image struct {
	parts   []part
	size    int64
	attrs   []artifact.Attr
	problem error
}

type part struct {
	path string
	at   artifact.Range
}

func open(src format.Source) (*image, error) {
	var b [headerSize]byte
	if n, _ := src.ReadAt(b[:], 0); n < len(b) || string(b[:4]) != magic {
		return nil, format.Not("grainmedia: header")
	}
	name, rest, _ := bytes.Cut(b[nameAt:nameAt+nameSize], []byte{0})
	unprintable := func(c byte) bool { return c < ' ' || c > '~' }
	size, left := int64(binary.BigEndian.Uint32(b[8:])), src.Size()-headerSize
	if size == 0 || size > left && src.Before > 0 || slices.ContainsFunc(name, unprintable) || len(bytes.Trim(rest, "\x00")) > 0 {
		return nil, format.Not("grainmedia: %q of %d bytes, %d left", name, size, left)
	}
	m := &image{size: headerSize + min(size, left), attrs: []artifact.Attr{
		{Name: "size", Value: strconv.FormatInt(size, 10), At: artifact.Range{Off: 8, Len: 4}},
		{Name: "name", Value: string(name), At: artifact.Range{Off: nameAt, Len: nameSize}},
	}}
	m.parts = []part{{"", artifact.Range{Off: headerSize, Len: min(size, left)}}}
	if size > left {
		m.problem = format.Errorf(artifact.Truncated, m.size, "grainmedia: payload at %#x: %d bytes, %d left", headerSize, size, left)
	}
	return m, nil
}

// openGwell asks for all that the header allows: its zero, sizes that make up the file, JFFS2 and
// ELF where they have to stand.
func openGwell(src format.Source) (*image, error) {
	var b [gwellHeader + 2]byte
	if n, _ := src.ReadAt(b[:], 0); n < len(b) || string(b[gwellHeader:]) != jffs2 || binary.LittleEndian.Uint32(b[:]) != 0 {
		return nil, format.Not("gwell: header")
	}
	fs, exec := int64(binary.LittleEndian.Uint32(b[4:])), int64(binary.LittleEndian.Uint32(b[8:]))
	if exec == 0 || gwellHeader+fs+exec != src.Size() {
		return nil, format.Not("gwell: %d and %d bytes, file of %d", fs, exec, src.Size())
	}
	var start [4]byte
	if n, _ := src.ReadAt(start[:], gwellHeader+fs); n < len(start) || string(start[:]) != elf {
		return nil, format.Not("gwell: updater at %#x", gwellHeader+fs)
	}
	return &image{
		size:  src.Size(),
		parts: []part{{"app.jffs2", artifact.Range{Off: gwellHeader, Len: fs}}, {"updater", artifact.Range{Off: gwellHeader + fs, Len: exec}}},
		attrs: []artifact.Attr{
			{Name: "signature", Value: fmt.Sprintf("%x", b[12:28]), At: artifact.Range{Off: 12, Len: 16}},
			{Name: "version", Value: fmt.Sprintf("%d.%d.%d.%d", b[31], b[30], b[29], b[28]), At: artifact.Range{Off: 28, Len: 4}},
		},
	}, nil
}

func (m *image) Size() int64 { return m.size }

func (m *image) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if m.problem != nil && !yield(format.Entry{}, m.problem) {
			return
		}
		for _, p := range m.parts {
			if !yield(format.Entry{Path: p.path, Size: p.at.Len, Window: &p.at}, nil) {
				return
			}
		}
	}
}

func (m *image) Describe() []artifact.Attr { return m.attrs }
