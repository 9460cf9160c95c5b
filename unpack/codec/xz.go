package codec

import (
	"bytes"
	"errors"
	"io"

	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// XZ is the [Block] decoder of one whole .xz stream.
func XZ(dst, src []byte) (int, error) {
	r, err := xz.ReaderConfig{SingleStream: true}.NewReader(bytes.NewReader(src))
	if err != nil {
		return 0, &causeError{ErrHeader, err}
	}
	n, err := fill(r, dst)
	return n, lzmaError(err)
}

// LZMA is the [Block] decoder of LZMA with the 13-byte header of the .lzma format.
func LZMA(dst, src []byte) (int, error) {
	r, err := lzma.NewReader(bytes.NewReader(src))
	if err != nil {
		return 0, &causeError{ErrHeader, err}
	}
	n, err := fill(r, dst)
	return n, lzmaError(err)
}

// LZMARaw returns the [Block] decoder of LZMA without a header, with (lc, lp, pb) packed in props.
func LZMARaw(props byte) Block {
	return func(dst, src []byte) (int, error) {
		h := []byte{props, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		return LZMA(dst, append(h, src...))
	}
}

func lzmaError(err error) error {
	if err == nil || errors.Is(err, ErrTooLong) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &causeError{ErrCorrupt, err}
}
