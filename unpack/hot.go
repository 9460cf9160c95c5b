package unpack

import (
	"fmt"
	"io"
	"sync"
)

// hot reads one content and keeps the block that was read last: the search, the runs of padding,
// the figures and the formats tried in between look at the same bytes while they are in cache,
// and a content that fits is read once.
type hot struct {
	src *io.SectionReader
	buf []byte
	off int64
	n   int
}

// A block has room for what is searched at a time and for a magic that begins at its end. Most
// contents fit as a whole, and a block fits into the second-level cache.
const hotBlock = 1<<20 + grain

var hotBuffers = sync.Pool{New: func() any { b := make([]byte, hotBlock); return &b }}

// span returns the bytes of the content from off, n of them or all that there are. They are valid
// until the next call. It is for the one goroutine that covers the content, and only while no
// format reads.
func (h *hot) span(off, n int64) ([]byte, error) {
	n = min(n, h.src.Size()-off, int64(len(h.buf)))
	if n <= 0 {
		return nil, nil
	}
	if off < h.off || off+n > h.off+int64(h.n) {
		b := h.buf[:min(int64(len(h.buf)), h.src.Size()-off)]
		got, err := h.src.ReadAt(b, off)
		h.off, h.n = off, got
		if int64(got) < n {
			return b[:got], fmt.Errorf("unpack: read at %#x: %w", off+int64(got), err)
		}
	}
	return h.buf[off-h.off:][:n], nil
}

// ReadAt reads from the block at hand if it can. It is safe for concurrent use.
func (h *hot) ReadAt(p []byte, off int64) (int, error) {
	if in := off - h.off; in >= 0 && in+int64(len(p)) <= int64(h.n) {
		return copy(p, h.buf[in:]), nil
	}
	return h.src.ReadAt(p, off)
}
