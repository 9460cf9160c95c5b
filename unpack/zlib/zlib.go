// Package zlib reads zlib streams, RFC 1950, https://www.rfc-editor.org/rfc/rfc1950.
//
// Two bytes are all that such a stream starts with, so it is only claimed if it decodes to its
// end and its checksum fits: a damaged one is not recognised.
package zlib

import (
	"encoding/binary"
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
	var head [19]byte
	if n, _ := src.ReadAt(head[:], 0); n == len(head) && !begins(head) {
		return nil, errNoBlock
	}
	s, err := codec.NewZlib(src, src.Size(), src.Memory())
	if err != nil {
		return nil, format.Not("zlib: header: %v", err)
	}
	if n, err := io.CopyN(io.Discard, s, least); err != nil {
		return nil, format.Not("zlib: %d bytes and then %v", n, err)
	}
	return &stream.Chunk{Format: "zlib", Source: src, Decoder: codec.NewZlib, Entry: format.Entry{Size: -1}, Proof: proof}, nil
}

var errNoBlock = format.Not("zlib: no block of DEFLATE behind the header")

// begins reports whether a stream can begin so: it turns nearly every chance hit away before
// anything is allocated. RFC 1951, section 3.2.4 on.
func begins(head [19]byte) bool {
	if binary.BigEndian.Uint16(head[:])%31 != 0 {
		return false
	}
	switch b := head[2:]; b[0] >> 1 & 3 {
	case 0: // stored: a length and its complement
		return b[1]^b[3] == 0xff && b[2]^b[4] == 0xff
	case 1:
		return true
	case 2:
		return complete(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
	}
	return false
}

// complete reports whether the first codes of a dynamic block, given by its first 128 bits,
// are in their ranges and use up all of the code space, as decoders demand.
func complete(lo, hi uint64) bool {
	literals, distances, lengths := lo>>3&31, lo>>8&31, lo>>13&15+4
	if literals > 29 || distances > 29 {
		return false
	}
	lo = lo>>17 | hi<<47 // code lengths, 3 bits each
	hi >>= 17
	space, codes := 0, 0
	for range lengths {
		if n := lo & 7; n > 0 {
			space += 1 << (7 - n)
			codes++
		}
		lo = lo>>3 | hi<<61
		hi >>= 3
	}
	return space == 1<<7 || codes == 1 && space == 1<<6
}
