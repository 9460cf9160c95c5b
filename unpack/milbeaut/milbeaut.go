// Package milbeaut reads the container of Socionext's Milbeaut chips: a header of 16 bytes and a
// payload.
//
// There is no public specification. The layout follows the unpacker BANG,
// https://github.com/armijnhemel/binaryanalysis-ng.
package milbeaut

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "MILBEAUT"

// Format is the container.
var Format = format.Format{
	Name:   "milbeaut",
	Title:  "Socionext Milbeaut",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "BANG", URL: "https://github.com/armijnhemel/binaryanalysis-ng"}},
	Limits: []string{"Bytes 8 to 11 of the header are not understood."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic[8], opaque[4], size of the payload.
const headerSize = 16

type container struct {
	raw      [headerSize]byte
	declared int64
	size     int64 // of the payload, as far as it is there
}

func open(src format.Source) (*container, error) {
	c := &container{}
	if n, _ := src.ReadAt(c.raw[:], 0); n < headerSize || string(c.raw[:8]) != magic {
		return nil, format.Not("milbeaut: header")
	}
	c.declared = int64(binary.LittleEndian.Uint32(c.raw[12:]))
	left := src.Size() - headerSize
	// Text that speaks of Milbeaut has letters where the size is.
	if c.declared == 0 || left == 0 || c.declared > left && src.Before > 0 || c.declared > 16*left {
		return nil, format.Not("milbeaut: %d bytes, %d left", c.declared, left)
	}
	c.size = min(c.declared, left)
	return c, nil
}

func (c *container) Size() int64 { return headerSize + c.size }

func (c *container) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if c.size < c.declared && !yield(format.Entry{}, format.Errorf(artifact.Truncated, c.Size(), "milbeaut: payload at %#x: %d bytes, %d left", headerSize, c.declared, c.size)) {
			return
		}
		yield(format.Entry{Size: c.declared, Window: &artifact.Range{Off: headerSize, Len: c.size}}, nil)
	}
}

func (c *container) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "magic", Value: magic, At: at(0, 8)},
		{Name: "opaque", Value: fmt.Sprintf("%x", c.raw[8:12]), At: at(8, 4)},
		{Name: "size", Value: strconv.FormatInt(c.declared, 10), At: at(12, 4)},
	}
}
