package jffs2

import "errors"

// The Rubin methods code one bit after the other, the lowest of a byte first, with an arithmetic
// coder of 16 bits. They differ in what they know of a bit's chance to be 1: it is fixed for each
// of the eight places in a byte, or in front of the data as eight bytes. Linux fs/jffs2/compr_rubin.c.
//
// The numbers of the two do not tell which it is: Linux exchanged them in 2004, when compressors
// became modules, and others did not. But only the right one ends where the data does, in the
// state that the encoder wrote there.
func rubin(dst, src []byte) (int, error) {
	n, err := dynRubin(dst, src)
	if err == nil {
		return n, nil
	}
	if m, mipsErr := rubinMips(dst, src); mipsErr == nil {
		return m, nil
	}
	n, _ = dynRubin(dst, src)
	return n, err
}

var errRubin = errors.New("rubin data is corrupt")

// rubinMips has the chances of MIPS code.
func rubinMips(dst, src []byte) (int, error) {
	return rubinDecode(dst, src, 1043, [8]uint32{277, 249, 290, 267, 229, 341, 212, 241})
}

func dynRubin(dst, src []byte) (int, error) {
	if len(src) < 8 {
		return 0, errRubin
	}
	var ones [8]uint32
	for i := range ones {
		if ones[i] = uint32(src[i]); ones[i] == 0 {
			return 0, errRubin
		}
	}
	return rubinDecode(dst, src[8:], 256, ones)
}

// rubinDecode decodes bits that are 1 in ones of all cases. The interval at hand is the span numbers
// from low on: low + span <= 1<<16, and more than 1 once it was widened, so both its parts have one.
func rubinDecode(dst, src []byte, all uint32, ones [8]uint32) (int, error) {
	const half = 1 << 15
	pos := 0 // in bits
	pull := func(v uint32) uint32 {
		v = v & (half - 1) << 1
		if pos < 8*len(src) {
			v |= uint32(src[pos/8]>>(7-pos%8)) & 1
		}
		pos++
		return v
	}
	low, span, code := uint32(0), uint32(2*half), uint32(0)
	for range 16 {
		code = pull(code)
	}
	for n := range dst {
		var b byte
		for i, one := range ones {
			for low >= half || low+span <= half {
				low, span, code = low&(half-1)<<1, span<<1, pull(code)
			}
			zero := min(max((all-one)*span/all, 1), span-1)
			if code >= low+zero {
				b |= 1 << i
				low, span = low+zero, span-zero
			} else {
				span = zero
			}
		}
		if pos > 8*len(src) {
			return n, errRubin
		}
		dst[n] = b
	}
	if (pos+7)/8 != len(src) || code != low {
		return len(dst), errRubin
	}
	return len(dst), nil
}
