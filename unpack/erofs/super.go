package erofs

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"

	"hallmark/unpack/format"
)

const (
	superOff = 1024
	superLen = 144
)

// Features that change how the file system is read. Linux fs/erofs/erofs_fs.h.
const (
	compatChecksum      = 0x1
	compatSharedInBox   = 0x8
	compatPlainPrefixes = 0x10

	incompatZeroPadding = 0x1
	incompatConfigs     = 0x2
	incompat48Bit       = 0x80
	incompatMetabox     = 0x100
	incompatKnown       = 0x1ff
)

// super is what is needed of the superblock.
type super struct {
	block            int64 // size of a block
	blockBits        uint
	blocks           uint64
	checksum         uint32
	compat, incompat uint32
	rootNID          uint64
	epoch            int64
	meta             int64 // offset of inode 0
	xattr            int64 // offset of shared attributes
	prefixes         int   // number of long prefixes of attributes, and where they are
	prefixAt         int64
	packedNID        uint64
	metaboxNID       uint64
	uuid             [16]byte
	label            string
}

func (s *super) size() int64 { return int64(s.blocks) << s.blockBits }

// readSuper reads
//
//	0 magic, 4 checksum, 8 compatible features, 12 log2 of block size (1), 13 slots behind (1), 14 root (2) or upper blocks,
//	16 inodes (8), 24 epoch (8), 36 blocks, 40 block of inodes, 44 block of shared attributes, 48 UUID (16), 64 label (16),
//	80 incompatible features, 84 algorithms (2), 86 further devices (2), 88 slot of their table (2), 90 log2 of directory blocks (1),
//	91 prefixes (1), 92 start of prefixes, 96 packed inode (8), 108 build time, 112 root (8), 128 metabox inode (8)
func readSuper(src format.Source) (super, error) {
	b := make([]byte, superLen)
	if n, _ := src.ReadAt(b, superOff); n < superLen-16 {
		return super{}, format.Not("erofs: %d bytes of superblock", n)
	}
	le := binary.LittleEndian
	u32 := func(off int) uint32 { return le.Uint32(b[off:]) }
	bits := uint(b[12])
	if string(b[:4]) != "\xe2\xe1\xf5\xe0" || bits < 9 || bits > 16 {
		return super{}, format.Not("erofs: no magic, or blocks of 1 << %d bytes", bits)
	}
	s := super{
		block: 1 << bits, blockBits: bits, blocks: uint64(u32(36)), checksum: u32(4), compat: u32(8), incompat: u32(80),
		rootNID: uint64(le.Uint16(b[14:])), epoch: int64(le.Uint64(b[24:])), meta: int64(u32(40)) << bits, xattr: int64(u32(44)) << bits,
		prefixes: int(b[91]), prefixAt: int64(u32(92)) * 4, packedNID: le.Uint64(b[96:]), uuid: [16]byte(b[48:64]),
	}
	label, _, _ := bytes.Cut(b[64:80], []byte{0})
	s.label = string(label)
	if root := le.Uint64(b[112:]); s.incompat&incompat48Bit != 0 && root != 0 {
		s.blocks |= uint64(le.Uint16(b[14:])) << 32
		s.rootNID = root
	}
	if s.incompat&incompatMetabox != 0 {
		s.metaboxNID = le.Uint64(b[128:])
	}
	if s.blocks == 0 || s.blocks >= 1<<(62-bits) || b[90] != 0 {
		return super{}, format.Not("erofs: %d blocks, directory blocks of 1 << %d", s.blocks, b[90])
	}
	return s, nil
}

// sum computes the checksum of the superblock: CRC-32C, not inverted at the end, of its block without
// what is before the superblock, the field itself taken as zero. It reports false if there is none.
func (s *super) sum(src io.ReaderAt) (uint32, bool) {
	if s.compat&compatChecksum == 0 {
		return 0, false
	}
	n := s.block
	if n > superOff {
		n -= superOff
	}
	b := make([]byte, n)
	if got, _ := src.ReadAt(b, superOff); int64(got) < n {
		return 0, false
	}
	clear(b[4:8])
	return ^crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)), true
}
