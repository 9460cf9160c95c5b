package jffs2

import (
	"encoding/binary"
	"hash/crc32"
	"io/fs"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Node types. The top two bits say what a driver that does not know the type has to do with it;
// bit 0x2000 is cleared on the flash when a node becomes obsolete, and counts as set in every checksum.
const (
	accurate = 0x2000

	typeDirent      = 0xe001
	typeInode       = 0xe002
	typeCleanmarker = 0x2003
	typePadding     = 0x2004
	typeSummary     = 0x2006
	typeXattr       = 0xe008
	typeXref        = 0xe009
)

const (
	magic    = 0x1985
	oldMagic = 0x1984 // before 2001

	headerSize = 12
	direntSize = 40
	inodeSize  = 68
	xattrSize  = 32
	xrefSize   = 28
)

// checksum is the CRC-32 of JFFS2: the polynomial of IEEE 802.3, begun at 0 and not inverted.
func checksum(b []byte) uint32 { return update(0, b) }

func update(sum uint32, b []byte) uint32 { return ^crc32.Update(^sum, crc32.IEEETable, b) }

// header begins each node:
//
//	0 magic u16, 2 type u16, 4 length u32 (with the header), 8 CRC of these 8 bytes
type header struct {
	typ    uint16 // with accurate set
	live   bool   // not marked obsolete
	length int64
}

func parseHeader(b []byte, order binary.ByteOrder, magic uint16) (h header, ok bool) {
	if order.Uint16(b) != magic {
		return h, false
	}
	typ := order.Uint16(b[2:])
	h = header{typ | accurate, typ&accurate != 0, int64(order.Uint32(b[4:]))}
	return h, sumAccurate(b[:8], order) == order.Uint32(b[8:]) && h.length >= headerSize
}

// sumAccurate returns the checksum of the first bytes of a node as it was before it became obsolete.
func sumAccurate(b []byte, order binary.ByteOrder) uint32 {
	var first [4]byte
	order.PutUint16(first[:], order.Uint16(b))
	order.PutUint16(first[2:], order.Uint16(b[2:])|accurate)
	return update(checksum(first[:]), b[4:])
}

// dirent gives the inode ino, or none if it is 0, a name in the directory pino:
//
//	12 pino, 16 version, 20 ino, 24 mctime, 28 name length u8, 29 type u8, 32 CRC of 0-31, 36 CRC of name, 40 name
type dirent struct {
	off                int64
	pino, version, ino uint32
	time               uint32 // when it was written
	name               string
}

func parseDirent(b []byte, order binary.ByteOrder) dirent {
	return dirent{pino: order.Uint32(b[12:]), version: order.Uint32(b[16:]), ino: order.Uint32(b[20:]), time: order.Uint32(b[24:])}
}

// inode is a run of a file's bytes together with the file's attributes at that version:
//
//	12 ino, 16 version, 20 mode, 24 uid u16, 26 gid u16, 28 isize, 32 atime, 36 mtime, 40 ctime,
//	44 offset, 48 csize, 52 dsize, 56 compr u8, 57 usercompr u8, 58 flags u16, 60 CRC of data, 64 CRC of 0-59, 68 data
type inode struct {
	off                 int64
	ino, version        uint32
	start, csize, dsize uint32
	compr               byte
}

func parseInode(b []byte, order binary.ByteOrder) inode {
	return inode{
		ino: order.Uint32(b[12:]), version: order.Uint32(b[16:]),
		start: order.Uint32(b[44:]), csize: order.Uint32(b[48:]), dsize: order.Uint32(b[52:]), compr: b[56],
	}
}

func (n *inode) end() int64  { return int64(n.start) + int64(n.dsize) }
func (n *inode) data() int64 { return n.off + inodeSize }

// attributes are what the newest node of an inode says of it.
type attributes struct {
	mode     fs.FileMode
	uid, gid uint32
	size     int64
	modTime  int64
}

func parseAttributes(b []byte, order binary.ByteOrder) attributes {
	return attributes{
		mode: format.UnixMode(order.Uint32(b[20:])),
		uid:  uint32(order.Uint16(b[24:])), gid: uint32(order.Uint16(b[26:])),
		size: int64(order.Uint32(b[28:])), modTime: int64(order.Uint32(b[36:])),
	}
}

// xattr is a named value:
//
//	12 xid, 16 version, 20 prefix u8, 21 name length u8, 22 value length u16, 24 CRC of name and value, 28 CRC of 0-27,
//	32 name, NUL, value
type xattr struct {
	off         int64
	id, version uint32
	artifact.Xattr
}

// deletedXattr is the version of a value that was deleted.
const deletedXattr = 0xffffffff

func xattrPrefix(b byte) string {
	switch b {
	case 1:
		return "user."
	case 2:
		return "security."
	case 3:
		return "system.posix_acl_access"
	case 4:
		return "system.posix_acl_default"
	case 5:
		return "trusted."
	}
	return ""
}

// xref gives an inode a value; an odd sequence number takes it away again:
//
//	12 ino, 16 xid, 20 seqno, 24 CRC of 0-23
type xref struct {
	off             int64
	ino, xid, seqno uint32
}

const formatMask = 0o170000
