package codec

import "io"

// RAR5 decodes the compression of RAR 5, version 0: LZ77 with Huffman codes in blocks, and filters for what
// came out. Its state goes on from file to file in a solid archive. The method is described only by its
// readers, such as https://github.com/libarchive/libarchive/blob/master/libarchive/archive_read_support_format_rar5.c.
type RAR5 struct {
	blockStream
	bitInput
	w        *window
	dict     int64
	block    bool // one is begun
	last     bool // it is the last of the file
	end      int64
	tables   bool
	symbols  huffman
	reaches  huffman
	lows     huffman
	repeats  huffman
	recent   [4]int
	length   int // of the last match
	match    int // bytes left to copy
	distance int
	plain    int64
	made     int64 // bytes of the file before filters
	filters  rarFilters
}

const (
	rar5Symbols   = 306
	rar5Reaches   = 64
	rar5Lows      = 16
	rar5Repeats   = 44
	rar5Lengths   = 20
	rar5Filter    = 256 // symbols
	rar5Again     = 257
	rar5Recent    = 258
	rar5Match     = 262
	rar5MaxFilter = 1 << 22 // bytes
)

// NewRAR5 makes a decoder whose matches reach dict bytes back.
func NewRAR5(dict, maxMemory int64) *RAR5 {
	s := &RAR5{w: newWindow(dict, maxMemory), dict: dict}
	s.next = s.decode
	return s
}

// File begins a file of plain bytes, in the size bytes of r. If solid, it goes on with what the one before left, which has to be read to its end.
func (s *RAR5) File(r io.ReaderAt, size, plain int64, solid bool) Stream {
	s.blockStream = blockStream{next: s.decode}
	s.bitInput = bitInput{in: newInput(r, size)}
	s.block, s.last, s.match, s.plain, s.made = false, false, 0, plain, 0
	s.filters.reset()
	if !solid {
		s.w.base = s.w.op
		s.recent, s.length, s.tables = [4]int{}, 0, false
	}
	return s
}

// Consumed is how far the input was read.
func (s *RAR5) Consumed() int64 { return s.bitInput.Consumed() }

func (s *RAR5) decode() error {
	if s.made == s.plain && s.bitInput.err == nil {
		s.bitInput.err = io.EOF
	}
	from := s.w.op
	if s.bitInput.err == nil {
		limit := s.w.room()
		from = s.w.op
		s.run(min(int64(limit), int64(from)+s.plain-s.made))
	}
	b := s.w.buf[from:s.w.op]
	s.w.out = s.w.op
	s.made += int64(len(b))
	s.out = s.filters.put(b, s.bitInput.err != nil)
	return s.bitInput.err
}

// at is how many bits were taken.
func (s *RAR5) at() int64 { return s.bitInput.in.consumed()*8 + int64(s.missing) - int64(s.have) }

// run decodes until the window is filled up to limit.
func (s *RAR5) run(limit int64) {
	w := s.w
	for int64(w.op) < limit && s.bitInput.err == nil {
		switch {
		case s.match > 0:
			n := int(min(int64(s.match), limit-int64(w.op)))
			w.repeat(s.distance, n)
			s.match -= n
		case !s.block:
			s.header()
		case s.at() >= s.end:
			s.block = false
			s.drop(s.have % 8)
		default:
			s.symbol()
		}
	}
}

// header reads what a block begins with: flags (0-2 bits of the last byte less one, 3-5 bytes of the
// length less one, 6 the last block, 7 has codes), a checksum, the length.
func (s *RAR5) header() {
	if s.last {
		s.bitInput.err = io.ErrUnexpectedEOF
		return
	}
	flags, sum := s.bits(8), s.bits(8)
	size, check := 0, 0x5a^flags^sum
	if flags>>3&7 > 2 {
		check = -1
	}
	for i := range flags>>3&3 + 1 {
		b := s.bits(8)
		size |= b << (8 * i)
		check ^= b
	}
	if s.bitInput.err == nil && (check != 0 || size == 0) {
		s.bitInput.err = ErrCorrupt
	}
	s.block, s.last = true, flags&0x40 != 0
	s.end = s.at() + int64(size-1)*8 + int64(flags&7) + 1
	if flags&0x80 != 0 {
		s.codes()
	} else if !s.tables && s.bitInput.err == nil {
		s.bitInput.err = ErrCorrupt
	}
}

