// Package ext reads ext2, ext3 and ext4 file systems.
//
// The layout is in the kernel's documentation (https://docs.kernel.org/filesystems/ext4/).
// Block maps and extents, inline data, directories with or without an index, 64-bit block
// numbers, meta block groups and extended attributes are read; checksums are not demanded. A
// journal that was not replayed is, in memory. Where the first superblock or a descriptor is
// lost, its first copy is used, if the file system is at the start of its content.
// Not read: fast commits, journals on another device, deleted files, encrypted names and
// contents, and e2compr.
package ext

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is ext2, ext3 and ext4.
var Format = format.Format{
	Name:  "ext",
	Title: "ext2, ext3 or ext4",
	Kind:  format.Filesystem,
	Magics: []format.Magic{
		{Bytes: "\x53\xef", Off: superOff + 56},
		{Bytes: "\x53\xef", Off: copyOffs[0] + 56, Start: true},
		{Bytes: "\x53\xef", Off: copyOffs[1] + 56, Start: true},
		{Bytes: "\x53\xef", Off: copyOffs[2] + 56, Start: true},
	},
	Refs: []format.Ref{
		{Title: "Linux, ext4 data structures and algorithms", URL: "https://docs.kernel.org/filesystems/ext4/"},
		{Title: "Poirier, The Second Extended File System: internal layout", URL: "https://www.nongnu.org/ext2-doc/ext2.html"},
	},
	Limits: []string{
		"Fast commits and journals on another device are not replayed.",
		"Deleted files are not looked for.",
		"Encrypted and e2compr-compressed files are yielded as they are stored.",
		"Where the first superblock is lost, its copy in group 1 is used, in groups of the usual size at the start of a content.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return newReader(src) },
}

// Reader reads one file system. It is safe for concurrent use, but for Entries.
type Reader struct {
	super
	src    format.Source
	budget uint64 // blocks of directories that may still be read
	spent  bool

	moved    map[uint64]moved // by the journal
	replayed int              // transactions
	problems []error
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
	if s.home > 0 {
		r.problems = append(r.problems, format.Errorf(artifact.Damaged, superOff, "ext: no superblock at %#x: its copy at %#x is used", superOff, s.home*s.groupBlocks*uint64(s.block)))
	}
	if _, err := r.findInode(rootInode); err != nil && s.home == 0 && s.hasSuper(1) {
		if r.home = 1; r.descriptor(0) < src.Size() {
			if _, cerr := r.findInode(rootInode); cerr == nil {
				r.problems = append(r.problems, err)
			} else {
				r.home = 0
			}
		}
	}
	if s.incompat&incompatRecover != 0 {
		if err := r.replay(); err != nil {
			r.problems = append(r.problems, err)
		}
	}
	return r, nil
}

// Size returns the size that the superblock declares, or that of what is there if it is cut off.
func (r *Reader) Size() int64 { return min(r.src.Size(), r.size()) }

// node is a directory entry with where it hangs.
type node struct {
	path string
	ino  uint32
}

// maxPath bounds paths: directories that hang below each other without an end would make them grow so.
const maxPath = 1 << 16

// Entries yields the files below the root, depth first in the order that directories store. The root itself is not yielded.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if missing := r.size() - r.src.Size(); missing > 0 {
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, r.src.Size(), "ext: %d bytes, %d left", r.size(), r.src.Size())) {
				return
			}
		}
		for _, err := range r.problems {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		r.budget, r.spent = 2*r.blocks, false
		seen := map[uint32]bool{rootInode: true}
		first := map[uint32]string{} // path of a file's first name
		list, errs := r.directory(rootInode)
		for _, err := range errs {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		stack := [][]dirent{list}
		paths := []string{""}
		for len(stack) > 0 {
			top := len(stack) - 1
			if len(stack[top]) == 0 {
				stack, paths = stack[:top], paths[:top]
				continue
			}
			d := stack[top][0]
			stack[top] = stack[top][1:]
			n := node{paths[top] + d.name, d.ino}
			e, dir := r.entry(n, first)
			if !yield(e, nil) {
				return
			}
			if !dir {
				continue
			}
			var err error
			switch {
			case seen[d.ino]:
				err = format.Errorf(artifact.Damaged, r.inodeOffset(d.ino), "ext: directory %q: inode %d has another name already", n.path, d.ino)
			case len(n.path) > maxPath:
				err = format.Errorf(artifact.Limit, r.inodeOffset(d.ino), "ext: path of %d bytes", len(n.path))
			}
			if err != nil {
				if !yield(format.Entry{}, err) {
					return
				}
				continue
			}
			seen[d.ino] = true
			list, errs := r.directory(d.ino)
			for _, err := range errs {
				if !yield(format.Entry{}, err) {
					return
				}
			}
			stack, paths = append(stack, list), append(paths, n.path+"/")
		}
		r.manage()
	}
}

