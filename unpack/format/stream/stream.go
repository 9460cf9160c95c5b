// Package stream makes a [format.Chunk] of one compressed stream.
//
// The stream formats differ in their headers; what they share is here: one entry, an end that is
// known once the entry was read, what came out before damage is kept, and a magic of two or
// three bytes is no claim unless something decodes behind it.
package stream

import (
	"errors"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// Chunk is a stream. Its fields are set by the format that read the header.
type Chunk struct {
	Format  string // name, for errors
	Source  format.Source
	Decoder func(r io.ReaderAt, size, maxMemory int64) (codec.Stream, error)
	Entry   format.Entry // Path, Mode, Size and ModTime; the rest is filled in
	Attrs   []artifact.Attr
	// Proof is how many bytes must decode, if the stream has so many, before an error counts as
	// damage; less and the chunk is none. 0 is for formats whose header alone is convincing.
	Proof int64

	size    int64 // how far a reader of the entry came
	skipped []artifact.Range
}

// Describe returns Attrs.
func (c *Chunk) Describe() []artifact.Attr { return c.Attrs }

// Size returns how far a reader of the entry came.
func (c *Chunk) Size() int64 { return c.size }

// Skipped returns what a reader of the entry passed over.
func (c *Chunk) Skipped() []artifact.Range { return c.skipped }

// Entries yields the one entry, or [format.ErrFormat] for what is no stream.
func (c *Chunk) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if err := c.prove(); err != nil {
			yield(format.Entry{}, err)
			return
		}
		e := c.Entry
		e.Open = c.open
		yield(e, nil)
	}
}

func (c *Chunk) prove() error {
	if c.Proof == 0 {
		return nil
	}
	r, err := c.open()
	if err != nil {
		return format.Not("%s: %v", c.Format, err)
	}
	var damage *format.Error
	n, err := io.Copy(io.Discard, io.LimitReader(r, c.Proof))
	c.size = 0
	if errors.As(err, &damage) && damage.Kind != artifact.Limit {
		return format.Not("%s: damage after %d bytes: %v", c.Format, n, err)
	}
	return nil
}

func (c *Chunk) open() (io.Reader, error) {
	s, err := c.Decoder(c.Source, c.Source.Size(), c.Source.Memory())
	if err != nil {
		return nil, c.problem(err, 0)
	}
	return &reader{c, s}, nil
}

type reader struct {
	chunk  *Chunk
	stream codec.Stream
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.stream.Read(p)
	if err == nil {
		return n, nil
	}
	at := r.stream.Consumed()
	r.chunk.size = max(r.chunk.size, at)
	if s, ok := r.stream.(codec.Skipper); ok {
		r.chunk.skipped = nil
		for _, x := range s.Skipped() {
			r.chunk.skipped = append(r.chunk.skipped, artifact.Range{Off: x.Off, Len: x.Len})
		}
	}
	if err == io.EOF {
		return n, err
	}
	return n, r.chunk.problem(err, at)
}

// problem is err as a [format.Error] if it says something of the stream.
func (c *Chunk) problem(err error, at int64) error {
	var kind artifact.ProblemKind
	switch {
	case errors.Is(err, codec.ErrChecksum):
		kind = artifact.Checksum
	case errors.Is(err, codec.ErrMemory), errors.Is(err, codec.ErrTooLong):
		kind = artifact.Limit
	case errors.Is(err, codec.ErrCorrupt), errors.Is(err, codec.ErrHeader):
		kind = artifact.Damaged
	case errors.Is(err, io.ErrUnexpectedEOF):
		kind = artifact.Truncated
	default:
		return err
	}
	if kind == artifact.Truncated {
		return format.Errorf(kind, at, "%s: stream ends at %#x before its end mark", c.Format, at)
	}
	return format.Errorf(kind, at, "%s: stream at %#x: %v", c.Format, at, err)
}

// Attr returns a fact read from n bytes of the header at off.
func Attr(name, value string, off, n int64) artifact.Attr {
	return artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: off, Len: n}}
}

// Head returns the first n bytes of src, or as many as there are.
func Head(src format.Source, n int) []byte {
	b := make([]byte, min(int64(n), src.Size()))
	m, _ := src.ReadAt(b, 0)
	return b[:m]
}
