package codec

import (
	"encoding/binary"
	"io"
)

// The LZ4 frame, https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md.
const (
	lz4Magic       = 0x184d2204
	lz4LegacyMagic = 0x184c2102
	lz4SkipMagic   = 0x184d2a50 // and the 15 that follow
	lz4History     = 64 << 10
	lz4LegacyBlock = 8 << 20
)

type lz4Frame struct {
	blockStream
	flags   byte
	block   int    // largest size of a block
	size    uint64 // of the content, if flags say that it is known
	written uint64
	sum     *xxh32
	buf     []byte // history, then room for a block
	have    int    // history
}

const (
	lz4DictID = 1 << iota
	_
	lz4ContentSum
	lz4ContentSize
	lz4BlockSum
	lz4Independent
)

// NewLZ4 decodes an LZ4 frame, and those that follow it directly, skippable ones among them.
func NewLZ4(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &lz4Frame{}
	s.in = newInput(r, size)
	s.next = s.decode
	if !s.header() {
		return nil, ErrHeader
	}
	if s.flags&lz4DictID != 0 {
		s.err = &causeError{ErrCorrupt, errLZ4Dict}
	}
	return s, nil
}

var errLZ4Dict = lz4Error("needs a dictionary that is not in the frame")

type lz4Error string

func (e lz4Error) Error() string { return string(e) }

// header reads a frame header and takes nothing if there is none.
func (s *lz4Frame) header() bool {
	b := s.in.peek(7)
	if b == nil || binary.LittleEndian.Uint32(b) != lz4Magic || b[4]>>6 != 1 || b[4]&2 != 0 || b[5]&0x8f != 0 || b[5]>>4 < 4 {
		return false
	}
	n := 7
	if b[4]&lz4ContentSize != 0 {
		n += 8
	}
	if b[4]&lz4DictID != 0 {
		n += 4
	}
	if b = s.in.peek(n); b == nil || byte(xxh32Sum(b[4:n-1])>>8) != b[n-1] {
		return false
	}
	s.in.pos += n
	s.flags, s.block = b[4], 1<<(8+2*(b[5]>>4))
	if s.size = 0; s.flags&lz4ContentSize != 0 {
		s.size = binary.LittleEndian.Uint64(b[6:])
	}
	s.written, s.sum, s.have = 0, newXXH32(), 0
	return true
}

// decode reads the next block, or the frame's end and the next frame's header.
func (s *lz4Frame) decode() error {
	b := s.in.take(4)
	if b == nil {
		return s.in.cut()
	}
	word := binary.LittleEndian.Uint32(b)
	if word == 0 {
		return s.end()
	}
	n := int(word & (1<<31 - 1))
	if n > s.block {
		s.in.pos -= 4
		return ErrCorrupt
	}
	src, cut := s.in.takeUpTo(n)
	s.makeRoom(len(src))
	at, err := s.have, error(nil)
	var sum uint32
	if s.flags&lz4BlockSum != 0 {
		sum = xxh32Sum(src)
	}
	if word>>31 != 0 {
		at += copy(s.buf[at:], src)
	} else {
		limit := min(len(s.buf), at+s.block)
		for { // the block's size is only known to be bounded, so room grows with what comes out
			if at, err = lz4Block(s.buf[:limit], s.have, src); err != ErrTooLong || limit >= s.have+s.block {
				break
			}
			grown := make([]byte, s.have+min(s.block, 4*(limit-s.have)))
			copy(grown, s.buf[:s.have])
			s.buf, limit = grown, len(grown)
		}
	}
	s.out = s.buf[s.have:at]
	s.sum.write(s.out)
	s.written += uint64(len(s.out))
	s.have = at
	switch {
	case cut != nil:
		return cut
	case err == ErrTooLong || err == io.ErrUnexpectedEOF:
		return ErrCorrupt
	case err != nil:
		return err
	case s.flags&lz4BlockSum == 0:
		return nil
	}
	if b = s.in.peek(4); b == nil {
		return s.in.cut()
	}
	s.in.pos += 4
	if binary.LittleEndian.Uint32(b) != sum {
		s.late = ErrChecksum
	}
	return nil
}

