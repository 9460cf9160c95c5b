package squashfs

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// A field is where a number stands in an on-disk structure: position and width, both in bits,
// because before 4.0 structures are C bit fields. Bits count from the low end of a byte in
// little endian and from the high end in big endian. A field of width 0 is not in this version.
type field struct{ bit, width uint16 }

// of returns the field's value in structure b, 0 if b does not hold it.
func (f field) of(b []byte, big bool) uint64 {
	first, shift := int(f.bit/8), uint(f.bit%8)
	last := (int(f.bit) + int(f.width) + 7) / 8
	if f.width == 0 || last > len(b) {
		return 0
	}
	var v uint64
	if big {
		for _, c := range b[first:last] {
			v = v<<8 | uint64(c)
		}
		shift = uint(8*(last-first)) - shift - uint(f.width)
	} else {
		for i := last - 1; i >= first; i-- {
			v = v<<8 | uint64(b[i])
		}
	}
	return v >> shift & (1<<f.width - 1)
}

// at is the range of the field's bytes.
func (f field) at() artifact.Range {
	return artifact.Range{Off: int64(f.bit / 8), Len: int64(f.bit+f.width+7)/8 - int64(f.bit/8)}
}

// superLayout is one version's superblock.
type superLayout struct {
	size                                                          int64
	inodes, mkfsTime, blockSize, blockLog, fragments, flags, root field
	bytesUsed, inodeTable, dirTable, fragTable                    field
	compressor, ids, idTable, xattrTable                          field // 4.0
	uids, gids, uidTable, gidTable                                field // before 4.0
	exports                                                       field // from 3.1 on
}

const superSize1 = 51 // of version 1, the smallest

// The version stands at the same place in every version; superLayouts is indexed by it.
var (
	majorField = field{224, 16}
	minorField = field{240, 16}

	superLayouts = [5]superLayout{
		1: {
			size: superSize1, inodes: field{32, 32}, bytesUsed: field{64, 32}, uidTable: field{96, 32}, gidTable: field{128, 32},
			inodeTable: field{160, 32}, dirTable: field{192, 32}, blockSize: field{256, 16}, blockLog: field{272, 16},
			flags: field{288, 8}, uids: field{296, 8}, gids: field{304, 8}, mkfsTime: field{312, 32}, root: field{344, 64},
		},
		2: {
			size: 63, inodes: field{32, 32}, bytesUsed: field{64, 32}, uidTable: field{96, 32}, gidTable: field{128, 32},
			inodeTable: field{160, 32}, dirTable: field{192, 32}, blockLog: field{272, 16},
			flags: field{288, 8}, uids: field{296, 8}, gids: field{304, 8}, mkfsTime: field{312, 32}, root: field{344, 64},
			blockSize: field{408, 32}, fragments: field{440, 32}, fragTable: field{472, 32},
		},
		3: {
			size: 119, inodes: field{32, 32}, blockLog: field{272, 16},
			flags: field{288, 8}, uids: field{296, 8}, gids: field{304, 8}, mkfsTime: field{312, 32}, root: field{344, 64},
			blockSize: field{408, 32}, fragments: field{440, 32}, bytesUsed: field{504, 64}, uidTable: field{568, 64},
			gidTable: field{632, 64}, inodeTable: field{696, 64}, dirTable: field{760, 64}, fragTable: field{824, 64},
			exports: field{888, 64},
		},
		4: {
			size: 96, inodes: field{32, 32}, mkfsTime: field{64, 32}, blockSize: field{96, 32}, fragments: field{128, 32},
			compressor: field{160, 16}, blockLog: field{176, 16}, flags: field{192, 16}, ids: field{208, 16},
			root: field{256, 64}, bytesUsed: field{320, 64}, idTable: field{384, 64}, xattrTable: field{448, 64},
			inodeTable: field{512, 64}, dirTable: field{576, 64}, fragTable: field{640, 64}, exports: field{704, 64},
		},
	}
)

// Flags of the superblock, by bit. Bits 0 to 7 are the same in all versions.
const (
	flagCheck   = 1 << 2 // before 4.0: a byte between length and data of each metadata block
	flagOptions = 1 << 10
)

var flagNames = []string{
	"uncompressed-inodes", "uncompressed-data", "check-data", "uncompressed-fragments", "no-fragments", "always-fragments",
	"deduplicated", "exportable", "uncompressed-xattrs", "no-xattrs", "compressor-options", "uncompressed-ids",
}

