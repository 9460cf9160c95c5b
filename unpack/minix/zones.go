package minix

import (
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// run is consecutive zones of a file that are consecutive in the file system too, or a hole.
type run struct {
	at    uint32 // 0 is a hole
	count int64
}

// direct is how many numbers of zones an inode has before those of zones that hold numbers: one
// of a block of numbers, one of a block of such blocks, and from version 2 on one of a third level.
const direct = 7

// walker yields the runs of a file from its first zone to its last, and then io.EOF.
type walker struct {
	r     *Reader
	in    *inode
	file  int64 // next zone of the file
	last  int64 // zones of the file
	left  int64 // numbers that may still be looked at
	slot  int   // next number in the inode
	stack []table
	held  run
	err   error
}

type table struct {
	block []byte
	next  int
	depth int // of tables below
}

// walk returns a walker that looks at most at so many numbers.
func (r *Reader) walk(in *inode, most int64) *walker {
	return &walker{r: r, in: in, last: ceil(in.size, r.zone), left: most}
}

func (w *walker) next() (run, error) {
	for w.err == nil {
		var x run
		if x, w.err = w.step(); w.err != nil {
			break
		}
		if hole := x.at == 0; w.held.count > 0 && hole == (w.held.at == 0) && (hole || int64(x.at) == int64(w.held.at)+w.held.count) {
			w.held.count += x.count
			continue
		}
		if x, w.held = w.held, x; x.count > 0 {
			return x, nil
		}
	}
	if w.held.count > 0 {
		x := w.held
		w.held = run{}
		return x, nil
	}
	return run{}, w.err
}

// step returns the zone or the hole that the next number leads to.
func (w *walker) step() (run, error) {
	fault := func(kind artifact.ProblemKind, text string, args ...any) (run, error) {
		return run{}, format.Errorf(kind, w.in.off, "minix: inode at %#x: "+text, append([]any{w.in.off}, args...)...)
	}
	for w.file < w.last {
		if w.left--; w.left < 0 {
			return fault(artifact.Limit, "more zones than there are")
		}
		var at uint32
		var depth int // of tables below this number
		if n := len(w.stack); n > 0 {
			t := &w.stack[n-1]
			if t.next == len(t.block) {
				w.stack = w.stack[:n-1]
				continue
			}
			at, depth = w.r.zoneNumber(t.block[t.next:]), t.depth
			t.next += w.r.zoneWidth()
		} else if w.slot < len(w.in.zones) {
			at, depth = w.in.zones[w.slot], max(0, w.slot-direct+1)
			w.slot++
		} else { // behind the last that can be named
			depth = 4
		}
		if at == 0 {
			x := run{count: 1}
			for range depth {
				x.count *= w.r.block / int64(w.r.zoneWidth())
			}
			x.count = min(x.count, w.last-w.file)
			w.file += x.count
			return x, nil
		}
		if at < w.r.first || at >= w.r.zones {
			return fault(artifact.Damaged, "zone %d, want %d to %d", at, w.r.first, w.r.zones)
		}
		if depth == 0 {
			w.file++
			return run{at: at, count: 1}, nil
		}
		b, err := format.ReadAt(w.r.src, int64(at)*w.r.zone, w.r.block, "minix: numbers of zones")
		if err != nil {
			return run{}, err
		}
		w.stack = append(w.stack, table{block: b, depth: depth - 1})
	}
	return run{}, io.EOF
}

// file reads the content of an inode.
type file struct {
	w    *walker
	pos  int64
	run  run
	at   int64 // of the run at hand
	left int64 // bytes of it
}

func (r *Reader) open(in *inode) io.Reader { return &file{w: r.walk(in, 1<<62)} }

func (f *file) Read(p []byte) (int, error) {
	r, in := f.w.r, f.w.in
	if f.pos >= in.size {
		return 0, io.EOF
	}
	// A file larger than its file system is holes for the most part. Reading gigabytes of zeros
	// would leave nothing of the limits for the files behind it.
	most := max(r.size(), 16<<20)
	if f.pos >= most {
		return 0, format.Errorf(artifact.Limit, in.off, "minix: inode at %#x: %d bytes in a file system of %d: the rest is not read", in.off, in.size, r.size())
	}
	if f.left == 0 {
		x, err := f.w.next()
		if err != nil {
			return 0, err
		}
		f.run, f.at, f.left = x, int64(x.at)*r.zone, x.count*r.zone
	}
	n := int(min(int64(len(p)), f.left, min(in.size, most)-f.pos))
	if f.run.at == 0 {
		clear(p[:n])
	} else {
		var err error
		if n, err = r.src.ReadAt(p[:n], f.at); n == 0 && err != nil {
			return 0, format.Errorf(artifact.Truncated, f.at, "minix: inode at %#x: zone at %#x: %v", in.off, f.at, err)
		}
	}
	f.pos, f.at, f.left = f.pos+int64(n), f.at+int64(n), f.left-int64(n)
	return n, nil
}

// window returns where in's content stands if it does so in one piece.
func (r *Reader) window(in *inode) (artifact.Range, bool) {
	if in.size == 0 {
		return artifact.Range{}, true
	}
	m := r.walk(in, r.windows)
	x, err := m.next()
	r.windows = max(0, m.left)
	if err != nil || x.at == 0 || x.count < m.last {
		return artifact.Range{}, false
	}
	w := artifact.Range{Off: int64(x.at) * r.zone, Len: in.size}
	return w, w.Within(r.src.Size())
}
