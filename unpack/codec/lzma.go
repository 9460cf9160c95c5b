package codec

import (
	"encoding/binary"
	"io"
	"sync"
)

var lzmaCores = sync.Pool{New: func() any { return new(lzmaCore) }}

// run decodes from in to w[:limit] until limit, an end marker, or an error. hard is where in.buf
// the compressed data ends for sure, -1 if only the input's end bounds it.
func (d *lzmaCore) run(in *input, w *window, limit, hard int) (outcome, error) {
	for w.op < limit {
		end, final := hard, hard >= 0
		if !final {
			in.need(2 * maxSymbol)
			end, final = len(in.buf), in.last()
		}
		var why outcome
		switch fast := min(end, len(in.buf)-maxSymbol); {
		case fast == end: // bytes behind the end make the slack
			w.op, in.pos, why = d.decode(w.buf, w.op, limit, w.base, in.buf, in.pos, end)
		case in.pos <= fast:
			w.op, in.pos, why = d.decode(w.buf, w.op, limit, w.base, in.buf, in.pos, fast)
			if why == inputUsed {
				continue
			}
		case final:
			why = d.tail(in, w, limit, end)
		}
		if final && in.pos > end { // the last symbol took bytes that are not there
			w.op -= d.last
			in.pos = end
			return inputUsed, nil
		}
		switch {
		case why == badDistance && w.short:
			return why, ErrMemory
		case why == badDistance:
			return why, ErrCorrupt
		case why != inputUsed:
			return why, nil
		}
	}
	return outputFull, nil
}

// tail decodes the last bytes of in, in a copy that has the slack that decode needs.
func (d *lzmaCore) tail(in *input, w *window, limit, end int) (why outcome) {
	var pad [3 * maxSymbol]byte
	n := copy(pad[:2*maxSymbol], in.buf[in.pos:end])
	var pos int
	w.op, pos, why = d.decode(w.buf, w.op, limit, w.base, pad[:], 0, n)
	in.pos += pos
	return why
}

const lzmaHeader = 13

// LZMA is the [Block] decoder of LZMA with the 13-byte header of the .lzma format.
func LZMA(dst, src []byte) (int, error) {
	if len(src) < lzmaHeader {
		return 0, ErrHeader
	}
	return lzmaBlock(dst, src[lzmaHeader:], src[0], int64(binary.LittleEndian.Uint64(src[5:])))
}

// LZMARaw returns the [Block] decoder of LZMA without a header, with lc, lp and pb packed in
// props. The output ends at an end marker or at the end of dst; in the latter case the error is
// [ErrTooLong] unless the encoder stopped there too.
func LZMARaw(props byte) Block {
	return func(dst, src []byte) (int, error) { return lzmaBlock(dst, src, props, -1) }
}

// lzmaBlock decodes up to size bytes, or to the end if size is negative.
func lzmaBlock(dst, src []byte, props byte, size int64) (int, error) {
	d := lzmaCores.Get().(*lzmaCore)
	defer lzmaCores.Put(d)
	in, w := input{buf: src}, window{buf: dst, fixed: true}
	if !d.setProps(props) {
		return 0, ErrHeader
	}
	d.resetState()
	if err := d.begin(&in); err != nil {
		return 0, err
	}
	limit := len(dst)
	if size >= 0 && size < int64(limit) {
		limit = int(size)
	}
	why, err := d.run(&in, &w, limit, -1)
	switch {
	case err != nil:
	case why == outputFull && size > int64(len(dst)):
		err = ErrTooLong
	case why == outputFull:
		if err = d.finish(&in, int64(w.op)); err != nil && size < 0 {
			err = ErrTooLong
		}
	case why == inputUsed:
		err = io.ErrUnexpectedEOF
	case size >= 0 || !d.finished(): // an end marker too early, or one that only looks like it
		err = ErrCorrupt
	}
	return w.op, err
}

func (d *lzmaCore) begin(in *input) error {
	b := in.take(rangeInit)
	if b == nil {
		return in.cut()
	}
	if !d.start([rangeInit]byte(b)) {
		return ErrCorrupt
	}
	return nil
}

