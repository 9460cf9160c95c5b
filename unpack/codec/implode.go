package codec

import "io"

// implodeStream decodes Implode, method 6 of ZIP: LZ77 whose lengths, upper bits of distances and perhaps literals
// are coded by the lengths of Shannon-Fano codes. APPNOTE 5.3 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
type implodeStream struct {
	lowStream
	w        *window
	left     int64 // bytes of content
	low      uint  // bits of a distance that are not coded
	shortest int   // match
	coded    bool  // literals are
	begun    bool
	match    int // bytes left to copy
	distance int
	literals huffman
	lengths  huffman
	reaches  huffman
}

const (
	implodeWindow = 1 << 13
	implodeCodes  = 64 // of lengths and of distances
)

// NewImplode decodes Implode to plain bytes. large and literals are bits 1 and 2 of the member's flags: a window of 8 KiB
// in place of 4, and coded literals.
func NewImplode(r io.ReaderAt, size, plain int64, large, literals bool) (Stream, error) {
	if plain < 0 {
		return nil, ErrHeader
	}
	s := &implodeStream{w: zeroWindow(implodeWindow), left: plain, low: 6, shortest: 2, coded: literals}
	if large {
		s.low = 7
	}
	if literals {
		s.shortest = 3
	}
	s.in, s.next = newInput(r, size), s.decode
	return s, nil
}

// zeroWindow returns a window in which matches reach n zeros before the first byte.
func zeroWindow(n int) *window {
	w := newWindow(int64(n), 0)
	w.grow()
	w.op, w.out = n, n
	return w
}

// decode fills the window's room.
func (s *implodeStream) decode() error {
	if s.left == 0 {
		return io.EOF
	}
	if !s.begun {
		s.begun = true
		s.codes()
	}
	w := s.w
	limit := int(min(int64(w.room()), int64(w.op)+s.left))
	from := w.op
	for w.op < limit && s.bad == nil {
		switch {
		case s.match > 0:
			n := min(s.match, limit-w.op)
			w.repeat(s.distance, n)
			s.match -= n
		case s.bits(1) == 0:
			s.reference()
		default:
			s.literal()
		}
	}
	s.left -= int64(w.op - from)
	s.out = w.buf[from:w.op]
	w.out = w.op
	return s.bad
}

func (s *implodeStream) literal() {
	c := 0
	if s.coded {
		c = s.inverted(&s.literals)
	} else {
		c = s.bits(8)
	}
	if s.bad == nil {
		s.w.buf[s.w.op] = byte(c)
		s.w.op++
	}
}

func (s *implodeStream) reference() {
	s.distance = s.bits(s.low)
	s.distance += s.inverted(&s.reaches)<<s.low + 1
	n := s.inverted(&s.lengths)
	if n == implodeCodes-1 {
		n += s.bits(8)
	}
	if s.bad == nil {
		s.match = n + s.shortest
	}
}

func (s *implodeStream) codes() {
	if s.coded {
		s.code(&s.literals, 256)
	}
	s.code(&s.lengths, implodeCodes)
	s.code(&s.reaches, implodeCodes)
}

// code reads the lengths of n codes: how many bytes follow, less 1, and in each how many codes have the same length (4
// bits, less 1) and that length (4 bits, less 1).
func (s *implodeStream) code(h *huffman, n int) {
	lengths := make([]uint8, 0, 256)
	for range s.bits(8) + 1 {
		b := s.bits(8)
		for range b>>4 + 1 {
			if len(lengths) == n {
				s.fail(ErrCorrupt)
				return
			}
			lengths = append(lengths, uint8(b&15+1))
		}
	}
	if len(lengths) != n || !h.build(lengths) {
		s.fail(ErrCorrupt)
	}
}
