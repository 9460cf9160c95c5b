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
	switch {
	case err == nil:
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		err = ErrTooLong
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF
	case errors.Is(err, zstd.ErrMagicMismatch):
		err = &causeError{ErrHeader, err}
	case errors.Is(err, zstd.ErrCRCMismatch):
		err = ErrChecksum
	default:
		err = &causeError{ErrCorrupt, err}
	}
	return len(out), err
}
