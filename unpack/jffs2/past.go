package jffs2

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Flash keeps what a file was until its block is erased: a write adds nodes, a deletion adds a
// directory entry without an inode, and the nodes of before stay, marked obsolete or not. Each
// prefix of an inode's nodes, in order of their versions, is the file as it once was. Of these
// the states are told that were lost: those behind which other bytes took the place of some, or
// the file was cut, and the last one of a file that has no name any more. Growth loses nothing,
// and nodes that go on where the one before ended are one rewrite. States of which bytes are missing
// are left out, but for what is left of a deleted file.

const (
	pastDir   = "lost+found/versions"
	maxStates = 64       // of one file, the newest
	maxState  = 32 << 20 // bytes of a file whose past is looked into
)

// past is what the area holds beside the filesystem.
type past struct {
	nodes map[uint32][]inode // marked obsolete, oldest version first
	names map[uint32]dirent  // the last that each inode had
	named map[uint32]bool    // inodes that have one now
	paths map[uint32]string  // worked out so far
}

func newPast(s *scanner, live []dirent) *past {
	p := &past{byInode(s.oldInodes), map[uint32]dirent{}, map[uint32]bool{}, map[uint32]string{rootIno: ""}}
	for _, d := range live {
		p.named[d.ino] = true
	}
	for _, list := range [][]dirent{s.oldDirents, s.dirents, live} {
		for _, d := range list {
			old, ok := p.names[d.ino]
			if d.ino != 0 && (!ok || cmp.Or(cmp.Compare(d.time, old.time), cmp.Compare(d.version, old.version)) >= 0) {
				p.names[d.ino] = d
			}
		}
	}
	for _, d := range live {
		p.names[d.ino] = d
	}
	return p
}

// path returns the path that ino has or last had. What has lost its name is "#" and its number.
func (p *past) path(ino uint32) string {
	if path, ok := p.paths[ino]; ok {
		return path
	}
	path := fmt.Sprintf("#%d", ino)
	p.paths[ino] = path // where directories hold each other
	if d, ok := p.names[ino]; ok {
		path = d.name
		if dir := p.path(d.pino); dir != "" {
			path = dir + "/" + path
		}
	}
	if len(path) > maxPath {
		path = fmt.Sprintf("#%d", ino)
	}
	p.paths[ino] = path
	return path
}

