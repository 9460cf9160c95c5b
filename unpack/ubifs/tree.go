package ubifs

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const maxPath = 4096 // PATH_MAX

// walk yields the entries below the root, each directory before what it holds, then those of
// directories without a name.
func (r *Reader) walk(yield func(format.Entry, error) bool) {
	type level struct {
		path   string
		rest   []dent
		orphan bool
	}
	var missing []dent
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
			e.Problems = append(e.Problems, problem(r.offset(d.at), "ubifs: directory %d has lost its name", d.ino)...)
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
			stack = append(stack, level{path, r.children[d.ino], false})
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

// orphans names the directories that hold something and that no name leads to: one that was
// deleted is empty, so their names were lost.
func (r *Reader) orphans() []dent {
	named := map[uint32]bool{rootIno: true}
	for _, ds := range r.children {
		for _, d := range ds {
			named[d.ino] = true
		}
	}
	var out []dent
	for _, ino := range slices.Sorted(maps.Keys(r.children)) {
		if !named[ino] {
			out = append(out, dent{at: r.children[ino][0].at, ino: ino, name: fmt.Sprintf("#%d", ino)})
		}
	}
	return out
}

// entry describes the inode that d names. It is not ok if there is none. A directory whose
// inode node was lost is shown if it holds anything.
func (r *Reader) entry(d dent, path string) (e format.Entry, ok bool) {
	i, ok := r.inodes[d.ino]
	if !ok {
		if r.children[d.ino] == nil {
			return e, false
		}
		e = format.Entry{Path: path, Mode: fs.ModeDir}
		e.Problems = append(e.Problems, problem(r.offset(d.at), "ubifs: directory %d has no inode node", d.ino)...)
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
		e.Problems = problem(r.offset(i.at), "ubifs: inode %d is encrypted", i.ino)
		e.Problems[0].Kind = artifact.Encrypted
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
			e.Problems = append(e.Problems, problem(r.offset(i.at), "ubifs: inode %d: no target of a symbolic link", i.ino)...)
		}
	case i.mode&fs.ModeDevice != 0:
		// Linux's encoding of device numbers, in 4 or 8 bytes.
		if b := r.inline(i); len(b) >= 4 {
			v := binary.LittleEndian.Uint32(b)
			e.Dev = &artifact.Device{Major: v >> 8 & 0xfff, Minor: v&0xff | v>>12&0xfff00}
		} else {
			e.Problems = append(e.Problems, problem(r.offset(i.at), "ubifs: inode %d: no device number", i.ino)...)
		}
	}
	return e, true
}

func problem(off int64, text string, args ...any) []artifact.Problem {
	return []artifact.Problem{{Kind: artifact.Damaged, At: artifact.Range{Off: off}, Detail: fmt.Sprintf(text, args...)}}
}

// inline returns the data in an inode node.
func (r *Reader) inline(i inode) []byte {
	n, ok := r.node(i.at)
	if !ok || int(i.inline) > len(n.b)-inodeSize {
		return nil
	}
	return n.b[inodeSize:][:i.inline]
}
