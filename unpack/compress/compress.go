// Package compress reads what compress(1) writes, .Z files, as ncompress does,
// https://github.com/vapier/ncompress.
//
// Such a file has no end mark and no checksum, so it is read only where it starts a content, and
// to the content's end.
package compress

import (
	"strconv"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is compress(1).
var Format = format.Format{
	Name:   "compress",
	Title:  "compress (.Z)",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\x1f\x9d", Start: true}},
	Refs:   []format.Ref{{Title: "ncompress", URL: "https://github.com/vapier/ncompress"}},
	Limits: []string{"A file within another content is not found: it has no end."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

const (
	offFlags = 2
	maxBits  = 31 // of the flags: the widest code

	// proof is where a stream that is none has failed: of its codes of 9 bits, those of noise
	// are beyond the table in one of two cases.
	proof = 256
)

func open(src format.Source) (format.Chunk, error) {
	if _, err := codec.NewCompress(src, src.Size(), src.Memory()); err != nil {
		return nil, format.Not("compress: header: %v", err)
	}
	c := &stream.Chunk{Format: "compress", Source: src, Decoder: codec.NewCompress, Entry: format.Entry{Size: -1}, Proof: proof}
	bits := stream.Head(src, offFlags+1)[offFlags] & maxBits
	c.Attrs = append(c.Attrs, stream.Attr("bits", strconv.Itoa(int(bits)), offFlags, 1))
	return c, nil
}
