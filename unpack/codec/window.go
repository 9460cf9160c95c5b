package codec

// window is the output side of the LZMA decoders: what was decoded, as far back as matches may
// reach. A block's window is its dst. A stream's window grows with the output, never beyond the
// dictionary and some room, and then slides: a header alone costs nothing.
type window struct {
	buf   []byte
	op    int   // next byte to write
	base  int   // matches reach back to here
	out   int   // next byte to hand out; what is before it is history
	keep  int   // bytes of history to keep when sliding
	short bool  // the dictionary is larger than keep: a bad distance may be for lack of memory
	slid  int64 // bytes that left the window
	fixed bool  // buf is a block's dst
}

const (
	windowStart = 64 << 10
	windowStep  = 64 << 10 // most bytes to decode at a time
	// windowAlign is a multiple of all alignments that a decoder asks of a position (pb, lp <= 4).
	windowAlign = 16
)

// newWindow returns a stream's window for matches up to dict bytes back and at most memory bytes.
func newWindow(dict, memory int64) *window {
	w := new(window)
	w.setDict(dict, memory)
	return w
}

func (w *window) setDict(dict, memory int64) {
	most := max(windowStart, memory*3/4) // what remains is room to decode into
	w.short = dict > most
	w.keep = int(max(windowAlign, min(dict, most)))
}

// room makes place for output and returns the limit up to which to decode, at most windowStep ahead.
func (w *window) room() int {
	if w.fixed {
		return len(w.buf)
	}
	if w.op == len(w.buf) {
		w.grow()
	}
	return min(len(w.buf), w.op+windowStep)
}

// grow makes the window larger until it holds the dictionary and a quarter more, and then slides it.
// Everything decoded was handed out.
func (w *window) grow() {
	full := w.keep + max(windowStep, w.keep/4)
	if len(w.buf) < full {
		grown := make([]byte, min(full, max(windowStart, 2*len(w.buf))))
		copy(grown, w.buf)
		w.buf = grown
		return
	}
	n := (w.op - w.keep) / windowAlign * windowAlign
	copy(w.buf, w.buf[n:w.op])
	w.op, w.out, w.slid = w.op-n, w.out-n, w.slid+int64(n)
	if w.base -= n; w.base < 0 {
		w.base &= windowAlign - 1 // positions count from base
	}
}

// repeat writes n bytes again that stand distance back. Both are checked: distance reaches no further than base, n bytes have room.
func (w *window) repeat(distance, n int) {
	dst, src := w.buf[w.op:w.op+n], w.buf[w.op-distance:w.op]
	for len(dst) > 0 {
		k := copy(dst, src)
		dst = dst[k:]
		src = src[:min(len(src)+k, cap(src))]
	}
	w.op += n
}

// pending returns what was decoded and not yet handed out.
func (w *window) pending() []byte { return w.buf[w.out:w.op] }

// take copies pending bytes to p.
func (w *window) take(p []byte) int {
	n := copy(p, w.pending())
	w.out += n
	return n
}
