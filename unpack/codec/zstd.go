package codec

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

var zstds = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // the options are constant
	}
	return d
}}

// Zstd is the [Block] decoder of one or more Zstandard frames, RFC 8878.
func Zstd(dst, src []byte) (int, error) {
	d := zstds.Get().(*zstd.Decoder)
	defer zstds.Put(d)
	out, err := d.DecodeAll(src, dst[:0:len(dst)])
	return len(out), zstdError(err)
}

func zstdError(err error) error {
	switch {
	case err == nil, err == io.EOF:
		return err
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return ErrTooLong
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return ErrMemory
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, zstd.ErrMagicMismatch):
		return &causeError{ErrHeader, err}
	case errors.Is(err, zstd.ErrCRCMismatch):
		return ErrChecksum
	}
	return &causeError{ErrCorrupt, err}
}

// zstdFrame passes the bytes of one frame on and returns io.EOF behind the last, so that the
// decoder sees no byte too many and the end is exact. The header it passes is one of its own: it
// asks for no more window than the blocks can fill, as a decoder may allocate it at once.
type zstdFrame struct {
	in     *input
	head   []byte // own header, still to be passed
	pass   int64  // bytes to pass before the next block header
	blocks bool   // a block header comes next
	sum    bool   // the checksum comes after the blocks
	err    error
	want   uint32 // the checksum
	size   int64  // of the content as declared, -1 if not
}

const (
	zstdMagic    = "\x28\xb5\x2f\xfd"
	zstdMaxBlock = 128 << 10
	zstdSumFlag  = 4
)

// begin reads a frame header.
func (f *zstdFrame) begin() bool {
	h, ok := zstdHeader(f.in)
	if !ok || h.Skippable {
		return false
	}
	f.in.pos += h.HeaderSize
	*f = zstdFrame{in: f.in, blocks: true, sum: h.HasCheckSum, size: -1}
	window := h.WindowSize
	if h.HasFCS {
		f.size = int64(min(h.FrameContentSize, 1<<62))
		window = max(window, h.FrameContentSize)
		if !h.SingleSegment {
			window = h.WindowSize
		}
	}
	descriptor := byte(0)
	for window = f.fill(window); zstdWindow(descriptor) < window; descriptor++ {
	}
	flags := byte(0)
	if f.sum {
		flags = zstdSumFlag
	}
	f.head = append([]byte(zstdMagic), flags, descriptor)
	if h.DictionaryID != 0 {
		f.err = &causeError{ErrCorrupt, zstd.ErrUnknownDictionary}
	}
	return true
}

// plausible reports whether the first block can be one: a decoder costs far more than this look,
// and four bytes in many megabytes of other data are no frame.
func (f *zstdFrame) plausible() bool {
	b := f.in.peek(3)
	if b == nil {
		return true // cut, which is told when it is read
	}
	kind, size, _ := zstdBlock([3]byte(b))
	return kind < 3 && size <= zstdMaxBlock
}

// zstdWindow decodes a window descriptor, RFC 8878, section 3.1.1.1.2.
func zstdWindow(b byte) uint64 {
	base := uint64(1) << (10 + b>>3)
	return base + base/8*uint64(b&7)
}

// fill returns the lesser of window and what the frame's blocks can come to.
func (f *zstdFrame) fill(window uint64) uint64 {
	const small, steps = 1 << 20, 4096
	if window <= small {
		return window
	}
	most, at := uint64(0), int64(f.in.pos)
	read := func(b []byte) bool { return at+3 <= int64(len(f.in.buf)) && copy(b, f.in.buf[at:]) == 3 }
	if f.in.src != nil {
		at = f.in.consumed()
		read = func(b []byte) bool {
			if at > f.in.size-3 {
				return false
			}
			n, _ := f.in.src.ReadAt(b, at)
			return n == len(b)
		}
	}
	for range steps {
		var b [3]byte
		if most >= window || !read(b[:]) {
			return min(window, most)
		}
		kind, size, last := zstdBlock(b)
		most += zstdMaxBlock
		if kind == 1 {
			size = 1
		}
		if at += 3 + size; last {
			return min(window, most)
		}
	}
	return window
}

// zstdBlock decodes a block header: the kind, 1 being one byte that is repeated, and the size.
func zstdBlock(b [3]byte) (kind int, size int64, last bool) {
	word := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
	return int(word >> 1 & 3), word >> 3, word&1 != 0
}

