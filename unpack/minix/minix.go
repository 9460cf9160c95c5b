// Package minix reads the file systems of MINIX, versions 1 to 3 in either byte order, as MINIX
// and Linux write them.
//
// The layout is that of Linux (include/uapi/linux/minix_fs.h) and of Tanenbaum and Woodhull,
// Operating Systems: Design and Implementation, chapter 5.6. There is no checksum and little of a
// magic: a file system is taken for one if its counts fit each other to the block and its root
// names itself. Deleted files are not looked for.
package minix

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is the MINIX file system.
var Format = format.Format{
	Name:   "minix",
	Title:  "MINIX file system",
	Kind:   format.Filesystem,
	Magics: magics(),
	Refs: []format.Ref{
		{Title: "Linux, minix_fs.h", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/include/uapi/linux/minix_fs.h"},
		{Title: "MINIX 3, mfs/super.h", URL: "https://github.com/Stichting-MINIX-Research-Foundation/minix/blob/master/minix/fs/mfs/super.h"},
	},
	Limits: []string{"Deleted files are not looked for."},
	Open:   func(src format.Source) (format.Chunk, error) { return newReader(src) },
}

// Reader reads one file system. It is safe for concurrent use, but for Entries.
type Reader struct {
	super
	src format.Source
	// Numbers of zones that may still be looked at, for directories and to find files in one piece.
	dirs, windows int64
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
	if err := r.checkRoot(); err != nil {
		return nil, err
	}
	return r, nil
}

// Size returns the size that the superblock declares, or that of what is there if it is cut off.
func (r *Reader) Size() int64 { return min(r.src.Size(), r.size()) }

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files below the root, depth first in the order that directories store. The
// root itself is not yielded.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if r.size() > r.src.Size() {
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, r.src.Size(), "minix: %d bytes, %d left", r.size(), r.src.Size())) {
				return
			}
		}
		r.dirs, r.windows = 2*int64(r.zones), 2*int64(r.zones)
		seen := map[uint32]bool{}
		first := map[uint32]string{} // path of a file's first name
		var stack [][]dirent
		var paths []string
		enter := func(n uint32, path string) bool {
			seen[n] = true
			list, errs := r.directory(n)
			for _, err := range errs {
				if !yield(format.Entry{}, err) {
					return false
				}
			}
			stack, paths = append(stack, list), append(paths, path)
			return true
		}
		if !enter(rootInode, "") {
			return
		}
		for len(stack) > 0 {
			top := len(stack) - 1
			if len(stack[top]) == 0 {
				stack, paths = stack[:top], paths[:top]
				continue
			}
			d := stack[top][0]
			stack[top] = stack[top][1:]
			path := paths[top] + d.name
			e, dir := r.entry(path, d.ino, first)
			if !yield(e, nil) {
				return
			}
			if !dir {
				continue
			}
			var err error
			switch {
			case seen[d.ino]:
				err = format.Errorf(artifact.Damaged, r.table+int64(d.ino-1)*r.inodeSize, "minix: directory %q: inode %d has another name already", path, d.ino)
			case len(path) > maxPath:
				err = format.Errorf(artifact.Limit, r.table+int64(d.ino-1)*r.inodeSize, "minix: path of %d bytes", len(path))
			}
			if err != nil {
				if !yield(format.Entry{}, err) {
					return
				}
				continue
			}
			if !enter(d.ino, path+"/") {
				return
			}
		}
	}
}

// entry makes the entry of inode n and reports whether it is a directory.
func (r *Reader) entry(path string, n uint32, first map[uint32]string) (format.Entry, bool) {
	e := format.Entry{Path: path}
	in, err := r.inode(n)
	if err == nil && in.mode == 0 {
		err = format.Errorf(artifact.Damaged, in.off, "minix: %q: inode %d is free", path, n)
	}
	if err != nil {
		e.Open = func() (io.Reader, error) { return nil, err }
		return e, false
	}
	e.Mode, e.UID, e.GID, e.ModTime, e.Size = format.UnixMode(in.mode), in.uid, in.gid, in.mtime, in.size
	switch {
	case e.Mode.IsDir():
		e.Size = 0
		return e, true
	case e.Mode&fs.ModeSymlink != 0:
		if e.Link, err = r.link(in); err != nil {
			p := artifact.Problem{Kind: artifact.Damaged, At: artifact.Range{Off: in.off}, Detail: fmt.Sprintf("minix: link %q: %v", path, err)}
			if fe := (*format.Error)(nil); errors.As(err, &fe) {
				p.Kind = fe.Kind
			}
			e.Problems = append(e.Problems, p)
		}
		e.Size = int64(len(e.Link))
	case e.Mode&fs.ModeDevice != 0:
		e.Dev, e.Size = &artifact.Device{Major: in.zones[0] >> 8 & 0xff, Minor: in.zones[0] & 0xff}, 0
	case e.Mode.IsRegular():
		if path, ok := first[n]; ok {
			e.HardLink, e.Size = path, 0
			return e, false
		}
		first[n] = path
		if w, ok := r.window(in); ok {
			e.Window = &w
			break
		}
		e.Open = func() (io.Reader, error) { return r.open(in), nil }
	}
	return e, false
}
