package codec

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// The lzop file format is described by its source only, https://www.lzop.org/.
const (
	lzopMagic    = "\x89LZO\x00\r\n\x1a\n"
	lzopMaxBlock = 64 << 20

	lzopAdlerPlain  = 0x1
	lzopAdlerPacked = 0x2
	lzopExtra       = 0x40
	lzopCRCPlain    = 0x100
	lzopCRCPacked   = 0x200
	lzopFilter      = 0x800
	lzopCRCHeader   = 0x1000
)

// LzopHeader is what an lzop file says of its content.
type LzopHeader struct {
	Size    int // of the header, in bytes
	Name    string
	Mode    uint32 // as of stat(2)
	ModTime int64
	Version uint16
	flags   uint32
	extra   Span // a field that nothing reads
}

// ParseLzopHeader reads the header at the start of b. It returns io.ErrUnexpectedEOF if the
// header goes on behind b, and an error that wraps [ErrHeader] if there is none.
func ParseLzopHeader(b []byte) (LzopHeader, error) {
	var h LzopHeader
	n := len(lzopMagic)
	if len(b) < n || string(b[:n]) != lzopMagic {
		return h, ErrHeader
	}
	short := false
	field := func(size int) uint32 {
		if len(b)-n < size {
			short = true
			return 0
		}
		v := uint32(0)
		for _, c := range b[n : n+size] {
			v = v<<8 | uint32(c)
		}
		n += size
		return v
	}
	h.Version = uint16(field(2))
	field(2) // of the library
	recent := h.Version >= 0x0940
	if recent {
		field(2) // version needed to extract
	}
	method := field(1)
	if recent {
		field(1) // level
	}
	h.flags = field(4)
	if h.flags&lzopFilter != 0 {
		field(4)
	}
	h.Mode = field(4)
	h.ModTime = int64(field(4))
	if recent {
		h.ModTime |= int64(field(4)) << 32
	}
	if size := int(field(1)); len(b)-n < size {
		short = true
	} else {
		h.Name = string(b[n : n+size])
		n += size
	}
	end := n
	sum := field(4)
	if short {
		return h, io.ErrUnexpectedEOF
	}
	want := adler32.Checksum(b[len(lzopMagic):end])
	if h.flags&lzopCRCHeader != 0 {
		want = crc32.ChecksumIEEE(b[len(lzopMagic):end])
	}
	if sum != want || method < 1 || method > 3 {
		return h, ErrHeader
	}
	if h.flags&lzopExtra != 0 {
		size := field(4)
		if short || int64(len(b)-n) < int64(size)+4 {
			return h, io.ErrUnexpectedEOF
		}
		h.extra = Span{int64(n), int64(size)}
		n += int(size) + 4
	}
	h.Size = n
	return h, nil
}

type lzopStream struct {
	blockStream
	flags  uint32
	memory int64
	buf    []byte
}

// NewLzop decodes an lzop file of one member.
func NewLzop(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &lzopStream{memory: maxMemory}
	s.in = newInput(r, size)
	s.next = s.decode
	s.in.need(inputBuffer)
	h, err := ParseLzopHeader(s.in.buf)
	if err != nil {
		return nil, ErrHeader
	}
	s.in.pos, s.flags = h.Size, h.flags
	s.in.skipped = []Span{h.extra}
	if h.flags&lzopFilter != 0 {
		s.err = &causeError{ErrCorrupt, lzopError("filter is not supported")}
	}
	return s, nil
}

type lzopError string

func (e lzopError) Error() string { return string(e) }

func (s *lzopStream) decode() error {
	b := s.in.take(4)
	if b == nil {
		return s.in.cut()
	}
	plain := binary.BigEndian.Uint32(b)
	if plain == 0 {
		return io.EOF
	}
	if b = s.in.take(4); b == nil {
		return s.in.cut()
	}
	packed := binary.BigEndian.Uint32(b)
	if plain > lzopMaxBlock || packed > plain || packed == 0 {
		return ErrCorrupt
	}
	if int64(plain)+int64(packed) > s.memory {
		return ErrMemory
	}
	var sums [4]uint32 // in the order stored
	for i, flag := range []uint32{lzopAdlerPlain, lzopCRCPlain, lzopAdlerPacked, lzopCRCPacked} {
		if s.flags&flag == 0 || i >= 2 && packed == plain {
			continue
		}
		if b = s.in.take(4); b == nil {
			return s.in.cut()
		}
		sums[i] = binary.BigEndian.Uint32(b)
	}
	src, cut := s.in.takeUpTo(int(packed))
	var err error
	if packed == plain {
		s.buf = append(s.buf[:0], src...)
	} else {
		// LZO makes at most 255 bytes of one and some, so a short block cannot ask for much.
		s.buf = resize(s.buf, int(min(int64(plain), 256*int64(len(src))+64)))
		var n int
		n, err = LZO(s.buf, src)
		s.buf = s.buf[:n]
	}
	s.out = s.buf
	switch {
	case cut != nil:
		return cut
	case err != nil || len(s.out) != int(plain):
		return ErrCorrupt
	case s.flags&lzopAdlerPlain != 0 && sums[0] != adler32.Checksum(s.out),
		s.flags&lzopCRCPlain != 0 && sums[1] != crc32.ChecksumIEEE(s.out):
		s.late = ErrChecksum
	}
	return nil
}
