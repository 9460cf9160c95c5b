package codec

import (
	"bufio"
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zlib"
)

// source reads a stream through a bufio.Reader, from which the deflate decoder takes single
// bytes fast and none too many, and knows how many were taken.
type source struct {
	section *io.SectionReader
	*bufio.Reader
	skipped *[]Span
}

func newSource(r io.ReaderAt, size int64) source {
	s := io.NewSectionReader(r, 0, max(0, size))
	return source{s, bufio.NewReaderSize(s, inputBuffer), new([]Span)}
}

// Skipped returns the parts of headers that say nothing of the content.
func (s source) Skipped() []Span { return *s.skipped }

func (s source) Consumed() int64 {
	read, _ := s.section.Seek(0, io.SeekCurrent)
	return read - int64(s.Buffered())
}

// deflateStream decodes raw deflate between a header and a trailer that differ by wrapping.
type deflateStream struct {
	source
	z       inflater // nil after the end
	trailer func() error
	// again reads the header of a stream that follows directly, if there is one.
	again func() bool
	sum   func(p []byte)
	late  error // a member's checksum does not fit: what follows is still read
	err   error
}

func (s *deflateStream) open() {
	s.z = flaters.Get().(inflater)
	s.err = inflateError(s.z.Reset(s.source.Reader, nil))
}

func (s *deflateStream) Read(p []byte) (int, error) {
	for s.err == nil && len(p) > 0 {
		n, err := s.z.Read(p)
		s.sum(p[:n])
		if err == io.EOF {
			if err = s.trailer(); err == ErrChecksum {
				s.late, err = err, nil
			}
			if err == nil {
				switch {
				case s.again():
					err = s.z.Reset(s.source.Reader, nil)
				case s.late != nil:
					err = s.late
				default:
					err = io.EOF
				}
			}
		} else {
			err = inflateError(err)
		}
		s.err = err
		if n > 0 {
			return n, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	if s.z != nil {
		flaters.Put(s.z)
		s.z = nil
	}
	return 0, s.err
}

// NewDeflate decodes raw deflate, RFC 1951.
func NewDeflate(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &deflateStream{source: newSource(r, size)}
	s.sum, s.trailer, s.again = func([]byte) {}, func() error { return nil }, func() bool { return false }
	s.open()
	return s, nil
}

// NewZlib decodes deflate in zlib's wrapping, RFC 1950.
func NewZlib(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &deflateStream{source: newSource(r, size)}
	h, err := s.Peek(2)
	if err != nil || h[0]&15 != 8 || h[0]>>4 > 7 || binary.BigEndian.Uint16(h)%31 != 0 || h[1]&0x20 != 0 {
		return nil, &causeError{ErrHeader, zlib.ErrHeader}
	}
	s.Discard(2)
	sum := adler32.New()
	s.sum = func(p []byte) { sum.Write(p) }
	s.trailer = func() error {
		var b [4]byte
		if _, err := io.ReadFull(s.source, b[:]); err != nil {
			return cutError(err)
		}
		if binary.BigEndian.Uint32(b[:]) != sum.Sum32() {
			return ErrChecksum
		}
		return nil
	}
	s.again = func() bool { return false }
	s.open()
	return s, nil
}

// GzipHeader is what a gzip member says of its content, RFC 1952.
type GzipHeader struct {
	Size    int    // of the header, in bytes
	Name    string // as stored, in ISO 8859-1 by the RFC
	Comment string
	Extra   []byte
	ModTime uint32 // seconds since 1970, 0 if not known
	OS      byte
}

const gzipFixed = 10 // bytes of a header before its optional fields

// ParseGzipHeader reads the header at the start of b. It returns io.ErrUnexpectedEOF if the
// header goes on behind b, and an error that wraps [ErrHeader] if there is none.
func ParseGzipHeader(b []byte) (GzipHeader, error) {
	const fixed, textual, crc, extra, name, comment, reserved = gzipFixed, 1, 2, 4, 8, 16, 0xe0
	var h GzipHeader
	for i, want := range []byte{0x1f, 0x8b, 8} {
		if i < len(b) && b[i] != want {
			return h, ErrHeader
		}
	}
	if len(b) > 3 && b[3]&reserved != 0 {
		return h, ErrHeader
	}
	if len(b) < fixed {
		return h, io.ErrUnexpectedEOF
	}
	flags := b[3]
	h.ModTime, h.OS = binary.LittleEndian.Uint32(b[4:]), b[9]
	n := fixed
	if flags&extra != 0 {
		if len(b)-n < 2 || len(b)-n-2 < int(binary.LittleEndian.Uint16(b[n:])) {
			return h, io.ErrUnexpectedEOF
		}
		size := int(binary.LittleEndian.Uint16(b[n:]))
		h.Extra = b[n+2 : n+2+size]
		n += 2 + size
	}
	for _, field := range []struct {
		flag byte
		text *string
	}{{name, &h.Name}, {comment, &h.Comment}} {
		if flags&field.flag == 0 {
			continue
		}
		start := n
		for ; ; n++ {
			if n == len(b) {
				return h, io.ErrUnexpectedEOF
			}
			if b[n] == 0 {
				break
			}
		}
		*field.text = string(b[start:n])
		n++
	}
	if flags&crc != 0 {
		if len(b)-n < 2 {
			return h, io.ErrUnexpectedEOF
		}
		if uint16(crc32.ChecksumIEEE(b[:n])) != binary.LittleEndian.Uint16(b[n:]) {
			return h, ErrHeader
		}
		n += 2
	}
	h.Size = n
	return h, nil
}

// NewGzip decodes a gzip member, and those that follow it directly.
func NewGzip(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &deflateStream{source: newSource(r, size)}
	header := func() bool {
		b, _ := s.Peek(inputBuffer)
		h, err := ParseGzipHeader(b)
		if err != nil {
			return false
		}
		if h.Size > gzipFixed {
			*s.skipped = append(*s.skipped, Span{s.Consumed() + gzipFixed, int64(h.Size) - gzipFixed})
		}
		s.Discard(h.Size)
		return true
	}
	if !header() {
		return nil, ErrHeader
	}
	var sum, length uint32
	s.sum = func(p []byte) { sum, length = crc32.Update(sum, crc32.IEEETable, p), length+uint32(len(p)) }
	s.trailer = func() error {
		var b [8]byte
		if _, err := io.ReadFull(s.source, b[:]); err != nil {
			return cutError(err)
		}
		if binary.LittleEndian.Uint32(b[:]) != sum || binary.LittleEndian.Uint32(b[4:]) != length {
			return ErrChecksum
		}
		return nil
	}
	s.again = func() bool {
		sum, length = 0, 0
		return header()
	}
	s.open()
	return s, nil
}

// cutError is err, for a read of bytes that had to be there.
func cutError(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
