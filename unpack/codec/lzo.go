package codec

import "io"

// LZO is the [Block] decoder of LZO1X, https://docs.kernel.org/staging/lzo.html. Bytes behind the
// end marker are ignored: some writers pad. LZO-RLE is not decoded.
func LZO(dst, src []byte) (int, error) {
	at, i := 0, 0
	literals := func(n int) error {
		m := copy(dst[at:], src[i:min(len(src), i+n)])
		at, i = at+m, i+m
		switch {
		case m == n:
			return nil
		case i == len(src):
			return io.ErrUnexpectedEOF
		}
		return ErrTooLong
	}
	// state is how many literals the last instruction ended with: 0 to 3, or 4 for a run of them.
	state := 0
	if len(src) > 0 && src[0] > 17 {
		state = min(4, int(src[0])-17)
		i = 1
		if err := literals(int(src[0]) - 17); err != nil {
			return at, err
		}
	}
	for i < len(src) {
		t := int(src[i])
		i++
		length, base := 0, 0 // base is what a length of 0 in t continues from
		switch {
		case t >= 64:
			length = t>>5 + 1
		case t >= 32:
			length, base = t&31, 31
		case t >= 16:
			length, base = t&7, 7
		case state == 0:
			length, base = t, 15
		case state == 4:
			length = 3
		default:
			length = 2
		}
		if base > 0 {
			if length == 0 {
				for length = base; i < len(src) && src[i] == 0; i++ {
					length += 255
				}
				if i == len(src) {
					break
				}
				length += int(src[i])
				i++
			}
			if length += 2; t < 16 {
				if err := literals(length + 1); err != nil {
					return at, err
				}
				state = 4
				continue
			}
		}
		var dist int
		if base > 0 {
			if len(src)-i < 2 {
				break
			}
			word := int(src[i]) | int(src[i+1])<<8
			i += 2
			state = word & 3
			dist = word>>2 + 1
			if t < 32 {
				dist += t&8<<11 - 1
				if dist == 0 {
					if length != 3 {
						return at, ErrCorrupt
					}
					return at, nil
				}
				dist += 16 << 10
			}
		} else {
			if i == len(src) {
				break
			}
			high := int(src[i])
			i++
			switch {
			case t >= 64:
				dist = high<<3 + t>>2&7 + 1
			case state == 4:
				dist = high<<2 + t>>2 + 2<<10 + 1
			default:
				dist = high<<2 + t>>2 + 1
			}
			state = t & 3
		}
		if dist > at {
			return at, ErrCorrupt
		}
		end := min(len(dst), at+length)
		if dist >= length {
			copy(dst[at:end], dst[at-dist:])
		} else {
			copyMatch(dst, at, end, dist)
		}
		if end-at < length {
			return end, ErrTooLong
		}
		at = end
		for n := state; n > 0; n-- {
			if i == len(src) {
				return at, io.ErrUnexpectedEOF
			}
			if at == len(dst) {
				return at, ErrTooLong
			}
			dst[at] = src[i]
			at, i = at+1, i+1
		}
	}
	return at, io.ErrUnexpectedEOF
}
