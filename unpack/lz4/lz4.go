// Package lz4 reads LZ4 frames, https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, and
// the legacy format that the same document describes, which Linux kernels use.
//
// Frames that follow each other directly are one stream. Frames that need a dictionary are not
// read. A legacy stream has no end mark: it ends with a block that is not full.
package lz4

import (
	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is the LZ4 frame.
var Format = format.Format{
	Name:   "lz4",
	Title:  "LZ4 frame",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\x04\x22\x4d\x18"}},
	Refs:   refs,
	Limits: []string{"Frames that need a dictionary are not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// Legacy is the format that lz4 -l writes.
var Legacy = format.Format{
	Name:   "lz4-legacy",
	Title:  "LZ4 legacy frame",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\x02\x21\x4c\x18"}},
	Refs:   refs,
	Limits: []string{"A stream whose last block is full ends where no size of a block follows."},
	Open:   func(src format.Source) (format.Chunk, error) { return openLegacy(src) },
}

var refs = []format.Ref{{Title: "LZ4 Frame Format Description", URL: "https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md"}}

func open(src format.Source) (format.Chunk, error) {
	// The header has a checksum, of one byte.
	if _, err := codec.NewLZ4(src, src.Size(), src.Memory()); err != nil {
		return nil, format.Not("lz4: header: %v", err)
	}
	flags := stream.Head(src, offFlags+2)[offFlags:]
	blocks, size := "linked", []string{4: "64 KiB", 5: "256 KiB", 6: "1 MiB", 7: "4 MiB"}
	if flags[0]&independent != 0 {
		blocks = "independent"
	}
	return &stream.Chunk{
		Format: "lz4", Source: src, Decoder: codec.NewLZ4, Entry: format.Entry{Size: -1}, Proof: proof,
		Attrs: []artifact.Attr{
			stream.Attr("blocks", blocks, offFlags, 1),
			stream.Attr("block size", size[flags[1]>>4&7], offFlags+1, 1),
		},
	}, nil
}

const (
	offFlags    = 4 // and the block descriptor behind it
	independent = 0x20

	proof       = 1
	legacyProof = 4096 // the header is a magic and a size
)

func openLegacy(src format.Source) (format.Chunk, error) {
	if _, err := codec.NewLZ4Legacy(src, src.Size(), src.Memory()); err != nil {
		return nil, format.Not("lz4-legacy: header: %v", err)
	}
	return &stream.Chunk{Format: "lz4-legacy", Source: src, Decoder: codec.NewLZ4Legacy, Entry: format.Entry{Size: -1}, Proof: legacyProof}, nil
}
