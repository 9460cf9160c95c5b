package erofs

import (
	"bytes"
	"encoding/binary"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	typeMask = 0o170000
	typeDir  = 0o040000
	typeLink = 0o120000
	typeFile = 0o100000
)

// How an inode's data is laid out.
const (
	layoutPlain   = 0
	layoutFull    = 1 // compressed, with an index of 8 bytes for each cluster
	layoutInline  = 2 // the last block stands behind the inode
	layoutCompact = 3 // compressed, with packed indexes
	layoutChunks  = 4
)

// inBox is the bit of an inode's number that says that it is in the metabox.
const inBox = 1 << 63

type inode struct {
	nid      uint64
	off      int64 // of the inode, in the metabox or in the file system
	box      bool
	head     int64 // bytes of the inode, without its attributes
	xattr    int64 // bytes of attributes behind it
	layout   int
	mode     uint32
	uid, gid uint32
	size     int64
	mtime    int64
	start    uint64 // first block; device; chunk format
	hole     bool   // plain layout without blocks
}

// end returns the offset behind the inode and its attributes.
func (in *inode) end() int64 { return in.off + in.head + in.xattr }

// inode reads
//
//	0 version (1 bit), layout (3 bits), one link (bit 4), 2 attributes (2), 4 mode (2), 6 links or upper block (2), and then
//	compact: 8 size, 12 mtime from the epoch, 16 block, 20 number, 24 uid (2), 26 gid (2)
//	extended: 8 size (8), 16 block, 20 number, 24 uid, 28 gid, 32 mtime (8), 40 its nanoseconds, 44 links
func (r *Reader) inode(nid uint64) (*inode, error) {
	in := &inode{nid: nid, box: nid&inBox != 0}
	slot := nid &^ inBox
	if slot > 1<<57 {
		return nil, fault(superOff, "inode %d", nid)
	}
	in.off = int64(slot) * 32
	if !in.box {
		in.off += r.meta
	}
	b, err := r.metadata(in.box, in.off, 32, "inode")
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	flags := le.Uint16(b)
	in.head, in.layout, in.mode = 32, int(flags>>1&7), uint32(le.Uint16(b[4:]))
	if n := int64(le.Uint16(b[2:])); n > 0 {
		in.xattr = 12 + 4*(n-1)
	}
	upper := uint64(le.Uint16(b[6:])) << 32
	missing := uint64(1)<<48 - 1
	if flags&1 == 0 {
		in.size, in.mtime = int64(le.Uint32(b[8:])), r.epoch+int64(le.Uint32(b[12:]))
		in.uid, in.gid = uint32(le.Uint16(b[24:])), uint32(le.Uint16(b[26:]))
		if flags&0x10 == 0 || in.mode&typeMask == typeDir { // the field counts links
			upper, missing = 0, 1<<32-1
		}
	} else {
		in.head = 64
		if b, err = r.metadata(in.box, in.off, 64, "inode"); err != nil {
			return nil, err
		}
		in.size, in.mtime = int64(le.Uint64(b[8:])), int64(le.Uint64(b[32:]))
		in.uid, in.gid = le.Uint32(b[24:]), le.Uint32(b[28:])
	}
	in.start = uint64(le.Uint32(b[16:]))
	switch in.mode & typeMask {
	case typeDir, typeFile, typeLink:
		if in.layout < layoutChunks {
			in.start |= upper
		}
		in.hole = in.layout == layoutPlain && in.start&missing == missing
	case 0o020000, 0o060000, 0o010000, 0o140000:
	default:
		return nil, fault(in.off, "inode at %#x: mode %#o", in.off, in.mode)
	}
	if flags&^0x1f != 0 || in.layout > layoutChunks || in.size < 0 {
		return nil, fault(in.off, "inode at %#x: format %#x, %d bytes", in.off, flags, in.size)
	}
	return in, nil
}

// metadata returns n bytes at off of the file system, or of the metabox.
func (r *Reader) metadata(box bool, off, n int64, what string) ([]byte, error) {
	if !box {
		return format.ReadAt(r.src, off, n, "erofs: "+what)
	}
	if r.metaboxNID == 0 {
		return nil, fault(superOff, "%s at %#x of the metabox: there is none", what, off)
	}
	return r.readRandom(&r.metabox, r.metaboxNID, off, n)
}

// device is in the kernel's encoding of 12 and 20 bits.
func (in *inode) device() artifact.Device {
	d := uint32(in.start)
	return artifact.Device{Major: d >> 8 & 0xfff, Minor: d&0xff | d>>12&0xfff00}
}

type dirent struct {
	name string
	nid  uint64
}

// directory returns the entries of a directory but for itself and its parent. Each block is an array of
//
//	0 inode (8), 8 offset of the name in the block (2), 10 type (1)
//
// and then the names: the first name's offset tells the length of the array.
func (r *Reader) directory(in *inode) (list []dirent, err error) {
	le := binary.LittleEndian
	f := r.open(in)
	buf := make([]byte, r.block)
	for off := int64(0); off < in.size; off += r.block {
		b := buf[:min(r.block, in.size-off)]
		if r.budget -= int64(len(b)); r.budget < 0 {
			return list, format.Errorf(artifact.Limit, in.off, "erofs: directories share their blocks")
		}
		if _, err := io.ReadFull(f, b); err != nil {
			return list, format.Errorf(kindOf(err), in.off, "erofs: directory of inode at %#x: %v", in.off, err)
		}
		n := 0
		if len(b) >= 12 {
			n = int(le.Uint16(b[8:])) / 12
		}
		if n == 0 || 12*n > len(b) {
			err = fault(in.off, "directory of inode at %#x: block at %#x: %d entries", in.off, off, n)
			continue
		}
		for i := range n {
			d := b[12*i:]
			from, to := int(le.Uint16(d[8:])), len(b)
			if i+1 < n {
				to = int(le.Uint16(d[20:]))
			}
			if from < 12*n || to < from || to > len(b) {
				err = fault(in.off, "directory of inode at %#x: block at %#x: name from %d to %d", in.off, off, from, to)
				break
			}
			name, _, _ := bytes.Cut(b[from:to], []byte{0})
			if s := string(name); s != "" && s != "." && s != ".." {
				list = append(list, dirent{s, le.Uint64(d)})
			}
		}
	}
	return list, err
}