// entry makes the entry of n and reports whether it is a directory.
func (r *Reader) entry(n node, first map[uint32]string) (format.Entry, bool) {
	e := format.Entry{Path: n.path}
	note := func(kind artifact.ProblemKind, off int64, text string) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: artifact.Range{Off: off}, Detail: text})
	}
	in, err := r.inode(n.ino)
	if err == nil && in.mode == 0 {
		err = format.Errorf(artifact.Damaged, in.off, "ext: %q: inode %d is free", n.path, n.ino)
	}
	if err != nil {
		e.Open = func() (io.Reader, error) { return nil, err }
		return e, false
	}
	e.Mode, e.UID, e.GID, e.ModTime, e.Size = format.UnixMode(in.mode), in.uid, in.gid, in.mtime, in.size
	var fault error
	if e.Xattrs, fault = r.xattrs(in); fault != nil {
		note(artifact.Damaged, in.off, fault.Error())
	}
	switch {
	case e.Mode.IsDir():
		e.Size = 0
		return e, true
	case e.Mode&fs.ModeSymlink != 0:
		if e.Link, err = r.link(in); err != nil {
			note(kindOf(err), in.off, fmt.Sprintf("ext: link %q: %v", n.path, err))
		}
		if in.flags&flagEncrypted != 0 {
			note(artifact.Encrypted, in.off, fmt.Sprintf("ext: link %q is encrypted", n.path))
		}
		e.Size = int64(len(e.Link))
	case e.Mode&fs.ModeDevice != 0:
		d := in.device()
		e.Dev, e.Size = &d, 0
	case e.Mode.IsRegular():
		if path, ok := first[n.ino]; ok {
			e.HardLink, e.Size = path, 0
			return e, false
		}
		first[n.ino] = n.path
		if in.flags&flagEncrypted != 0 {
			note(artifact.Encrypted, in.off, fmt.Sprintf("ext: file %q is encrypted", n.path))
		}
		if in.flags&flagCompressed != 0 && r.incompat&incompatCompression != 0 {
			note(artifact.Unsupported, in.off, fmt.Sprintf("ext: file %q is compressed with e2compr", n.path))
		}
		if w, ok := r.window(in); ok {
			e.Window = &w
			break
		}
		e.Open = func() (io.Reader, error) { return r.open(in) }
	}
	return e, false
}

func kindOf(err error) artifact.ProblemKind {
	var e *format.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return artifact.Damaged
}

// Describe tells what the superblock says.
func (r *Reader) Describe() []artifact.Attr {
	version, at := "ext2", artifact.Range{Off: superOff + 92, Len: 12}
	switch {
	case r.incompat&(incompatExtents|incompat64Bit|incompatInline|incompatFlexBG) != 0:
		version = "ext4"
	case r.compat&compatJournal != 0:
		version = "ext3"
	}
	attrs := []artifact.Attr{
		{Name: "version", Value: version, At: at},
		{Name: "uuid", Value: fmt.Sprintf("%x-%x-%x-%x-%x", r.uuid[:4], r.uuid[4:6], r.uuid[6:8], r.uuid[8:10], r.uuid[10:]), At: artifact.Range{Off: superOff + 104, Len: 16}},
	}
	if r.label != "" {
		attrs = append(attrs, artifact.Attr{Name: "label", Value: r.label, At: artifact.Range{Off: superOff + 120, Len: 16}})
	}
	if r.mounted != "" {
		attrs = append(attrs, artifact.Attr{Name: "last-mounted", Value: r.mounted, At: artifact.Range{Off: superOff + 136, Len: 64}})
	}
	if r.compat&compatJournal != 0 {
		state := "clean"
		if r.incompat&incompatRecover != 0 {
			state = fmt.Sprintf("%d transactions replayed", r.replayed)
		}
		attrs = append(attrs, artifact.Attr{Name: "journal", Value: state, At: at})
	}
	return attrs
}
