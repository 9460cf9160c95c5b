package codec

import "io"

// deflate64Stream decodes Deflate64, method 9 of ZIP: deflate whose distances reach back 64 KiB and
// whose last length symbol has 16 more bits in place of none. It is not specified apart from
// APPNOTE 5.5 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT);
// Mark Adler's infback9 (https://github.com/madler/zlib/tree/master/contrib/infback9) tells its tables.
type deflate64Stream struct {
	lowStream
	w        *window
	state    deflateState
	final    bool
	stored   int // bytes left of a stored block
	match    int // bytes left to copy
	distance int
	literals huffman
	matches  huffman
}

type deflateState int

const (
	deflateHeader deflateState = iota // of a block
	deflateStored
	deflateCoded
)

const (
	deflate64Window = 1 << 16
	deflateLiterals = 288
	deflateEnd      = 256 // symbol
)

// deflateOrder is in which order the lengths of the code of the lengths stand. RFC 1951, 3.2.7.
var deflateOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// NewDeflate64 decodes raw Deflate64 up to the end of its last block.
func NewDeflate64(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &deflate64Stream{w: newWindow(deflate64Window, maxMemory)}
	s.in, s.next = newInput(r, size), s.decode
	return s, nil
}

// decode fills the window's room.
func (s *deflate64Stream) decode() error {
	limit := s.w.room()
	from := s.w.op
	for s.w.op < limit && s.bad == nil {
		switch s.state {
		case deflateHeader:
			s.header()
		case deflateStored:
			s.copyStored(limit)
		case deflateCoded:
			s.copyCoded(limit)
		}
	}
	s.out = s.w.buf[from:s.w.op]
	s.w.out = s.w.op
	return s.bad
}

func (s *deflate64Stream) header() {
	if s.final {
		s.bad = io.EOF
		return
	}
	s.final = s.bits(1) == 1
	switch s.bits(2) {
	case 0:
		s.drop(s.have % 8)
		n := s.bits(16)
		if s.bits(16) != n^0xffff && s.bad == nil {
			s.bad = ErrCorrupt
		}
		s.stored, s.state = n, deflateStored
	case 1:
		var l [deflateLiterals]uint8
		for i := range l { // RFC 1951, 3.2.6
			switch {
			case i < 144, i >= 280:
				l[i] = 8
			case i < 256:
				l[i] = 9
			default:
				l[i] = 7
			}
		}
		var d [32]uint8
		for i := range d {
			d[i] = 5
		}
		s.literals.build(l[:])
		s.matches.build(d[:])
		s.state = deflateCoded
	case 2:
		s.codes()
		s.state = deflateCoded
	default:
		s.bad = ErrCorrupt
	}
}

// codes reads the two codes of a block.
func (s *deflate64Stream) codes() {
	nLiterals, nMatches, nLengths := s.bits(5)+257, s.bits(5)+1, s.bits(4)+4
	var small [19]uint8
	for _, c := range deflateOrder[:nLengths] {
		small[c] = uint8(s.bits(3))
	}
	var lengths huffman
	if nLiterals > deflateLiterals || !lengths.build(small[:]) {
		s.bad = ErrCorrupt
	}
	var l [deflateLiterals + 32]uint8
	all := l[:nLiterals+nMatches]
	for i := 0; i < len(all) && s.bad == nil; {
		c := s.symbol(&lengths)
		if c < 16 {
			all[i] = uint8(c)
			i++
			continue
		}
		var n int
		var again uint8
		switch c {
		case 16:
			if n = s.bits(2) + 3; i == 0 {
				s.bad = ErrCorrupt
				return
			}
			again = all[i-1]
		case 17:
			n = s.bits(3) + 3
		default:
			n = s.bits(7) + 11
		}
		if n > len(all)-i {
			s.bad = ErrCorrupt
			return
		}
		for range n {
			all[i] = again
			i++
		}
	}
	if s.bad == nil && !(s.literals.build(all[:nLiterals]) && s.matches.build(all[nLiterals:])) {
		s.bad = ErrCorrupt
	}
}

func (s *deflate64Stream) copyStored(limit int) {
	for s.stored > 0 && s.w.op < limit {
		b := byte(s.bits(8))
		if s.bad != nil {
			return
		}
		s.w.buf[s.w.op] = b
		s.w.op++
		s.stored--
	}
	if s.stored == 0 {
		s.state = deflateHeader
	}
}

func (s *deflate64Stream) copyCoded(limit int) {
	w := s.w
	for w.op < limit {
		if s.match > 0 {
			n := min(s.match, limit-w.op)
			w.repeat(s.distance, n)
			s.match -= n
			continue
		}
		c := s.symbol(&s.literals)
		switch {
		case s.bad != nil:
			return
		case c < deflateEnd:
			w.buf[w.op] = byte(c)
			w.op++
			continue
		case c == deflateEnd:
			s.state = deflateHeader
			return
		}
		s.match = s.length(c - deflateEnd - 1)
		if s.distance = s.reach(); s.bad == nil && (s.distance > w.op-w.base || s.distance > deflate64Window) {
			s.bad = ErrCorrupt
		}
		if s.bad != nil {
			return
		}
	}
}

// length is what length symbol c (from 0) and the bits behind it say.
func (s *deflate64Stream) length(c int) int {
	switch {
	case c < 8:
		return c + 3
	case c < 28:
		extra := uint(c)/4 - 1
		return (4+c%4)<<extra + 3 + s.bits(extra)
	case c == 28:
		return s.bits(16) + 3
	}
	s.bad = ErrCorrupt
	return 0
}

func (s *deflate64Stream) reach() int {
	c := s.symbol(&s.matches)
	if c < 4 {
		return c + 1
	}
	extra := uint(c)/2 - 1
	return (2+c%2)<<extra + 1 + s.bits(extra)
}
