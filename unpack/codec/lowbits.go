package codec

import (
	"io"
	"math/bits"
)

// lowStream is a blockStream that is read bit by bit, the lowest bit of a byte first.
type lowStream struct {
	blockStream
	acc     uint64 // bits at hand, the next one lowest
	have    uint
	missing uint // bits of have that the input did not have
	bad     error
}

func (s *lowStream) Consumed() int64 {
	return s.in.consumed() - max(0, int64(s.have)-int64(s.missing))/8
}

func (s *lowStream) peek() uint64 {
	for s.have < 16 {
		b, err := s.in.ReadByte()
		if err == io.EOF {
			s.missing += 8
		} else if err != nil && s.bad == nil {
			s.bad = err
		}
		s.acc |= uint64(b) << s.have
		s.have += 8
	}
	return s.acc
}

func (s *lowStream) drop(n uint) {
	s.acc >>= n
	if s.have -= n; s.have < s.missing && s.bad == nil {
		s.bad = io.ErrUnexpectedEOF
	}
}

func (s *lowStream) bits(n uint) int {
	v := int(s.peek() & (1<<n - 1))
	s.drop(n)
	return v
}

// symbol takes the next symbol of h.
func (s *lowStream) symbol(h *huffman) int { return s.lookup(h, uint16(s.peek())) }

// inverted is symbol for codes of which each bit is inverted.
func (s *lowStream) inverted(h *huffman) int { return s.lookup(h, ^uint16(s.peek())) }

func (s *lowStream) lookup(h *huffman, v uint16) int {
	c, n := h.decode(int(bits.Reverse16(v)))
	if n > 16 {
		s.fail(ErrCorrupt)
		return 0
	}
	s.drop(n)
	return c
}

// fail keeps the first error.
func (s *lowStream) fail(err error) {
	if s.bad == nil {
		s.bad = err
	}
}
