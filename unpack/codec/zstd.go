package codec

import (
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

// zstdFrames passes the bytes of directly following frames through and returns io.EOF behind the
// last, so that the decoder sees no byte too many and the end is exact.
type zstdFrames struct {
	in    *input
	pass  int64 // bytes to pass on before the next header
	block bool  // a block header comes next
	sum   bool  // a checksum ends the frame
	err   error
}

const (
	zstdMagic     = 0xfd2fb528
	zstdSkipMagic = 0x184d2a50 // and the 15 that follow
)

func (f *zstdFrames) Read(p []byte) (int, error) {
	for f.pass == 0 && f.err == nil {
		f.err = f.header()
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

// header finds how many bytes there are to the next header, which it leaves to be passed on too.
func (f *zstdFrames) header() error {
	if f.block {
		b := f.in.peek(3)
		if b == nil {
			f.pass = int64(len(f.in.buf) - f.in.pos)
			return f.in.cut()
		}
		word := int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16
		f.pass = 3 + word>>3
		if word>>1&3 == 1 { // one byte, repeated
			f.pass = 4
		}
		if word&1 != 0 {
			f.block = false
			if f.sum {
				f.pass += 4
			}
		}
		return nil
	}
	h, ok := zstdHeader(f.in)
	if !ok {
		return io.EOF
	}
	if h.Skippable {
		if f.pass = int64(h.HeaderSize) + int64(h.SkippableSize); !f.in.last() || f.pass <= int64(len(f.in.buf)-f.in.pos) {
			return nil
		}
		f.pass = 0 // what looks like a skippable frame is not all there
		return io.EOF
	}
	f.pass, f.block, f.sum = int64(h.HeaderSize), true, h.HasCheckSum
	return nil
}

// zstdHeader looks at a frame's header. Its first block must be of a kind that exists.
func zstdHeader(in *input) (h zstd.Header, ok bool) {
	in.need(zstd.HeaderMaxSize)
	err := h.Decode(in.buf[in.pos:min(len(in.buf), in.pos+zstd.HeaderMaxSize)])
	return h, err == nil
}

type zstdStream struct {
	frames *zstdFrames
	d      *zstd.Decoder
	err    error
}

// NewZstd decodes a Zstandard frame, and those that follow it directly, skippable ones among them.
func NewZstd(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	in := newInput(r, size)
	h, ok := zstdHeader(in)
	if !ok || h.Skippable {
		return nil, ErrHeader
	}
	s := &zstdStream{frames: &zstdFrames{in: in}}
	d, err := zstd.NewReader(s.frames, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(max(1<<10, maxMemory))))
	if err != nil {
		return nil, &causeError{ErrHeader, err}
	}
	s.d = d
	return s, nil
}

func (s *zstdStream) Consumed() int64 { return s.frames.in.consumed() }

func (s *zstdStream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.d.Read(p)
	if err != nil {
		s.d.Close()
		s.err = zstdError(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, s.err
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
