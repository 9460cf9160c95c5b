package jffs2

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	rootIno = 1
	maxPath = 4096 // PATH_MAX
	maxLink = 4096
)

// build resolves versions: what the newest nodes say is the filesystem.
func (r *Reader) build(s *scanner) {
	r.size, r.problems = s.end, s.report()
	if s.starts > 2 {
		r.erase = s.erase // a few starts may all be multiples of a larger number
	}

	r.inodes = byInode(s.inodes)

	slices.SortStableFunc(s.dirents, func(a, b dirent) int {
		return cmp.Or(cmp.Compare(a.pino, b.pino), cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	var live []dirent
	for i, d := range s.dirents {
		last := i+1 == len(s.dirents) || s.dirents[i+1].pino != d.pino || s.dirents[i+1].name != d.name
		if last && d.ino != 0 {
			live = append(live, d)
		}
	}
	slices.SortStableFunc(live, func(a, b dirent) int { return cmp.Compare(a.off, b.off) })
	r.children = map[uint32][]dirent{}
	for _, d := range live {
		r.children[d.pino] = append(r.children[d.pino], d)
	}
	r.buildXattrs(s)
	if s.recover {
		r.past = newPast(s, live)
	}
}

// byInode divides nodes by inode, oldest version first.
func byInode(nodes []inode) map[uint32][]inode {
	slices.SortStableFunc(nodes, func(a, b inode) int {
		return cmp.Or(cmp.Compare(a.ino, b.ino), cmp.Compare(a.version, b.version))
	})
	out := map[uint32][]inode{}
	for rest := nodes; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].ino == rest[0].ino {
			n++
		}
		out[rest[0].ino] = rest[:n:n]
		rest = rest[n:]
	}
	return out
}

func (r *Reader) buildXattrs(s *scanner) {
	values := map[uint32]xattr{}
	for _, x := range s.xattrs {
		if old, ok := values[x.id]; !ok || old.version <= x.version {
			values[x.id] = x
		}
	}
	slices.SortStableFunc(s.xrefs, func(a, b xref) int {
		return cmp.Or(cmp.Compare(a.ino, b.ino), cmp.Compare(a.xid, b.xid), cmp.Compare(a.seqno, b.seqno))
	})
	r.xattrs = map[uint32][]artifact.Xattr{}
	for i, x := range s.xrefs {
		last := i+1 == len(s.xrefs) || s.xrefs[i+1].ino != x.ino || s.xrefs[i+1].xid != x.xid
		value, ok := values[x.xid]
		if last && ok && x.seqno%2 == 0 && value.version != deletedXattr {
			r.xattrs[x.ino] = append(r.xattrs[x.ino], value.Xattr)
		}
	}
}

// walk yields the entries below the root, each directory before what it holds, then those of
// directories without a name, then what is past.
func (r *Reader) walk(yield func(format.Entry, error) bool) {
	type level struct {
		path   string
		rest   []dirent
		orphan bool
	}
	var missing []dirent
	entered := map[uint32]bool{rootIno: true}
	first := map[uint32]format.Entry{} // of an inode with several names
	stack := []level{{"lost+found", r.orphans(), true}, {"", r.children[rootIno], false}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.rest) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		d, path, orphan := top.rest[0], top.path, top.orphan
		top.rest = top.rest[1:]
		if path != "" {
			path += "/"
		}
		path += d.name
		e, ok := first[d.ino]
		linked := ok
		if !linked {
			e, ok = r.entry(d, path)
		}
		if orphan {
			if !ok || !e.Mode.IsDir() {
				continue
			}
			e.Problems = append(e.Problems, problem(d.off, "jffs2: directory %d has lost its name", d.ino)...)
		}
		switch {
		case !ok:
			missing = append(missing, d)
			continue
		case len(path) > maxPath:
			if !yield(format.Entry{}, format.Errorf(artifact.Limit, d.off, "jffs2: directory entry at %#x: path of %d bytes > %d", d.off, len(path), maxPath)) {
				return
			}
			continue
		case e.Mode.IsDir() && entered[d.ino]:
			if !yield(format.Entry{}, format.Errorf(artifact.Damaged, d.off, "jffs2: directory entry at %#x: second name %q of directory %d", d.off, path, d.ino)) {
				return
			}
			continue
		case e.Mode.IsDir():
			entered[d.ino] = true
			stack = append(stack, level{path, r.children[d.ino], false})
		case !linked:
			first[d.ino] = e
		default:
			if e.Mode.IsRegular() {
				e.HardLink, e.Open = e.Path, nil
			}
			e.Path = path
		}
		if !yield(e, nil) {
			return
		}
	}
	if len(missing) > 0 {
		d := missing[0]
		if !yield(format.Entry{}, format.Errorf(artifact.Damaged, d.off, "jffs2: names without an inode: %d, first %q at %#x, inode %d", len(missing), d.name, d.off, d.ino)) {
			return
		}
	}
	if r.past != nil {
		r.walkPast(yield)
	}
}