func (s *RAR5) codes() {
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
	var lengths huffman
	s.build(&lengths, small[:])
	var l [rar5Symbols + rar5Reaches + rar5Lows + rar5Repeats]uint8
	s.readLengths(&lengths, l[:])
	rest := l[:]
	for _, c := range []struct {
		h *huffman
		n int
	}{{&s.symbols, rar5Symbols}, {&s.reaches, rar5Reaches}, {&s.lows, rar5Lows}, {&s.repeats, rar5Repeats}} {
		s.build(c.h, rest[:c.n])
		rest = rest[c.n:]
	}
	s.tables = s.bitInput.err == nil
}

// readLengths reads lengths up to 15; 16 and 17 repeat the last one, 18 and 19 zero.
func (s *bitInput) readLengths(h *huffman, l []uint8) {
	for i := 0; i < len(l) && s.err == nil; {
		c := s.decode(h)
		if c < 16 {
			l[i] = uint8(c)
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
				s.err = ErrCorrupt
				return
			}
			v = l[i-1]
		}
		for ; n > 0 && i < len(l); n-- {
			l[i] = v
			i++
		}
	}
}

// symbol decodes a byte, a match or a filter.
func (s *RAR5) symbol() {
	c := s.bitInput.decode(&s.symbols)
	switch {
	case s.bitInput.err != nil:
	case c < 256:
		s.w.buf[s.w.op] = byte(c)
		s.w.op++
	case c == rar5Filter:
		s.newFilter()
	case c == rar5Again:
		s.copy(s.length, s.recent[0])
	case c < rar5Match:
		i := c - rar5Recent
		d := s.recent[i]
		copy(s.recent[1:i+1], s.recent[:i])
		s.recent[0] = d
		s.copy(s.matchLength(s.bitInput.decode(&s.repeats)), d)
	default:
		n := s.matchLength(c - rar5Match)
		d := s.reach()
		for _, far := range [...]int{0x100, 0x2000, 0x40000} {
			if d > far {
				n++
			}
		}
		copy(s.recent[1:], s.recent[:3])
		s.recent[0] = d
		s.copy(n, d)
	}
}

func (s *RAR5) copy(n, distance int) {
	s.length = n
	if s.bitInput.err != nil || n == 0 {
		return
	}
	if distance <= 0 || distance > s.w.op-s.w.base || int64(distance) > s.dict {
		s.bitInput.err = ErrCorrupt
		if s.w.short && distance > s.w.keep && int64(distance) <= s.dict {
			s.bitInput.err = ErrMemory
		}
		return
	}
	s.match, s.distance = n, distance
}

func (s *RAR5) matchLength(c int) int {
	if c < 8 {
		return c + 2
	}
	extra := uint(c)/4 - 1
	return (4|c&3)<<extra + 2 + s.bits(extra)
}

func (s *RAR5) reach() int {
	c := s.bitInput.decode(&s.reaches)
	if c < 4 {
		return c + 1
	}
	extra := uint(c)/2 - 1
	d := (2|c&1)<<extra + 1
	if extra < 4 {
		return d + s.bits(extra)
	}
	if high := extra - 4; high > 16 {
		d += s.bits(high-16) << 20
		d += s.bits(16) << 4
	} else {
		d += s.bits(high) << 4
	}
	return d + s.bitInput.decode(&s.lows)
}

func (s *RAR5) newFilter() {
	at, length := s.number(), s.number()
	f := rarFilter{kind: rarFilterKind(s.bits(3)), length: length, size: 1 << 24}
	if f.kind == rarDelta {
		f.channels = s.bits(5) + 1
	}
	// bytes that this call of decode made are not counted yet
	f.at = s.made + int64(s.w.op-s.w.out) + int64(at)
	switch {
	case s.bitInput.err != nil:
	case f.kind > rarARM || length < 4 || length > rar5MaxFilter || !s.filters.add(f, false):
		s.bitInput.err = ErrCorrupt
	}
}

func (s *RAR5) number() (v int) {
	for i := range s.bits(2) + 1 {
		v |= s.bits(8) << (8 * i)
	}
	return v
}
