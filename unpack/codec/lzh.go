package codec

import "io"

// lzhStream decodes the method of ar002, which LHA calls lh4 to lh7 and ARJ 1 to 3: LZ77 with
// two Huffman codes that are sent anew for each block. Haruhiko Okumura published it as ar002;
// https://github.com/jca02266/lha/blob/master/header.doc.md names the variants.
type lzhStream struct {
	bitInput
	left       int64
	block      int // symbols left in the block
	nPositions int
	symbols    huffman
	positions  huffman
	match      int // bytes left to copy
	distance   uint16
	at         uint16
	window     [1 << 16]byte
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
	s := &lzhStream{bitInput: bitInput{in: newInput(r, size)}, left: plain, nPositions: positions}
	for i := range s.window {
		s.window[i] = ' ' // what LHA supposes before the beginning
	}
	return s, nil
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
