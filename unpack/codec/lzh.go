package codec

import "io"

// lzhStream decodes the method of ar002, which LHA calls lh4 to lh7 and ARJ 1 to 3: LZ77 with
// two Huffman codes that are sent anew for each block. Haruhiko Okumura published it as ar002;
// https://github.com/jca02266/lha/blob/master/header.doc.md names the variants.
type lzhStream struct {
	in         *input
	acc        uint64 // bits at hand, the next one highest
	have       uint
	missing    uint // bits of have that the input did not have
	left       int64
	block      int // symbols left in the block
	nPositions int
	symbols    huffman
	positions  huffman
	match      int // bytes left to copy
	distance   uint16
	at         uint16
	window     [1 << 16]byte
	err        error
}

const (
	lzhSymbols = 256 + 256 - 3 + 1 + 1 - 1 // literals, and lengths from 3 to 256
	lzhLengths = 19
	lzhMatch   = 3
)

// NewLZH decodes plain bytes of what LHA calls lh4 and lh5 (of 14 positions), lh6 (16), lh7 (17) and ARJ 1 to 3 (17).
func NewLZH(r io.ReaderAt, size int64, positions int, plain int64) (Stream, error) {
	if positions < 1 || positions > 17 {
		return nil, ErrHeader
	}
	s := &lzhStream{in: newInput(r, size), left: plain, nPositions: positions}
	for i := range s.window {
		s.window[i] = ' ' // what LHA supposes before the beginning
	}
	return s, nil
}

func (s *lzhStream) Consumed() int64 {
	return s.in.consumed() - max(0, int64(s.have)-int64(s.missing))/8
}

func (s *lzhStream) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && s.err == nil {
		if s.left <= 0 {
			s.err = io.EOF
			break
		}
		var b byte
		if s.match > 0 {
			s.match--
			b = s.window[s.at-s.distance-1]
		} else {
			c := s.symbol()
			if s.err != nil {
				break
			}
			if c >= 256 {
				s.match, s.distance = c-256+lzhMatch, s.position()
				continue
			}
			b = byte(c)
		}
		s.window[s.at] = b
		s.at++
		s.left--
		p[n] = b
		n++
	}
	if n > 0 {
		return n, nil
	}
	return 0, s.err
}

// peek makes 16 bits be at hand and returns the next n.
func (s *lzhStream) peek(n uint) int {
	for s.have < 16 {
		b, err := s.in.ReadByte()
		if err == io.EOF {
			s.missing += 8 // the code may be looked at further than it goes
		} else if err != nil {
			s.err = err
		}
		s.acc |= uint64(b) << (56 - s.have)
		s.have += 8
	}
	return int(s.acc >> 1 >> (63 - n))
}

func (s *lzhStream) drop(n uint) {
	s.acc <<= n
	if s.have -= n; s.have < s.missing && s.err == nil {
		s.err = io.ErrUnexpectedEOF
	}
}

func (s *lzhStream) bits(n uint) int {
	v := s.peek(n)
	s.drop(n)
	return v
}

func (s *lzhStream) decode(h *huffman) int {
	c, n := h.decode(s.peek(16))
	if n > 16 {
		s.err = ErrCorrupt
		return 0
	}
	s.drop(n)
	return c
}

func (s *lzhStream) symbol() int {
	if s.block == 0 {
		if s.block = s.bits(16); s.block == 0 {
			s.block = 1 << 16
		}
		s.codes()
	}
	s.block--
	return s.decode(&s.symbols)
}

func (s *lzhStream) position() uint16 {
	k := s.decode(&s.positions)
	if k < 2 {
		return uint16(k)
	}
	return uint16(1<<(k-1) | s.bits(uint(k-1)))
}

// codes reads the codes of a block: one for the lengths of the symbols' code, and the two.
func (s *lzhStream) codes() {
	const lengthBits, symbolBits = 5, 9
	var lengths huffman
	s.small(&lengths, lzhLengths, lengthBits, 3)
	var l [lzhSymbols]uint8
	n := s.bits(symbolBits)
	if n == 0 {
		s.symbols.only(s.bits(symbolBits))
	} else {
		for i := 0; i < n && s.err == nil; {
			c := s.decode(&lengths)
			zeros := 0
			switch c {
			case 0:
				zeros = 1
			case 1:
				zeros = s.bits(4) + 3
			case 2:
				zeros = s.bits(9) + 20
			default:
				if i < len(l) {
					l[i] = uint8(c - 2)
				}
				zeros = 1
			}
			i += zeros
		}
		s.build(&s.symbols, l[:])
	}
	bits := uint(4)
	if s.nPositions > 14 {
		bits = 5
	}
	s.small(&s.positions, s.nPositions, bits, -1)
}

// small reads a code of up to most symbols whose lengths stand as they are: 3 bits, from 7 on one
// more for each. Behind the first `special` lengths stands how many zeros follow.
func (s *lzhStream) small(h *huffman, most int, bits uint, special int) {
	n := s.bits(bits)
	if n == 0 {
		h.only(min(s.bits(bits), most-1))
		return
	}
	var l [lzhLengths]uint8
	if n > most {
		s.err = ErrCorrupt
		return
	}
	for i := 0; i < n && s.err == nil; {
		c := s.bits(3)
		if c == 7 {
			for s.err == nil && c <= 16 && s.bits(1) == 1 {
				c++
			}
		}
		if c > 16 {
			s.err = ErrCorrupt
		}
		l[i] = uint8(c)
		if i++; i == special {
			i += s.bits(2) // zeros
		}
	}
	s.build(h, l[:most])
}

func (s *lzhStream) build(h *huffman, l []uint8) {
	if s.err == nil && !h.build(l) {
		s.err = ErrCorrupt
	}
}

// huffman is a canonical code of up to 16 bits, highest bit first.
type huffman struct {
	fast  [1 << huffmanFast]uint16 // length and symbol of the codes that are short, by the next bits
	first [17]int                  // code of each length, to 16 bits
	index [17]int                  // of that code's symbol
	order []uint16                 // symbols by code
	one   int                      // symbol of the code that has only one, of no bits; -1
}

const huffmanFast = 9

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
		h.order = make([]uint16, index, lzhSymbols)
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
			h.fast[from+k] = uint16(n)<<9 | uint16(c)
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
		return int(x & (1<<9 - 1)), uint(x >> 9)
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
