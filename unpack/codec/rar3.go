package codec

import (
	"errors"
	"io"
)

// ErrFilter is the end of what can be decoded of a file of RAR 3 that has a filter of its own: they are programs.
var ErrFilter = errors.New("filter is not supported")

// RAR3 decodes the compression of RAR 2.9 to 4: LZ77 with Huffman codes, or PPMd, in turns, and filters for what came
// out. Its state goes on from file to file in a solid archive. The method is described only by its readers, such as
// https://github.com/libarchive/libarchive/blob/master/libarchive/archive_read_support_format_rar.c.
type RAR3 struct {
	blockStream
	bitInput
	w        *window
	memory   int64
	plain    int64
	made     int64 // bytes of the file before filters
	tables   bool  // what a block begins with was read
	lengths  [rar3Symbols + rar3Reaches + rar3Lows + rar3Repeats]uint8
	symbols  huffman
	reaches  huffman
	lows     huffman
	repeats  huffman
	low      int // last lower bits of a distance
	lowAgain int // how often they come again
	recent   [4]int
	last     int // distance of the last match
	length   int
	match    int // bytes left to copy
	distance int
	ppm      bool // the block is PPMd's
	model    *ppmd
	coder    ppmdRange
	escape   byte
	filters  rarFilters
	programs []rar3Program
	program  int // last used
}

const (
	rar3Symbols = 299
	rar3Reaches = 60
	rar3Lows    = 17
	rar3Repeats = 28
	rar3Window  = 1 << 22
)

// NewRAR3 makes a decoder.
func NewRAR3(maxMemory int64) *RAR3 {
	s := &RAR3{w: newWindow(rar3Window, maxMemory), memory: maxMemory}
	s.coder = ppmdRange{in: &s.bitInput, rar: true}
	return s
}

// File begins a file of plain bytes, in the size bytes of r. If solid, it goes on with what the one before left, which has to be read to its end.
func (s *RAR3) File(r io.ReaderAt, size, plain int64, solid bool) Stream {
	s.blockStream = blockStream{next: s.decode}
	s.bitInput = bitInput{in: newInput(r, size)}
	s.match, s.plain, s.made = 0, plain, 0
	s.filters.reset()
	if !solid {
		s.w.base = s.w.op
		s.recent, s.last, s.length, s.tables, s.model = [4]int{}, 0, 0, false, nil
		s.programs, s.program = nil, 0
		clear(s.lengths[:])
	}
	if s.ppm {
		s.tables = false
	}
	return s
}

// Consumed is how far the input was read.
func (s *RAR3) Consumed() int64 { return s.bitInput.Consumed() }

func (s *RAR3) decode() error {
	if s.made == s.plain && s.bitInput.err == nil {
		s.end()
		s.bitInput.err = io.EOF
	}
	from := s.w.op
	if s.bitInput.err == nil {
		limit := int64(s.w.room())
		from = s.w.op
		s.run(int(min(limit, int64(from)+s.plain-s.made)))
	}
	b := s.w.buf[from:s.w.op]
	s.w.out = s.w.op
	s.made += int64(len(b))
	s.out = s.filters.put(b, s.bitInput.err != nil)
	return s.bitInput.err
}

// run decodes until the window is filled up to limit.
func (s *RAR3) run(limit int) {
	if !s.tables {
		s.codes()
	}
	for s.w.op < limit && s.bitInput.err == nil {
		switch {
		case s.match > 0:
			n := min(s.match, limit-s.w.op)
			s.w.repeat(s.distance, n)
			s.match -= n
		case s.ppm:
			s.predicted()
		default:
			s.symbol()
		}
	}
}

// end reads what stands behind the last byte of a file: whether the next one of a solid archive begins with new codes.
func (s *RAR3) end() {
	if !s.tables || s.ppm {
		return
	}
	if s.bitInput.decode(&s.symbols) == 256 && s.bits(1) == 0 {
		s.tables = s.bits(1) == 0
	}
}

func (s *RAR3) fail(err error) {
	if s.bitInput.err == nil {
		s.bitInput.err = err
	}
}

// codes reads what a block begins with.
func (s *RAR3) codes() {
	s.drop(s.have % 8)
	s.tables = true
	if s.ppm = s.bits(1) == 1; s.ppm {
		s.startPPM()
		return
	}
	s.low, s.lowAgain = 0, 0
	if s.bits(1) == 0 {
		clear(s.lengths[:])
	}
	var small [rar5Lengths]uint8
	for i := 0; i < len(small) && s.bitInput.err == nil; i++ {
		n := s.bits(4)
		if n == 15 {
			if zeros := s.bits(4); zeros > 0 {
				i += zeros + 1
				continue
			}
		}
		small[i] = uint8(n)
	}
	var h huffman
	s.build(&h, small[:])
	old := s.lengths
	l := s.lengths[:]
	for i := 0; i < len(l) && s.bitInput.err == nil; {
		c := s.bitInput.decode(&h)
		if c < 16 {
			l[i] = (old[i] + uint8(c)) & 15
			i++
			continue
		}
		n := 0
		if c%2 == 0 {
			n = s.bits(3) + 3
		} else {
			n = s.bits(7) + 11
		}
		var v uint8
		if c < 18 {
			if i == 0 {
				s.fail(ErrCorrupt)
				return
			}
			v = l[i-1]
		}
		for ; n > 0 && i < len(l); n-- {
			l[i] = v
			i++
		}
	}
	for _, c := range []struct {
		h *huffman
		n int
	}{{&s.symbols, rar3Symbols}, {&s.reaches, rar3Reaches}, {&s.lows, rar3Lows}, {&s.repeats, rar3Repeats}} {
		s.build(c.h, l[:c.n])
		l = l[c.n:]
	}
}