// orphans names the directories that hold something and that no name leads to: one that was
// deleted is empty, so their names were lost.
func (r *Reader) orphans() []dirent {
	named := map[uint32]bool{rootIno: true}
	for _, ds := range r.children {
		for _, d := range ds {
			named[d.ino] = true
		}
	}
	var out []dirent
	for _, ino := range slices.Sorted(maps.Keys(r.children)) {
		if !named[ino] {
			out = append(out, dirent{off: r.children[ino][0].off, ino: ino, name: fmt.Sprintf("#%d", ino)})
		}
	}
	return out
}

// entry describes the inode that d names. It is not ok if there is none. A directory whose
// inode node was lost is shown if it holds anything.
func (r *Reader) entry(d dirent, path string) (e format.Entry, ok bool) {
	nodes := r.inodes[d.ino]
	if len(nodes) == 0 {
		if r.children[d.ino] == nil {
			return e, false
		}
		return format.Entry{Path: path, Mode: fs.ModeDir, Problems: problem(d.off, "jffs2: directory %d has no inode node", d.ino)}, true
	}
	newest := nodes[len(nodes)-1]
	a, ok := r.attributes(&newest)
	if !ok {
		return e, false
	}
	e = format.Entry{Path: path, Mode: a.mode, UID: a.uid, GID: a.gid, ModTime: a.modTime, Xattrs: r.xattrs[d.ino]}
	switch {
	case a.mode.IsRegular():
		e.Size = a.size
		e.Open = func() (io.Reader, error) { return &file{r: r, segs: segments(nodes, a.size)}, nil }
	case a.mode&fs.ModeSymlink != 0:
		// As in the driver the newest node alone is the target, whatever isize says: mkfs.jffs2
		// cuts targets at 254 bytes.
		target, err := r.decode(&newest)
		e.Link = string(target[:min(len(target), maxLink)])
		if err != nil || len(target) == 0 {
			e.Problems = problem(newest.off, "jffs2: node at %#x: no target of a symbolic link", newest.off)
		}
	case a.mode&fs.ModeDevice != 0:
		if e.Dev = r.device(nodes); e.Dev == nil {
			e.Problems = problem(newest.off, "jffs2: inode %d: no device number", d.ino)
		}
	}
	return e, true
}

func (r *Reader) attributes(n *inode) (a attributes, ok bool) {
	var b [inodeSize]byte
	if _, err := r.src.ReadAt(b[:], n.off); err != nil {
		return a, false
	}
	return parseAttributes(b[:], r.order), true
}

// device reads a device number: 2 bytes of the old kind, or 4 of Linux's new encoding.
func (r *Reader) device(nodes []inode) *artifact.Device {
	for i := len(nodes) - 1; i >= 0; i-- {
		b, err := r.decode(&nodes[i])
		switch {
		case err != nil:
		case len(b) == 2:
			v := uint32(r.order.Uint16(b))
			return &artifact.Device{Major: v >> 8, Minor: v & 0xff}
		case len(b) == 4:
			v := r.order.Uint32(b)
			return &artifact.Device{Major: v >> 8 & 0xfff, Minor: v&0xff | v>>12&0xfff00}
		}
	}
	return nil
}

func problem(off int64, text string, args ...any) []artifact.Problem {
	return []artifact.Problem{{Kind: artifact.Damaged, At: artifact.Range{Off: off}, Detail: fmt.Sprintf(text, args...)}}
}
