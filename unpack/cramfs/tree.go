package cramfs

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	maxPath = 4096 // PATH_MAX
	maxLink = 64 << 10
)

// inode has three words, each divided into bit fields from the low end in a little-endian image
// and from the high end in a big-endian one: mode 16, uid 16; size 24, gid 8; name length 6,
// offset 26. Name length and offset count words of 4 bytes.
type inode struct {
	mode     fs.FileMode
	uid, gid uint32
	size     int64
	nameLen  int64
	off      int64
}

func parseInode(b []byte, order binary.ByteOrder) inode {
	w0, w1, w2 := order.Uint32(b), order.Uint32(b[4:]), order.Uint32(b[8:])
	if order == binary.BigEndian {
		return inode{format.UnixMode(w0 >> 16), w0 & 0xffff, w1 & 0xff, int64(w1 >> 8), int64(w2>>26) * 4, int64(w2&0x3ffffff) * 4}
	}
	return inode{format.UnixMode(w0 & 0xffff), w0 >> 16, w1 >> 24, int64(w1 & 0xffffff), int64(w2&0x3f) * 4, int64(w2>>6) * 4}
}

// directory reads the entries of a directory: inodes, each with its name behind.
type directory struct {
	r        *Reader
	path     string
	pos, end int64
}

type entry struct {
	at   int64
	name string
	inode
}

// next returns the next entry, or io.EOF behind the last.
func (d *directory) next() (entry, error) {
	at := d.pos
	if at >= d.end {
		return entry{}, io.EOF
	}
	b := d.r.bytes(at, inodeSize)
	if b == nil || d.end-at < inodeSize {
		return entry{}, format.Errorf(artifact.Damaged, at, "cramfs: directory entry at %#x: ends outside of the data", at)
	}
	e := entry{at: at, inode: parseInode(b, d.r.order)}
	name := d.r.bytes(at+inodeSize, e.nameLen)
	if name == nil || e.nameLen > d.end-at-inodeSize {
		return entry{}, format.Errorf(artifact.Damaged, at, "cramfs: directory entry at %#x: name of %d bytes ends outside of the directory", at, e.nameLen)
	}
	e.name = strings.TrimRight(string(name), "\x00")
	if e.name == "" || strings.Contains(e.name, "\x00") || e.mode&fs.ModeIrregular != 0 {
		return entry{}, format.Errorf(artifact.Damaged, at, "cramfs: directory entry at %#x: no name or no file type", at)
	}
	d.pos = at + inodeSize + e.nameLen
	return e, nil
}

// walk visits the inodes below the root, each directory before what it holds.
func (r *Reader) walk(visit func(e format.Entry, n inode, err error) bool) {
	entered := map[int64]bool{}
	left := r.limit // no two directories share bytes, so they have no more than this in all
	stack := []directory{{r: r, pos: r.super.root.off, end: r.super.root.off + r.super.root.size}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		n, err := top.next()
		if err != nil {
			if err != io.EOF && !visit(format.Entry{}, inode{}, err) {
				return
			}
			stack = stack[:len(stack)-1]
			continue
		}
		path := n.name
		if top.path != "" {
			path = top.path + "/" + n.name
		}
		if len(path) > maxPath {
			err = format.Errorf(artifact.Limit, n.at, "cramfs: directory entry at %#x: path of %d bytes > %d", n.at, len(path), maxPath)
		} else if n.mode.IsDir() && n.size > 0 && (entered[n.off] || n.off == r.super.root.off) {
			err = format.Errorf(artifact.Damaged, n.at, "cramfs: directory entry at %#x: %q is a second name of the directory at %#x", n.at, path, n.off)
		}
		if err != nil {
			if !visit(format.Entry{}, inode{}, err) {
				return
			}
			continue
		}
		if n.mode.IsDir() && n.size > 0 {
			if left -= n.size; left < 0 {
				visit(format.Entry{}, inode{}, format.Errorf(artifact.Damaged, n.at, "cramfs: directory entry at %#x: directories overlap", n.at))
				return
			}
			entered[n.off] = true
			stack = append(stack, directory{r, path, n.off, n.off + n.size})
		}
		if !visit(r.entry(n, path), n.inode, nil) {
			return
		}
	}
}

func (r *Reader) entry(n entry, path string) format.Entry {
	e := format.Entry{Path: path, Mode: n.mode, UID: n.uid, GID: n.gid}
	switch {
	case n.mode.IsRegular():
		e.Size = n.size
		e.Open = func() (io.Reader, error) { return &file{r: r, inode: n.inode}, nil }
	case n.mode&fs.ModeSymlink != 0:
		b, err := io.ReadAll(io.LimitReader(&file{r: r, inode: n.inode}, maxLink))
		e.Link = string(b)
		if err != nil {
			e.Problems = []artifact.Problem{{Kind: artifact.Damaged, At: artifact.Range{Off: n.at}, Detail: fmt.Sprintf("target of link: %v", err)}}
		}
	case n.mode&fs.ModeDevice != 0:
		e.Dev = &artifact.Device{Major: uint32(n.size>>8) & 0xff, Minor: uint32(n.size) & 0xff}
	}
	return e
}