// startPPM begins a block of PPMd, with a new model or the one that is there. Flags: 0-4 order, 5 new model, 6 escape follows.
func (s *RAR3) startPPM() {
	flags := s.bits(7)
	var memory int64
	if flags&0x20 != 0 {
		memory = int64(s.bits(8)+1) << 20
	}
	s.escape = 2
	if flags&0x40 != 0 {
		s.escape = byte(s.bits(8))
	}
	order := flags&0x1f + 1
	if order > 16 {
		order = 16 + (order-16)*3
	}
	switch {
	case s.bitInput.err != nil:
		return
	case memory > s.memory:
		s.fail(ErrMemory)
		return
	case memory > 0 && order > 1:
		if s.model == nil || s.model.size != uint32(memory) {
			s.model = newPPMd(uint32(memory))
		}
		s.model.reset(order)
	case memory > 0 || s.model == nil:
		s.fail(ErrCorrupt)
		return
	}
	if !s.coder.start() {
		s.fail(ErrCorrupt)
	}
}

func (s *RAR3) byte() int {
	b, ok := s.model.decode(&s.coder)
	if !ok {
		s.fail(ErrCorrupt)
	}
	return int(b)
}

// predicted decodes a byte by PPMd, or what stands behind its escape.
func (s *RAR3) predicted() {
	b := s.byte()
	if s.bitInput.err == nil && byte(b) == s.escape {
		code := s.byte()
		switch {
		case s.bitInput.err != nil:
			return
		case code == 0:
			s.codes()
			return
		case code == 2:
			s.fail(io.ErrUnexpectedEOF) // the end, before all came
			return
		case code == 3:
			s.newFilter(s.byte)
			return
		case code == 4:
			d := s.byte()<<16 | s.byte()<<8 | s.byte()
			s.copy(s.byte()+32, d+2)
			return
		case code == 5:
			s.copy(s.byte()+4, 1)
			return
		}
	}
	if s.bitInput.err == nil {
		s.w.buf[s.w.op] = byte(b)
		s.w.op++
	}
}

func (s *RAR3) copy(n, distance int) {
	if s.bitInput.err != nil {
		return
	}
	if distance <= 0 || distance > s.w.op-s.w.base || distance > rar3Window {
		s.fail(ErrCorrupt)
		return
	}
	s.match, s.distance = n, distance
}

func (s *RAR3) symbol() {
	c := s.bitInput.decode(&s.symbols)
	var n, d int
	switch {
	case s.bitInput.err != nil:
		return
	case c < 256:
		s.w.buf[s.w.op] = byte(c)
		s.w.op++
		return
	case c == 256:
		if s.bits(1) == 0 {
			s.fail(io.ErrUnexpectedEOF) // the end of the file
			return
		}
		s.codes()
		return
	case c == 257:
		s.newFilter(func() int { return s.bits(8) })
		return
	case c == 258:
		if s.length > 0 {
			s.copy(s.length, s.last)
		}
		return
	case c < 263:
		i := c - 259
		d = s.recent[i]
		n = s.matchLength(s.bitInput.decode(&s.repeats)) + 2
		copy(s.recent[1:i+1], s.recent[:i])
		s.recent[0] = d
	case c < 271:
		n = 2
		extra := [...]uint{2, 2, 3, 4, 5, 6, 6, 6}[c-263]
		d = [...]int{0, 4, 8, 16, 32, 64, 128, 192}[c-263] + 1 + s.bits(extra)
		copy(s.recent[1:], s.recent[:3])
		s.recent[0] = d
	default:
		n = s.matchLength(c-271) + 3
		d = s.reach()
		if d >= 0x2000 {
			n++
		}
		if d >= 0x40000 {
			n++
		}
		copy(s.recent[1:], s.recent[:3])
		s.recent[0] = d
	}
	s.last, s.length = d, n
	s.copy(n, d)
}

func (s *RAR3) matchLength(c int) int {
	if c < 8 {
		return c
	}
	extra := uint(c)/4 - 1
	return (4|c&3)<<extra + s.bits(extra)
}

func (s *RAR3) reach() int {
	c := s.bitInput.decode(&s.reaches)
	var d int
	var extra uint
	switch {
	case c < 4:
		return c + 1
	case c < 36:
		extra = uint(c)/2 - 1
		d = (2|c&1)<<extra + 1
	case c < 48:
		extra = 16
		d = (c-32)<<16 + 1
	default:
		extra = 18
		d = (c-44)<<18 + 1
	}
	if extra < 4 {
		return d + s.bits(extra)
	}
	d += s.bits(extra-4) << 4
	if s.lowAgain > 0 {
		s.lowAgain--
		return d + s.low
	}
	low := s.bitInput.decode(&s.lows)
	if low == 16 {
		s.lowAgain = 15
		return d + s.low
	}
	s.low = low
	return d + low
}
