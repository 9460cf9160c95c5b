package ext

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	superOff  = 1024
	superLen  = 1024
	rootInode = 2
)

// Features that change how the file system is read. Linux fs/ext4/ext4.h.
const (
	compatJournal      = 0x4
	compatSparseSuper2 = 0x200

	incompatCompression = 0x1
	incompatFiletype    = 0x2
	incompatRecover     = 0x4
	incompatJournalDev  = 0x8
	incompatMetaBG      = 0x10
	incompatExtents     = 0x40
	incompat64Bit       = 0x80
	incompatFlexBG      = 0x200
	incompatInline      = 0x8000

	roSparseSuper = 0x1
	roBigalloc    = 0x200
)

// super is what is needed of the superblock.
type super struct {
	inodes, perGroup uint32 // inodes, and how many a group has
	blocks           uint64
	block            int64  // size of a block
	firstBlock       uint64 // of group 0
	groupBlocks      uint64 // blocks of a group
	groups           uint64
	cluster          uint32 // blocks that a bit of a bitmap is for, as a power of two
	inodeSize        int64
	descSize         int64
	compat           uint32
	incompat, ro     uint32
	firstMetaBG      uint64
	backups          [2]uint32
	journal          uint32 // inode of it
	home             uint64 // group whose copies of superblock and descriptors are used
	uuid             [16]byte
	label, mounted   string
}

func (s *super) size() int64 { return int64(s.blocks) * s.block }

// copyOffs is where group 1 begins if blocks are of 1, 2 and 4 KiB and a bitmap fills a block.
var copyOffs = [...]int64{8193 << 10, 16384 * 2 << 10, 32768 * 4 << 10}

// readSuper reads the first superblock or, if there is none, the copy in group 1.
func readSuper(src format.Source) (super, error) {
	s, err := readSuperAt(src, superOff)
	if err == nil || src.Before > 0 || !errors.Is(err, format.ErrFormat) {
		return s, err
	}
	for i, off := range copyOffs {
		if c, cerr := readSuperAt(src, off); cerr == nil && c.block == 1<<10<<i && int64(c.firstBlock+c.groupBlocks)*c.block == off {
			return c, nil
		}
	}
	return s, err
}

// readSuperAt reads
//
//	0 inodes, 4 blocks, 20 first block, 24 block size, 28 cluster size, 32 blocks a group, 40 inodes a group, 56 magic,
//	76 revision, 88 size of an inode (2), 90 group (2), 92 compatible, 96 incompatible, 100 read-only features,
//	104 UUID (16), 120 label (16), 136 last mounted on (64), 224 inode of the journal, 254 size of a descriptor (2), 260 first meta group,
//	336 blocks, upper half, 588 groups with backups (8)
func readSuperAt(src format.Source, off int64) (super, error) {
	b := make([]byte, superLen)
	if n, _ := src.ReadAt(b, off); n < superLen {
		return super{}, format.Not("ext: %d bytes of superblock", n)
	}
	le := binary.LittleEndian
	u32 := func(off int) uint32 { return le.Uint32(b[off:]) }
	if le.Uint16(b[56:]) != 0xef53 {
		return super{}, format.Not("ext: magic %#x", b[56:58])
	}
	logBlock, logCluster := u32(24), u32(28)
	if logBlock > 6 { // 64 KiB
		return super{}, format.Not("ext: blocks of 1024 << %d bytes", logBlock)
	}
	s := super{
		inodes: u32(0), perGroup: u32(40), blocks: uint64(u32(4)), block: 1024 << logBlock, firstBlock: uint64(u32(20)), groupBlocks: uint64(u32(32)),
		inodeSize: 128, descSize: 32, firstMetaBG: uint64(u32(260)), backups: [2]uint32{u32(588), u32(592)},
		uuid: [16]byte(b[104:120]), label: cstring(b[120:136]), mounted: cstring(b[136:200]), journal: u32(224),
	}
	if s.home = uint64(le.Uint16(b[90:])); s.home > 1 || s.home == 1 && off == superOff || s.home == 0 && off != superOff {
		return s, format.Not("ext: superblock is the copy of group %d", s.home)
	}
	if revision := u32(76); revision > 0 {
		s.inodeSize = int64(le.Uint16(b[88:]))
		s.compat, s.incompat, s.ro = u32(92), u32(96), u32(100)
	}
	if s.incompat&incompat64Bit != 0 {
		s.blocks |= uint64(u32(336)) << 32
		s.descSize = int64(le.Uint16(b[254:]))
	}
	if s.ro&roBigalloc != 0 && logCluster >= logBlock && logCluster <= 20 {
		s.cluster = logCluster - logBlock
	}
	switch {
	case s.inodeSize < 128 || s.inodeSize > s.block || bits.OnesCount64(uint64(s.inodeSize)) != 1:
		return s, format.Not("ext: inodes of %d bytes", s.inodeSize)
	case s.descSize < 32 || s.descSize > 1024 || bits.OnesCount64(uint64(s.descSize)) != 1:
		return s, format.Not("ext: group descriptors of %d bytes", s.descSize)
	case s.firstBlock > 1 || s.firstBlock == 1 && s.block != 1024 || s.blocks <= s.firstBlock+1 || s.blocks > 1<<62/uint64(s.block):
		return s, format.Not("ext: blocks %d to %d", s.firstBlock, s.blocks)
	case s.groupBlocks == 0 || s.groupBlocks > uint64(8*s.block)<<s.cluster || s.perGroup == 0 || int64(s.perGroup) > 8*s.block:
		return s, format.Not("ext: groups of %d blocks and %d inodes", s.groupBlocks, s.perGroup)
	}
	s.groups = (s.blocks - s.firstBlock + s.groupBlocks - 1) / s.groupBlocks
	if uint64(s.inodes) != s.groups*uint64(s.perGroup) {
		return s, format.Not("ext: %d inodes, want %d groups of %d", s.inodes, s.groups, s.perGroup)
	}
	if s.incompat&incompatJournalDev != 0 {
		return s, format.Errorf(artifact.Unsupported, superOff, "ext: journal of another file system at 0x0")
	}
	return s, nil
}

func cstring(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// descriptor returns the offset of the descriptor of group g. They follow the superblock, but with meta
// block groups from some group on each run of groups whose descriptors fill a block has its own.
func (s *super) descriptor(g uint64) int64 {
	perBlock := uint64(s.block / s.descSize)
	block := s.firstBlock + s.home*s.groupBlocks + 1 + g/perBlock
	if meta := g / perBlock; s.incompat&incompatMetaBG != 0 && meta >= s.firstMetaBG {
		first := meta * perBlock
		block = s.firstBlock + first*s.groupBlocks
		if s.hasSuper(first) {
			block++
		}
	}
	return int64(block)*s.block + int64(g%perBlock)*s.descSize
}

// hasSuper reports whether group g begins with a copy of the superblock.
func (s *super) hasSuper(g uint64) bool {
	switch {
	case g == 0:
		return true
	case s.compat&compatSparseSuper2 != 0:
		return g == uint64(s.backups[0]) || g == uint64(s.backups[1])
	case s.ro&roSparseSuper == 0 || g == 1:
		return true
	}
	for _, base := range [...]uint64{3, 5, 7} {
		p := base
		for p < g {
			p *= base
		}
		if p == g {
			return true
		}
	}
	return false
}