func (f *zstdFrame) Read(p []byte) (int, error) {
	if len(f.head) > 0 {
		n := copy(p, f.head)
		f.head = f.head[n:]
		return n, nil
	}
	for f.pass == 0 && f.err == nil {
		f.err = f.next()
	}
	if f.pass == 0 {
		return 0, f.err
	}
	n, err := f.in.Read(p[:min(int64(len(p)), f.pass)])
	f.pass -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next finds how many bytes there are to the next header, which is left to be passed too.
func (f *zstdFrame) next() error {
	switch {
	case f.blocks:
		b := f.in.peek(3)
		if b == nil {
			return f.in.cut()
		}
		kind, size, last := zstdBlock([3]byte(b))
		if f.pass = 3 + size; kind == 1 {
			f.pass = 3 + 1
		}
		f.blocks = !last
		return nil
	case f.sum:
		b := f.in.peek(4)
		if b == nil {
			return f.in.cut()
		}
		f.want, f.sum, f.pass = binary.LittleEndian.Uint32(b), false, 4
		return nil
	}
	return io.EOF
}

// zstdHeader looks at a frame's header.
func zstdHeader(in *input) (h zstd.Header, ok bool) {
	in.need(zstd.HeaderMaxSize)
	err := h.Decode(in.buf[in.pos:min(len(in.buf), in.pos+zstd.HeaderMaxSize)])
	return h, err == nil && (h.Skippable || h.HeaderSize <= len(in.buf)-in.pos)
}

type zstdStream struct {
	frame zstdFrame
	d     *zstd.Decoder
	sum   *xxh64 // of the frame's content so far, nil if it has no checksum
	plain int64  // and its size
	late  error  // a checksum that does not fit: what follows is still read
	err   error
}

// NewZstd decodes a Zstandard frame, and those that follow it directly, skippable ones among them.
func NewZstd(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	s := &zstdStream{frame: zstdFrame{in: newInput(r, size)}}
	if !s.begin() || !s.frame.plausible() {
		return nil, ErrHeader
	}
	// What comes out is handed on even if the checksum, which is checked here, does not fit.
	d, err := zstd.NewReader(&s.frame, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(uint64(max(1<<10, maxMemory))), zstd.IgnoreChecksum(true))
	if err != nil {
		return nil, &causeError{ErrHeader, err}
	}
	s.d = d
	return s, nil
}

func (s *zstdStream) begin() bool {
	if !s.frame.begin() {
		return false
	}
	s.plain, s.sum = 0, nil
	if s.frame.sum {
		s.sum = newXXH64()
	}
	return true
}

func (s *zstdStream) Consumed() int64 { return s.frame.in.consumed() }

// Skipped returns the skippable frames.
func (s *zstdStream) Skipped() []Span { return s.frame.in.skipped }

func (s *zstdStream) Read(p []byte) (int, error) {
	for s.err == nil && len(p) > 0 {
		n, err := s.d.Read(p)
		s.plain += int64(n)
		if s.sum != nil {
			s.sum.write(p[:n])
		}
		if err == io.EOF {
			err = s.end()
		} else {
			err = zstdError(err)
		}
		if s.err = err; err != nil {
			s.d.Close()
		}
		if n > 0 {
			return n, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, s.err
}

// end checks a frame that was read and begins the next.
func (s *zstdStream) end() error {
	switch {
	case s.sum != nil && uint32(s.sum.sum()) != s.frame.want:
		s.late = ErrChecksum
	case s.frame.size >= 0 && s.frame.size != s.plain:
		return ErrCorrupt
	}
	for in := s.frame.in; ; {
		h, ok := zstdHeader(in)
		if !ok || !h.Skippable {
			break
		}
		if !in.skip(int64(h.HeaderSize) + int64(h.SkippableSize)) {
			break
		}
	}
	switch {
	case s.begin():
		return zstdError(s.d.Reset(&s.frame))
	case s.late != nil:
		return s.late
	}
	return io.EOF
}

// ZstdHeader is how many bytes [ParseZstdHeader] needs at most.
const ZstdHeader = zstd.HeaderMaxSize

// ZstdInfo is what a frame's header says.
type ZstdInfo struct {
	Window int64 // bytes that matches may reach back; 0 if it is the whole content
	Size   int64 // of the content, -1 if not known
}

// ParseZstdHeader reads the frame header at the start of b.
func ParseZstdHeader(b []byte) (ZstdInfo, error) {
	h, ok := zstdHeader(&input{buf: b})
	if !ok || h.Skippable {
		return ZstdInfo{}, ErrHeader
	}
	info := ZstdInfo{Window: int64(h.WindowSize), Size: -1}
	if h.HasFCS && h.FrameContentSize < 1<<62 {
		info.Size = int64(h.FrameContentSize)
	}
	return info, nil
}
