// Package zstd reads Zstandard files, RFC 8878, https://www.rfc-editor.org/rfc/rfc8878.
//
// Frames that follow each other directly are one stream. Frames that need a dictionary are not read.
package zstd

import (
	"strconv"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is Zstandard.
var Format = format.Format{
	Name:   "zstd",
	Title:  "Zstandard",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\x28\xb5\x2f\xfd"}},
	Refs:   []format.Ref{{Title: "RFC 8878", URL: "https://www.rfc-editor.org/rfc/rfc8878"}},
	Limits: []string{"Frames that need a dictionary are not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The magic stands in every program that reads the format, so something must decode behind it.
const proof = 1

func open(src format.Source) (format.Chunk, error) {
	h, err := codec.ParseZstdHeader(stream.Head(src, codec.ZstdHeader))
	if err != nil {
		return nil, format.Not("zstd: header: %v", err)
	}
	c := &stream.Chunk{Format: "zstd", Source: src, Decoder: codec.NewZstd, Entry: format.Entry{Size: h.Size}, Proof: proof}
	if h.Window > 0 {
		c.Attrs = append(c.Attrs, stream.Attr("window", strconv.FormatInt(h.Window, 10), 4, 0))
	}
	if h.Size >= 0 {
		c.Attrs = append(c.Attrs, stream.Attr("size", strconv.FormatInt(h.Size, 10), 4, 0))
	}
	return c, nil
}
