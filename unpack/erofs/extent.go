package erofs

import (
	"encoding/binary"
	"io"

	"hallmark/artifact"
)

// extent is a run of a file that is stored in one way.
type extent struct {
	from, to int64 // in the file
	kind     kind
	at       int64 // offset of what is stored, in the file system, the metabox or the packed inode
	length   int64 // bytes stored
	box      bool  // it stands in the metabox
}

// kind is how a run is stored. Those of an algorithm have its number.
type kind int

const (
	lz4 kind = iota
	lzma
	deflate
	zstd
	algorithms      // how many there are
	stored     kind = iota + 11
	interlaced      // stored, turned so that a byte is where it would be in its block of the file
	hole
	fragment // in the packed inode
)

// extents yields the extents of a file in order, without a gap, and io.EOF at the end.
type extents interface{ next() (extent, error) }

// extents returns the map of in. A map that cannot be read fails with its first extent.
func (r *Reader) extents(in *inode) extents {
	switch in.layout {
	case layoutFull, layoutCompact:
		return r.compressed(in)
	case layoutChunks:
		return &chunks{r: r, in: in}
	}
	return &flat{r: r, in: in}
}

// flat is a run of blocks and perhaps a rest behind the inode.
type flat struct {
	r   *Reader
	in  *inode
	pos int64
}

func (f *flat) next() (extent, error) {
	in, r := f.in, f.r
	if f.pos >= in.size {
		return extent{}, io.EOF
	}
	from, blocks := f.pos, in.size
	if in.layout == layoutInline {
		blocks = (in.size - 1) &^ (r.block - 1)
	}
	if in.hole {
		f.pos = in.size
		return extent{to: in.size, kind: hole}, nil
	}
	if from < blocks {
		if in.start > uint64(r.src.Size())>>r.blockBits {
			return extent{}, fault(in.off, "inode at %#x: block %d of %d", in.off, in.start, r.blocks)
		}
		f.pos = blocks
		return extent{to: blocks, kind: stored, at: int64(in.start) << r.blockBits, length: blocks}, nil
	}
	f.pos = in.size
	return extent{from: from, to: in.size, kind: stored, at: in.end(), length: in.size - from, box: in.box}, nil
}

// Formats of chunks: log2 of blocks in a chunk, and whether its index has 8 bytes (upper block (2), device (2),
// block (4)) or is a block number.
const (
	chunkBits    = 0x1f
	chunkIndexes = 0x20
	chunk48Bit   = 0x40
)

// chunks are runs of equal length. Those that continue each other are joined.
type chunks struct {
	r    *Reader
	in   *inode
	n    int64 // chunks read
	held *extent
}

func (c *chunks) next() (extent, error) {
	for {
		x, err := c.one()
		switch {
		case err != nil && c.held != nil:
			x, c.held = *c.held, nil
			return x, nil
		case err != nil:
			return extent{}, err
		case c.held == nil:
			c.held = &x
		case x.kind == c.held.kind && (x.kind == hole || x.at == c.held.at+c.held.length):
			c.held.to, c.held.length = x.to, c.held.length+x.length
		default:
			x, *c.held = *c.held, x
			return x, nil
		}
	}
}

func (c *chunks) one() (extent, error) {
	r, in, form := c.r, c.in, uint(c.in.start&0xffff)
	bits := r.blockBits + form&chunkBits
	from := c.n << bits
	if c.n > in.size>>bits || from >= in.size {
		return extent{}, io.EOF
	}
	x := extent{from: from, to: min(in.size, from+1<<bits), kind: stored}
	x.length = x.to - x.from
	width := int64(4)
	if form&chunkIndexes != 0 {
		width = 8
	}
	b, err := r.metadata(in.box, (in.end()+width-1)&^(width-1)+width*c.n, width, "chunk index")
	if err != nil {
		return extent{}, err
	}
	c.n++
	block, none, device := uint64(binary.LittleEndian.Uint32(b)), uint64(1<<32-1), uint16(0)
	if width == 8 {
		device = binary.LittleEndian.Uint16(b[2:])
		block = uint64(binary.LittleEndian.Uint32(b[4:]))
		if form&chunk48Bit != 0 {
			block |= uint64(binary.LittleEndian.Uint16(b)) << 32
			none = 1<<48 - 1
		}
	}
	switch {
	case block == none:
		x.kind, x.length = hole, 0
	case device != 0 || block >= r.blocks:
		return extent{}, unsupported(in.off, "inode at %#x: block %d of device %d", in.off, block, device)
	default:
		x.at = int64(block) << r.blockBits
	}
	return x, nil
}

// window returns where in's content stands if it does so in one piece.
func (r *Reader) window(in *inode) (artifact.Range, bool) {
	if in.size == 0 {
		return artifact.Range{}, true
	}
	if in.layout == layoutFull || in.layout == layoutCompact {
		return artifact.Range{}, false
	}
	x, err := r.extents(in).next()
	if err != nil || x.kind != stored || x.box || x.to < in.size {
		return artifact.Range{}, false
	}
	w := artifact.Range{Off: x.at, Len: in.size}
	return w, w.Within(r.Size())
}
