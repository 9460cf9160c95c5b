package codec

import "io"

// blockStream is a stream of blocks, each decoded at once by next into out.
type blockStream struct {
	in   *input
	out  []byte // decoded and not yet handed out
	next func() error
	late error // found on the way: what follows is still read
	err  error
}

func (s *blockStream) Consumed() int64 { return s.in.consumed() }

// Skipped returns the frames and fields that were passed over.
func (s *blockStream) Skipped() []Span { return s.in.skipped }

func (s *blockStream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(s.out) == 0 && s.err == nil {
		if s.err = s.next(); s.err == io.EOF && s.late != nil {
			s.err = s.late
		}
	}
	if len(s.out) == 0 {
		return 0, s.err
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// resize returns b with a length of n, in b's memory if it suffices.
func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// takeUpTo takes n bytes, or those that are left beside the error for that.
func (in *input) takeUpTo(n int) ([]byte, error) {
	if in.need(n) {
		return in.take(n), nil
	}
	return in.take(len(in.buf) - in.pos), in.cut()
}
