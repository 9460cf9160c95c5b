package codec

import (
	"encoding/binary"
	"io"
)

// LZ4 is the [Block] decoder of one raw LZ4 block.
func LZ4(dst, src []byte) (int, error) { return lz4Block(dst, 0, src) }

// lz4Block decodes src into dst[at:], with dst[:at] as the dictionary, and returns where it came to.
// See https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md.
func lz4Block(dst []byte, at int, src []byte) (int, error) {
	i := 0
	length := func(n int) (int, bool) { // extends a length of 15 by the bytes that follow
		for i < len(src) {
			b := src[i]
			i++
			if n += int(b); b != 255 {
				return n, true
			}
		}
		return n, false
	}
	for i < len(src) {
		token := src[i]
		i++
		lits, ok := int(token>>4), true
		if lits == 15 {
			if lits, ok = length(lits); !ok {
				return at, io.ErrUnexpectedEOF
			}
		}
		if lits <= 16 && len(src)-i > 16 && len(dst)-at >= 16 {
			copy16(dst[at:], src[i:]) // what is too much is overwritten
			at += lits
			i += lits
		} else {
			n := copy(dst[at:], src[i:min(len(src), i+lits)])
			at += n
			if i += n; n < lits {
				if i == len(src) {
					return at, io.ErrUnexpectedEOF
				}
				return at, ErrTooLong
			}
		}
		if i == len(src) {
			return at, nil // the last sequence has literals only
		}
		if len(src)-i < 2 {
			return at, io.ErrUnexpectedEOF
		}
		dist := int(src[i]) | int(src[i+1])<<8
		i += 2
		match := int(token&15) + 4
		if match == 19 {
			if match, ok = length(match); !ok {
				return at, io.ErrUnexpectedEOF
			}
		}
		if dist == 0 || dist > at {
			return at, ErrCorrupt
		}
		if dist >= 8 && match <= 32 && len(dst)-at >= 32 {
			from, to := dst[at-dist:], dst[at:]
			copy16(to, from)
			if match > 16 {
				copy16(to[16:], from[16:])
			}
			at += match
			continue
		}
		end := min(len(dst), at+match)
		short := end-at < match
		at = copyMatch(dst, at, end, dist)
		if short {
			return at, ErrTooLong
		}
	}
	return at, io.ErrUnexpectedEOF
}

// copy16 copies the first 16 bytes of src, eight at a time and in order: dst may begin in src at
// index 8 or behind, and then repeats what it is given.
func copy16(dst, src []byte) {
	_, _ = dst[15], src[15]
	binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src))
	binary.LittleEndian.PutUint64(dst[8:], binary.LittleEndian.Uint64(src[8:]))
}

// copyMatch fills b[at:end] with what stands dist bytes before, which may overlap, and returns end.
func copyMatch(b []byte, at, end, dist int) int {
	for at < end {
		at += copy(b[at:end], b[at-dist:at])
		dist *= 2 // what was copied repeats the pattern, so the next run may be twice as long
	}
	return at
}