// makeRoom drops all but the history that matches can reach, and gives room for n compressed bytes.
func (s *lz4Frame) makeRoom(n int) {
	keep := min(s.have, lz4History)
	if s.flags&lz4Independent != 0 {
		keep = 0
	}
	history := s.buf[s.have-keep : s.have]
	if want := keep + min(s.block, 4*n); len(s.buf) < want {
		s.buf = make([]byte, want)
	}
	copy(s.buf, history)
	s.have = keep
}

func (s *lz4Frame) end() error {
	if s.flags&lz4ContentSum != 0 {
		b := s.in.take(4)
		if b == nil {
			return s.in.cut()
		}
		if binary.LittleEndian.Uint32(b) != s.sum.sum() {
			s.late = ErrChecksum
		}
	}
	if s.flags&lz4ContentSize != 0 && s.size != s.written {
		return ErrCorrupt
	}
	for {
		b := s.in.peek(8)
		if b == nil || binary.LittleEndian.Uint32(b)&^15 != lz4SkipMagic {
			break
		}
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		if !s.in.skip(8 + n) {
			break
		}
	}
	if s.header() && s.flags&lz4DictID == 0 {
		return nil
	}
	return io.EOF
}

// skip passes over n bytes and reports whether they are there; if not it takes none.
func (in *input) skip(n int64) bool {
	at, from := int64(len(in.buf)-in.pos), in.consumed()
	if n > at && (in.src == nil || n-at > in.size-in.next) {
		return false
	}
	in.skipped = append(in.skipped, Span{from, n})
	if n <= at {
		in.pos += int(n)
		return true
	}
	in.next += n - at
	in.buf, in.pos = in.buf[:0], 0
	return true
}

type lz4Legacy struct {
	blockStream
	buf   []byte
	short bool // the last block was not full, which ends the stream
}

// NewLZ4Legacy decodes the format that lz4 -l writes and Linux kernels use. It has no end mark:
// it ends with a block of less than 8 MiB, or where no size of a block follows.
func NewLZ4Legacy(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &lz4Legacy{}
	s.in = newInput(r, size)
	s.next = s.decode
	b := s.in.peek(9)
	if b == nil || binary.LittleEndian.Uint32(b) != lz4LegacyMagic || !lz4LegacySize(binary.LittleEndian.Uint32(b[4:])) {
		return nil, ErrHeader
	}
	if maxMemory < 2*lz4LegacyBlock {
		s.err = ErrMemory
	}
	s.in.pos += 4
	return s, nil
}

// lz4LegacySize reports whether n can be the size of a compressed block, which at worst is a
// little longer than its content.
func lz4LegacySize(n uint32) bool { return n > 0 && n <= lz4LegacyBlock+lz4LegacyBlock/255+16 }

func (s *lz4Legacy) decode() error {
	if s.short {
		return io.EOF
	}
	b := s.in.peek(4)
	if b == nil || !lz4LegacySize(binary.LittleEndian.Uint32(b)) {
		return io.EOF
	}
	s.in.pos += 4
	src, cut := s.in.takeUpTo(int(binary.LittleEndian.Uint32(b)))
	var n int
	var err error
	for limit := min(lz4LegacyBlock, 4*len(src)); ; limit = min(lz4LegacyBlock, 4*limit) {
		s.buf = resize(s.buf, limit)
		if n, err = lz4Block(s.buf, 0, src); err != ErrTooLong || limit == lz4LegacyBlock {
			break
		}
	}
	s.out = s.buf[:n]
	s.short = n < lz4LegacyBlock
	switch {
	case cut != nil:
		return cut
	case err != nil:
		return ErrCorrupt
	}
	return nil
}
