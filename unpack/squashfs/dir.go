package squashfs

import (
	"errors"
	"fmt"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// A listing is runs of entries, each run under a header; all inodes of a run lie in one metadata block.
type listingLayout struct {
	header, entry      int // sizes
	count, start       field
	offset, kind, size field
}

var listingLayouts = [5]listingLayout{
	1: listing2,
	2: listing2,
	3: {header: 9, count: field{0, 8}, start: field{8, 32},
		entry: 5, offset: field{0, 13}, kind: field{13, 3}, size: field{16, 8}},
	4: {header: 12, count: field{0, 32}, start: field{32, 32},
		entry: 8, offset: field{0, 16}, kind: field{32, 16}, size: field{48, 16}},
}

var listing2 = listingLayout{header: 4, count: field{0, 8}, start: field{8, 24},
	entry: 3, offset: field{0, 13}, kind: field{13, 3}, size: field{16, 8}}

// Bounds of the format (squashfs_fs.h).
const (
	maxRun  = 256 // entries under one header
	maxName = 256
)

// listing reads one directory.
type listing struct {
	r     *Reader
	c     cursor
	left  int64 // bytes
	run   int   // entries left under the header
	start uint64
	read  *int64 // bytes taken, over all listings
}

type entry struct {
	name string
	kind int
	ref  uint64
}

func (r *Reader) listing(dir *inode) *listing {
	return &listing{r: r, c: *r.cursorAt(r.super.dirTable+dir.start, int(dir.offset)), left: dir.length, read: new(int64)}
}

// next returns the next entry; ok is false at the end.
func (l *listing) next() (e entry, ok bool, err error) {
	layout, big := &listingLayouts[l.r.super.major], l.r.super.big
	if l.run == 0 {
		if l.left <= 0 {
			return e, false, nil
		}
		h, err := l.take(layout.header)
		if err != nil {
			return e, false, err
		}
		l.run, l.start = int(layout.count.of(h, big))+1, layout.start.of(h, big)
		if l.run > maxRun {
			return e, false, l.damaged("%d entries in a run > %d", l.run, maxRun)
		}
	}
	b, err := l.take(layout.entry)
	if err != nil {
		return e, false, err
	}
	l.run--
	e.kind = int(layout.kind.of(b, big))
	e.ref = l.start<<16 | layout.offset.of(b, big)
	size := int(layout.size.of(b, big)) + 1
	if size > maxName {
		return e, false, l.damaged("name of %d bytes > %d", size, maxName)
	}
	if b, err = l.take(size); err != nil {
		return e, false, err
	}
	e.name = string(b)
	return e, true, nil
}

func (l *listing) take(n int) ([]byte, error) {
	if int64(n) > l.left {
		return nil, l.damaged("%d bytes wanted, %d left", n, l.left)
	}
	l.left -= int64(n)
	*l.read += int64(n)
	return l.c.take(n)
}

func (l *listing) damaged(text string, args ...any) error {
	return l.r.damaged(l.c.at, 0, "listing at %d of the metadata block at %#x: "+text, append([]any{l.c.off, l.c.at}, args...)...)
}

// Entries yields what the filesystem holds, in directory order, a directory before what is in
// it; the root directory itself is not an entry. Every damage costs what it hits: an inode, the
// rest of a listing. Files whose names are lost come last, in lost+found; of an image without
// tables nothing else.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		w := walk{r: r, yield: yield, paths: map[uint64]string{}, dirs: map[uint64]bool{}, blocks: map[int64]struct{}{}}
		if doubt := r.super.doubt; doubt != nil && !yield(format.Entry{}, doubt) {
			return
		}
		if r.end < r.super.bytesUsed {
			err := format.Errorf(artifact.Truncated, r.end, "squashfs: %d of %d bytes are there", r.end, r.super.bytesUsed)
			if !yield(format.Entry{}, err) {
				return
			}
		}
		if r.headless() {
			for _, run := range r.lost {
				if !yield(r.salvaged(run), nil) {
					return
				}
			}
			return
		}
		root, err := r.inode(r.super.root)
		if err == nil && root.kind != kindDir {
			err = r.damaged(r.super.inodeTable, 0, "root inode is of kind %d, not a directory", root.kind)
		}
		if err == nil && !w.dir("", root) || err != nil && !w.problem("", err) {
			return
		}
		if w.damaged && !w.orphans() {
			return
		}
		if err := r.readExports(); err != nil {
			yield(format.Entry{}, err)
		}
	}
}

// walk is one pass over the directories.
type walk struct {
	r      *Reader
	yield  func(format.Entry, error) bool
	paths  map[uint64]string  // first path of each inode, for hard links
	dirs   map[uint64]bool    // directories entered: a second time would be a loop or a bomb
	blocks map[int64]struct{} // metadata blocks of listings
	read   int64              // bytes of listings
	sizes  int                // of blocks looked at for windows

	damaged bool // a listing or an inode could not be read
}

