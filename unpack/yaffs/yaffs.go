// Package yaffs reads YAFFS1 and YAFFS2, file systems for raw NAND flash.
//
// They are described in "How YAFFS works" (https://yaffs.net/documents/how-yaffs-works) and by the sources of Aleph
// One (https://github.com/Aleph-One-Ltd/yaffs2: yaffs_guts.h, yaffs_packedtags2.h, yaffs_tagscompat.c). Flash is written page
// by page. A page is an object's header or a piece of a file; which one it is stands in tags in the page's spare
// area, or at its end (inband tags). What was written last counts: by the sequence number of its block and then by
// place. There is no superblock, so the size of pages and spare areas, where the tags are in them, and the byte order
// are found by trying which make sense of the first pages.
//
// Not read: checkpoints and block summaries, which repeat what the tags say, tags that a driver scattered over a
// spare area (other than in YAFFS1), and images without tags.
package yaffs

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sort"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is an image that begins with the header of an object, as tools write it.
var Format = format.Format{
	Name:   "yaffs",
	Title:  "YAFFS1 or YAFFS2 image",
	Kind:   format.Filesystem,
	Magics: headers(),
	Refs:   refs(),
	Limits: []string{
		"Images whose spare areas were taken out are not read, unless the tags are inband.",
		"Deleted files are not looked for.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return newReader(src, detect) },
}

// Flash is a partition that a driver has written to, where any page may come first.
var Flash = format.Format{
	Name:   "yaffs-flash",
	Title:  "YAFFS1 or YAFFS2 flash partition",
	Kind:   format.Filesystem,
	Magics: headers(),
	Whole:  true,
	Refs:   refs(),
	Limits: []string{"What stands beside the file system in the same dump is not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return newReader(src, detectFlash) },
}

// headers returns the beginnings of headers of objects in the root directory, of every type but hard links.
func headers() (list []format.Magic) {
	for _, typ := range []string{"\x01", "\x02", "\x03", "\x05"} {
		list = append(list, format.Magic{Bytes: typ + "\x00\x00\x00\x01\x00\x00\x00\xff\xff"}, format.Magic{Bytes: "\x00\x00\x00" + typ + "\x00\x00\x00\x01\xff\xff"})
	}
	return list
}

func refs() []format.Ref {
	return []format.Ref{
		{Title: "How YAFFS works", URL: "https://yaffs.net/documents/how-yaffs-works"},
		{Title: "YAFFS sources", URL: "https://github.com/Aleph-One-Ltd/yaffs2"},
	}
}

// Reader reads one file system. It is safe for concurrent use.
type Reader struct {
	src     format.Source
	layout  layout
	size    int64
	objects map[uint32]*object
	strange int   // pages between good ones that make no sense, and the first of them
	first   int64 //
}

// NewReader returns a reader of the file system at offset 0 of r, which has size bytes. The error
// wraps [format.ErrFormat] if there is none.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	src := format.Source{SectionReader: io.NewSectionReader(r, 0, size)}
	if r, err := newReader(src, detect); err == nil {
		return r, nil
	}
	return newReader(src, detectFlash)
}

func newReader(src format.Source, detect func(format.Source) (layout, error)) (*Reader, error) {
	l, err := detect(src)
	if err != nil {
		return nil, err
	}
	r := &Reader{src: src, layout: l, objects: map[uint32]*object{}}
	r.scan()
	return r, nil
}

// Size returns the end of the last page that makes sense.
func (r *Reader) Size() int64 { return r.size }

// Describe tells the geometry that was found.
func (r *Reader) Describe() []artifact.Attr {
	l := r.layout
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	version, endian := "2", "little"
	if l.version1 {
		version = "1"
	}
	if l.order == binary.BigEndian {
		endian = "big"
	}
	return []artifact.Attr{
		{Name: "version", Value: version, At: at(l.tags, 16)},
		{Name: "endian", Value: endian, At: at(0, 4)},
		{Name: "page", Value: strconv.FormatInt(l.page, 10), At: at(0, l.page)},
		{Name: "spare", Value: strconv.FormatInt(l.stride-l.page, 10), At: at(l.page, l.stride-l.page)},
	}
}

// object is a file, directory or the like, as it was written last.
type object struct {
	header
	at     int64 // of the header; -1 if there is none
	pieces map[uint32]piece
	end    int64 // of the pieces written after the header
}

// piece is a page of a file.
type piece struct {
	at     int64
	n      uint32
	serial byte
}

// Objects that are always there, or no files.
const (
	objectRoot     = 1
	objectLost     = 2
	objectUnlinked = 3
	objectDeleted  = 4
	objectSummary  = 0x10
	objectCheck    = 0x20
)

// maxStrange is how many pages in a row may make no sense: two blocks. Behind more, something else begins.
const maxStrange = 128

// scan reads the tags of all pages, and then lets them count in the order in which they were written.
func (r *Reader) scan() {
	var pages []page
	run, runAt := 0, int64(0)
	buf := make([]byte, r.layout.stride)
	for at := int64(0); at+r.layout.stride <= r.src.Size() && run <= maxStrange; at += r.layout.stride {
		if n, _ := r.src.ReadAt(buf, at); n < len(buf) {
			break
		}
		p, state := r.layout.read(buf)
		switch state {
		case erased:
			continue
		case strange:
			if run++; run == 1 {
				runAt = at
			}
			continue
		}
		if run > 0 && r.strange == 0 {
			r.first = runAt
		}
		r.strange, run = r.strange+run, 0
		p.at = at
		pages = append(pages, p)
		r.size = at + r.layout.stride
	}
	sort.SliceStable(pages, func(i, j int) bool { return pages[i].sequence < pages[j].sequence })
	for _, p := range pages {
		r.apply(p)
	}
}

// apply lets one page count.
func (r *Reader) apply(p page) {
	if p.deleted || p.object == objectSummary || p.object == objectCheck {
		return
	}
	o := r.objects[p.object]
	if o == nil {
		o = &object{at: -1, pieces: map[uint32]piece{}}
		r.objects[p.object] = o
	}
	if p.chunk > 0 {
		if old, ok := o.pieces[p.chunk]; ok && r.layout.version1 && (old.serial-p.serial)&3 == 1 {
			return // what stands before is newer
		}
		o.pieces[p.chunk] = piece{p.at, p.bytes, p.serial}
		o.end = max(o.end, int64(p.chunk-1)*r.layout.page+int64(p.bytes))
		return
	}
	b := make([]byte, headerSize)
	if n, _ := r.src.ReadAt(b, p.at); n < headerSize {
		return
	}
	h, ok := parseHeader(b, r.layout.order)
	if !ok {
		return
	}
	if o.at >= 0 && r.layout.version1 && (o.serial-p.serial)&3 == 1 {
		return
	}
	h.serial = p.serial
	o.header, o.at, o.end = h, p.at, 0
	switch {
	case h.parent == objectUnlinked || h.parent == objectDeleted:
		o.pieces = map[uint32]piece{}
	case h.typ == typeFile && h.shrink:
		for chunk := range o.pieces {
			if int64(chunk-1)*r.layout.page >= h.size {
				delete(o.pieces, chunk)
			}
		}
	}
	// A file that took another's name says so. The other is gone, unless a later header gives it another name.
	if s := r.objects[uint32(h.shadows)]; s != nil && h.shadows > objectDeleted && s != o {
		s.parent = objectUnlinked
	}
}

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files below the root, depth first by number, then hard links, then what has no parent.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if r.strange > 0 && !yield(format.Entry{}, format.Errorf(artifact.Damaged, r.first, "yaffs: %d pages without good tags, first at %#x", r.strange, r.first)) {
			return
		}
		w := walk{r: r, yield: yield, children: map[uint32][]uint32{}, paths: map[uint32]string{objectRoot: ""}}
		for _, id := range r.live() {
			if parent := r.objects[id].parent; id > objectDeleted || id == objectLost {
				w.children[parent] = append(w.children[parent], id)
			}
		}
		if !w.below(objectRoot, "") {
			return
		}
		// Hard links, whose file has been yielded by now, and orphans.
		for _, id := range r.live() {
			o := r.objects[id]
			if _, done := w.paths[id]; done || id <= objectDeleted {
				continue
			}
			dir, known := w.paths[o.parent]
			if known && o.parent != objectRoot {
				dir += "/"
			}
			lost := !known && r.orphan(o)
			if lost {
				dir = "lost+found/"
			} else if !known {
				continue // comes with its parent, or is part of a ring
			}
			if !w.node(id, dir+o.title(id), lost) || !w.below(id, w.paths[id]+"/") {
				return
			}
		}
		for _, id := range r.live() {
			if _, done := w.paths[id]; !done && id > objectDeleted {
				o := r.objects[id]
				if !yield(format.Entry{}, format.Errorf(artifact.Damaged, o.at, "yaffs: object %d at %#x: its parents lead to no root", id, o.at)) {
					return
				}
			}
		}
	}
}

