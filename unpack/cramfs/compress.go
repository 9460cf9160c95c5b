package cramfs

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"hallmark/unpack/codec"
)

// decode decompresses one block into all of dst. Linux knows only zlib; what vendors use instead
// is told by the block's first bytes: the magic of xz, or the properties of LZMA, 5d in all
// encoders' defaults, with or without the rest of a header. LZMA's own first byte is 0.
func decode(dst, src []byte) (int, error) {
	const (
		zlibMethod = 8
		usual      = 0x5d
	)
	var n int
	var err error
	switch {
	case len(src) > 1 && src[0]&15 == zlibMethod && binary.BigEndian.Uint16(src)%31 == 0:
		n, err = codec.Zlib(dst, src)
	case len(src) > 6 && string(src[:6]) == "\xfd7zXZ\x00":
		n, err = codec.XZ(dst, src)
	case len(src) > 5 && src[0] < 225 && dictionary(binary.LittleEndian.Uint32(src[1:])):
		err = codec.ErrHeader
		for _, header := range []int{13, 9, 5} { // with a size of 8 bytes, of 4, without
			if len(src) > header && src[header] == 0 && (header == 5 || binary.LittleEndian.Uint32(src[5:]) == uint32(len(dst)) || header == 13 && binary.LittleEndian.Uint64(src[5:]) == 1<<64-1) {
				n, err = lzma(dst, src[header:], src[0])
				break
			}
		}
	case len(src) > 5 && src[0] == 0:
		n, err = lzma(dst, src, usual)
	default:
		n, err = codec.Zlib(dst, src)
	}
	if err == nil && n < len(dst) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func lzma(dst, src []byte, props byte) (int, error) {
	n, err := codec.LZMARaw(props)(dst, src)
	// Without an end mark the end is that of the block.
	if n == len(dst) && errors.Is(err, codec.ErrTooLong) {
		err = nil
	}
	return n, err
}

// dictionary reports whether n is a size that encoders choose and liblzma accepts.
func dictionary(n uint32) bool {
	return n >= 4096 && n>>bits.TrailingZeros32(n) <= 3
}
