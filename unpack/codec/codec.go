// Package codec decompresses one block or one stream and tells exactly where it ended.
//
// A block decoder has the shape of [Block]: whole input, bounded output, no allocation that
// grows with what the input claims. A stream decoder is a [Stream]: it reads from an offset of
// an io.ReaderAt and knows, once it has returned io.EOF, how many bytes the stream had.
// Every function is safe for concurrent use; decoder state is pooled.
//
// Deflate and the Zstandard block are decoded by klauspost/compress, all else here. The LZMA core
// is about as fast as liblzma: 51 against 50 MB of output for a second of CPU time (liblzma 5.4.1,
// 48 MB of x86-64 code, Ice Lake; go test -bench 'LZMA|Liblzma' measures both).
package codec

import (
	"errors"
	"io"
)

// Block decodes src into dst and returns how many bytes it wrote. It never writes beyond
// len(dst): if the output is longer it returns ErrTooLong. On damage it returns the bytes that
// came out before it beside an error.
type Block func(dst, src []byte) (n int, err error)

// Stream decodes one stream. After Read returned io.EOF, Consumed is the exact length of the
// stream in bytes; before, or after another error, it is how far the decoder is known to have come.
// An error that wraps ErrCorrupt or io.ErrUnexpectedEOF is damage, one that wraps ErrHeader
// means that there is no such stream, ErrChecksum comes when all was read, ErrMemory that it asks for more memory than allowed.
type Stream interface {
	io.Reader
	Consumed() int64
}

// Span is a run of bytes of a stream.
type Span struct{ Off, Len int64 }

// Skipper is a Stream that may hold what is no part of its content: fields for people and for
// other programs, frames to be skipped. It is asked after Read returned an error.
type Skipper interface{ Skipped() []Span }

// Errors that callers ask for.
var (
	ErrHeader   = errors.New("no such stream")
	ErrCorrupt  = errors.New("compressed data is corrupt")
	ErrChecksum = errors.New("checksum of decompressed data does not fit")
	ErrTooLong  = errors.New("output is longer than allowed")
	ErrMemory   = errors.New("dictionary is larger than the memory allowed")
)
