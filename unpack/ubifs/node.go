package ubifs

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"io/fs"

	"hallmark/unpack/format"
)

// Node types.
const (
	typeInode  = 0
	typeData   = 1
	typeDent   = 2
	typeXent   = 3
	typeTrunc  = 4
	typePad    = 5
	typeSuper  = 6
	typeMaster = 7
	typeRef    = 8
	typeIndex  = 9
	typeCommit = 10
)

const (
	nodeMagic  = 0x06101831
	headerSize = 24
	inodeSize  = 160
	dentSize   = 56
	dataSize   = 48
	truncSize  = 56
	indexSize  = 28
	branchSize = 20
	masterSize = 512
	refSize    = 36
)

// node begins with a common header:
//
//	0 magic, 4 CRC of the rest, 8 sequence number u64, 16 length, 20 type u8, 21 group type u8
type node struct {
	b   []byte // all of it
	typ byte
	seq uint64
}

// parseNode reads the node at the start of b.
func parseNode(b []byte) (n node, ok bool) {
	le := binary.LittleEndian
	if len(b) < headerSize || le.Uint32(b) != nodeMagic {
		return n, false
	}
	size := le.Uint32(b[16:])
	if size < headerSize || uint64(size) > uint64(len(b)) {
		return n, false
	}
	b = b[:size]
	// CRC-32 of IEEE 802.3, not inverted at the end.
	return node{b, b[20], le.Uint64(b[8:])}, ^crc32.ChecksumIEEE(b[8:]) == le.Uint32(b[4:])
}

// place is where a node stands.
type place struct{ lnum, off, size uint32 }

// key is what the index is ordered by: inode number, then key type in the upper 3 bits and
// block number or hash of the name in the lower 29.
type key struct{ ino, rest uint32 }

const (
	keyTypeShift = 29
	keyRestMask  = 1<<keyTypeShift - 1
)

func parseKey(b []byte) key {
	return key{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

func (k key) typ() byte { return byte(k.rest >> keyTypeShift) }

func compareKeys(a, b key) int { return cmp.Or(cmp.Compare(a.ino, b.ino), cmp.Compare(a.rest, b.rest)) }

// inode node:
//
//	24 key, 48 size u64, 72 mtime u64, 92 links, 96 uid, 100 gid, 104 mode, 108 flags, 112 length of the data,
//	160 data: target of a symbolic link, number of a device, value of an extended attribute
type inode struct {
	ino      uint32
	seq      uint64
	at       place
	size     int64
	modTime  int64
	links    uint32
	uid, gid uint32
	mode     fs.FileMode
	flags    uint32
	inline   uint32
}

func parseInode(n node, at place) (i inode, ok bool) {
	if n.typ != typeInode || len(n.b) < inodeSize {
		return i, false
	}
	le := binary.LittleEndian
	u32 := func(off int) uint32 { return le.Uint32(n.b[off:]) }
	i = inode{
		ino: u32(24), seq: n.seq, at: at, size: int64(le.Uint64(n.b[48:])), modTime: int64(le.Uint64(n.b[72:])),
		links: u32(92), uid: u32(96), gid: u32(100), mode: format.UnixMode(u32(104)), flags: u32(108), inline: u32(112),
	}
	return i, i.size >= 0 && i.inline <= uint32(len(n.b)-inodeSize)
}

// dent is a directory entry node, or one of an extended attribute:
//
//	24 key, 40 inode u64, 49 type u8, 50 length of the name u16, 56 name, NUL
type dent struct {
	key  key
	seq  uint64
	at   place
	ino  uint32 // 0: the name was removed
	name string
}

func parseDent(n node, at place) (d dent, ok bool) {
	if n.typ != typeDent && n.typ != typeXent || len(n.b) < dentSize {
		return d, false
	}
	le := binary.LittleEndian
	size := int(le.Uint16(n.b[50:]))
	if size == 0 || size > len(n.b)-dentSize {
		return d, false
	}
	return dent{parseKey(n.b[24:]), n.seq, at, le.Uint32(n.b[40:]), string(n.b[dentSize:][:size])}, true
}

// block is a data node:
//
//	24 key, 40 size, 44 compression u16, 48 data
type block struct {
	ino, num uint32
	seq      uint64
	at       place
}

// cut removes the blocks of an inode from a number on.
type cut struct {
	seq  uint64
	from uint32
}
