package ext

import (
	"encoding/binary"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// run is consecutive blocks of a file that are consecutive in the file system too.
type run struct {
	file  uint64 // first block in the file
	at    uint64 // first block in the file system
	count uint64
}

// blockMap yields the runs of a file in order of their place in it. What lies between is a hole.
// At the end it returns io.EOF.
type blockMap interface{ next() (run, error) }

// blockMap returns the map of in, joined to runs as long as possible.
func (r *Reader) blockMap(in *inode) blockMap {
	if in.flags&flagExtents != 0 {
		return &joined{m: &extents{r: r, in: in, levels: []level{{node: in.data[:], off: in.off + 40, depth: -1}}}}
	}
	return &joined{m: &pointers{r: r, in: in, last: uint64((in.size + r.block - 1) / r.block)}}
}

// joined joins runs that continue each other.
type joined struct {
	m    blockMap
	held run
	err  error
}

func (j *joined) next() (run, error) {
	for j.err == nil {
		var x run
		if x, j.err = j.m.next(); j.err != nil {
			break
		}
		if j.held.count > 0 && x.file == j.held.file+j.held.count && x.at == j.held.at+j.held.count {
			j.held.count += x.count
			continue
		}
		if x, j.held = j.held, x; x.count > 0 {
			return x, nil
		}
	}
	if j.held.count > 0 {
		x := j.held
		j.held = run{}
		return x, nil
	}
	return run{}, j.err
}

// check reports whether the file system has the blocks of x.
func (r *Reader) check(in *inode, x run) error {
	if x.at >= r.blocks || x.count > r.blocks-x.at {
		return format.Errorf(artifact.Damaged, in.off, "ext: inode at %#x: blocks %d+%d of %d", in.off, x.at, x.count, r.blocks)
	}
	return nil
}

// extents walks a tree of extents. Each node begins with magic (2), entries (2), room (2), depth (2) and 4 bytes more.
// A leaf's entry is: block in the file, count (2), block, upper (2), block; an inner node's: block in the file, node, upper of it (2), 2 bytes more.
type extents struct {
	r      *Reader
	in     *inode
	levels []level
	end    uint64 // block in the file behind the last run
}

type level struct {
	node   []byte
	off    int64
	depth  int // -1 before the node's header was read
	next   int
	length int
}

const (
	extentMagic = 0xf30a
	maxDepth    = 5
	// An extent of more blocks was allocated and not written: it reads as zeros.
	maxWritten = 1 << 15
)

func (x *extents) fault(off int64, text string, args ...any) error {
	return format.Errorf(artifact.Damaged, off, "ext: extents at %#x: "+text, append([]any{off}, args...)...)
}

func (x *extents) next() (run, error) {
	le := binary.LittleEndian
	for len(x.levels) > 0 {
		l := &x.levels[len(x.levels)-1]
		if l.depth < 0 {
			if err := x.enter(l); err != nil {
				return run{}, err
			}
		}
		if l.next == l.length {
			x.levels = x.levels[:len(x.levels)-1]
			continue
		}
		e := l.node[12+12*l.next:][:12]
		l.next++
		if l.depth == 0 {
			out := run{file: uint64(le.Uint32(e)), count: uint64(le.Uint16(e[4:])), at: uint64(le.Uint16(e[6:]))<<32 | uint64(le.Uint32(e[8:]))}
			written := out.count <= maxWritten
			if !written {
				out.count -= maxWritten
			}
			if out.count == 0 || out.file < x.end {
				return run{}, x.fault(l.off, "%d blocks at block %d of the file, behind block %d", out.count, out.file, x.end)
			}
			x.end = out.file + out.count
			if !written {
				continue
			}
			return out, x.r.check(x.in, out)
		}
		block := uint64(le.Uint16(e[8:]))<<32 | uint64(le.Uint32(e[4:]))
		if block >= x.r.blocks {
			return run{}, x.fault(l.off, "node in block %d of %d", block, x.r.blocks)
		}
		off := int64(block) * x.r.block
		node, err := format.ReadAt(x.r.src, off, x.r.block, "ext: extents")
		if err != nil {
			return run{}, err
		}
		x.levels = append(x.levels, level{node: node, off: off, depth: -1})
	}
	return run{}, io.EOF
}

// enter reads a node's header. Depths fall by one from the root on, so there is no loop, and a node
// other than the root has an entry, so that what is read stays in proportion to the file.
func (x *extents) enter(l *level) error {
	le := binary.LittleEndian
	depth, n := int(le.Uint16(l.node[6:])), int(le.Uint16(l.node[2:]))
	switch {
	case le.Uint16(l.node) != extentMagic:
		return x.fault(l.off, "magic %#x", le.Uint16(l.node))
	case n > (len(l.node)-12)/12:
		return x.fault(l.off, "%d entries", n)
	case depth > maxDepth:
		return x.fault(l.off, "depth %d", depth)
	case len(x.levels) > 1 && (depth != x.levels[len(x.levels)-2].depth-1 || n == 0):
		return x.fault(l.off, "depth %d and %d entries below depth %d", depth, n, x.levels[len(x.levels)-2].depth)
	}
	l.depth, l.length = depth, n
	return nil
}

// pointers walks a map of block numbers: 12 of data, then one each of a block of numbers, of a block
// of such blocks, and of a third level.
type pointers struct {
	r     *Reader
	in    *inode
	last  uint64 // blocks of the file
	file  uint64 // next block of the file
	slot  int    // next of the 15 numbers in the inode
	stack []table
}

type table struct {
	block []byte
	next  int
	depth int // of tables below
}

func (p *pointers) next() (run, error) {
	le := binary.LittleEndian
	per := uint64(p.r.block / 4)
	for p.file < p.last {
		var at uint64
		var depth int // of tables below this number
		if n := len(p.stack); n > 0 {
			t := &p.stack[n-1]
			if 4*t.next == len(t.block) {
				p.stack = p.stack[:n-1]
				continue
			}
			at, depth = uint64(le.Uint32(t.block[4*t.next:])), t.depth
			t.next++
		} else {
			if p.slot == 15 {
				break
			}
			at, depth = uint64(le.Uint32(p.in.data[4*p.slot:])), max(0, p.slot-11)
			p.slot++
		}
		if at == 0 { // a hole of all that the number would lead to
			span := uint64(1)
			for range depth {
				span *= per
			}
			p.file += span
			continue
		}
		if err := p.r.check(p.in, run{at: at, count: 1}); err != nil {
			return run{}, err
		}
		if depth == 0 {
			p.file++
			return run{file: p.file - 1, at: at, count: 1}, nil
		}
		b, err := format.ReadAt(p.r.src, int64(at)*p.r.block, p.r.block, "ext: block map")
		if err != nil {
			return run{}, err
		}
		p.stack = append(p.stack, table{block: b, depth: depth - 1})
	}
	return run{}, io.EOF
}

// file reads the content of an inode from its first byte to its last.
type file struct {
	r    *Reader
	in   *inode
	m    blockMap
	pos  int64
	from int64 // where the run at hand begins and ends in the file, and where it stands
	to   int64
	at   int64
	done bool
}

// open returns a reader of in's content.
func (r *Reader) open(in *inode) (io.Reader, error) {
	if in.flags&flagInline != 0 {
		return r.inline(in)
	}
	return &file{r: r, in: in, m: r.blockMap(in)}, nil
}

func (f *file) Read(p []byte) (int, error) {
	if f.pos >= f.in.size {
		return 0, io.EOF
	}
	// A file larger than its file system is holes for the most part. Reading a terabyte of zeros
	// would leave nothing of the limits for the files behind it.
	most := max(f.r.size(), 16<<20)
	if f.pos >= most {
		return 0, format.Errorf(artifact.Limit, f.in.off, "ext: inode at %#x: %d bytes in a file system of %d: the rest is not read", f.in.off, f.in.size, f.r.size())
	}
	for f.pos >= f.to && !f.done {
		x, err := f.m.next()
		if err == io.EOF {
			f.done = true
			break
		}
		if err != nil {
			return 0, err
		}
		if x.file >= uint64(f.in.size/f.r.block)+1 { // allocated behind the end
			f.done = true
			break
		}
		f.from, f.at = int64(x.file)*f.r.block, int64(x.at)*f.r.block
		f.to = f.from + int64(x.count)*f.r.block
	}
	end := min(f.in.size, most)
	hole := f.done && f.pos >= f.to
	if !hole && f.pos < f.from {
		hole, end = true, min(end, f.from)
	} else if !hole {
		end = min(end, f.to)
	}
	n := int(min(int64(len(p)), end-f.pos))
	if hole {
		clear(p[:n])
	} else {
		var err error
		if n, err = f.r.src.ReadAt(p[:n], f.at+f.pos-f.from); n == 0 && err != nil {
			return 0, format.Errorf(artifact.Truncated, f.at, "ext: inode at %#x: block at %#x: %v", f.in.off, f.at, err)
		}
	}
	f.pos += int64(n)
	return n, nil
}

// window returns where in's content stands if it does so in one piece.
func (r *Reader) window(in *inode) (artifact.Range, bool) {
	if in.flags&flagInline != 0 {
		return artifact.Range{}, false
	}
	if in.size == 0 {
		return artifact.Range{}, true
	}
	x, err := r.blockMap(in).next()
	if err != nil || x.file != 0 || int64(x.count) < (in.size+r.block-1)/r.block {
		return artifact.Range{}, false
	}
	if len(r.moved) > 0 {
		for b := range uint64((in.size + r.block - 1) / r.block) {
			if _, ok := r.moved[x.at+b]; ok {
				return artifact.Range{}, false
			}
		}
	}
	w := artifact.Range{Off: int64(x.at) * r.block, Len: in.size}
	return w, w.Within(r.src.Size())
}
