package codec

import "io"

// input is the compressed side of a decoder: a block that is all in memory, or a stream that is
// read through a buffer. The bytes at hand are buf[pos:].
type input struct {
	buf  []byte
	pos  int
	src  io.ReaderAt // nil if buf is all there is
	next int64       // where in src the bytes behind buf stand
	size int64       // of src
	err  error       // of src, other than io.EOF

	skipped []Span // no part of the content
}

const inputBuffer = 64 << 10

func newInput(src io.ReaderAt, size int64) *input { return &input{src: src, size: max(0, size)} }

// need makes at least n bytes be at hand and reports whether it could. If not, what there is is at hand.
func (in *input) need(n int) bool {
	if len(in.buf)-in.pos >= n {
		return true
	}
	if in.src == nil || in.err != nil || in.next >= in.size {
		return false
	}
	return in.refill(n)
}

func (in *input) refill(n int) bool {
	have := len(in.buf) - in.pos
	if want := max(n, inputBuffer); cap(in.buf) < want {
		grown := make([]byte, have, want)
		copy(grown, in.buf[in.pos:])
		in.buf = grown
	} else {
		in.buf = in.buf[:copy(in.buf[:have], in.buf[in.pos:])]
	}
	in.pos = 0
	for len(in.buf) < n && in.next < in.size {
		free := in.buf[len(in.buf):cap(in.buf)]
		if left := in.size - in.next; int64(len(free)) > left {
			free = free[:left]
		}
		m, err := in.src.ReadAt(free, in.next)
		in.buf = in.buf[:len(in.buf)+m]
		in.next += int64(m)
		if m < len(free) {
			in.size = in.next // shorter than said
			if err != io.EOF {
				in.err = err
			}
		}
	}
	return len(in.buf) >= n
}

// peek returns the next n bytes, or nil if there are fewer.
func (in *input) peek(n int) []byte {
	if !in.need(n) {
		return nil
	}
	return in.buf[in.pos : in.pos+n]
}

// take is peek that moves on.
func (in *input) take(n int) []byte {
	b := in.peek(n)
	in.pos += len(b)
	return b
}

// last reports whether the bytes at hand are the last.
func (in *input) last() bool { return in.src == nil || in.err != nil || in.next >= in.size }

// consumed is how many bytes were taken since the start.
func (in *input) consumed() int64 {
	if in.src == nil {
		return int64(in.pos)
	}
	return in.next - int64(len(in.buf)-in.pos)
}

// cut is the error of an input that ended too early.
func (in *input) cut() error {
	if in.err != nil {
		return in.err
	}
	return io.ErrUnexpectedEOF
}

// ReadByte and Read make an input a reader from which a decoder takes no byte too many.
func (in *input) ReadByte() (byte, error) {
	if in.pos == len(in.buf) && !in.need(1) {
		if in.err != nil {
			return 0, in.err
		}
		return 0, io.EOF
	}
	b := in.buf[in.pos]
	in.pos++
	return b, nil
}

func (in *input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !in.need(1) {
		if in.err != nil {
			return 0, in.err
		}
		return 0, io.EOF
	}
	n := copy(p, in.buf[in.pos:])
	in.pos += n
	return n, nil
}