// walkPast yields lost states as lost+found/versions/PATH~vN, N being the version of the state's
// newest node. Where that path is taken already, @0x and the place of that node are added.
func (r *Reader) walkPast(yield func(format.Entry, error) bool) {
	taken := map[string]bool{}
	work := 64*r.size + maxState
	inos := maps.Clone(r.past.nodes)
	maps.Copy(inos, r.inodes)
	for _, ino := range slices.Sorted(maps.Keys(inos)) {
		for _, h := range r.histories(ino) {
			states, err := r.states(h, &work)
			if err != nil && !yield(format.Entry{}, err) || work < 0 {
				return
			}
			for _, s := range states[max(0, len(states)-maxStates):] {
				e, ok := r.state(h.nodes[:s.nodes:s.nodes], s)
				if !ok {
					continue
				}
				n := h.nodes[s.nodes-1]
				e.Path = fmt.Sprintf("%s/%s~v%d", pastDir, r.past.path(ino), n.version)
				if taken[e.Path] {
					e.Path += fmt.Sprintf("@%#x", n.off)
				}
				taken[e.Path] = true
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// history is what is left of an inode's nodes, oldest version first.
type history struct {
	nodes []inode
	lost  bool // the last state is lost too
}

// histories returns one history of inode ino, or two if its number, or that of a version, was
// given out again: then obsolete nodes cannot be put in order with the others.
func (r *Reader) histories(ino uint32) []history {
	live, old := r.inodes[ino], r.past.nodes[ino]
	gone := !r.past.named[ino] && ino != rootIno
	if len(old) == 0 {
		return []history{{live, gone}}
	}
	// Stable, and old before live: the last of equal versions is live if any is.
	all := slices.Concat(old, live)
	slices.SortStableFunc(all, func(a, b inode) int { return cmp.Compare(a.version, b.version) })
	merged := all[:0:0]
	for _, n := range all {
		last := len(merged) - 1
		switch {
		case last < 0 || merged[last].version != n.version:
			merged = append(merged, n)
		case r.same(merged[last], n): // the garbage collector's copy
			merged[last] = n
		default:
			return []history{{old, true}, {live, gone}}
		}
	}
	newer := len(live) > 0 && merged[len(merged)-1].version > live[len(live)-1].version
	return []history{{merged, gone || len(live) == 0 || newer}}
}

// same reports whether two nodes are one and its copy.
func (r *Reader) same(a, b inode) bool {
	var x, y [inodeSize]byte
	_, errX := r.src.ReadAt(x[:], a.off)
	_, errY := r.src.ReadAt(y[:], b.off)
	return errX == nil && errY == nil && bytes.Equal(x[headerSize:], y[headerSize:])
}

// lostState is the file behind its first nodes.
type lostState struct {
	nodes int    // how many
	last  bool   // of the file
	gone  uint32 // how many that came before its newest one are not there any more and may count
}

// states returns the states of a regular file that were lost, oldest first. It replays the writes.
func (r *Reader) states(h history, work *int64) (list []lostState, err error) {
	var c content
	var gone, version uint32
	var rewriting bool
	for i := range h.nodes {
		n := &h.nodes[i]
		a, ok := r.attributes(n)
		if !ok || !a.mode.IsRegular() {
			return nil, nil
		}
		if a.size > maxState {
			return nil, format.Errorf(artifact.Limit, n.off, "jffs2: inode %d: past of %d bytes > %d not looked into", n.ino, a.size, maxState)
		}
		if *work -= max(0, min(a.size, n.end())-int64(len(c.bytes))) + min(a.size, int64(n.dsize)); *work < 0 {
			return nil, format.Errorf(artifact.Limit, n.off, "jffs2: inode %d: too many writes to replay: the rest was not looked into", n.ino)
		}
		data := r.written(n, a.size)
		changes := c.write(int64(n.start), data, a.size)
		goesOn := rewriting && n.dsize > 0 && int64(n.start) == h.nodes[i-1].end()
		if changes && !goesOn {
			list = append(list, lostState{i, false, gone})
		}
		rewriting = changes && n.dsize > 0

		if n.version > version+1 {
			gone += n.version - version - 1
		}
		if version = n.version; a.size == 0 {
			gone = 0
		}
	}
	if h.lost && len(h.nodes) > 0 {
		list = append(list, lostState{len(h.nodes), true, gone})
	}
	return list, nil
}

// content is a file while it is written anew, up to the last byte written: mkfs.jffs2 states the
// final size in every node.
type content struct {
	bytes []byte
	known []bool // false where no node is left
}

// write replays a write to a file that is size bytes long then. It reports whether bytes were lost.
func (c *content) write(start int64, data []byte, size int64) (lost bool) {
	if size < int64(len(c.bytes)) {
		c.bytes, c.known, lost = c.bytes[:size], c.known[:size], true
	}
	end := int(start) + len(data)
	if n := end - len(c.bytes); len(data) > 0 && n > 0 {
		c.bytes, c.known = append(c.bytes, make([]byte, n)...), append(c.known, make([]bool, n)...)
	}
	for i, b := range data {
		at := int(start) + i
		lost = lost || c.known[at] && c.bytes[at] != b
		c.bytes[at], c.known[at] = b, true
	}
	return lost
}

// written returns the bytes that n writes into a file of size bytes, none if they do not decode.
func (r *Reader) written(n *inode, size int64) []byte {
	room := max(0, min(n.end(), size)-int64(n.start))
	switch {
	case n.compr == comprZero:
		return make([]byte, room)
	case n.compr == comprNone && n.csize == n.dsize:
		b := make([]byte, min(room, int64(n.csize)))
		k, _ := r.src.ReadAt(b, n.data())
		return b[:k]
	}
	b, _ := r.decode(n)
	return b[:min(int64(len(b)), room)]
}

// state describes the file behind nodes. It is not ok if bytes of it are missing; of a file that
// has no name any more some must be left, or else its name.
func (r *Reader) state(nodes []inode, s lostState) (e format.Entry, ok bool) {
	n := nodes[len(nodes)-1]
	a, ok := r.attributes(&n)
	if !ok {
		return e, false
	}
	kept := int64(0)
	for _, seg := range segments(nodes, a.size) {
		if seg.node != nil {
			kept += seg.end - seg.start
		}
	}
	_, name := r.past.names[n.ino]
	if kept < a.size && (!s.last || kept == 0) || a.size == 0 && !name {
		return e, false
	}
	e = format.Entry{Mode: a.mode, UID: a.uid, GID: a.gid, ModTime: a.modTime, Size: a.size}
	e.Open = func() (io.Reader, error) { return &file{r: r, segs: segments(nodes, a.size)}, nil }
	if s.gone > 0 {
		e.Problems = problem(n.off, "jffs2: inode %d: %d versions before %d are gone: some bytes may be older", n.ino, s.gone, n.version)
	}
	return e, true
}
