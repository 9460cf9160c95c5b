package codec

import (
	"encoding/binary"
	"io"
)

// bzip2 has no specification but its source, https://sourceware.org/bzip2/, of which
// https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf is a description.
const (
	bzip2Block   = 0x314159265359
	bzip2End     = 0x177245385090
	bzip2Group   = 50 // symbols decoded with one table
	bzip2MaxCode = 20
	bzip2Fast    = 10 // bits that the lookup table resolves at once
)

type bzip2Stream struct {
	blockStream
	bit   uint // bits taken of the byte at in.pos
	eof   bool // bits were asked for that are not there
	bare  bool // NSIS's variant
	level int
	sum   uint32 // of the stream, from the blocks' sums

	// The block that is being written out.
	tt      []uint32 // its Burrows-Wheeler transform: next position << 8 | byte
	left    int      // symbols of it to go
	at      uint32
	run     int // equal bytes in a row so far; the byte after four is a count
	last    byte
	repeat  int // of last still to be written
	crc     uint32
	wantCRC uint32
	inBlock bool
	tables  [6]bzip2Table
	sel     []byte
	buf     []byte
}

// NewBzip2 decodes a bzip2 stream, and those that follow it directly.
func NewBzip2(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &bzip2Stream{}
	s.in = newInput(r, size)
	s.next = s.decode
	if !s.header() {
		return nil, ErrHeader
	}
	if int64(s.level)*100_000*4 > maxMemory {
		s.err = ErrMemory
	}
	return s, nil
}

// NewBzip2Bare decodes the variant that installers of NSIS hold: no header, one byte for the magic of
// a block or the end, and no checksums.
func NewBzip2Bare(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &bzip2Stream{bare: true, level: 9}
	s.in = newInput(r, size)
	s.next = s.decode
	if b := s.in.peek(2); b == nil || b[0] != bzip2Block>>40 && b[0] != bzip2End>>40 {
		return nil, ErrHeader
	}
	if int64(s.level)*100_000*4 > maxMemory {
		s.err = ErrMemory
	}
	return s, nil
}

// header reads "BZh", the level, and looks at the magic of what follows.
func (s *bzip2Stream) header() bool {
	b := s.in.peek(10)
	if b == nil || string(b[:3]) != "BZh" || b[3] < '1' || b[3] > '9' {
		return false
	}
	if magic := binary.BigEndian.Uint64(b[2:]) & (1<<48 - 1); magic != bzip2Block && magic != bzip2End {
		return false
	}
	s.in.pos += 4
	s.level, s.sum = int(b[3]-'0'), 0
	return true
}

// bits takes n <= 32 bits, the highest first.
func (s *bzip2Stream) bits(n uint) uint32 {
	v := s.look(n)
	s.drop(n)
	return v
}

func (s *bzip2Stream) look(n uint) uint32 {
	var v uint64
	if in := s.in; len(in.buf)-in.pos >= 8 || in.need(8) {
		v = binary.BigEndian.Uint64(in.buf[in.pos:])
	} else {
		var b [8]byte
		copy(b[:], in.buf[in.pos:])
		v = binary.BigEndian.Uint64(b[:])
	}
	return uint32(v << s.bit >> (64 - n))
}

func (s *bzip2Stream) drop(n uint) {
	s.bit += n
	s.in.pos += int(s.bit >> 3)
	s.bit &= 7
	if over := s.in.pos - len(s.in.buf); over > 0 || over == 0 && s.bit > 0 {
		s.in.pos, s.bit, s.eof = len(s.in.buf), 0, true
	}
}

// decode writes the next part of a block, having read a block if there is none to write.
func (s *bzip2Stream) decode() error {
	if !s.inBlock {
		if err := s.block(); err != nil {
			if s.eof {
				err = s.in.cut()
			}
			return err
		}
	}
	if s.buf == nil {
		s.buf = make([]byte, 32<<10)
	}
	s.out = s.buf[:s.write(s.buf)]
	if s.left > 0 || s.repeat > 0 {
		return nil
	}
	s.inBlock = false
	if ^s.crc != s.wantCRC && !s.bare {
		s.late = ErrChecksum
	}
	return nil
}

