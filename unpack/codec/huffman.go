package codec

import "io"

// bitInput reads an input bit by bit, the highest bit of a byte first.
type bitInput struct {
	in      *input
	acc     uint64 // bits at hand, the next one highest
	have    uint
	missing uint // bits of have that the input did not have
	words   bool // of each two bytes the second comes first, as in LZX
	err     error
}

// Consumed is how many bytes were begun.
func (s *bitInput) Consumed() int64 {
	return s.in.consumed() - max(0, int64(s.have)-int64(s.missing))/8
}

// peek makes 16 bits be at hand and returns the next n.
func (s *bitInput) peek(n uint) int {
	for s.have < 16 {
		if s.words {
			low := s.byte()
			s.acc |= (s.byte()<<8 | low) << (48 - s.have)
			s.have += 16
			continue
		}
		s.acc |= s.byte() << (56 - s.have)
		s.have += 8
	}
	return int(s.acc >> 1 >> (63 - n))
}

func (s *bitInput) byte() uint64 {
	b, err := s.in.ReadByte()
	if err == io.EOF {
		s.missing += 8 // the code may be looked at further than it goes
	} else if err != nil {
		s.err = err
	}
	return uint64(b)
}

func (s *bitInput) drop(n uint) {
	s.acc <<= n
	if s.have -= n; s.have < s.missing && s.err == nil {
		s.err = io.ErrUnexpectedEOF
	}
}

// bits takes up to 16 bits.
func (s *bitInput) bits(n uint) int {
	v := s.peek(n)
	s.drop(n)
	return v
}

// decode takes the next symbol of h.
func (s *bitInput) decode(h *huffman) int {
	c, n := h.decode(s.peek(16))
	if n > 16 {
		if s.err == nil {
			s.err = ErrCorrupt
		}
		return 0
	}
	s.drop(n)
	return c
}

// build makes h the code of the lengths l.
func (s *bitInput) build(h *huffman, l []uint8) {
	if s.err == nil && !h.build(l) {
		s.err = ErrCorrupt
	}
}

// huffman is a canonical code of up to 1024 symbols and 16 bits, highest bit first.
type huffman struct {
	fast  [1 << huffmanFast]uint16 // length and symbol of the codes that are short, by the next bits
	first [17]int                  // code of each length, to 16 bits
	index [17]int                  // of that code's symbol
	order []uint16                 // symbols by code
	one   int                      // symbol of the code that has only one, of no bits; -1
}

const (
	huffmanFast       = 9
	huffmanSymbolBits = 10 // LZX has most symbols, 656
)

func (h *huffman) only(symbol int) { h.one = symbol }

func (h *huffman) build(lengths []uint8) bool {
	h.one = -1
	var count [18]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	code, index := 0, 0
	var next [17]int
	for n := 1; n <= 16; n++ {
		h.first[n], h.index[n], next[n] = code, index, index
		code += count[n] << (16 - n)
		index += count[n]
	}
	if code > 1<<16 {
		return false
	}
	if cap(h.order) < index {
		h.order = make([]uint16, index, len(lengths))
	}
	h.order = h.order[:index]
	clear(h.fast[:])
	for c, n := range lengths {
		if n == 0 {
			continue
		}
		i := next[n]
		next[n]++
		h.order[i] = uint16(c)
		if n > huffmanFast {
			continue
		}
		from := (h.first[n] + (i-h.index[n])<<(16-n)) >> (16 - huffmanFast)
		for k := range 1 << (huffmanFast - n) {
			h.fast[from+k] = uint16(n)<<huffmanSymbolBits | uint16(c)
		}
	}
	return true
}

// decode returns the symbol whose code begins the 16 bits of v, and its length; more than 16 if there is none.
func (h *huffman) decode(v int) (symbol int, n uint) {
	if h.one >= 0 {
		return h.one, 0
	}
	if x := h.fast[v>>(16-huffmanFast)]; x != 0 {
		return int(x & (1<<huffmanSymbolBits - 1)), uint(x >> huffmanSymbolBits)
	}
	for n := huffmanFast + 1; n <= 16; n++ {
		end := len(h.order)
		if n < 16 {
			end = h.index[n+1]
		}
		if i := h.index[n] + (v-h.first[n])>>(16-n); v >= h.first[n] && i < end {
			return int(h.order[i]), uint(n)
		}
	}
	return 0, 17
}
