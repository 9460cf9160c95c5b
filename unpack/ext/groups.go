package ext

import (
	"encoding/binary"
	"math/bits"

	"hallmark/unpack/format"
)

// What a file system keeps to manage itself holds no file, but nothing else may stand in its
// place. Here it is looked at without being noted, and read only if it is what it should be: the
// rest is then told to be unread.

// Inodes below this are the file system's own. Linux fs/ext4/ext4.h.
const (
	firstInode  = 11
	resizeInode = 7

	uninitInodes = 0x1
	uninitBlocks = 0x2
)

// accept reads n bytes at off, so that they count as read.
func (r *Reader) accept(off, n int64) { format.ReadAt(r.src, off, n, "") }

// manage accepts bitmaps, copies of superblock and descriptors, the file system's own inodes, and
// the blocks that are reserved for more descriptors.
func (r *Reader) manage() {
	peek := format.Summed(r.src)
	look := func(off, n int64) []byte {
		if off < 0 || off > r.src.Size()-n {
			return nil
		}
		b := make([]byte, n)
		if got, _ := peek.ReadAt(b, off); int64(got) < n {
			return nil
		}
		return b
	}
	first := look(superOff, superLen)
	room := r.src.Size() // for copies, which stand side by side
	for g := range min(r.groups, uint64(r.src.Size()/r.block)) {
		at := r.descriptor(g)
		d := look(at, r.descSize)
		if d == nil {
			break
		}
		r.accept(at, r.descSize)
		r.bitmap(look, number(d, 0x00, 0x20), count(d, 0x0c, 0x2c), r.blocksIn(g), d[0x12]&uninitBlocks != 0)
		r.bitmap(look, number(d, 0x04, 0x24), count(d, 0x0e, 0x2e), int64(r.perGroup), d[0x12]&uninitInodes != 0)
		if g > 0 && r.hasSuper(g) && first != nil {
			if room -= int64(r.groups) * r.descSize; room < 0 {
				break
			}
			r.copies(look, first, g)
		}
	}
	for n := uint32(1); n < firstInode && n <= r.inodes; n++ {
		r.inode(n)
	}
	if in, err := r.inode(resizeInode); err == nil {
		m := r.blockMap(in)
		for range r.blocks {
			if _, err := m.next(); err != nil {
				break
			}
		}
	}
}

// number returns a block number of a descriptor, whose upper half is there if the descriptor is long enough.
func number(d []byte, lo, hi int) uint64 {
	v := uint64(binary.LittleEndian.Uint32(d[lo:]))
	if len(d) >= 64 {
		v |= uint64(binary.LittleEndian.Uint32(d[hi:])) << 32
	}
	return v
}

func count(d []byte, lo, hi int) int64 {
	v := int64(binary.LittleEndian.Uint16(d[lo:]))
	if len(d) >= 64 {
		v |= int64(binary.LittleEndian.Uint16(d[hi:])) << 16
	}
	return v
}

// blocksIn returns how many bits the bitmap of group g has.
func (r *Reader) blocksIn(g uint64) int64 {
	n := min(r.groupBlocks, r.blocks-r.firstBlock-g*r.groupBlocks)
	return int64((n + 1<<r.cluster - 1) >> r.cluster)
}

// bitmap accepts the bitmap in a block if so many of its bits are clear as the descriptor says,
// and what follows them is of one value.
func (r *Reader) bitmap(look func(off, n int64) []byte, block uint64, free, bitCount int64, uninit bool) {
	if uninit || block == 0 || block >= r.blocks || bitCount > 8*r.block {
		return
	}
	b := look(int64(block)*r.block, r.block)
	if b == nil {
		return
	}
	var set int64
	for _, c := range b[:bitCount/8] {
		set += int64(bits.OnesCount8(c))
	}
	rest := b[bitCount/8:]
	if k := bitCount % 8; k > 0 {
		set += int64(bits.OnesCount8(rest[0] & (1<<k - 1)))
		rest = rest[1:]
	}
	for _, c := range rest {
		if c != rest[0] {
			return
		}
	}
	if bitCount-set == free {
		r.accept(int64(block)*r.block, r.block)
	}
}

// copies accepts the copy of the superblock at the start of group g if only counters and times
// differ, and descriptors behind it that place the same things.
func (r *Reader) copies(look func(off, n int64) []byte, first []byte, g uint64) {
	const different = 64
	at := int64(r.firstBlock+g*r.groupBlocks) * r.block
	b := look(at, superLen)
	if b == nil {
		return
	}
	n := 0
	for i := range b {
		if b[i] != first[i] {
			n++
		}
	}
	if n > different {
		return
	}
	r.accept(at, superLen)
	if r.incompat&incompatMetaBG != 0 {
		return
	}
	at += r.block
	for i := range r.groups {
		off := int64(i) * r.descSize
		was, is := look(r.descriptor(i), r.descSize), look(at+off, r.descSize)
		if was == nil || is == nil || string(was[:12]) != string(is[:12]) {
			return
		}
		r.accept(at+off, r.descSize)
	}
}
