package codec

import (
	"errors"
	"io"

	"github.com/anchore/go-lzo"
)

// LZO is the [Block] decoder of LZO1X. Bytes behind the end marker are ignored: some writers pad.
func LZO(dst, src []byte) (int, error) {
	n, err := lzo.Decompress(src, dst)
	switch {
	case err == nil, errors.Is(err, lzo.ErrInputNotConsumed):
		return n, nil
	case errors.Is(err, lzo.ErrOutputOverrun):
		return n, ErrTooLong
	case errors.Is(err, lzo.ErrInputOverrun):
		return n, io.ErrUnexpectedEOF
	}
	return n, &causeError{ErrCorrupt, err}
}