// block reads the next block of this stream or the next, and undoes all but the run lengths.
func (s *bzip2Stream) block() error {
	if s.bare {
		return s.bareBlock()
	}
	for {
		magic := uint64(s.bits(24))<<24 | uint64(s.bits(24))
		s.wantCRC = s.bits(32)
		if s.eof {
			return s.in.cut()
		}
		if magic == bzip2Block {
			break
		}
		if magic != bzip2End {
			return ErrCorrupt
		}
		if s.bit > 0 {
			s.bit = 0
			s.in.pos++
		}
		if s.wantCRC != s.sum {
			s.late = ErrChecksum
		}
		if !s.header() {
			return io.EOF
		}
	}
	s.sum = (s.sum<<1 | s.sum>>31) ^ s.wantCRC
	if s.bits(1) != 0 { // randomised
		return ErrCorrupt // not written since 1997
	}
	return s.body()
}

func (s *bzip2Stream) bareBlock() error {
	switch s.bits(8) {
	case bzip2Block >> 40:
		return s.body()
	case bzip2End >> 40:
		if s.bit > 0 && !s.eof {
			s.bit = 0
			s.in.pos++
		}
		return io.EOF
	}
	return ErrCorrupt
}

// body reads what follows a block's header.
func (s *bzip2Stream) body() error {
	origin := s.bits(24)
	n, err := s.symbols()
	if err != nil {
		return err
	}
	if int(origin) >= n {
		return ErrCorrupt
	}
	s.invert(n)
	s.at, s.left, s.run, s.repeat, s.crc, s.inBlock = s.tt[origin]>>8, n, 0, 0, 1<<32-1, true
	return nil
}

// symbols reads the block's tables and its symbols into tt, and returns how many bytes they make.
func (s *bzip2Stream) symbols() (int, error) {
	var front [256]byte // move to front
	used := 0
	groups := s.bits(16)
	for g := range uint(16) {
		if groups>>(15-g)&1 == 0 {
			continue
		}
		members := s.bits(16)
		for m := range uint(16) {
			if members>>(15-m)&1 != 0 {
				front[used] = byte(g<<4 | m)
				used++
			}
		}
	}
	tables, selectors := int(s.bits(3)), int(s.bits(15))
	if s.eof || used == 0 || tables < 2 || tables > len(s.tables) || selectors == 0 {
		return 0, ErrCorrupt
	}
	order := [6]byte{0, 1, 2, 3, 4, 5}
	s.sel = s.sel[:0]
	for range selectors {
		j := 0
		for s.bits(1) != 0 {
			if j++; j >= tables {
				return 0, ErrCorrupt
			}
		}
		t := order[j]
		copy(order[1:j+1], order[:j])
		order[0] = t
		s.sel = append(s.sel, t)
		if s.eof {
			return 0, ErrCorrupt
		}
	}
	for t := range tables {
		if !s.tables[t].read(s, used+2) {
			return 0, ErrCorrupt
		}
	}

	limit := s.level * 100_000
	if cap(s.tt) < limit {
		s.tt = make([]uint32, limit)
	}
	tt := s.tt[:limit]
	end := uint32(used + 1)
	n, run, weight := 0, 0, 1
	for group := 0; ; group++ {
		if group >= len(s.sel) {
			return 0, ErrCorrupt
		}
		t := &s.tables[s.sel[group]]
		for range bzip2Group {
			v := t.decode(s)
			if v <= 1 { // a digit, 1 or 2, of a run length in base 2
				if run += weight << v; run > limit {
					return 0, ErrCorrupt
				}
				weight <<= 1
				continue
			}
			if run > 0 {
				if run > limit-n {
					return 0, ErrCorrupt
				}
				b := uint32(front[0])
				for i := range tt[n : n+run] {
					tt[n+i] = b
				}
				n += run
				run, weight = 0, 1
			}
			if v >= end {
				if v > end || s.eof {
					return 0, ErrCorrupt
				}
				return n, nil
			}
			if n >= limit {
				return 0, ErrCorrupt
			}
			j := v - 1
			b := front[j&255]
			copy(front[1:], front[:j&255])
			front[0] = b
			tt[n] = uint32(b)
			n++
		}
		if s.eof {
			return 0, ErrCorrupt
		}
	}
}

