// Package xz reads .xz files, https://tukaani.org/xz/xz-file-format.txt.
//
// All filters of the specification's version 1.2.1 are undone. Streams that follow each other
// directly are one.
package xz

import (
	"strconv"
	"strings"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is xz.
var Format = format.Format{
	Name:   "xz",
	Title:  "XZ",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\xfd7zXZ\x00"}},
	Refs:   []format.Ref{{Title: "The .xz File Format", URL: "https://tukaani.org/xz/xz-file-format.txt"}},
	Limits: []string{
		"Checks other than CRC32, CRC64 and SHA-256 are not verified.",
		"Stream padding is not part of the stream.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// Sizes of the headers: 12 bytes for the stream, up to 1024 for a block.
const (
	streamHeader = 12
	maxHeader    = streamHeader + 1024
)

func open(src format.Source) (format.Chunk, error) {
	h, err := codec.ParseXZHeader(stream.Head(src, maxHeader))
	if err != nil {
		return nil, format.Not("xz: header: %v", err)
	}
	c := &stream.Chunk{Format: "xz", Source: src, Decoder: codec.NewXZ, Entry: format.Entry{Size: -1}}
	c.Attrs = append(c.Attrs, stream.Attr("check", h.Check, 7, 1))
	if h.Filters != nil {
		c.Attrs = append(c.Attrs,
			stream.Attr("filters", strings.Join(h.Filters, " "), streamHeader, 0),
			stream.Attr("dictionary", strconv.FormatInt(h.Dict, 10), streamHeader, 0))
	}
	return c, nil
}
