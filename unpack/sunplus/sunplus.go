// Package sunplus reads the firmware of action cameras with chips of Sunplus and iCatch: a
// header with the offsets of a boot loader and up to six more parts.
//
// There is no public specification. The layout follows the unpacker BANG,
// https://github.com/armijnhemel/binaryanalysis-ng, and
// https://github.com/Linouth/iCatch-V50-Playground. The rule of the checksum at 0x1fc is not known.
package sunplus

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "SUNP BURN FILE\x00\x00"

// Format is the firmware file.
var Format = format.Format{
	Name:   "sunplus",
	Title:  "Sunplus, iCatch burn file",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs: []format.Ref{
		{Title: "BANG", URL: "https://github.com/armijnhemel/binaryanalysis-ng"},
		{Title: "iCatch V50 Playground", URL: "https://github.com/Linouth/iCatch-V50-Playground"},
	},
	Limits: []string{"The checksum is not verified."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic[16], size of the file, then the offsets of these parts, 0 if
// there is none. The boot loader follows the header.
const headerSize = 1024

var names = [...]string{"aimg", "bimg", "cimg", "bin", "bad_pixel", "dram"}

type part struct {
	path  string
	field artifact.Range
	at    artifact.Range
}

type file struct {
	parts []part
	end   int64 // as the header tells
	size  int64 // as far as it is there
}

func open(src format.Source) (*file, error) {
	var b [20 + 4*len(names)]byte
	if n, _ := src.ReadAt(b[:], 0); n < len(b) || string(b[:16]) != magic {
		return nil, format.Not("sunplus: header")
	}
	f := &file{end: int64(binary.LittleEndian.Uint32(b[16:]))}
	f.size = min(f.end, src.Size())
	if f.end <= headerSize || f.end > src.Size() && src.Before > 0 {
		return nil, format.Not("sunplus: %d bytes, %d left", f.end, src.Size())
	}
	f.parts = []part{{"isp_bootloader", artifact.Range{Off: 20, Len: 4}, artifact.Range{Off: headerSize}}}
	for i, name := range names {
		field := artifact.Range{Off: int64(20 + 4*i), Len: 4}
		off := int64(binary.LittleEndian.Uint32(b[field.Off:]))
		if off == 0 {
			continue
		}
		last := &f.parts[len(f.parts)-1]
		if off < last.at.Off || off > f.end {
			return nil, format.Not("sunplus: %s at %#x, behind %#x of %#x bytes", name, off, last.at.Off, f.end)
		}
		last.at.Len = off - last.at.Off
		f.parts = append(f.parts, part{name, field, artifact.Range{Off: off, Len: f.end - off}})
	}
	if len(f.parts) < 3 {
		return nil, format.Not("sunplus: %d parts", len(f.parts))
	}
	return f, nil
}

func (f *file) Size() int64 { return f.size }

// Entries yields the parts that are not empty.
func (f *file) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if f.size < f.end && !yield(format.Entry{}, format.Errorf(artifact.Truncated, f.size, "sunplus: %d bytes, %d left", f.end, f.size)) {
			return
		}
		for _, p := range f.parts {
			at := artifact.Range{Off: min(p.at.Off, f.size), Len: max(0, min(p.at.End(), f.size)-p.at.Off)}
			if p.at.Len > 0 && !yield(format.Entry{Path: p.path, Size: p.at.Len, Window: &at}, nil) {
				return
			}
		}
	}
}

func (f *file) Describe() []artifact.Attr {
	attrs := []artifact.Attr{
		{Name: "magic", Value: magic[:14], At: artifact.Range{Len: 16}},
		{Name: "size", Value: strconv.FormatInt(f.end, 10), At: artifact.Range{Off: 16, Len: 4}},
	}
	for _, p := range f.parts[1:] {
		attrs = append(attrs, artifact.Attr{Name: p.path, Value: fmt.Sprintf("%#x+%#x", p.at.Off, p.at.Len), At: p.field})
	}
	return attrs
}