// maxPath bounds a path, in bytes: Linux could not name what lies below (PATH_MAX).
const maxPath = 4096

// dir yields what is in a directory and below. It reports whether the consumer wants more.
func (w *walk) dir(path string, dir *inode) bool {
	w.dirs[dir.ref] = true
	if dir.length == 0 {
		return true
	}
	l := w.r.listing(dir)
	l.c.seen, l.read = w.blocks, &w.read
	for {
		e, ok, err := l.next()
		if err != nil {
			return w.problem(path, err)
		}
		if !ok {
			return true
		}
		// The listings of an image share no bytes. Crafted ones that do could list for ever.
		if w.read > 2*metaSize*int64(len(w.blocks)) {
			return w.problem(path, l.damaged("listings overlap"))
		}
		if !w.entry(path, e) {
			return false
		}
	}
}

func (w *walk) problem(path string, err error) bool {
	w.damaged = true
	var e *format.Error
	if path != "" && errors.As(err, &e) {
		err = &format.Error{Kind: e.Kind, At: e.At, Text: e.Text + ", in " + path}
	}
	return w.yield(format.Entry{}, err)
}

func (w *walk) entry(dir string, e entry) bool {
	path := e.name
	if dir != "" {
		path = dir + "/" + e.name
	}
	i, err := w.r.inode(e.ref)
	if err != nil {
		return w.problem(path, err)
	}
	out := w.describe(path, i)
	if e.kind != i.kind {
		w.damaged = true
		out.Problems = append(out.Problems, problem(w.r.damaged(w.r.super.inodeTable, 0, "%s: kind %d in the listing, %d in the inode", path, e.kind, i.kind)))
	}
	if i.kind == kindDir {
		return w.subdir(out, i)
	}
	if first, ok := w.paths[e.ref]; ok {
		out.HardLink = first
		out.Size, out.Link, out.Dev = i.length, i.target, i.dev
		return w.yield(out, nil)
	}
	w.paths[e.ref] = path
	switch i.kind {
	case kindFile:
		w.content(&out, i)
	case kindSymlink:
		out.Link = i.target
	case kindBlock, kindChar:
		out.Dev = i.dev
	}
	return w.yield(out, nil)
}

// describe returns what an inode says of itself, whatever its kind.
func (w *walk) describe(path string, i *inode) format.Entry {
	e := format.Entry{Path: path, Mode: i.mode, UID: i.uid, GID: i.gid, ModTime: i.mtime, Problems: i.problems}
	var err error
	if e.Xattrs, err = w.r.xattrs.of(i.xattr); err != nil {
		e.Problems = append(e.Problems, problem(err))
	}
	return e
}

func (w *walk) subdir(out format.Entry, i *inode) bool {
	again := w.dirs[i.ref]
	if again {
		out.Problems = append(out.Problems, problem(w.r.damaged(w.r.super.inodeTable, 0, "directory %s is another one again", out.Path)))
	}
	if !w.yield(out, nil) {
		return false
	}
	if again {
		return true
	}
	if len(out.Path) > maxPath {
		return w.yield(format.Entry{}, format.Errorf(artifact.Limit, w.r.super.dirTable, "squashfs: path of %d bytes > %d", len(out.Path), maxPath))
	}
	return w.dir(out.Path, i)
}

// orphans yields the files that no listing named, by going through the inode table up to its
// first damage. Their names are e2fsck's: a number, here that of the place in the table. It
// reports whether the consumer wants more.
func (w *walk) orphans() bool {
	r := w.r
	end := r.super.dirTable
	if end <= r.super.inodeTable {
		end = r.end
	}
	c := r.cursorAt(r.super.inodeTable, 0)
	for n := range r.super.inodes {
		if c.load() != nil || c.at >= end {
			return true
		}
		i, err := r.inode(uint64(c.at-r.super.inodeTable)<<16 | uint64(c.off))
		if err != nil {
			return true
		}
		if _, named := w.paths[i.ref]; !named && i.kind == kindFile && i.length > 0 {
			e := w.describe(fmt.Sprintf("lost+found/#%d", n+1), i)
			e.Problems = append(e.Problems, problem(r.damaged(c.at, 0, "inode %d of the metadata block at %#x: no listing that was read names it", c.off, c.at)))
			w.content(&e, i)
			if !w.yield(e, nil) {
				return false
			}
		}
		if c, err = r.behind(i); err != nil {
			return true
		}
	}
	return true
}

// problem turns an error of this package into what stands on an entry.
func problem(err error) artifact.Problem {
	var e *format.Error
	if errors.As(err, &e) {
		return artifact.Problem{Kind: e.Kind, At: e.At, Detail: e.Text}
	}
	return artifact.Problem{Kind: artifact.Damaged, Detail: err.Error()}
}
