package codec

import (
	"errors"
	"io"
	"sync"
)

// Passes lets many readers share decoding passes over streams of which each wants a part, as the
// files of a solid archive do. A pass keeps the last bytes that came out: readers that come in
// order, several at a time or not, cost one pass between them. A reader whose bytes are gone
// begins a new one. No reader waits for another, but while that decodes a block. The zero value is ready for use.
type Passes struct {
	mu   sync.Mutex
	kept []*pass // the newest last
}

const (
	maxPasses = 4
	passBlock = 256 << 10
)

// Reader returns what the stream named key decodes to from off on. open begins the stream, which
// has size bytes when decoded if that is known. A pass keeps up to memory bytes.
func (ps *Passes) Reader(key any, off, size, memory int64, open func() (io.Reader, error)) (io.Reader, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for i, p := range ps.kept {
		if p.key == key {
			if p.has(off) {
				return &passReader{p, off}, nil
			}
			ps.kept = append(ps.kept[:i], ps.kept[i+1:]...)
			break
		}
	}
	p := &pass{key: key, open: open, size: size, most: int(max(2, memory/passBlock))}
	if err := p.begin(); err != nil {
		return nil, err
	}
	if len(ps.kept) == maxPasses {
		ps.kept = append(ps.kept[:0], ps.kept[1:]...)
	}
	ps.kept = append(ps.kept, p)
	return &passReader{p, off}, nil
}

// pass is one decoding pass. Whoever reads furthest decodes; the rest finds the bytes kept.
type pass struct {
	key  any
	open func() (io.Reader, error)
	size int64
	most int // blocks to keep

	mu     sync.Mutex
	in     io.Reader
	err    error    // that ended in
	blocks [][]byte // each of passBlock bytes but the last of the stream
	start  int64    // offset of the first block kept
	end    int64    // how far the pass came
}

var errGone = errors.New("decoded and no longer kept")

func (p *pass) begin() (err error) {
	p.in, err = p.open()
	return err
}

func (p *pass) has(off int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return off >= p.start
}

// read copies the bytes at off, or decodes one more block if the pass has not come there.
func (p *pass) read(b []byte, off int64) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case off < p.start:
		return 0, errGone
	case off < p.end:
		at := off - p.start
		return copy(b, p.blocks[at/passBlock][at%passBlock:]), nil
	case p.err != nil:
		return 0, p.err
	}
	p.wind()
	return 0, nil
}

func (p *pass) wind() {
	var b []byte
	if len(p.blocks) >= p.most {
		b = p.blocks[0][:passBlock]
		p.blocks = append(p.blocks[:0], p.blocks[1:]...)
		p.start += passBlock
	} else if left := p.size - p.end; left > 0 && left < passBlock {
		b = make([]byte, left)
	} else {
		b = make([]byte, passBlock)
	}
	n, err := fillBlock(p.in, b)
	p.err = err
	if n == len(b) && n < passBlock && err == nil {
		p.err = io.EOF // size was right; a longer stream would upset the blocks
	}
	if n > 0 {
		p.blocks = append(p.blocks, b[:n])
		p.end += int64(n)
	}
}

func fillBlock(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var k int
		k, err = r.Read(b[n:])
		n += k
	}
	return n, err
}

// passReader reads on from an offset. Where the pass left it behind it begins one of its own.
type passReader struct {
	*pass
	at int64
}

func (r *passReader) Read(b []byte) (int, error) {
	for len(b) > 0 {
		n, err := r.read(b, r.at)
		if err == errGone {
			p := &pass{open: r.open, size: r.size, most: r.most}
			if err := p.begin(); err != nil {
				return 0, err
			}
			r.pass = p
			continue
		}
		if n > 0 || err != nil {
			r.at += int64(n)
			return n, err
		}
	}
	return 0, nil
}