// invert makes tt[:n] a list: each entry's upper 24 bits are the index of the one that follows it.
func (s *bzip2Stream) invert(n int) {
	tt := s.tt[:n]
	var starts [256]uint32
	for _, v := range tt {
		starts[v&255]++
	}
	sum := uint32(0)
	for i, c := range starts {
		starts[i] = sum
		sum += c
	}
	for i, v := range tt {
		b := v & 255
		tt[starts[b]] |= uint32(i) << 8
		starts[b]++
	}
}

// write undoes the run lengths of the block into p.
func (s *bzip2Stream) write(p []byte) int {
	n, crc := 0, s.crc
	tt := s.tt[:cap(s.tt)]
	for n < len(p) {
		if s.repeat > 0 {
			s.repeat--
		} else {
			if s.left == 0 {
				break
			}
			v := tt[s.at]
			b := byte(v)
			s.at = v >> 8
			s.left--
			if s.run == 4 {
				s.run, s.repeat = 0, int(b)
				continue
			}
			if s.run == 0 || b != s.last {
				s.run, s.last = 0, b
			}
			s.run++
		}
		p[n] = s.last
		crc = crc<<8 ^ bzip2CRC[byte(crc>>24)^s.last]
		n++
	}
	s.crc = crc
	return n
}

// bzip2CRC is the table of the CRC-32 of IEEE 802.3 with the highest bit first.
var bzip2CRC = func() (table [256]uint32) {
	for i := range table {
		c := uint32(i) << 24
		for range 8 {
			if c>>31 != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		table[i] = c
	}
	return table
}()

// bzip2Table is a canonical Huffman code.
type bzip2Table struct {
	fast  [1 << bzip2Fast]uint16   // symbol << 5 | length, 0 if the code is longer
	limit [bzip2MaxCode + 2]uint32 // codes of a length are below this, left-aligned to 20 bits
	base  [bzip2MaxCode + 1]int32  // add to a code of a length to get its place in order
	order [258]uint16              // symbols by code
	size  int                      // how many
}

// read reads the code lengths of n symbols.
func (t *bzip2Table) read(s *bzip2Stream, n int) bool {
	var lengths [258]uint8
	var counts [bzip2MaxCode + 1]int
	length := s.bits(5)
	for i := range n {
		for {
			if length < 1 || length > bzip2MaxCode || s.eof {
				return false
			}
			if s.bits(1) == 0 {
				break
			}
			length += 1 - 2*s.bits(1)
		}
		lengths[i] = uint8(length)
		counts[length]++
	}
	t.size = 0
	code := uint32(0)
	clear(t.fast[:])
	for l := 1; l <= bzip2MaxCode; l++ {
		t.base[l] = int32(t.size) - int32(code)
		for i, have := range lengths[:n] {
			if int(have) != l {
				continue
			}
			if l <= bzip2Fast && code < 1<<l {
				first := code << (bzip2Fast - l)
				for j := range uint32(1) << (bzip2Fast - l) {
					t.fast[first+j] = uint16(i<<5 | l)
				}
			}
			t.order[t.size] = uint16(i)
			t.size++
			code++
		}
		if code > 1<<l {
			return false // more codes than there are
		}
		t.limit[l] = code << (bzip2MaxCode - l)
		code <<= 1
	}
	return true
}

// decode takes one symbol; for a code that is not in the table it returns one that ends the block wrongly.
func (t *bzip2Table) decode(s *bzip2Stream) uint32 {
	v := s.look(bzip2MaxCode)
	if f := t.fast[v>>(bzip2MaxCode-bzip2Fast)]; f != 0 {
		s.drop(uint(f & 31))
		return uint32(f >> 5)
	}
	for l := bzip2Fast + 1; l <= bzip2MaxCode; l++ {
		if v < t.limit[l] {
			s.drop(uint(l))
			return uint32(t.order[uint32(int32(v>>(bzip2MaxCode-l))+t.base[l])%uint32(len(t.order))])
		}
	}
	s.drop(bzip2MaxCode)
	return 1 << 16
}
