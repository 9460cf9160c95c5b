package codec

import "io"

// compress(1), Unix .Z: LZW with codes of 9 to 16 bits, the lowest bit first, in groups of eight
// that are filled up when the width changes. See https://github.com/vapier/ncompress.
const (
	lzwMinBits = 9
	lzwClear   = 256
)

type lzwStream struct {
	blockStream
	maxBits uint
	block   bool // code 256 clears the table
	width   uint
	free    int // next code
	prev    int // last code, -1 after a clear
	first   byte
	prefix  [1 << 16]uint16
	suffix  [1 << 16]byte
	group   []byte // up to eight codes of the current width
	bit     uint
	buf     []byte
}

// NewCompress decodes what compress(1) writes. There is no end mark: the stream ends with the input.
func NewCompress(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &lzwStream{prev: -1, width: lzwMinBits}
	s.in = newInput(r, size)
	s.next = s.decode
	b := s.in.take(3)
	if b == nil || b[0] != 0x1f || b[1] != 0x9d || b[2]&0x60 != 0 || b[2]&31 < lzwMinBits || b[2]&31 > 16 {
		return nil, ErrHeader
	}
	s.maxBits, s.block = uint(b[2]&31), b[2]&0x80 != 0
	s.clear()
	for i := range 256 {
		s.suffix[i] = byte(i)
	}
	return s, nil
}

func (s *lzwStream) clear() {
	s.width, s.free, s.prev = lzwMinBits, 256, -1
	if s.block {
		s.free++
	}
	s.group = s.group[:0]
}

// code takes the next code; at the end of the input it returns false.
func (s *lzwStream) code() (int, bool) {
	if s.bit+s.width > uint(len(s.group))*8 || len(s.group) == 0 {
		s.in.need(int(s.width))
		n := min(int(s.width), len(s.in.buf)-s.in.pos)
		s.group = append(s.group[:0], s.in.take(n)...)
		s.bit = 0
		if uint(n)*8 < s.width {
			return 0, false
		}
	}
	v := 0
	for i := s.bit / 8; i*8 < s.bit+s.width; i++ {
		v |= int(s.group[i]) << (i*8 - s.bit/8*8)
	}
	v = v >> (s.bit % 8) & (1<<s.width - 1)
	s.bit += s.width
	return v, true
}

func (s *lzwStream) decode() error {
	s.buf = s.buf[:0]
	defer func() { s.out = s.buf }()
	for len(s.buf) < 32<<10 {
		code, ok := s.code()
		if !ok {
			return io.EOF
		}
		if code == lzwClear && s.block {
			s.clear()
			continue
		}
		if s.prev < 0 {
			if code > 255 {
				return ErrCorrupt
			}
			s.buf = append(s.buf, byte(code))
			s.prev, s.first = code, byte(code)
			continue
		}
		if code > s.free || code == s.free && s.free >= 1<<s.maxBits {
			return ErrCorrupt
		}
		c, start := code, len(s.buf)
		if code == s.free {
			s.buf = append(s.buf, s.first)
			c = s.prev
		}
		for ; c > 255; c = int(s.prefix[c]) {
			s.buf = append(s.buf, s.suffix[c])
		}
		s.first = byte(c)
		s.buf = append(s.buf, s.first)
		for i, j := start, len(s.buf)-1; i < j; i, j = i+1, j-1 {
			s.buf[i], s.buf[j] = s.buf[j], s.buf[i]
		}
		if s.free < 1<<s.maxBits {
			s.prefix[s.free], s.suffix[s.free] = uint16(s.prev), s.first
			s.free++
			if s.free == 1<<s.width && s.width < s.maxBits {
				s.width++
				s.group = s.group[:0]
			}
		}
		s.prev = code
	}
	return nil
}
