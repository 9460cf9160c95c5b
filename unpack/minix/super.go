package minix

import (
	"encoding/binary"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	superOff  = 1024
	superLen  = 32
	rootInode = 1

	// MINIX puts the maps of free inodes and zones behind block 1, also if a block is larger than
	// boot code and superblock together.
	firstMapBlock = 2

	maxZoneShift = 6 // of zones larger than a block; nobody is known to use more than 2
)

// variant is what the magic number decides. Linux include/uapi/linux/magic.h.
type variant struct {
	magic     uint16
	magicOff  int // in the superblock
	version   int
	name      int // longest name
	number    int // bytes of an inode number in a directory
	inodeSize int64
}

var variants = [...]variant{
	{magic: 0x137f, magicOff: 16, version: 1, name: 14, number: 2, inodeSize: 32},
	{magic: 0x138f, magicOff: 16, version: 1, name: 30, number: 2, inodeSize: 32},
	{magic: 0x2468, magicOff: 16, version: 2, name: 14, number: 2, inodeSize: 64},
	{magic: 0x2478, magicOff: 16, version: 2, name: 30, number: 2, inodeSize: 64},
	{magic: 0x4d5a, magicOff: 24, version: 3, name: 60, number: 4, inodeSize: 64},
}

// magics lists the magic numbers in both byte orders, each with the two bytes behind it: in versions
// 1 and 2 the state, which is 0 in MINIX and two flags in Linux, in version 3 padding.
func magics() []format.Magic {
	var out []format.Magic
	for _, v := range variants {
		states := uint16(4)
		if v.version == 3 {
			states = 1
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for state := range states {
				b := order.AppendUint16(order.AppendUint16(nil, v.magic), state)
				out = append(out, format.Magic{Bytes: string(b), Off: superOff + int64(v.magicOff)})
			}
		}
	}
	return out
}

// super is what is needed of the superblock.
type super struct {
	variant
	order  binary.ByteOrder
	inodes uint32
	zones  uint32 // of the whole file system
	first  uint32 // with content
	block  int64
	zone   int64 // size, a multiple of a block's
	table  int64 // where the inodes are
}

func (s *super) size() int64 { return int64(s.zones) * s.zone }

// readSuper reads
//
//	0 inodes (2), 2 zones (2), 4 blocks of the map of inodes (2), 6 of the map of zones (2), 8 first data zone (2),
//	10 blocks a zone as a power of two (2), 12 largest file, 16 magic (2), 18 state (2), 20 zones in version 2
//
// and in version 3
//
//	0 inodes, 6 blocks of the map of inodes (2), 8 of the map of zones (2), 10 first data zone (2),
//	12 blocks a zone as a power of two (2), 16 largest file, 20 zones, 24 magic (2), 28 size of a block (2)
func readSuper(src format.Source) (super, error) {
	var b [superLen]byte
	if n, _ := src.ReadAt(b[:], superOff); n < superLen {
		return super{}, format.Not("minix: %d bytes of superblock", n)
	}
	for _, v := range variants {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if order.Uint16(b[v.magicOff:]) != v.magic {
				continue
			}
			s := super{variant: v, order: order}
			if err := s.parse(b[:]); err != nil {
				return s, err
			}
			return s, nil
		}
	}
	return super{}, format.Not("minix: no magic")
}

// parse demands that the counts are those that mkfs computes from inodes and zones.
func (s *super) parse(b []byte) error {
	u16 := func(off int) uint32 { return uint32(s.order.Uint16(b[off:])) }
	u32 := func(off int) uint32 { return s.order.Uint32(b[off:]) }
	at := 4 // of the fields that the versions share
	s.inodes, s.zones, s.block = u16(0), u16(2), 1024
	switch s.version {
	case 2:
		s.zones = u32(20)
	case 3:
		at, s.inodes, s.zones, s.block = 6, u32(0), u32(20), int64(u16(28))
	}
	inodeMap, zoneMap, shift := int64(u16(at)), int64(u16(at+2)), u16(at+6)
	s.first = u16(at + 4)
	switch {
	case s.block == 0 || s.block%1024 != 0:
		return format.Not("minix: blocks of %d bytes", s.block)
	case shift > maxZoneShift:
		return format.Not("minix: zones of 1 << %d blocks", shift)
	}
	s.zone = s.block << shift
	table := firstMapBlock + inodeMap + zoneMap
	first := ceil(s.block*(table+ceil(int64(s.inodes)*s.inodeSize, s.block)), s.zone)
	if s.version == 3 && s.first == 0 && first < 1<<32 { // does not fit the field
		s.first = uint32(first)
	}
	bits := 8 * s.block
	needed, most := ceil(int64(s.zones)-first+1, bits), ceil(int64(s.zones)+1, bits) // mkfs of MINIX counts those before the first, too
	switch {
	case s.inodes == 0 || inodeMap != ceil(int64(s.inodes)+1, bits):
		return format.Not("minix: %d inodes in a map of %d blocks", s.inodes, inodeMap)
	case int64(s.first) != first || s.zones <= s.first:
		return format.Not("minix: zones from %d to %d, want from %d", s.first, s.zones, first)
	case zoneMap < needed || zoneMap > most:
		return format.Not("minix: %d zones in a map of %d blocks", s.zones, zoneMap)
	}
	s.table = s.block * table
	return nil
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

// checkRoot refuses what has no directory at its root that begins with itself and itself as its parent.
func (r *Reader) checkRoot() error {
	in, err := r.inode(rootInode)
	if err != nil {
		return format.Not("%v", err)
	}
	entry := int64(r.number + r.name)
	if in.mode&0o170000 != 0o040000 || in.size < 2*entry || in.size%entry != 0 {
		return format.Not("minix: root has mode %#o and %d bytes", in.mode, in.size)
	}
	x, err := r.walk(in, 1).next()
	if err != nil || x.at == 0 {
		return format.Not("minix: root has no block")
	}
	b, err := format.ReadAt(r.src, int64(x.at)*r.zone, 2*entry, "minix: root")
	if err != nil {
		return format.Not("%v", err)
	}
	for i, want := range []string{".", ".."} {
		if n, name := r.dirent(b[int64(i)*entry:]); n != rootInode || name != want {
			return format.Not("minix: root begins with %q", name)
		}
	}
	return nil
}

// Describe tells what the superblock says.
func (r *Reader) Describe() []artifact.Attr {
	endian := "little"
	if r.order == binary.BigEndian {
		endian = "big"
	}
	at := artifact.Range{Off: superOff + int64(r.magicOff), Len: 2}
	return []artifact.Attr{
		{Name: "version", Value: string(rune('0' + r.version)), At: at},
		{Name: "endian", Value: endian, At: at},
	}
}
