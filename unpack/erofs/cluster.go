package erofs

import (
	"encoding/binary"
	"io"
	"math/bits"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

func unsupported(off int64, text string, args ...any) error {
	return format.Errorf(artifact.Unsupported, off, "erofs: "+text, args...)
}

// Advice in the header of a map. The first bit means that indexes of 2 bytes are used, or with full
// indexes that there are extents instead.
const (
	advisePacked     = 0x1
	adviseExtents    = 0x1
	adviseBig1       = 0x2
	adviseBig2       = 0x4
	adviseInline     = 0x8
	adviseInterlaced = 0x10
	adviseFragment   = 0x20
)

// Types of a logical cluster.
const (
	clusterPlain   = 0
	clusterHead1   = 1
	clusterNonhead = 2
	clusterHead2   = 3
)

const (
	// countBit is set in the first index behind a head that tells its number of blocks.
	countBit = 1 << 11
	// maxStored and maxDecoded bound a physical cluster. Linux fs/erofs/erofs_fs.h.
	maxStored  = 1 << 20
	maxDecoded = 12 << 20
	// maxClusterBits bounds logical clusters: real ones are blocks.
	maxClusterBits = 20
)

// clusters goes through the indexes of a compressed file. Each logical cluster has at most one head,
// where an extent begins; it ends where the next begins.
type clusters struct {
	r      *Reader
	in     *inode
	bits   uint  // log2 of the size of a logical cluster
	base   int64 // offset of the first index
	count  int64 // of logical clusters
	advise uint16
	algs   [2]kind
	inline int64 // bytes that the last extent has behind the indexes
	frag   int64 // offset of the last extent in the packed inode

	lcn  int64
	tail int64 // offset behind the pack of the last index read
	head *extent
	last cluster // the head's
	buf  []byte  // of indexes, and where it stands
	at   int64
}

// cluster is a logical cluster's index.
type cluster struct {
	typ    byte
	ofs    int64  // where the head is in it
	block  uint32 // of a head
	blocks int64  // of the head before it, 0 if it does not tell
}

// failed is a map that could not be read.
type failed struct{ err error }

func (f failed) next() (extent, error) { return extent{}, f.err }

// one is a map of one extent.
type one struct {
	x    extent
	done bool
}

func (o *one) next() (extent, error) {
	if o.done {
		return extent{}, io.EOF
	}
	o.done = true
	return o.x, nil
}

// compressed reads the header of a map, which is 8 bytes aligned to 8 behind the inode:
//
//	0 offset in the packed inode; or 2 bytes of inline data (2); or number of extents
//	4 advice (2), 6 algorithms (1), 7 log2 of blocks of a logical cluster (4 bits), whole file is packed (bit 7)
func (r *Reader) compressed(in *inode) extents {
	le := binary.LittleEndian
	at := (in.end() + 7) &^ 7
	h, err := r.metadata(in.box, at, 8, "map header")
	if err != nil {
		return failed{err}
	}
	if in.size == 0 {
		return failed{io.EOF}
	}
	if h[7]&0x80 != 0 {
		return &one{x: extent{to: in.size, kind: fragment, at: int64(le.Uint64(h) &^ (1 << 63))}}
	}
	c := &clusters{r: r, in: in, bits: r.blockBits + uint(h[7]&15), base: at + 8, advise: le.Uint16(h[4:]), algs: [2]kind{kind(h[6] & 15), kind(h[6] >> 4)}}
	if c.bits > maxClusterBits {
		return failed{unsupported(at, "map at %#x: clusters of 1 << %d bytes", at, c.bits)}
	}
	c.count = (in.size-1)>>c.bits + 1
	if in.layout == layoutFull && c.advise&adviseExtents != 0 {
		return &records{clusters: c, left: uint64(le.Uint32(h)) | uint64(le.Uint16(h[6:]))<<32}
	}
	switch {
	case c.advise&adviseFragment != 0:
		c.frag = int64(le.Uint32(h))
	case c.advise&adviseInline != 0:
		c.inline = int64(le.Uint16(h[2:]))
	}
	if in.layout == layoutFull {
		c.base += 8
	}
	return c
}

// next yields the extent whose head came before, once the next head or the end is found.
func (c *clusters) next() (extent, error) {
	for c.lcn < c.count {
		k, err := c.index(c.lcn)
		if err != nil {
			return extent{}, err
		}
		from := c.lcn<<c.bits + k.ofs
		c.lcn++
		if k.typ == clusterNonhead {
			if c.head == nil {
				return extent{}, fault(c.in.off, "map of inode at %#x: cluster %d follows none", c.in.off, c.lcn-1)
			}
			if k.blocks > 0 && c.last.blocks == 0 && c.big(c.last.typ) {
				c.head.length = k.blocks << c.r.blockBits
			}
			c.last.blocks = 1 // only the first one behind the head tells
			continue
		}
		if from >= c.in.size { // marks the end
			continue
		}
		x := extent{from: from, kind: c.kind(k.typ), at: int64(k.block) << c.r.blockBits, length: c.r.block}
		before := c.head
		c.head, c.last = &x, k
		c.last.blocks = 0
		switch {
		case before == nil && from > 0:
			return extent{}, fault(c.in.off, "map of inode at %#x: nothing before %#x", c.in.off, from)
		case before != nil && before.from < from:
			before.to = from
			return *before, c.check(before)
		}
	}
	if c.head == nil {
		return extent{}, io.EOF
	}
	x := *c.head
	c.head, x.to = nil, c.in.size
	switch {
	case c.advise&adviseFragment != 0:
		x.kind, x.at = fragment, c.frag
		if c.in.layout == layoutFull {
			x.at |= int64(c.last.block) << 32
		}
	case c.inline > 0:
		x.at, x.length, x.box = c.tail, c.inline, c.in.box
		if x.kind == interlaced { // mkfs.erofs does not turn it
			x.kind = stored
		}
	}
	return x, c.check(&x)
}

func (c *clusters) big(typ byte) bool {
	if typ == clusterHead1 {
		return c.advise&adviseBig1 != 0
	}
	return c.advise&adviseBig2 != 0
}

func (c *clusters) kind(typ byte) kind {
	switch {
	case typ == clusterHead1:
		return c.algs[0]
	case typ == clusterHead2:
		return c.algs[1]
	case c.advise&adviseInterlaced != 0:
		return interlaced
	}
	return stored
}

func (c *clusters) check(x *extent) error {
	switch {
	case x.kind == fragment || x.kind == hole:
		return nil
	case x.kind >= algorithms && x.kind < stored:
		return unsupported(c.in.off, "map of inode at %#x: algorithm %d", c.in.off, x.kind)
	case x.length > maxStored || x.to-x.from > maxDecoded || x.kind >= stored && x.to-x.from > x.length:
		return fault(c.in.off, "map of inode at %#x: %d bytes from %d", c.in.off, x.to-x.from, x.length)
	}
	return nil
}

// index reads the index of cluster lcn.
func (c *clusters) index(lcn int64) (cluster, error) {
	if c.in.layout == layoutCompact {
		return c.compact(lcn)
	}
	le := binary.LittleEndian
	b, err := c.bytes(c.base+8*lcn, 8)
	if err != nil {
		return cluster{}, err
	}
	c.tail = c.base + 8*lcn + 8
	// 0 type (2 bits), 2 offset of the head in the cluster (2), 4 block, or distances to the heads before and behind (2 each)
	k := cluster{typ: byte(le.Uint16(b) & 3)}
	if k.typ == clusterNonhead {
		if d := le.Uint16(b[4:]); d&countBit != 0 {
			k.blocks = int64(d &^ countBit)
		}
		return k, nil
	}
	k.ofs, k.block = int64(le.Uint16(b[2:])), le.Uint32(b[4:])
	return k, c.checkHead(lcn, k)
}

func (c *clusters) checkHead(lcn int64, k cluster) error {
	if k.ofs >= 1<<c.bits {
		return fault(c.in.off, "map of inode at %#x: cluster %d begins at %d", c.in.off, lcn, k.ofs)
	}
	return nil
}

// compact reads an index of 2 or 4 bytes. Packs of 2 (8 bytes) or 16 (32 bytes) share a block number in their
// last 4 bytes; before it is a bit string of the type (2 bits, upper) and the offset or distance of each. Packs
// of 16 are aligned, so there are packs of 2 up to the first and behind the last.
func (c *clusters) compact(lcn int64) (k cluster, err error) {
	total := (c.in.size-1)>>c.r.blockBits + 1
	first := (32 - c.base%32) / 4 & 7
	var packed int64
	if c.advise&advisePacked != 0 && first < total {
		packed = (total - first) &^ 15
	}
	pos, width, n, per := c.base, int64(4), lcn, 2
	if n >= first {
		pos += 4 * first
		n -= first
		if n < packed {
			width, per = 2, 16
		} else {
			pos += 2 * packed
			n -= packed
		}
	}
	pos += n * width
	if c.bits > 14 || width == 2 && c.bits > 12 {
		return k, unsupported(c.in.off, "map of inode at %#x: packed index of clusters of 1 << %d bytes", c.in.off, c.bits)
	}
	size := int64(per) * width
	pack, i := pos&^(size-1), int(pos%size/width)
	b, err := c.bytes(pack, size)
	if err != nil {
		return k, err
	}
	c.tail = pack + size
	low := max(c.bits, uint(bits.Len(countBit)))
	each := uint(size-4) * 8 / uint(per)
	field := func(i int) (lo int, typ byte) {
		at := each * uint(i)
		var v uint64
		for j := uint(0); j < 4 && at/8+j < uint(size); j++ {
			v |= uint64(b[at/8+j]) << (8 * j)
		}
		v >>= at & 7
		return int(v & (1<<low - 1)), byte(v >> low & 3)
	}
	lo, typ := field(i)
	k.typ = typ
	if typ == clusterNonhead {
		if lo&countBit != 0 {
			k.blocks = int64(lo &^ countBit)
		}
		return k, nil
	}
	// The block of a head is that of the pack plus those of the heads before it in the pack.
	blocks, big := 0, c.advise&adviseBig1 != 0
	if !big {
		blocks = 1
	}
	for j := i - 1; j >= 0; j-- {
		lo, typ := field(j)
		switch {
		case typ != clusterNonhead:
			blocks++
		case !big:
			if j -= lo; j >= 0 {
				blocks++
			}
		case lo&countBit != 0:
			blocks += lo &^ countBit
			j--
		case lo <= 1:
			return k, fault(pack, "pack at %#x: distance %d", pack, lo)
		default:
			j -= lo - 2
		}
	}
	k.ofs, k.block = int64(lo), binary.LittleEndian.Uint32(b[size-4:])+uint32(blocks)
	return k, c.checkHead(lcn, k)
}

// bytes returns n bytes of indexes at off. They are read some at a time.
func (c *clusters) bytes(off, n int64) ([]byte, error) {
	if off < c.at || off+n > c.at+int64(len(c.buf)) {
		const ahead = 2048
		b, err := c.r.metadata(c.in.box, off, ahead, "index")
		if err != nil {
			if b, err = c.r.metadata(c.in.box, off, n, "index"); err != nil {
				return nil, err
			}
		}
		c.buf, c.at = b, off
	}
	return c.buf[off-c.at:][:n], nil
}

// records are extents written as such, each of 4 to 32 bytes:
//
//	0 length (27 bits), partial (bit 27), 1 + algorithm (4 bits), 4 offset, 8 upper half, 12 offset in the file, 16 upper half
//
// Without an offset in the file there is one for each logical cluster; without an offset they follow each other.
type records struct {
	*clusters
	left  uint64
	n     int64
	start int64  // of the next one, if they follow each other
	held  record // the one whose end is not known yet
	done  bool
}

// record is an extent as stored, before its end is known.
type record struct {
	from, at int64
	word     uint32
}

func (x *records) next() (extent, error) {
	width := int64(4) << (x.advise >> 1 & 3)
	if width <= 8 {
		return x.regular(width)
	}
	for {
		now, more := x.held, x.n > 0
		end := x.in.size
		if x.left > 0 {
			b, err := x.bytes((x.base+width-1)&^(width-1)+x.n*width, width)
			if err != nil {
				return extent{}, err
			}
			x.held = record{word: binary.LittleEndian.Uint32(b), at: int64(binary.LittleEndian.Uint64(b[4:])), from: int64(binary.LittleEndian.Uint32(b[12:]))}
			if width > 16 {
				x.held.from |= int64(binary.LittleEndian.Uint32(b[16:])) << 32
			}
			if x.held.from < now.from || !more && x.held.from != 0 {
				return extent{}, fault(x.in.off, "map of inode at %#x: extent at %#x behind %#x", x.in.off, x.held.from, now.from)
			}
			end = min(end, x.held.from)
			x.n++
			x.left--
		} else if x.done || !more {
			return extent{}, io.EOF
		} else {
			x.done = true
		}
		if more && now.from < end {
			return x.extent(now, end)
		}
	}
}

// regular reads a record for each logical cluster.
func (x *records) regular(width int64) (extent, error) {
	from := x.n << x.bits
	if from >= x.in.size {
		return extent{}, io.EOF
	}
	base := (x.base + width - 1) &^ (width - 1)
	if width == 4 {
		if x.n == 0 {
			b, err := x.bytes(base, 8)
			if err != nil {
				return extent{}, err
			}
			x.start = int64(binary.LittleEndian.Uint64(b))
		}
		base += 8
	}
	b, err := x.bytes(base+x.n*width, width)
	if err != nil {
		return extent{}, err
	}
	x.n++
	d := record{from: from, at: x.start, word: binary.LittleEndian.Uint32(b)}
	x.start += int64(d.word & recordLength)
	if width == 8 {
		d.at = int64(binary.LittleEndian.Uint32(b[4:]))
	}
	return x.extent(d, min(x.in.size, from+1<<x.bits))
}

const recordLength = 2*maxStored - 1

func (x *records) extent(d record, end int64) (extent, error) {
	e := extent{from: d.from, to: end, at: d.at, length: int64(d.word & recordLength)}
	algorithm := d.word >> 28
	switch {
	case x.advise&adviseFragment != 0 && end == x.in.size:
		e.kind, e.at = fragment, int64(d.word)|d.at<<32
	case e.length == 0:
		e.kind = hole
	case algorithm > 0:
		e.kind = kind(algorithm - 1)
	case x.advise&adviseInterlaced != 0 && (e.at|e.length)&(x.r.block-1) == 0:
		e.kind = interlaced
	default:
		e.kind = stored
	}
	return e, x.check(&e)
}
