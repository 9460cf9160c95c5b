package yaffs

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Types of objects.
const (
	typeFile      = 1
	typeSymlink   = 2
	typeDirectory = 3
	typeHardLink  = 4
	typeSpecial   = 5
)

const headerSize = 512

type header struct {
	typ, parent    uint32
	name           string
	mode, uid, gid uint32
	mtime          int64
	size           int64
	equivalent     uint32
	alias          string
	device         uint32
	shadows        int32 // number of the object that this one replaces
	shrink         bool  // the file was cut to its size
	serial         byte  // of its page, in version 1
}

// parseHeader reads
//
//	0 type, 4 parent, 8 (2), 10 name (256), 268 mode, 272 uid, 276 gid, 280 atime, 284 mtime, 288 ctime, 292 size,
//	296 object of a hard link, 300 target of a symbolic link (160), 460 device, 496 upper half of size, 504 object replaced, 508 shrunk
func parseHeader(b []byte, order binary.ByteOrder) (h header, ok bool) {
	if len(b) < headerSize-16 {
		return h, false
	}
	u32 := func(off int) uint32 { return order.Uint32(b[off:]) }
	h.typ, h.parent = u32(0), u32(4)
	name, rest, ended := bytes.Cut(b[10:266], []byte{0})
	if h.typ == 0 || h.typ > typeSpecial || h.parent >= 1<<28 || !ended {
		return h, false
	}
	h.name = string(name)
	if h.parent == 0 && (h.typ != typeDirectory || h.name != "") { // of the root
		return h, false
	}
	if strings.ContainsAny(h.name, "/\x01\x02\x03\x04\x05") && !(h.name == "/" && h.parent == objectRoot) || strings.IndexByte(h.name, 0xff) >= 0 || h.name == "." || h.name == ".." {
		return h, false
	}
	// Behind the name there are zeros, or bytes never written.
	if len(bytes.Trim(rest, "\x00\xff")) > 0 {
		return h, false
	}
	if h.typ != typeHardLink {
		h.mode, h.uid, h.gid, h.mtime = u32(268), u32(272), u32(276), int64(u32(284))
	}
	switch h.typ {
	case typeFile:
		h.size = int64(u32(292))
		if h.size == 1<<32-1 {
			h.size = 0
		}
		if high := u32(496); len(b) >= 500 && high < 1<<16 {
			h.size |= int64(high) << 32
		}
	case typeHardLink:
		h.equivalent = u32(296)
	case typeSymlink:
		alias, _, _ := bytes.Cut(b[300:460], []byte{0})
		h.alias = string(alias)
	case typeSpecial:
		h.device = u32(460)
	}
	if len(b) >= headerSize {
		h.shadows, h.shrink = int32(u32(504)), u32(508) == 1
	}
	return h, true
}
