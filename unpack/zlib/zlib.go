// Package zlib reads zlib streams, RFC 1950, https://www.rfc-editor.org/rfc/rfc1950.
//
// Two bytes are all that such a stream starts with, so it is only claimed if it decodes to its
// end and its checksum fits: a damaged one is not recognised.
package zlib

import (
	"io"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is zlib.
var Format = format.Format{
	Name:   "zlib",
	Title:  "zlib",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\x78\x01"}, {Bytes: "\x78\x5e"}, {Bytes: "\x78\x9c"}, {Bytes: "\x78\xda"}},
	Refs:   []format.Ref{{Title: "RFC 1950", URL: "https://www.rfc-editor.org/rfc/rfc1950"}},
	Limits: []string{
		"A stream that is damaged, cut, of less than 64 bytes of content or of a window below 32 KiB is not recognised.",
		"Preset dictionaries are not supported.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

const (
	least = 64       // bytes of content: a few bits of noise can be a stream, too
	proof = 64 << 20 // bytes that decode without an error are proof even before the checksum
)

func open(src format.Source) (format.Chunk, error) {
	s, err := codec.NewZlib(src, src.Size(), src.Memory())
	if err != nil {
		return nil, format.Not("zlib: header: %v", err)
	}
	if n, err := io.CopyN(io.Discard, s, least); err != nil {
		return nil, format.Not("zlib: %d bytes and then %v", n, err)
	}
	return &stream.Chunk{Format: "zlib", Source: src, Decoder: codec.NewZlib, Entry: format.Entry{Size: -1}, Proof: proof}, nil
}
