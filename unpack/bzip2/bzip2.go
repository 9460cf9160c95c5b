// Package bzip2 reads bzip2 files, https://sourceware.org/bzip2/.
//
// Streams that follow each other directly are one. Blocks of versions before 0.9.5, which may be
// randomised, are not read.
package bzip2

import (
	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is bzip2.
var Format = format.Format{
	Name:  "bzip2",
	Title: "bzip2",
	Kind:  format.Stream,
	// A block's magic, or that of the end, which are the decimals of pi and of its square root.
	Magics: []format.Magic{{Bytes: "1AY&SY", Off: offBlock}, {Bytes: "\x17rE8P\x90", Off: offBlock}},
	Refs:   []format.Ref{{Title: "bzip2", URL: "https://sourceware.org/bzip2/"}},
	Limits: []string{"Randomised blocks, which bzip2 has not written since 1997, are not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

const (
	offLevel = 3 // a digit: the size of a block in units of 100,000 bytes
	offBlock = 4

	// The magics stand in programs that look for the format, so something must decode behind them.
	proof = 1
)

func open(src format.Source) (format.Chunk, error) {
	if _, err := codec.NewBzip2(src, src.Size(), src.Memory()); err != nil {
		return nil, format.Not("bzip2: header: %v", err)
	}
	level := stream.Head(src, offBlock)[offLevel:]
	return &stream.Chunk{
		Format: "bzip2", Source: src, Decoder: codec.NewBzip2, Entry: format.Entry{Size: -1}, Proof: proof,
		Attrs: []artifact.Attr{stream.Attr("level", string(level), offLevel, 1)},
	}, nil
}
