package minix

import (
	"bytes"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

type inode struct {
	off      int64 // of the inode
	mode     uint32
	uid, gid uint32
	size     int64
	mtime    int64
	zones    []uint32 // a device's number is the first
}

// inode reads, in version 1
//
//	0 mode (2), 2 uid (2), 4 size, 8 mtime, 12 gid (1), 13 links (1), 14 nine zones (2 each)
//
// and in the others
//
//	0 mode (2), 2 links (2), 4 uid (2), 6 gid (2), 8 size, 12 atime, 16 mtime, 20 ctime, 24 ten zones (4 each)
func (r *Reader) inode(n uint32) (*inode, error) {
	if n == 0 || n > r.inodes {
		return nil, format.Errorf(artifact.Damaged, superOff, "minix: inode %d > %d", n, r.inodes)
	}
	off := r.table + int64(n-1)*r.inodeSize
	b, err := format.ReadAt(r.src, off, r.inodeSize, "minix: inode")
	if err != nil {
		return nil, err
	}
	u16 := func(off int) uint32 { return uint32(r.order.Uint16(b[off:])) }
	in := &inode{off: off, mode: u16(0)}
	var zones []byte
	if r.version == 1 {
		in.uid, in.gid, zones = u16(2), uint32(b[12]), b[14:]
		in.size, in.mtime = int64(r.order.Uint32(b[4:])), int64(r.order.Uint32(b[8:]))
	} else {
		in.uid, in.gid, zones = u16(4), u16(6), b[24:]
		in.size, in.mtime = int64(r.order.Uint32(b[8:])), int64(r.order.Uint32(b[16:]))
	}
	for ; len(zones) > 0; zones = zones[r.zoneWidth():] {
		in.zones = append(in.zones, r.zoneNumber(zones))
	}
	return in, nil
}

// zoneWidth is the number of bytes of the number of a zone.
func (r *Reader) zoneWidth() int {
	if r.version == 1 {
		return 2
	}
	return 4
}

func (r *Reader) zoneNumber(b []byte) uint32 {
	if r.version == 1 {
		return uint32(r.order.Uint16(b))
	}
	return r.order.Uint32(b)
}

// maxLink is what Linux lets a link have: a block.
const maxLink = 1 << 16

// link returns the target of a symbolic link.
func (r *Reader) link(in *inode) (string, error) {
	if in.size > maxLink {
		return "", format.Errorf(artifact.Damaged, in.off, "target of %d bytes", in.size)
	}
	b, err := io.ReadAll(r.open(in))
	return cstring(b), err
}

type dirent struct {
	name string
	ino  uint32
}

// dirent reads an entry: inode (2, in version 3 4), and its name, filled up with zeros.
func (r *Reader) dirent(b []byte) (uint32, string) {
	if r.number == 2 {
		return uint32(r.order.Uint16(b)), cstring(b[2 : 2+r.name])
	}
	return r.order.Uint32(b), cstring(b[4 : 4+r.name])
}

// directory returns the entries of directory n but for itself and its parent. What is damaged is
// passed over.
func (r *Reader) directory(n uint32) (list []dirent, errs []error) {
	in, err := r.inode(n)
	if err == nil && in.mode&0o170000 != 0o040000 {
		err = format.Errorf(artifact.Damaged, in.off, "minix: inode %d at %#x is no directory", n, in.off)
	}
	if err != nil {
		return nil, []error{err}
	}
	// A zone belongs to one directory: reading more than there are means that they share.
	w := r.walk(in, r.dirs)
	defer func() { r.dirs = max(0, w.left) }()
	for pos := int64(0); pos < in.size; {
		x, err := w.next()
		if err != nil {
			return list, append(errs, err)
		}
		if x.at == 0 {
			pos += x.count * r.zone
			continue
		}
		for range x.count {
			used := min(in.size-pos, r.zone)
			pos += r.zone
			b, err := format.ReadAt(r.src, int64(x.at)*r.zone, used, "minix: directory")
			if err != nil {
				return list, append(errs, err)
			}
			list = r.dirents(list, b)
			x.at++
		}
	}
	return list, errs
}

// dirents reads entries. One without an inode was deleted.
func (r *Reader) dirents(list []dirent, b []byte) []dirent {
	for size := r.number + r.name; len(b) >= size; b = b[size:] {
		if n, name := r.dirent(b); n != 0 && name != "" && name != "." && name != ".." {
			list = append(list, dirent{name, n})
		}
	}
	return list
}

func cstring(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
