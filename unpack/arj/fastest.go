package arj

import (
	"bufio"
	"io"
)

// fastest decodes method 4: LZ77 whose lengths and distances have a code of their width each.
type fastest struct {
	in       *bufio.Reader
	acc      uint32
	have     uint
	left     int64
	match    int
	distance uint16
	at       uint16
	window   [1 << 16]byte
	err      error
}

func newFastest(r io.Reader, size int64) *fastest {
	return &fastest{in: bufio.NewReader(r), left: size}
}

func (f *fastest) Read(p []byte) (int, error) {
	const minMatch = 3
	n := 0
	for n < len(p) && f.err == nil {
		if f.left <= 0 {
			f.err = io.EOF
			break
		}
		var b byte
		if f.match > 0 {
			f.match--
			b = f.window[f.at-f.distance-1]
		} else if length := f.number(0, 7); length > 0 {
			f.match, f.distance = int(length)-1+minMatch, uint16(f.number(9, 13))
			continue
		} else {
			b = byte(f.bits(8))
		}
		if f.err != nil {
			break
		}
		f.window[f.at] = b
		f.at++
		f.left--
		p[n] = b
		n++
	}
	if n > 0 {
		return n, nil
	}
	return 0, f.err
}

// number reads a number: as many ones as its width is above the least, a zero unless it is the most, and its bits.
func (f *fastest) number(least, most uint) uint32 {
	base, width := uint32(0), least
	for width < most && f.bits(1) == 1 {
		base += 1 << width
		width++
	}
	return base + f.bits(width)
}

func (f *fastest) bits(n uint) uint32 {
	for f.have < n {
		b, err := f.in.ReadByte()
		if err != nil && f.err == nil {
			f.err = io.ErrUnexpectedEOF
		}
		f.acc = f.acc<<8 | uint32(b)
		f.have += 8
	}
	f.have -= n
	return f.acc >> f.have & (1<<n - 1)
}
