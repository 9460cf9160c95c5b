// Package erofs reads the Enhanced Read-Only File System of Linux.
//
// The layout is described by the kernel's documentation (https://docs.kernel.org/filesystems/erofs.html,
// https://erofs.docs.kernel.org/en/latest/core_ondisk.html) and fs/erofs/erofs_fs.h. Read are compact and
// extended inodes, flat, inline, chunk-based and compressed files (LZ4, MicroLZMA, DEFLATE, Zstandard) with
// full, compact and extent indexes, big clusters, data packed behind the inode or into the packed inode,
// compressed directories and metadata, extended attributes, and 48-bit block numbers.
//
// Not read: data on further devices, which are other images.
package erofs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"sync"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is EROFS to the unpacker.
var Format = format.Format{
	Name:   "erofs",
	Title:  "EROFS",
	Kind:   format.Filesystem,
	Magics: []format.Magic{{Bytes: "\xe2\xe1\xf5\xe0", Off: superOff}},
	Refs: []format.Ref{
		{Title: "EROFS core on-disk format", URL: "https://erofs.docs.kernel.org/en/latest/core_ondisk.html"},
		{Title: "Linux, EROFS", URL: "https://docs.kernel.org/filesystems/erofs.html"},
	},
	Limits: []string{"Data that an image keeps on further devices is not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return newReader(src) },
}

// Reader reads one file system. It is safe for concurrent use, but for Entries.
type Reader struct {
	super
	src     format.Source
	root    *inode
	packed  random // holds ends of files
	metabox random // holds inodes, if they are compressed
	budget  int64  // bytes of directories that may still be read
}

// NewReader returns a reader of the file system at offset 0 of r, which has size bytes. The error
// wraps [format.ErrFormat] if there is none.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return newReader(format.Source{SectionReader: io.NewSectionReader(r, 0, size)})
}

func newReader(src format.Source) (*Reader, error) {
	s, err := readSuper(src)
	if err != nil {
		return nil, err
	}
	r := &Reader{super: s, src: src}
	if s.incompat&^incompatKnown != 0 {
		return nil, format.Errorf(artifact.Unsupported, superOff+80, "erofs: superblock at %#x: unknown features %#x", superOff, s.incompat&^incompatKnown)
	}
	if r.root, err = r.inode(s.rootNID); err != nil || r.root.mode&typeMask != typeDir {
		return nil, format.Not("erofs: inode %d is no directory: %v", s.rootNID, err)
	}
	return r, nil
}

// Size returns the size that the superblock declares, or that of what is there if it is cut off.
func (r *Reader) Size() int64 { return min(r.src.Size(), r.size()) }

// Describe tells what the superblock says.
func (r *Reader) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: superOff + off, Len: n} }
	out := []artifact.Attr{
		{Name: "block", Value: strconv.FormatInt(r.block, 10), At: at(12, 1)},
		{Name: "uuid", Value: fmt.Sprintf("%x-%x-%x-%x-%x", r.uuid[:4], r.uuid[4:6], r.uuid[6:8], r.uuid[8:10], r.uuid[10:]), At: at(48, 16)},
	}
	if r.label != "" {
		out = append(out, artifact.Attr{Name: "label", Value: r.label, At: at(64, 16)})
	}
	return append(out, artifact.Attr{Name: "features", Value: fmt.Sprintf("%#x", r.incompat), At: at(80, 4)})
}

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files below the root, depth first in the order that directories store. The root itself is not yielded.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range r.check() {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		r.budget = 64<<20 + 4*r.src.Size()
		seen := map[uint64]bool{r.rootNID: true}
		first := map[uint64]string{} // path of a file's first name
		list, err := r.directory(r.root)
		if err != nil && !yield(format.Entry{}, err) {
			return
		}
		stack, paths := [][]dirent{list}, []string{""}
		for len(stack) > 0 {
			top := len(stack) - 1
			if len(stack[top]) == 0 {
				stack, paths = stack[:top], paths[:top]
				continue
			}
			d := stack[top][0]
			stack[top] = stack[top][1:]
			path := paths[top] + d.name
			e, in := r.entry(path, d.nid, first)
			if !yield(e, nil) {
				return
			}
			if !e.Mode.IsDir() {
				continue
			}
			var list []dirent
			switch {
			case seen[d.nid]:
				err = format.Errorf(artifact.Damaged, in.off, "erofs: directory %q: inode %d has another name already", path, d.nid)
			case len(path) > maxPath:
				err = format.Errorf(artifact.Limit, in.off, "erofs: path of %d bytes", len(path))
			default:
				list, err = r.directory(in)
			}
			seen[d.nid] = true
			if err != nil && !yield(format.Entry{}, err) {
				return
			}
			stack, paths = append(stack, list), append(paths, path+"/")
		}
	}
}

// check returns what is wrong with the file system as a whole.
func (r *Reader) check() (errs []error) {
	if missing := r.size() - r.src.Size(); missing > 0 {
		errs = append(errs, format.Errorf(artifact.Truncated, r.src.Size(), "erofs: %d bytes, %d left", r.size(), r.src.Size()))
	}
	if got, ok := r.sum(r.src); ok && got != r.checksum {
		errs = append(errs, format.Errorf(artifact.Checksum, superOff+4, "erofs: superblock at %#x: checksum %#x, want %#x", superOff, got, r.checksum))
	}
	return errs
}

// entry makes the entry of the inode nid. The inode is nil if it cannot be read.
func (r *Reader) entry(path string, nid uint64, first map[uint64]string) (format.Entry, *inode) {
	e := format.Entry{Path: path}
	note := func(off int64, err error) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kindOf(err), At: artifact.Range{Off: off}, Detail: err.Error()})
	}
	in, err := r.inode(nid)
	if err != nil {
		e.Open = func() (io.Reader, error) { return nil, err }
		return e, nil
	}
	e.Mode, e.UID, e.GID, e.ModTime, e.Size = format.UnixMode(in.mode), in.uid, in.gid, in.mtime, in.size
	if e.Xattrs, err = r.xattrs(in); err != nil {
		note(in.off, err)
	}
	switch {
	case e.Mode.IsDir():
		e.Size = 0
	case e.Mode&fs.ModeSymlink != 0:
		b, err := io.ReadAll(io.LimitReader(r.open(in), maxLink))
		if err != nil {
			note(in.off, err)
		}
		e.Link, e.Size = string(b), int64(len(b))
	case e.Mode&fs.ModeDevice != 0:
		d := in.device()
		e.Dev, e.Size = &d, 0
	case e.Mode.IsRegular():
		if path, ok := first[nid]; ok {
			e.HardLink, e.Size = path, 0
			break
		}
		first[nid] = path
		if w, ok := r.window(in); ok {
			e.Window = &w
			break
		}
		e.Open = func() (io.Reader, error) { return r.open(in), nil }
	}
	return e, in
}

// maxLink is more than PATH_MAX.
const maxLink = 1 << 16

func kindOf(err error) artifact.ProblemKind {
	var e *format.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return artifact.Damaged
}

func fault(off int64, text string, args ...any) error {
	return format.Errorf(artifact.Damaged, off, "erofs: "+text, args...)
}

// random reads a file that others refer into. Its map is read once.
type random struct {
	once  sync.Once
	in    *inode
	list  []extent
	err   error
	mutex sync.Mutex
	held  extent // the one decoded last
	data  []byte
}