// normalised does what a range decoder does before its next bit, and reports whether the encoder ended here.
func (d *lzmaCore) normalised(in *input) bool {
	if d.rng < rangeTop {
		b, err := in.ReadByte()
		if err != nil {
			return false
		}
		d.rng, d.code = d.rng<<8, d.code<<8|uint64(b)
	}
	return d.finished()
}

// finish takes what may follow the last byte of a stream of known size: nothing, or an end
// marker. written is how many bytes came out so far.
func (d *lzmaCore) finish(in *input, written int64) error {
	if d.rem > 0 {
		return ErrCorrupt
	}
	if d.normalised(in) {
		return nil
	}
	// The marker is a match, so it needs the position alone, and no history.
	var b [2*windowAlign + 1]byte
	w := window{buf: b[:], op: windowAlign + int(written%windowAlign)}
	d.rep[0] = 0
	switch why, err := d.run(in, &w, w.op+1, -1); {
	case why == endMarker && d.finished():
		return nil
	case why == inputUsed:
		return in.cut()
	case err != nil:
		return err
	}
	return ErrCorrupt
}

// lzmaStream decodes the .lzma format: properties, dictionary size, size, and one LZMA stream.
type lzmaStream struct {
	core *lzmaCore // nil after the end
	in   *input
	w    *window
	left int64 // bytes to come; negative if an end marker ends the stream
	err  error // what Read returns once the window is empty
}

// NewLZMA decodes LZMA with the 13-byte header of the .lzma format, of known size or with an end marker.
func NewLZMA(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	in := newInput(r, size)
	b := in.take(lzmaHeader)
	if b == nil {
		return nil, ErrHeader
	}
	return newLZMAStream(in, b[0], int64(binary.LittleEndian.Uint32(b[1:])), int64(binary.LittleEndian.Uint64(b[5:])), maxMemory)
}

func newLZMAStream(in *input, props byte, dict, size, memory int64) (*lzmaStream, error) {
	if size >= 0 {
		dict = min(dict, size)
	}
	// A dictionary of 0 is what some encoders write; the size and the format's least stand in.
	s := &lzmaStream{core: lzmaCores.Get().(*lzmaCore), in: in, left: size, w: newWindow(max(dict, 4096), memory)}
	if !s.core.setProps(props) {
		s.close(nil)
		return nil, ErrHeader
	}
	s.core.resetState()
	if err := s.core.begin(in); err == ErrCorrupt {
		s.close(nil)
		return nil, ErrHeader
	} else if err != nil {
		s.close(err)
	}
	return s, nil
}

func (s *lzmaStream) close(err error) {
	lzmaCores.Put(s.core)
	s.core, s.err = nil, err
}

func (s *lzmaStream) Consumed() int64 { return s.in.consumed() }

func (s *lzmaStream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(s.w.pending()) == 0 && s.err == nil {
		if end, err := s.step(); end || err != nil {
			if err == nil {
				err = io.EOF
			}
			s.close(err)
		}
	}
	if n := s.w.take(p); n > 0 {
		return n, nil
	}
	return 0, s.err
}

// step decodes to the window and reports whether the stream is at its end.
func (s *lzmaStream) step() (bool, error) {
	limit := s.w.room()
	was, written := s.w.op, s.w.slid-int64(s.w.base)
	if s.left >= 0 && s.left < int64(limit-was) {
		limit = was + int(s.left)
	}
	why, err := s.core.run(s.in, s.w, limit, -1)
	if s.left >= 0 {
		s.left -= int64(s.w.op - was)
	}
	switch {
	case err != nil:
		return false, err
	case why == inputUsed:
		return false, s.in.cut()
	case why == endMarker && (s.left > 0 || !s.core.finished()):
		return false, ErrCorrupt
	case why == endMarker:
		return true, nil
	case s.left == 0:
		return true, s.core.finish(s.in, written+int64(s.w.op))
	}
	return false, nil
}