// noTable is the offset of a table that the image does not have.
const noTable = -1

// superblock is what the rest of the package wants to know of one.
type superblock struct {
	raw          []byte
	layout       *superLayout
	big          bool
	major, minor int
	doubt        *format.Error // something that it says cannot be

	blockSize                                             int64
	inodes, fragments, compressor, flags, ids, uids, gids uint32
	mkfsTime                                              int64
	root                                                  uint64
	bytesUsed                                             int64
	inodeTable, dirTable, fragTable                       int64
	idTable, uidTable, gidTable, xattrTable, exports      int64
}

// order is the byte order as encoding/binary has it.
func (s *superblock) order() binary.ByteOrder {
	if s.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (s *superblock) get(f field) uint64 { return f.of(s.raw, s.big) }

// readSuper accepts a superblock whose magic, version and block size are good, in either byte
// order: vendors' magics do not always tell it.
func readSuper(src format.Source) (superblock, error) {
	b := make([]byte, superLayouts[3].size)
	n, _ := src.ReadAt(b, 0)
	b = b[:n]
	if n < superSize1 {
		return superblock{}, format.Not("squashfs: superblock of %d bytes", n)
	}
	if !knownMagic(string(b[:4])) {
		return superblock{}, format.Not("squashfs: magic %q", b[:4])
	}
	for _, big := range []bool{false, true} {
		s := superblock{raw: b, big: big, major: int(majorField.of(b, big)), minor: int(minorField.of(b, big))}
		if s.major < 1 || s.major > 4 || s.minor > 0xff {
			continue
		}
		s.layout = &superLayouts[s.major]
		if int64(n) < s.layout.size {
			return s, format.Not("squashfs: version %d superblock of %d bytes", s.major, n)
		}
		s.raw = b[:s.layout.size]
		return s, s.parse()
	}
	return superblock{}, format.Not("squashfs: version %x", b[28:32])
}

func knownMagic(magic string) bool {
	for _, m := range magics {
		if m.Bytes == magic {
			return true
		}
	}
	return false
}

func (s *superblock) parse() error {
	l := s.layout
	if err := s.parseBlockSize(); err != nil {
		return err
	}
	s.bytesUsed = s.offset(l.bytesUsed)
	if s.bytesUsed < l.size {
		return format.Not("squashfs: %d bytes used", s.bytesUsed)
	}
	s.inodes, s.fragments = uint32(s.get(l.inodes)), uint32(s.get(l.fragments))
	s.compressor, s.flags = uint32(s.get(l.compressor)), uint32(s.get(l.flags))
	s.ids, s.uids, s.gids = uint32(s.get(l.ids)), uint32(s.get(l.uids)), uint32(s.get(l.gids))
	s.mkfsTime, s.root = int64(s.get(l.mkfsTime)), s.get(l.root)
	s.inodeTable, s.dirTable, s.fragTable = s.offset(l.inodeTable), s.offset(l.dirTable), s.offset(l.fragTable)
	s.idTable, s.uidTable, s.gidTable, s.xattrTable = s.offset(l.idTable), s.offset(l.uidTable), s.offset(l.gidTable), s.offset(l.xattrTable)
	s.exports = s.offset(l.exports)
	if s.major < 4 {
		s.compressor = compGzip
	}
	if s.doubt != nil && (s.inodeTable < l.size || s.inodeTable >= s.dirTable || s.dirTable >= s.bytesUsed) {
		// Two things wrong are one too many: the magic stands in programs that know it, such as busybox.
		return format.Not("%s, and inode table at %#x, directory table at %#x of %d bytes", s.doubt.Text, s.inodeTable, s.dirTable, s.bytesUsed)
	}
	return nil
}

// parseBlockSize takes a block size that its logarithm confirms. In 4.0, magic and version are
// enough to believe one that is not confirmed; the logarithm comes second, because one wrong bit
// makes another good logarithm of it, but no power of two of a block size.
func (s *superblock) parseBlockSize() error {
	const smallest, largest = 12, 20 // 4 KiB and 1 MiB, in every version
	size, log := s.get(s.layout.blockSize), s.get(s.layout.blockLog)
	goodLog := log >= smallest && log <= largest
	goodSize := bits.OnesCount64(size) == 1 && size >= 1<<smallest && size <= 1<<largest
	if goodSize && goodLog && size == 1<<log {
		s.blockSize = int64(size)
		return nil
	}
	if s.major < 4 || s.minor != 0 || !goodSize && !goodLog {
		return format.Not("squashfs: block size %d, its logarithm %d", size, log)
	}
	if s.blockSize = int64(size); !goodSize {
		s.blockSize = 1 << log
	}
	at := s.layout.blockSize.at()
	s.doubt = &format.Error{Kind: artifact.Damaged, At: at, Text: fmt.Sprintf("squashfs: superblock at %#x: block size %d, its logarithm %d", at.Off, size, log)}
	return nil
}

// offset returns a table's place; all ones means that there is none, as does a field that the
// version does not have.
func (s *superblock) offset(f field) int64 {
	v := s.get(f)
	if f.width == 0 || v > 1<<62 {
		return noTable
	}
	return int64(v)
}

// Describe says what the superblock says.
func (r *Reader) Describe() []artifact.Attr {
	s, l := &r.super, r.super.layout
	var attrs []artifact.Attr
	add := func(name string, f field, text string, args ...any) {
		if f.width != 0 {
			attrs = append(attrs, artifact.Attr{Name: name, Value: fmt.Sprintf(text, args...), At: f.at()})
		}
	}
	add("magic", field{0, 32}, "%s", s.raw[:4])
	add("version", field{majorField.bit, 32}, "%d.%d", s.major, s.minor)
	add("endianness", majorField, "%s", map[bool]string{false: "little", true: "big"}[s.big])
	if s.major == 4 {
		add("compressor", l.compressor, "%s", r.compressorName())
	} else {
		add("compressor", majorField, "%s", r.compressorName())
	}
	add("block_size", l.blockSize, "%d", s.blockSize)
	add("inodes", l.inodes, "%d", s.inodes)
	add("fragments", l.fragments, "%d", s.fragments)
	add("created", l.mkfsTime, "%d", s.mkfsTime)
	add("flags", l.flags, "%s", flagText(s.flags))
	add("bytes_used", l.bytesUsed, "%d", s.bytesUsed)
	if root, err := r.inode(s.root); err == nil && root.kind == kindDir {
		add("root", l.root, "%s %d:%d", root.mode, root.uid, root.gid)
	}
	if a, ok := r.options(); ok {
		attrs = append(attrs, a)
	}
	return attrs
}

func flagText(flags uint32) string {
	var names []string
	for i, name := range flagNames {
		if flags>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// compressorName names what the blocks are compressed with, and what the superblock claims if that differs.
func (r *Reader) compressorName() string {
	claim := fmt.Sprintf("id %d", r.super.compressor)
	if c := r.super.compressor; c >= 1 && int(c) < len(compressorNames) {
		claim = compressorNames[c]
	}
	name := r.codec.name()
	if r.super.major < 4 || name == claim {
		return name
	}
	return fmt.Sprintf("%s (superblock says %s)", name, claim)
}

// options reads the compressor's options, a metadata block behind the superblock.
func (r *Reader) options() (artifact.Attr, bool) {
	s := &r.super
	if s.major < 4 || s.flags&flagOptions == 0 {
		return artifact.Attr{}, false
	}
	c := r.cursorAt(s.layout.size, 0)
	get := func(n int) uint32 {
		b, err := c.take(n)
		if err != nil {
			return 0
		}
		return uint32(field{0, uint16(8 * n)}.of(b, s.big))
	}
	var text string
	switch s.compressor {
	case compGzip:
		text = fmt.Sprintf("level %d, window %d", get(4), get(2))
	case compXZ:
		text = fmt.Sprintf("dictionary %d, filters %s", get(4), filterText(get(4)))
	case compLZ4:
		text = fmt.Sprintf("version %d, flags %d", get(4), get(4))
	case compLZO:
		text = fmt.Sprintf("algorithm %d, level %d", get(4), get(4))
	case compZstd:
		text = fmt.Sprintf("level %d", get(4))
	default:
		return artifact.Attr{}, false
	}
	m, err := r.metaBlock(s.layout.size)
	if err != nil {
		return artifact.Attr{}, false
	}
	return artifact.Attr{Name: "compressor_options", Value: text, At: artifact.Range{Off: s.layout.size, Len: m.next - s.layout.size}}, true
}

func filterText(filters uint32) string {
	var names []string
	for i, name := range []string{"x86", "powerpc", "ia64", "arm", "armthumb", "sparc", "arm64", "riscv"} {
		if filters>>i&1 != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "+")
}
