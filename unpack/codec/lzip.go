package codec

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// lzip, https://www.nongnu.org/lzip/manual/lzip_manual.html#File-format.
const (
	lzipHeader  = 6  // magic, version, dictionary size
	lzipTrailer = 20 // CRC32, size of the data, size of the member
	lzipProps   = 93 // lc=3, lp=0, pb=2
)

type lzipStream struct {
	in     *input
	memory int64
	member *lzmaStream
	begun  int64
	sum    uint32
	plain  int64
	late   error // a checksum that does not fit: what follows is still read
	err    error
}

// NewLzip decodes an lzip member, and those that follow it directly.
func NewLzip(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &lzipStream{in: newInput(r, size), memory: maxMemory}
	if !s.header() {
		return nil, ErrHeader
	}
	return s, nil
}

func (s *lzipStream) header() bool {
	b := s.in.peek(lzipHeader + rangeInit)
	if b == nil || string(b[:5]) != "LZIP\x01" || b[lzipHeader] != 0 {
		return false
	}
	base := int64(1) << (b[5] & 31)
	dict := base - base/16*int64(b[5]>>5)
	if dict < 4<<10 || dict > 512<<20 {
		return false
	}
	s.begun, s.sum, s.plain = s.in.consumed(), 0, 0
	s.in.pos += lzipHeader
	m, err := newLZMAStream(s.in, lzipProps, dict, -1, s.memory)
	s.member = m
	return err == nil
}

func (s *lzipStream) Consumed() int64 { return s.in.consumed() }

func (s *lzipStream) Read(p []byte) (int, error) {
	for s.err == nil && len(p) > 0 {
		n, err := s.member.Read(p)
		s.sum, s.plain = crc32.Update(s.sum, crc32.IEEETable, p[:n]), s.plain+int64(n)
		if err == io.EOF {
			switch err = s.trailer(); {
			case err != nil, s.header():
			case s.late != nil:
				err = s.late
			default:
				err = io.EOF
			}
		}
		s.err = err
		if n > 0 {
			return n, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, s.err
}

func (s *lzipStream) trailer() error {
	b := s.in.take(lzipTrailer)
	if b == nil {
		return s.in.cut()
	}
	if binary.LittleEndian.Uint32(b) != s.sum || int64(binary.LittleEndian.Uint64(b[4:])) != s.plain {
		s.late = ErrChecksum
	}
	if int64(binary.LittleEndian.Uint64(b[12:])) != s.in.consumed()-s.begun {
		return ErrCorrupt
	}
	return nil
}