// live returns the numbers of objects with a header that are not deleted, in order.
func (r *Reader) live() (ids []uint32) {
	for id, o := range r.objects {
		if o.at >= 0 && o.parent != objectUnlinked && o.parent != objectDeleted && o.typ != 0 {
			ids = append(ids, id)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

// orphan reports whether an object's parent is no directory.
func (r *Reader) orphan(o *object) bool {
	p := r.objects[o.parent]
	return o.parent != objectRoot && (p == nil || p.at < 0 || p.typ != typeDirectory || p.parent == objectUnlinked || p.parent == objectDeleted)
}

// walk is one way through the tree.
type walk struct {
	r        *Reader
	yield    func(format.Entry, error) bool
	children map[uint32][]uint32
	paths    map[uint32]string // of what has been yielded
}

// below yields what is in a directory, but for hard links. Each object has one parent, so there is no loop.
func (w *walk) below(id uint32, prefix string) bool {
	type level struct {
		ids    []uint32
		prefix string
	}
	stack := []level{{w.children[id], prefix}}
	for len(stack) > 0 {
		l := &stack[len(stack)-1]
		if len(l.ids) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		id := l.ids[0]
		l.ids = l.ids[1:]
		o := w.r.objects[id]
		if _, done := w.paths[id]; done || o.typ == typeHardLink || len(l.prefix) > maxPath {
			continue
		}
		if !w.node(id, l.prefix+o.title(id), false) {
			return false
		}
		if o.typ == typeDirectory {
			stack = append(stack, level{w.children[id], w.paths[id] + "/"})
		}
	}
	return true
}

// title returns the name of an object; the driver calls those without one by their number.
func (o *object) title(id uint32) string {
	switch {
	case o.name != "":
		return o.name
	case id == objectLost:
		return "lost+found"
	}
	return fmt.Sprintf("obj%d", id)
}

// node yields one object.
func (w *walk) node(id uint32, path string, lost bool) bool {
	o := w.r.objects[id]
	w.paths[id] = path
	e := format.Entry{Path: path, Mode: format.UnixMode(o.mode), UID: o.uid, GID: o.gid, ModTime: o.mtime}
	note := func(text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: artifact.Damaged, At: artifact.Range{Off: o.at}, Detail: fmt.Sprintf("yaffs: object %d at %#x: "+text, append([]any{id, o.at}, args...)...)})
	}
	if lost {
		note("its directory %d is missing", o.parent)
	}
	kind := fs.FileMode(0)
	switch o.typ {
	case typeDirectory:
		kind = fs.ModeDir
	case typeSymlink:
		kind, e.Link, e.Size = fs.ModeSymlink, o.alias, int64(len(o.alias))
	case typeSpecial:
		kind = e.Mode & fs.ModeType
		if kind&fs.ModeDevice != 0 { // in the kernel's encoding of 12 and 20 bits
			e.Dev = &artifact.Device{Major: o.device >> 8 & 0xfff, Minor: o.device&0xff | o.device>>12&0xfff00}
		}
	case typeHardLink:
		to := w.r.objects[o.equivalent]
		target, ok := w.paths[o.equivalent]
		if !ok || to == nil || to.typ != typeFile {
			note("hard link to object %d, which is no file that is left", o.equivalent)
			e.Open = func() (io.Reader, error) { return nil, fault(o.at, "object %d: hard link to nothing", id) }
			break
		}
		e.HardLink = target
		e.Mode, e.UID, e.GID, e.ModTime = format.UnixMode(to.mode), to.uid, to.gid, to.mtime
	case typeFile:
		f := file{r: w.r, o: o, size: max(o.size, o.end)}
		e.Size = f.size
		e.Open = func() (io.Reader, error) { f := f; return &f, nil }
	}
	e.Mode = e.Mode&^fs.ModeType | kind
	return w.yield(e, nil)
}

func fault(off int64, text string, args ...any) error {
	return format.Errorf(artifact.Damaged, off, "yaffs: "+text, args...)
}

// file reads the pieces of a file in order. What was never written is zeros.
type file struct {
	r    *Reader
	o    *object
	size int64
	pos  int64
}

func (f *file) Read(p []byte) (int, error) {
	if f.pos >= f.size {
		return 0, io.EOF
	}
	page := f.r.layout.page
	in := f.pos % page
	p = p[:min(int64(len(p)), page-in, f.size-f.pos)]
	piece, ok := f.o.pieces[uint32(f.pos/page)+1]
	have := 0
	if ok && in < int64(piece.n) {
		have = int(min(int64(len(p)), int64(piece.n)-in))
		if n, err := f.r.src.ReadAt(p[:have], piece.at+in); n < have {
			return 0, fault(piece.at, "page at %#x: %v", piece.at, err)
		}
	}
	clear(p[have:])
	f.pos += int64(len(p))
	return len(p), nil
}
