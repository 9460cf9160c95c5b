package codec

import "io"

// shrinkStream decodes Shrink, method 1 of ZIP: LZW whose codes grow and are forgotten in part when the writer says so.
// APPNOTE 5.1 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT); https://www.hanshq.net/zip2.html
// tells what it leaves open.
type shrinkStream struct {
	lowStream
	left   int64 // bytes of content
	width  uint  // of a code
	prefix [shrinkCodes]uint16
	end    [shrinkCodes]byte // last byte of a code's string
	free   []uint16          // codes
	last   uint16            // code, shrinkNone before the first
	first  byte              // of the last code's string
	text   [shrinkCodes]byte
	buf    []byte
}

const (
	shrinkMinWidth = 9
	shrinkMaxWidth = 13
	shrinkCodes    = 1 << shrinkMaxWidth
	shrinkControl  = 256 // code before what follows
	shrinkWiden    = 1
	shrinkClear    = 2
	shrinkNone     = 1<<16 - 1
	shrinkBuffer   = 32 << 10
)

// NewShrink decodes Shrink to plain bytes.
func NewShrink(r io.ReaderAt, size, plain int64) (Stream, error) {
	if plain < 0 {
		return nil, ErrHeader
	}
	s := &shrinkStream{left: plain, width: shrinkMinWidth, last: shrinkNone}
	for i := range s.prefix {
		s.prefix[i] = shrinkNone
	}
	s.clear()
	s.in, s.next = newInput(r, size), s.decode
	return s, nil
}

// clear forgets the codes that no other code begins with.
func (s *shrinkStream) clear() {
	var used [shrinkCodes]bool
	for _, p := range s.prefix {
		if p != shrinkNone {
			used[p] = true
		}
	}
	s.free = s.free[:0]
	for c := shrinkControl + 1; c < shrinkCodes; c++ {
		if !used[c] {
			s.prefix[c] = shrinkNone
			s.free = append(s.free, uint16(c))
		}
	}
}

func (s *shrinkStream) decode() error {
	if s.left == 0 {
		return io.EOF
	}
	s.buf = s.buf[:0]
	for len(s.buf) < shrinkBuffer && int64(len(s.buf)) < s.left && s.bad == nil {
		s.step()
	}
	s.buf = s.buf[:min(int64(len(s.buf)), s.left)]
	s.left -= int64(len(s.buf))
	s.out = s.buf
	return s.bad
}

// step takes the next code.
func (s *shrinkStream) step() {
	code := uint16(s.bits(s.width))
	if code == shrinkControl {
		switch s.bits(s.width) {
		case shrinkWiden:
			if s.width++; s.width > shrinkMaxWidth {
				s.fail(ErrCorrupt)
			}
		case shrinkClear:
			s.clear()
		default:
			s.fail(ErrCorrupt)
		}
		return
	}
	if s.bad != nil {
		return
	}
	// The string of the code before and one byte more has a code from now on. If it is needed
	// at once, that byte is the string's first.
	next := uint16(shrinkNone)
	if s.last != shrinkNone && len(s.free) > 0 {
		next, s.free = s.free[0], s.free[1:]
		s.prefix[next], s.end[next] = s.last, s.first
	}
	text := s.string(code)
	if text == nil {
		s.fail(ErrCorrupt)
		return
	}
	s.first = text[0]
	if next != shrinkNone {
		s.end[next] = s.first
	}
	s.buf = append(s.buf, text...)
	s.last = code
}

// string returns the string of code, nil if a code that it begins with was forgotten.
func (s *shrinkStream) string(code uint16) []byte {
	i := len(s.text)
	for ; code > shrinkControl; code = s.prefix[code] {
		if i--; i == 0 || code == shrinkNone {
			return nil
		}
		s.text[i] = s.end[code]
	}
	if code == shrinkControl {
		return nil
	}
	i--
	s.text[i] = byte(code)
	return s.text[i:]
}
