package codec

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
)

// inflater is what a pooled deflate or zlib reader can do.
type inflater interface {
	io.ReadCloser
	Reset(r io.Reader, dict []byte) error
}

var (
	flaters = sync.Pool{New: func() any { return rawInflater{flate.NewReader(nil)} }}
	zlibs   = sync.Pool{New: func() any { return &zlibInflater{} }}
)

// Deflate is the [Block] decoder of raw deflate, RFC 1951.
func Deflate(dst, src []byte) (int, error) { return inflate(&flaters, dst, src) }

// Zlib is the [Block] decoder of deflate in zlib's wrapping, RFC 1950.
func Zlib(dst, src []byte) (int, error) { return inflate(&zlibs, dst, src) }

func inflate(pool *sync.Pool, dst, src []byte) (int, error) {
	z := pool.Get().(inflater)
	defer pool.Put(z)
	in := bytes.NewReader(src)
	if err := z.Reset(in, nil); err != nil {
		return 0, inflateError(err)
	}
	n, err := fill(z, dst)
	in.Reset(nil) // the pool keeps no input alive
	return n, inflateError(err)
}

// fill reads r to its end into dst. The one byte read behind a full dst makes r check its trailer.
func fill(r io.Reader, dst []byte) (n int, err error) {
	for n < len(dst) {
		m, err := r.Read(dst[n:])
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	var over [1]byte
	switch m, err := io.ReadFull(r, over[:]); {
	case m > 0:
		return n, ErrTooLong
	case err == io.EOF:
		return n, nil
	default:
		return n, err
	}
}

func inflateError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil, errors.Is(err, ErrTooLong), errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrDictionary):
		return &causeError{ErrHeader, err}
	case errors.Is(err, zlib.ErrChecksum):
		return ErrChecksum
	case errors.As(err, &corrupt):
		return &causeError{ErrCorrupt, err}
	}
	return err
}

// rawInflater gives flate.NewReader's result the shape of [inflater].
type rawInflater struct{ io.ReadCloser }

func (z rawInflater) Reset(r io.Reader, dict []byte) error {
	return z.ReadCloser.(flate.Resetter).Reset(r, dict)
}

// zlibInflater makes its reader at the first Reset, because zlib.NewReader wants a header at once.
type zlibInflater struct{ io.ReadCloser }

func (z *zlibInflater) Reset(r io.Reader, dict []byte) (err error) {
	if z.ReadCloser == nil {
		z.ReadCloser, err = zlib.NewReader(r)
		return err
	}
	return z.ReadCloser.(zlib.Resetter).Reset(r, dict)
}
