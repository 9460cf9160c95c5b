// Package anjvision reads the update file of ANJVision's cameras: a header and the parts that are
// to be written to flash.
//
// There is no official specification. The layout is that of the structure FirmWareHeader in the
// maker's flashing tool, which was published; the unpacker BANG,
// https://github.com/armijnhemel/binaryanalysis-ng, knows the first 32 bytes of it and calls the
// kernel U-Boot.
package anjvision

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "ANJOY888"

// Format is the update file.
var Format = format.Format{
	Name:   "anjvision",
	Title:  "ANJVision update",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "BANG", URL: "https://github.com/armijnhemel/binaryanalysis-ng"}},
	Limits: []string{
		"The checksums are not verified: their rule is not known.",
		"The layout is known from sources; no image was at hand.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic[8], 8 CRC, 12 size of the file, 16 parts that are there, one
// bit each. A part has its start, size and CRC in the header, and two have a version of 256 bytes.
const (
	headerSize  = 32
	versionSize = 256
	maxKinds    = 1 << 7 // of parts; those of the last bits are commands without a part
)

var fields = []struct {
	name    string
	bit     int64
	at      int64 // of start and size
	version int64 // 0 if there is none
}{
	{"kernel", 1 << 0, 20, 32},
	{"fs", 1 << 1, 288, 296},
	{"u-boot", 1 << 2, 556, 0},
	{"tgz", 1 << 3, 568, 0},
	{"oem", 1 << 4, 580, 0},
}

const appVersion = 592 // of the application, behind all parts' fields

type part struct {
	name string
	at   artifact.Range
}

type update struct {
	header   []byte // as far as the first part
	kinds    int64
	parts    []part
	problems []error
	size     int64 // as far as it is there
}

func open(src format.Source) (*update, error) {
	b := make([]byte, appVersion+versionSize)
	n, _ := src.ReadAt(b, 0)
	if b = b[:n]; n < headerSize || string(b[:8]) != magic {
		return nil, format.Not("anjvision: header")
	}
	u32 := func(off int64) int64 { return int64(binary.LittleEndian.Uint32(b[off:])) }
	end := u32(12)
	u := &update{kinds: u32(16), size: min(end, src.Size())}
	if u.kinds == 0 || u.kinds >= maxKinds || end < headerSize || end > src.Size() && src.Before > 0 {
		return nil, format.Not("anjvision: parts %#x, %d bytes in all, %d left", u.kinds, end, src.Size())
	}
	first := end // where the first part begins: fields behind it are none
	for _, f := range fields {
		if u.kinds&f.bit == 0 || f.at+8 > min(first, int64(len(b))) {
			continue
		}
		p := part{f.name, artifact.Range{Off: u32(f.at), Len: u32(f.at + 4)}}
		if p.at.Off < headerSize || p.at.Len == 0 || p.at.End() > end {
			return nil, format.Not("anjvision: %s at %#x+%#x of %#x bytes", p.name, p.at.Off, p.at.Len, end)
		}
		first = min(first, p.at.Off)
		u.parts = append(u.parts, p)
	}
	if u.size < end {
		u.problems = append(u.problems, format.Errorf(artifact.Truncated, u.size, "anjvision: %d bytes, %d left", end, u.size))
	}
	u.header = b[:min(first, int64(len(b)))]
	return u, nil
}

func (u *update) Size() int64 { return u.size }

func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range u.problems {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		for _, p := range u.parts {
			at := artifact.Range{Off: min(p.at.Off, u.size), Len: max(0, min(p.at.End(), u.size)-p.at.Off)}
			if !yield(format.Entry{Path: p.name, Size: at.Len, Window: &at}, nil) {
				return
			}
		}
	}
}

func (u *update) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	attrs := []artifact.Attr{
		{Name: "magic", Value: magic, At: at(0, 8)},
		{Name: "size", Value: strconv.FormatInt(int64(binary.LittleEndian.Uint32(u.header[12:])), 10), At: at(12, 4)},
		{Name: "parts", Value: fmt.Sprintf("%#x", u.kinds), At: at(16, 4)},
	}
	version := func(name string, off int64) {
		if off == 0 || off+versionSize > int64(len(u.header)) {
			return
		}
		if v, _, _ := bytes.Cut(u.header[off:off+versionSize], []byte{0}); len(v) > 0 {
			attrs = append(attrs, artifact.Attr{Name: "version", Value: name + " " + string(v), At: at(off, int64(len(v)))})
		}
	}
	for _, f := range fields {
		version(f.name, f.version)
	}
	version("application", appVersion)
	return attrs
}
