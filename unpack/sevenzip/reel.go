package sevenzip

import (
	"errors"
	"io"
	"sync"

	"hallmark/unpack/format"
)

// reels are the passes begun over folders, the newest last. The unpacker reads entries in order
// and in batches of up to 64 MiB, several at a time: what a pass keeps covers that.
type reels struct {
	mu   sync.Mutex
	kept []*reel
}

const maxReels = 4

// reader returns what f's folder decodes to from f's offset on.
func (rs *reels) reader(src format.Source, f *file) (io.Reader, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for i, r := range rs.kept {
		if r.folder == f.folder {
			if r.has(f.offset) {
				return &reelReader{reel: r, at: f.offset}, nil
			}
			rs.kept = append(rs.kept[:i], rs.kept[i+1:]...)
			break
		}
	}
	r, err := newReel(src, f.folder)
	if err != nil {
		return nil, err
	}
	if len(rs.kept) == maxReels {
		rs.kept = append(rs.kept[:0], rs.kept[1:]...)
	}
	rs.kept = append(rs.kept, r)
	return &reelReader{reel: r, at: f.offset}, nil
}

// reel is one decoding pass over a folder. Whoever reads on first decodes; the rest finds the
// bytes kept.
type reel struct {
	folder *folder
	src    format.Source
	limit  int // blocks to keep

	mu     sync.Mutex
	in     io.Reader
	err    error    // that ended in
	blocks [][]byte // each of reelBlock bytes but the last of the folder
	start  int64    // offset of the first block kept
	end    int64    // how far the pass came
}

const reelBlock = 256 << 10

var errGone = errors.New("decoded and no longer kept")

func newReel(src format.Source, f *folder) (*reel, error) {
	in, err := f.open(src)
	if err != nil {
		return nil, err
	}
	return &reel{folder: f, src: src, in: in, limit: int(max(2, src.Memory()*3/8/reelBlock))}, nil
}

func (r *reel) has(off int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return off >= r.start
}

// read copies the bytes at off, or decodes one more block if the pass has not come there.
func (r *reel) read(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case off < r.start:
		return 0, errGone
	case off < r.end:
		at := off - r.start
		return copy(p, r.blocks[at/reelBlock][at%reelBlock:]), nil
	case r.err != nil:
		return 0, r.err
	}
	r.wind()
	return 0, nil
}

func (r *reel) wind() {
	var b []byte
	if len(r.blocks) >= r.limit {
		b = r.blocks[0][:reelBlock]
		r.blocks = append(r.blocks[:0], r.blocks[1:]...)
		r.start += reelBlock
	} else {
		b = make([]byte, min(reelBlock, max(1, r.folder.size()-r.end)))
	}
	n := 0
	for n < len(b) && r.err == nil {
		var k int
		k, r.err = r.in.Read(b[n:])
		n += k
	}
	if n > 0 {
		r.blocks = append(r.blocks, b[:n])
		r.end += int64(n)
	}
}

// reelReader reads on from an offset. Where the pass left it behind it begins one of its own.
type reelReader struct {
	reel *reel
	at   int64
}

func (r *reelReader) Read(p []byte) (int, error) {
	for len(p) > 0 {
		n, err := r.reel.read(p, r.at)
		if err == errGone {
			if r.reel, err = newReel(r.reel.src, r.reel.folder); err != nil {
				return 0, err
			}
			continue
		}
		if n > 0 || err != nil {
			r.at += int64(n)
			return n, err
		}
	}
	return 0, nil
}
