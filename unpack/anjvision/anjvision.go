// Package anjvision reads the update file of ANJVision's cameras: a header, U-Boot, and a file
// system up to the end.
//
// There is no public specification. The layout follows the unpacker BANG,
// https://github.com/armijnhemel/binaryanalysis-ng.
package anjvision

import (
	"encoding/binary"
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
	Limits: []string{"Only files with the mark 3 at offset 16 are read.", "Bytes 8 to 11 and those from 28 on of the header are not understood."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic[8], opaque u32, size of the file, 3, size of the header, size
// of U-Boot, opaque u32.
const (
	headerSize = 32
	mark       = 3
)

type update struct {
	boot, fs artifact.Range
	end      int64 // as the header tells
	size     int64 // as far as it is there
}

func open(src format.Source) (*update, error) {
	var b [headerSize]byte
	if n, _ := src.ReadAt(b[:], 0); n < headerSize || string(b[:8]) != magic {
		return nil, format.Not("anjvision: header")
	}
	u32 := func(off int) int64 { return int64(binary.LittleEndian.Uint32(b[off:])) }
	end, head, boot := u32(12), u32(20), u32(24)
	if u32(16) != mark || head < headerSize || boot == 0 || head+boot >= end || end > src.Size() && src.Before > 0 {
		return nil, format.Not("anjvision: header of %d bytes, U-Boot of %d, %d in all, %d left", head, boot, end, src.Size())
	}
	return &update{
		boot: artifact.Range{Off: head, Len: boot}, fs: artifact.Range{Off: head + boot, Len: end - head - boot},
		end: end, size: min(end, src.Size()),
	}, nil
}

func (u *update) Size() int64 { return u.size }

func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if u.size < u.end && !yield(format.Entry{}, format.Errorf(artifact.Truncated, u.size, "anjvision: %d bytes, %d left", u.end, u.size)) {
			return
		}
		for _, e := range []struct {
			path string
			at   artifact.Range
		}{{"u-boot", u.boot}, {"fs", u.fs}} {
			at := artifact.Range{Off: min(e.at.Off, u.size), Len: max(0, min(e.at.End(), u.size)-e.at.Off)}
			if !yield(format.Entry{Path: e.path, Size: e.at.Len, Window: &at}, nil) {
				return
			}
		}
	}
}

func (u *update) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "magic", Value: magic, At: at(0, 8)},
		{Name: "size", Value: strconv.FormatInt(u.end, 10), At: at(12, 4)},
		{Name: "header", Value: strconv.FormatInt(u.boot.Off, 10), At: at(20, 4)},
		{Name: "u-boot", Value: strconv.FormatInt(u.boot.Len, 10), At: at(24, 4)},
	}
}
