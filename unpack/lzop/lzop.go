// Package lzop reads lzop files, which their program's source describes, https://www.lzop.org/.
//
// An archive of several files is read as one stream after the other. Filters are not undone.
package lzop

import (
	"fmt"
	"io/fs"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is lzop. The entry has the name, the mode and the time that the header stores.
var Format = format.Format{
	Name:   "lzop",
	Title:  "lzop",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\x89LZO\x00\r\n\x1a\n"}},
	Refs:   []format.Ref{{Title: "lzop", URL: "https://www.lzop.org/"}},
	Limits: []string{"Filters, which only old versions apply, are not undone."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

const maxHeader = 64 << 10

func open(src format.Source) (format.Chunk, error) {
	b := stream.Head(src, maxHeader)
	h, err := codec.ParseLzopHeader(b)
	if err != nil {
		return nil, format.Not("lzop: header: %v", err)
	}
	c := &stream.Chunk{Format: "lzop", Source: src, Decoder: codec.NewLzop}
	c.Entry = format.Entry{Path: h.Name, Mode: fs.FileMode(h.Mode & 0o777), Size: -1, ModTime: h.ModTime}
	c.Attrs = append(c.Attrs, stream.Attr("version", fmt.Sprintf("%d.%02x", h.Version>>12, h.Version>>4&0xff), 9, 2))
	if h.Name != "" {
		c.Attrs = append(c.Attrs, stream.Attr("name", h.Name, 0, int64(h.Size)))
	}
	return c, nil
}
