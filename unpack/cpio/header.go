package cpio

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"hallmark/unpack/format"
)

const (
	magicNew = "070701"
	magicCRC = "070702"
	magicODC = "070707"
	magicLE  = "\xc7\x71" // 070707 in octal, as a number of two bytes
	magicBE  = "\x71\xc7"
)

// maxName is more than any writer's PATH_MAX; archives of the hostile sort claim 4 GiB.
const maxName = 1 << 16

type header struct {
	magic          string
	pos            int64 // of the header
	data           int64 // first byte of content
	next           int64 // of the next header
	size           int64
	ino            uint32
	major, minor   uint32
	mode           uint32
	uid, gid       uint32
	links          uint32
	mtime          int64
	rmajor, rminor uint32
	sum            uint32
	name           string
}

func (h *header) binary() bool { return len(h.magic) == 2 }

// checksum returns the stored sum of the content's bytes.
func (h *header) checksum() (uint32, bool) { return h.sum, h.magic == magicCRC }

// readHeader reads the header at pos of any variant.
func readHeader(src format.Source, pos int64) (*header, error) {
	var b [110]byte
	n, _ := src.ReadAt(b[:], pos)
	magic := string(b[:min(n, 6)])
	switch {
	case magic == magicNew || magic == magicCRC:
		return readNew(src, pos, b[:n])
	case magic == magicODC:
		return readODC(src, pos, b[:n])
	case strings.HasPrefix(magic, magicLE):
		return readBinary(src, pos, b[:n], binary.LittleEndian, magicLE)
	case strings.HasPrefix(magic, magicBE):
		return readBinary(src, pos, b[:n], binary.BigEndian, magicBE)
	case n < 6:
		return nil, fmt.Errorf("header at %#x: %w", pos, io.ErrUnexpectedEOF)
	}
	return nil, fmt.Errorf("header at %#x: magic %q", pos, magic)
}

// readNew reads 13 numbers of 8 hexadecimal digits behind the magic:
//
//	ino, mode, uid, gid, links, mtime, size, device major, minor, special file major, minor, length of name, sum
//
// Name and content are each filled up to a multiple of 4, counted from the header.
func readNew(src format.Source, pos int64, b []byte) (*header, error) {
	const size = 110
	if len(b) < size {
		return nil, fmt.Errorf("header at %#x: %w", pos, io.ErrUnexpectedEOF)
	}
	var f [13]uint32
	for i := range f {
		v, err := strconv.ParseUint(string(b[6+8*i:14+8*i]), 16, 32)
		if err != nil {
			return nil, fmt.Errorf("header at %#x: field %d is %q", pos, i, b[6+8*i:14+8*i])
		}
		f[i] = uint32(v)
	}
	h := &header{magic: string(b[:6]), pos: pos, ino: f[0], mode: f[1], uid: f[2], gid: f[3], links: f[4], mtime: int64(f[5]), size: int64(f[6]),
		major: f[7], minor: f[8], rmajor: f[9], rminor: f[10], sum: f[12]}
	return h, h.finish(src, size, int64(f[11]), 4)
}

// readODC reads octal numbers without separators behind the magic:
//
//	dev (6), ino (6), mode (6), uid (6), gid (6), links (6), special file (6), mtime (11), length of name (6), size (11)
//
// Nothing is filled up.
func readODC(src format.Source, pos int64, b []byte) (*header, error) {
	const size = 76
	if len(b) < size {
		return nil, fmt.Errorf("header at %#x: %w", pos, io.ErrUnexpectedEOF)
	}
	var f [10]int64
	at := 6
	for i, n := range [...]int{6, 6, 6, 6, 6, 6, 6, 11, 6, 11} {
		v, err := strconv.ParseUint(string(b[at:at+n]), 8, 63)
		if err != nil {
			return nil, fmt.Errorf("header at %#x: field %d is %q", pos, i, b[at:at+n])
		}
		f[i], at = int64(v), at+n
	}
	h := &header{magic: magicODC, pos: pos, minor: uint32(f[0]), ino: uint32(f[1]), mode: uint32(f[2]), uid: uint32(f[3]), gid: uint32(f[4]),
		links: uint32(f[5]), rmajor: uint32(f[6]) >> 8, rminor: uint32(f[6]) & 0xff, mtime: f[7], size: f[9]}
	return h, h.finish(src, size, f[8], 1)
}

// readBinary reads numbers of two bytes, of which mtime and size have two each, the upper first:
//
//	0 magic, 2 dev, 4 ino, 6 mode, 8 uid, 10 gid, 12 links, 14 special file, 16 mtime, 20 length of name, 22 size
//
// Name and content are each filled up to a multiple of 2.
func readBinary(src format.Source, pos int64, b []byte, bo binary.ByteOrder, magic string) (*header, error) {
	const size = 26
	if len(b) < size {
		return nil, fmt.Errorf("header at %#x: %w", pos, io.ErrUnexpectedEOF)
	}
	u := func(off int) uint32 { return uint32(bo.Uint16(b[off:])) }
	h := &header{magic: magic, pos: pos, minor: u(2), ino: u(4), mode: u(6), uid: u(8), gid: u(10), links: u(12),
		rmajor: u(14) >> 8, rminor: u(14) & 0xff, mtime: int64(u(16))<<16 | int64(u(18)), size: int64(u(22))<<16 | int64(u(24))}
	return h, h.finish(src, size, int64(u(20)), 2)
}

// finish reads the name behind a header of size bytes and finds the content and the next header.
func (h *header) finish(src format.Source, size, name, align int64) error {
	if name > maxName {
		return fmt.Errorf("header at %#x: name of %d bytes > %d", h.pos, name, maxName)
	}
	b, err := format.ReadAt(src, h.pos+size, name, "name")
	if err != nil {
		return fmt.Errorf("header at %#x: name of %d bytes: %w", h.pos, name, io.ErrUnexpectedEOF)
	}
	h.name = string(b)
	if i := strings.IndexByte(h.name, 0); i >= 0 {
		h.name = h.name[:i]
	} else if name > 0 {
		return fmt.Errorf("header at %#x: name %.40q does not end", h.pos, h.name)
	}
	up := func(n int64) int64 { return (n + align - 1) / align * align }
	h.data = h.pos + up(size+name)
	h.next = h.data + up(h.size)
	return nil
}

// likely reports whether a header in the old binary format is beyond doubt: its magic alone has but two
// bytes. All fields must make sense, and another header or the end must follow.
func (h *header) likely(src format.Source) bool {
	switch h.mode & 0o170000 {
	case 0o010000, 0o020000, 0o040000, 0o060000, 0o100000, 0o120000, 0o140000:
	default:
		return h.name == trailer && h.size == 0
	}
	if h.name == "" || h.links == 0 || h.next > src.Size() {
		return false
	}
	for _, c := range []byte(h.name) {
		if c < 0x20 || c == 0x7f {
			return false
		}
	}
	next, err := readHeader(src, h.next)
	return err == nil && next.magic == h.magic
}
