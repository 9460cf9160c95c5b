package ext

import (
	"encoding/binary"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Flags of inodes. Linux fs/ext4/ext4.h.
const (
	flagCompressed = 0x4
	flagEncrypted  = 0x800
	flagExtents    = 0x80000
	flagInline     = 0x10000000
)

type inode struct {
	off      int64 // of the inode
	mode     uint32
	uid, gid uint32
	size     int64
	mtime    int64
	sectors  uint64
	flags    uint32
	acl      uint64   // block of extended attributes
	data     [60]byte // block map, extents, inline data or target of a link
	extra    []byte   // behind the fields that are there: extended attributes
}

// inodeOffset returns where inode n is in its group's table, or 0 if it cannot be known.
func (r *Reader) inodeOffset(n uint32) int64 {
	off, _ := r.findInode(n)
	return off
}

func (r *Reader) findInode(n uint32) (int64, error) {
	if n == 0 || n > r.inodes {
		return 0, format.Errorf(artifact.Damaged, superOff, "ext: inode %d > %d", n, r.inodes)
	}
	g := uint64(n-1) / uint64(r.perGroup)
	at := r.descriptor(g)
	b, err := format.ReadAt(r.src, at, r.descSize, "ext: group descriptor")
	if err != nil {
		return 0, err
	}
	table := uint64(binary.LittleEndian.Uint32(b[8:]))
	if r.descSize >= 64 {
		table |= uint64(binary.LittleEndian.Uint32(b[0x28:])) << 32
	}
	if table == 0 || table >= r.blocks {
		return 0, format.Errorf(artifact.Damaged, at, "ext: group descriptor at %#x: inode table in block %d of %d", at, table, r.blocks)
	}
	return int64(table)*r.block + int64(uint64(n-1)%uint64(r.perGroup))*r.inodeSize, nil
}

// inode reads
//
//	0 mode (2), 2 uid (2), 4 size, 8 atime, 12 ctime, 16 mtime, 20 dtime, 24 gid (2), 26 links (2), 28 sectors, 32 flags,
//	40 map (60), 104 attributes' block, 108 size, upper half, 116 sectors, upper (2), 118 attributes' block, upper (2),
//	120 uid, upper (2), 122 gid, upper (2), 128 further bytes used (2), 136 mtime, further bits
func (r *Reader) inode(n uint32) (*inode, error) {
	off, err := r.findInode(n)
	if err != nil {
		return nil, err
	}
	b, err := format.ReadAt(r.src, off, r.inodeSize, "ext: inode")
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	u16 := func(off int) uint32 { return uint32(le.Uint16(b[off:])) }
	u32 := func(off int) uint32 { return le.Uint32(b[off:]) }
	in := &inode{
		off: off, mode: u16(0), uid: u16(2) | u16(120)<<16, gid: u16(24) | u16(122)<<16, size: int64(u32(4)), mtime: int64(int32(u32(16))),
		sectors: uint64(u32(28)) | uint64(u16(116))<<32, flags: u32(32), acl: uint64(u32(104)), data: [60]byte(b[40:100]),
	}
	if kind := in.mode & 0o170000; kind == 0o100000 || kind == 0o040000 {
		in.size |= int64(u32(108)) << 32
	}
	if in.size < 0 {
		return nil, format.Errorf(artifact.Damaged, off, "ext: inode %d at %#x: size %#x", n, off, uint64(in.size))
	}
	if r.incompat&incompat64Bit != 0 {
		in.acl |= uint64(u16(118)) << 32
	}
	if r.inodeSize > 128 {
		extra := int64(u16(128))
		if extra >= 12 { // bits 32 and 33 of the seconds
			in.mtime += int64(u32(136)&3) << 32
		}
		if end := 128 + extra; end < r.inodeSize {
			in.extra = b[end:]
		}
	}
	return in, nil
}

// device reads the number of a device: 8 bits each, or if that is 0 in the kernel's newer encoding.
func (in *inode) device() artifact.Device {
	le := binary.LittleEndian
	if d := le.Uint32(in.data[0:]); d != 0 {
		return artifact.Device{Major: d >> 8 & 0xff, Minor: d & 0xff}
	}
	d := le.Uint32(in.data[4:])
	return artifact.Device{Major: d >> 8 & 0xfff, Minor: d&0xff | d>>12&0xfff00}
}

// maxLink is PATH_MAX; a link has a block at most.
const maxLink = 1 << 16

// link returns the target of a symbolic link, which is in the inode if it has no block of its own.
func (r *Reader) link(in *inode) (string, error) {
	attributes := uint64(0)
	if in.acl != 0 {
		attributes = uint64(r.block / 512)
	}
	if in.size < int64(len(in.data)) && in.flags&(flagExtents|flagInline) == 0 && in.sectors <= attributes {
		return string(in.data[:in.size]), nil
	}
	if in.size > maxLink {
		return "", format.Errorf(artifact.Damaged, in.off, "target of %d bytes", in.size)
	}
	f, err := r.open(in)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(f)
	return cstring(b), err
}
