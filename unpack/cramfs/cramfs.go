// Package cramfs reads the compressed ROM filesystem of Linux.
//
// The format is described by the kernel's Documentation/filesystems/cramfs.rst and fs/cramfs/README,
// https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/fs/cramfs/README.
//
// Read are both byte orders, versions 1 and 2, holes, boot code in front of the superblock
// (mkfs.cramfs -p), an image between superblock and root (-i), extended block pointers (Linux 4.15),
// and block sizes of 4 to 64 KiB. Blocks are of zlib or, as vendors patched it, of xz or LZMA.
package cramfs

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is cramfs to the unpacker.
var Format = format.Format{
	Name:  "cramfs",
	Title: "cramfs",
	Kind:  format.Filesystem,
	Magics: []format.Magic{
		{Bytes: "\x45\x3d\xcd\x28"}, {Bytes: "\x28\xcd\x3d\x45"},
		{Bytes: "\x45\x3d\xcd\x28", Off: bootSize}, {Bytes: "\x28\xcd\x3d\x45", Off: bootSize},
	},
	Refs: []format.Ref{
		{Title: "Cramfs: cram a filesystem onto a small ROM", URL: "https://docs.kernel.org/filesystems/cramfs.html"},
		{Title: "Notes on filesystem layout", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/fs/cramfs/README"},
	},
	Limits: []string{
		"Blocks compressed by anything but zlib, xz and LZMA are not decoded.",
		"Version 1 does not store its size; it ends with the last block of 4 KiB that a file uses.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return NewReader(src, src.Size()) },
}

const (
	magic     = 0x28cd3d45
	signature = "Compressed ROMFS"
	bootSize  = 512 // room for boot code before the superblock
	superSize = 76
	inodeSize = 12
	pageSize  = 4096
)

// Flags of the superblock.
const (
	flagVersion2    = 0x1
	flagSignature   = 0x200 // signature is not to be looked at
	flagShiftedRoot = 0x400 // root does not follow the superblock
	flagExtPointers = 0x800
	flagsKnown      = 0xff | 0x100 | flagSignature | flagShiftedRoot | flagExtPointers
)

// super is the superblock:
//
//	0 magic u32, 4 size u32, 8 flags u32, 12 future u32, 16 signature [16], 32 CRC u32,
//	36 edition u32, 40 blocks u32, 44 files u32, 48 name [16], 64 root inode
type super struct {
	size, flags, crc, edition, files uint32
	name                             string
	root                             inode
}

// A Reader is an opened filesystem. It is safe for concurrent use.
type Reader struct {
	src   io.ReaderAt
	have  int64 // bytes that src has
	limit int64 // bytes of them that may be the filesystem's
	order binary.ByteOrder
	super super
	at    int64 // of the superblock
	block int64
	size  int64
}

// NewReader opens the filesystem that begins at offset 0 of src, with or without boot code in
// front. The error wraps format.ErrFormat if there is none.
func NewReader(src io.ReaderAt, size int64) (*Reader, error) {
	for _, at := range []int64{0, bootSize} {
		r := &Reader{src: src, limit: size, at: at, block: pageSize}
		if r.readSuper() {
			if unknown := r.super.flags &^ flagsKnown; unknown != 0 {
				return nil, format.Errorf(artifact.Unsupported, at+8, "cramfs: superblock: unknown flags %#x", unknown)
			}
			r.have = size
			if r.stored() {
				r.limit = min(size, int64(r.super.size))
			}
			r.block = r.blockSize()
			r.size = r.end()
			return r, nil
		}
	}
	return nil, format.Not("cramfs: no superblock with a root directory")
}

// readSuper reports whether there is a superblock at r.at with a root directory that fits it.
func (r *Reader) readSuper() bool {
	b := r.bytes(r.at, superSize)
	switch {
	case b == nil:
		return false
	case binary.LittleEndian.Uint32(b) == magic:
		r.order = binary.LittleEndian
	case binary.BigEndian.Uint32(b) == magic:
		r.order = binary.BigEndian
	default:
		return false
	}
	u32 := func(off int) uint32 { return r.order.Uint32(b[off:]) }
	name, _, _ := strings.Cut(string(b[48:64]), "\x00")
	r.super = super{u32(4), u32(8), u32(32), u32(36), u32(44), name, parseInode(b[64:], r.order)}
	s := &r.super
	if s.flags&flagSignature == 0 && string(b[16:32]) != signature || !s.root.mode.IsDir() {
		return false
	}
	// Offsets count from the boot code, so the place of the root tells whether there is any.
	if s.root.off == 0 || s.root.size == 0 {
		return s.root.off == 0 && s.root.size == 0 && r.at == 0
	}
	if s.flags&flagShiftedRoot == 0 && s.root.off != r.at+superSize || s.root.off < r.at+superSize {
		return false
	}
	if r.stored() && s.root.off+s.root.size > int64(s.size) {
		return false
	}
	d := directory{r: r, pos: s.root.off, end: s.root.off + s.root.size}
	_, err := d.next()
	return err == nil
}

// stored reports whether the superblock tells the size.
func (r *Reader) stored() bool {
	return r.super.flags&flagVersion2 != 0 && int64(r.super.size) >= r.at+superSize
}

// end returns the size of the filesystem. Version 1 does not store it.
func (r *Reader) end() int64 {
	if r.stored() {
		return r.limit
	}
	used := max(r.at+superSize, r.super.root.off+r.super.root.size)
	r.walk(func(e format.Entry, n inode, err error) bool {
		if err == nil {
			used = max(used, r.dataEnd(n))
		}
		return true
	})
	used = (used + pageSize - 1) &^ (pageSize - 1)
	return min(used, r.limit)
}

// Size returns the size that the superblock tells, or less if the data ends before.
func (r *Reader) Size() int64 { return r.size }

// Describe tells what the superblock says.
func (r *Reader) Describe() []artifact.Attr {
	endian := "little"
	if r.order == binary.BigEndian {
		endian = "big"
	}
	version := "1"
	if r.super.flags&flagVersion2 != 0 {
		version = "2"
	}
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: r.at + off, Len: n} }
	out := []artifact.Attr{
		{Name: "endian", Value: endian, At: at(0, 4)},
		{Name: "version", Value: version, At: at(8, 4)},
	}
	if version == "2" {
		out = append(out, artifact.Attr{Name: "edition", Value: strconv.FormatUint(uint64(r.super.edition), 10), At: at(36, 4)})
	}
	if r.super.name != "" {
		out = append(out, artifact.Attr{Name: "name", Value: r.super.name, At: at(48, 16)})
	}
	return out
}

