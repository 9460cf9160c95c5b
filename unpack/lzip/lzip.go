// Package lzip reads lzip files, https://www.nongnu.org/lzip/manual/lzip_manual.html#File-format.
//
// Members that follow each other directly are one stream.
package lzip

import (
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is lzip.
var Format = format.Format{
	Name:   "lzip",
	Title:  "lzip",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "LZIP\x01"}},
	Refs:   []format.Ref{{Title: "Lzip manual, file format", URL: "https://www.nongnu.org/lzip/manual/lzip_manual.html#File-format"}},
	Limits: []string{"Version 0, without the size of the member, is not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// Noise behind the magic, which readers of the format hold too, is soon damage.
const proof = 512

func open(src format.Source) (format.Chunk, error) {
	if _, err := codec.NewLzip(src, src.Size(), src.Memory()); err != nil {
		return nil, format.Not("lzip: header: %v", err)
	}
	return &stream.Chunk{Format: "lzip", Source: src, Decoder: codec.NewLzip, Entry: format.Entry{Size: -1}, Proof: proof}, nil
}
