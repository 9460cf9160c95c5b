package jffs2

import (
	"cmp"
	"container/heap"
	"io"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// segment is a run of a file that one node supplies, or none.
type segment struct {
	start, end int64
	node       *inode // nil if no node covers the run
}

// segments resolves the nodes of one inode to size bytes: where nodes overlap, the newest version
// counts. No node is visible in more than two runs for each node in all.
func segments(nodes []inode, size int64) []segment {
	byStart := make([]*inode, 0, len(nodes))
	for i := range nodes {
		if nodes[i].dsize > 0 {
			byStart = append(byStart, &nodes[i])
		}
	}
	slices.SortStableFunc(byStart, func(a, b *inode) int { return cmp.Compare(a.start, b.start) })
	var out []segment
	var active newest
	for pos := int64(0); pos < size; {
		for len(byStart) > 0 && int64(byStart[0].start) <= pos {
			heap.Push(&active, byStart[0])
			byStart = byStart[1:]
		}
		for len(active) > 0 && active[0].end() <= pos {
			heap.Pop(&active)
		}
		end := size
		if len(byStart) > 0 {
			end = min(end, int64(byStart[0].start))
		}
		var top *inode
		if len(active) > 0 {
			top = active[0]
			end = min(end, top.end())
		}
		if n := len(out); n > 0 && out[n-1].node == top {
			out[n-1].end = end
		} else {
			out = append(out, segment{pos, end, top})
		}
		pos = end
	}
	return out
}

// newest is a heap with the newest node on top.
type newest []*inode

func (h newest) Len() int      { return len(h) }
func (h newest) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h newest) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].version, h[j].version), cmp.Compare(h[i].off, h[j].off)) > 0
}
func (h *newest) Push(x any) { *h = append(*h, x.(*inode)) }
func (h *newest) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// file reads one file. Runs without a node inside the file and nodes that do not decode read as
// zeros, so that what follows stays in place; the first of them is the error at the end.
type file struct {
	r       *Reader
	segs    []segment
	pos     int64
	decoded []byte // content of node
	node    *inode
	err     error
}

func (f *file) Read(p []byte) (int, error) {
	for len(f.segs) > 0 && f.pos >= f.segs[0].end {
		f.segs = f.segs[1:]
	}
	if len(f.segs) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		return 0, io.EOF
	}
	s := f.segs[0]
	p = p[:min(int64(len(p)), s.end-f.pos)]
	switch {
	case s.node == nil:
		f.fail(format.Errorf(artifact.Damaged, 0, "jffs2: file: no node for the %d bytes at offset %d", s.end-s.start, s.start))
		if len(f.segs) == 1 {
			return 0, f.err
		}
		clear(p)
	case s.node.compr == comprZero:
		clear(p)
	case s.node.compr == comprNone && s.node.csize == s.node.dsize:
		if _, err := f.r.src.ReadAt(p, s.node.data()+f.pos-int64(s.node.start)); err != nil {
			return 0, format.Errorf(artifact.Damaged, s.node.off, "jffs2: node at %#x: %v", s.node.off, err)
		}
	default:
		if f.node != s.node {
			var err error
			if f.decoded, err = f.r.decode(s.node); err != nil {
				f.fail(err)
			}
			f.node = s.node
		}
		n := copy(p, f.decoded[min(f.pos-int64(s.node.start), int64(len(f.decoded))):])
		clear(p[n:])
	}
	f.pos += int64(len(p))
	return len(p), nil
}

func (f *file) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}
