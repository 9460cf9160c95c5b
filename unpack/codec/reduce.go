package codec

import "io"

// reduceStream decodes Reduce, methods 2 to 5 of ZIP: LZ77 in bytes, and each byte coded by its place among
// those that often follow the byte before. APPNOTE 5.2 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT);
// https://www.hanshq.net/zip2.html tells where it errs.
type reduceStream struct {
	lowStream
	w        *window
	left     int64 // bytes of content
	lenBits  uint  // of the byte that has the length and the upper bits of the distance
	begun    bool
	follow   [256]followers
	last     byte // of those coded
	match    int  // bytes left to copy
	distance int
}

type followers struct {
	bytes [32]byte
	n     int
	width uint // of an index
}

const (
	reduceWindow = 1 << 12
	reduceMark   = 0x90 // a match follows
)

// NewReduce decodes Reduce with factor, 1 to 4, to plain bytes.
func NewReduce(r io.ReaderAt, size, plain int64, factor int) (Stream, error) {
	if plain < 0 || factor < 1 || factor > 4 {
		return nil, ErrHeader
	}
	s := &reduceStream{w: zeroWindow(reduceWindow), left: plain, lenBits: uint(8 - factor)}
	s.in, s.next = newInput(r, size), s.decode
	return s, nil
}

// decode fills the window's room.
func (s *reduceStream) decode() error {
	if s.left == 0 {
		return io.EOF
	}
	if !s.begun {
		s.begun = true
		s.sets()
	}
	w := s.w
	limit := int(min(int64(w.room()), int64(w.op)+s.left))
	from := w.op
	for w.op < limit && s.bad == nil {
		if s.match > 0 {
			n := min(s.match, limit-w.op)
			w.repeat(s.distance, n)
			s.match -= n
			continue
		}
		c := s.byte()
		if c == reduceMark {
			v := int(s.byte())
			if v != 0 {
				s.reference(v)
				continue
			}
		}
		if s.bad == nil {
			w.buf[w.op] = c
			w.op++
		}
	}
	s.left -= int64(w.op - from)
	s.out = w.buf[from:w.op]
	w.out = w.op
	return s.bad
}

func (s *reduceStream) reference(v int) {
	n := v & (1<<s.lenBits - 1)
	if n == 1<<s.lenBits-1 {
		n += int(s.byte())
	}
	s.distance = v>>s.lenBits<<8 + int(s.byte()) + 1
	if s.bad == nil {
		s.match = n + 3
	}
}

// sets reads which bytes follow each byte, those of 255 first.
func (s *reduceStream) sets() {
	for i := 255; i >= 0 && s.bad == nil; i-- {
		f := &s.follow[i]
		if f.n = s.bits(6); f.n > len(f.bytes) {
			s.fail(ErrCorrupt)
			return
		}
		for k := range f.n {
			f.bytes[k] = byte(s.bits(8))
		}
		for f.width = 1; 1<<f.width < f.n; {
			f.width++
		}
	}
}

// byte takes the next byte.
func (s *reduceStream) byte() byte {
	f := &s.follow[s.last]
	if f.n == 0 || s.bits(1) == 1 {
		s.last = byte(s.bits(8))
		return s.last
	}
	i := s.bits(f.width)
	if i >= f.n {
		s.fail(ErrCorrupt)
		return 0
	}
	s.last = f.bytes[i]
	return s.last
}
