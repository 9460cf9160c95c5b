// Package lzma reads .lzma files, also called LZMA-alone: 13 bytes of header and one LZMA stream,
// as the LZMA SDK's lzma.txt describes them, https://www.7-zip.org/sdk.html.
//
// The format has no magic. Most encoders write the same properties, which are searched for;
// others are read where a content starts with them.
package lzma

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is LZMA-alone.
var Format = format.Format{
	Name:  "lzma",
	Title: "LZMA",
	Kind:  format.Stream,
	Magics: []format.Magic{
		{Bytes: "\x5d\x00\x00"}, // lc=3, lp=0, pb=2, and a dictionary of 64 KiB or more
		// Any properties: a dictionary of 8, 16 or 32 MiB and a size that is not known.
		{Bytes: "\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00", Off: offDict},
		{Bytes: "\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00", Off: offDict},
		{Bytes: "\x00\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff\x00", Off: offDict},
		// The size, not known or below 4 GiB, and the first byte of the range coder.
		{Bytes: "\xff\xff\xff\xff\xff\xff\xff\xff\x00", Off: offSize, Start: true},
		{Bytes: "\x00\x00\x00\x00\x00", Off: offSize + 4, Start: true},
	},
	Refs:   []format.Ref{{Title: "LZMA SDK", URL: "https://www.7-zip.org/sdk.html"}},
	Limits: []string{"Streams without a header, with another header, or without both size and end marker are not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header.
const (
	offProps = 0 // (pb*5 + lp)*9 + lc
	offDict  = 1 // LE32
	offSize  = 5 // LE64, all ones if an end marker ends the stream
	header   = 13
	coder    = 5 // bytes with which the range coder begins
	unknown  = 1<<64 - 1

	proof = 4096 // noise does not decode so far: a match soon reaches to before the start

	// maxRatio is more than LZMA can compress by: a match of 273 bytes takes at least 14 bits of
	// a probability of 2017/2048 each, a third of a bit in all.
	maxRatio = 16 << 10
	maxSize  = 1 << 40
)

func open(src format.Source) (format.Chunk, error) {
	b := stream.Head(src, header+coder)
	if len(b) <= header || b[header] != 0 {
		return nil, format.Not("lzma: no range coder behind the header")
	}
	props, dict, size := b[offProps], binary.LittleEndian.Uint32(b[offDict:]), binary.LittleEndian.Uint64(b[offSize:])
	lc, lp, pb := props%9, props/9%5, props/45
	switch {
	case pb > 4 || lc+lp > 4:
		return nil, format.Not("lzma: properties %#02x", props)
	case !plausible(dict):
		return nil, format.Not("lzma: dictionary of %d bytes", dict)
	case dict == 0 && bytes.Count(b[header:], []byte{0}) == coder:
		return nil, format.Not("lzma: zeros") // which decode to zeros, as in file(1)'s table of magics
	case size != unknown && (size == 0 || size > maxSize || size/maxRatio > uint64(src.Size())):
		return nil, format.Not("lzma: size of %d bytes", size)
	}
	c := &stream.Chunk{Format: "lzma", Source: src, Decoder: codec.NewLZMA, Entry: format.Entry{Size: int64(size)}, Proof: proof}
	c.Attrs = append(c.Attrs,
		stream.Attr("properties", fmt.Sprintf("lc=%d lp=%d pb=%d", lc, lp, pb), offProps, 1),
		stream.Attr("dictionary", strconv.FormatUint(uint64(dict), 10), offDict, 4))
	if size != unknown {
		c.Attrs = append(c.Attrs, stream.Attr("size", strconv.FormatUint(size, 10), offSize, 8))
	}
	return c, nil
}

// plausible reports whether n is a size that encoders choose: 2^n, 2^n + 2^(n-1), none or all.
func plausible(n uint32) bool {
	switch bits.OnesCount32(n) {
	case 0, 1, 32:
		return true
	case 2:
		return n>>bits.TrailingZeros32(n) == 3
	}
	return false
}