// Entries yields every name but the root's, each directory before what it holds.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if err := r.check(); err != nil && !yield(format.Entry{}, err) {
			return
		}
		r.walk(func(e format.Entry, _ inode, err error) bool { return yield(e, err) })
	}
}

// check verifies the checksum of version 2 over all but the boot code, the CRC field taken as zero.
func (r *Reader) check() error {
	size := int64(r.super.size)
	if r.super.flags&flagVersion2 == 0 {
		return nil
	}
	if size > r.have {
		return format.Errorf(artifact.Truncated, r.have, "cramfs: superblock tells %d bytes, %d left", size, r.have)
	}
	sum := crc32.NewIEEE()
	crcAt := r.at + 32
	for _, part := range [][2]int64{{r.at, crcAt}, {crcAt + 4, r.size}} {
		if part[0] > r.at {
			sum.Write(make([]byte, 4))
		}
		if _, err := io.Copy(sum, io.NewSectionReader(format.Summed(r.src), part[0], part[1]-part[0])); err != nil {
			return format.Errorf(artifact.Damaged, 0, "cramfs: %v", err)
		}
	}
	if got := sum.Sum32(); got != r.super.crc {
		return &format.Error{Kind: artifact.Checksum, At: artifact.Range{Off: crcAt, Len: 4},
			Text: fmt.Sprintf("cramfs: CRC at %#x: got %#08x, want %#08x", crcAt, got, r.super.crc)}
	}
	return nil
}

// bytes returns n bytes at off, or nil.
func (r *Reader) bytes(off, n int64) []byte {
	if off < 0 || n < 0 || off > r.limit || n > r.limit-off {
		return nil
	}
	b := make([]byte, n)
	if got, err := r.src.ReadAt(b, off); int64(got) < n || err != nil && err != io.EOF {
		return nil
	}
	return b
}
