package ubifs

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const maxPath = 4096 // PATH_MAX

// walk yields the entries below the root, each directory before what it holds.
func (r *Reader) walk(yield func(format.Entry, error) bool) {
	type level struct {
		path string
		rest []dent
	}
	var missing []dent
	entered := map[uint32]bool{rootIno: true}
	first := map[uint32]format.Entry{} // of an inode with several names
	stack := []level{{"", r.children[rootIno]}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.rest) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		d, path := top.rest[0], top.path
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
		off := r.offset(d.at)
		var err error
		switch {
		case !ok:
			missing = append(missing, d)
			continue
		case len(path) > maxPath:
			err = format.Errorf(artifact.Limit, off, "ubifs: directory entry at %#x: path of %d bytes > %d", off, len(path), maxPath)
		case e.Mode.IsDir() && entered[d.ino]:
			err = format.Errorf(artifact.Damaged, off, "ubifs: directory entry at %#x: second name %q of directory %d", off, path, d.ino)
		case e.Mode.IsDir():
			entered[d.ino] = true
			stack = append(stack, level{path, r.children[d.ino]})
		case !linked:
			first[d.ino] = e
		default:
			if e.Mode.IsRegular() {
				e.HardLink, e.Open = e.Path, nil
			}
			e.Path = path
		}
		if err != nil {
			e = format.Entry{}
		}
		if !yield(e, err) {
			return
		}
	}
	if len(missing) > 0 {
		d := missing[0]
		yield(format.Entry{}, format.Errorf(artifact.Damaged, r.offset(d.at), "ubifs: names without an inode: %d, first %q at %#x, inode %d", len(missing), d.name, r.offset(d.at), d.ino))
	}
}

// entry describes the inode that d names. It is not ok if there is none. A directory whose
// inode node was lost is shown if it holds anything.
func (r *Reader) entry(d dent, path string) (e format.Entry, ok bool) {
	i, ok := r.inodes[d.ino]
	problem := func(kind artifact.ProblemKind, at place, text string) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: artifact.Range{Off: r.offset(at)}, Detail: text})
	}
	if !ok {
		if r.children[d.ino] == nil {
			return e, false
		}
		e = format.Entry{Path: path, Mode: fs.ModeDir}
		problem(artifact.Damaged, d.at, fmt.Sprintf("ubifs: directory %d has no inode node", d.ino))
		return e, true
	}
	e = format.Entry{Path: path, Mode: i.mode, UID: i.uid, GID: i.gid, ModTime: i.modTime}
	for _, x := range r.xattrs[i.ino] {
		if value, ok := r.inodes[x.ino]; ok {
			e.Xattrs = append(e.Xattrs, artifact.Xattr{Name: x.name, Value: r.inline(value)})
		}
	}
	encrypted := i.flags&inodeCrypt != 0 && r.super.flags&flagCrypt != 0
	if encrypted {
		problem(artifact.Encrypted, i.at, fmt.Sprintf("ubifs: inode %d is encrypted", i.ino))
	}
	switch {
	case i.mode.IsRegular():
		e.Size = i.size
		e.Open = func() (io.Reader, error) {
			if encrypted {
				return nil, format.Errorf(artifact.Encrypted, r.offset(i.at), "ubifs: inode %d is encrypted", i.ino)
			}
			return &file{r: r, ino: i.ino, size: i.size, blocks: r.blocks[i.ino]}, nil
		}
	case i.mode&fs.ModeSymlink != 0 && !encrypted:
		if e.Link = string(r.inline(i)); e.Link == "" {
			problem(artifact.Damaged, i.at, fmt.Sprintf("ubifs: inode %d: no target of a symbolic link", i.ino))
		}
	case i.mode&fs.ModeDevice != 0:
		// Linux's encoding of device numbers, in 4 or 8 bytes.
		if b := r.inline(i); len(b) >= 4 {
			v := binary.LittleEndian.Uint32(b)
			e.Dev = &artifact.Device{Major: v >> 8 & 0xfff, Minor: v&0xff | v>>12&0xfff00}
		} else {
			problem(artifact.Damaged, i.at, fmt.Sprintf("ubifs: inode %d: no device number", i.ino))
		}
	}
	return e, true
}

// inline returns the data in an inode node.
func (r *Reader) inline(i inode) []byte {
	n, ok := r.node(i.at)
	if !ok || int(i.inline) > len(n.b)-inodeSize {
		return nil
	}
	return n.b[inodeSize:][:i.inline]
}
