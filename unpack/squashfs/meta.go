package squashfs

import "hallmark/unpack/format"

const metaSize = 8192 // of a decoded metadata block, in every version

// block is a decoded metadata block.
type block struct {
	data []byte
	next int64 // offset of the block behind it
}

// metaBlock returns the metadata block at off.
func (r *Reader) metaBlock(off int64) (block, error) {
	return r.metadata.get(off, func() (block, error) {
		size, raw, body, err := r.metaHeader(off)
		if err != nil {
			return block{}, err
		}
		src := make([]byte, size)
		if err := r.read(src, body, "metadata block"); err != nil {
			return block{}, err
		}
		next := body + int64(size)
		if raw {
			return block{src, next}, nil
		}
		dst := make([]byte, metaSize)
		n, err := r.codec.decode(dst, src, false)
		if err != nil {
			return block{}, r.damaged(off, next-off, "metadata block at %#x: %v", off, err)
		}
		return block{dst[:n], next}, nil
	})
}

// metaHeader reads the length that a metadata block begins with. Bit 15 says that the block is
// stored as it is; before 4.0 a length of 0 is 32 KiB.
func (r *Reader) metaHeader(off int64) (size int, raw bool, body int64, err error) {
	var b [2]byte
	if err := r.read(b[:], off, "metadata block"); err != nil {
		return 0, false, 0, err
	}
	v := r.metaOrder.Uint16(b[:])
	size, raw, body = int(v&0x7fff), v&0x8000 != 0, off+2
	if r.super.major < 4 && r.super.flags&flagCheck != 0 {
		body++
	}
	if size == 0 || size > metaSize {
		return 0, false, 0, r.damaged(off, 2, "metadata block at %#x: %d bytes > %d", off, size, metaSize)
	}
	return size, raw, body, nil
}

// cursor reads metadata across blocks.
type cursor struct {
	r    *Reader
	at   int64 // offset of the current block
	next int64 // of the one behind it; 0 if the current one is not loaded
	off  int   // in the current one, decoded
	data []byte
	seen map[int64]struct{} // offsets of blocks loaded, if wanted
}

func (r *Reader) cursorAt(at int64, off int) *cursor { return &cursor{r: r, at: at, off: off} }

// take returns the next n bytes. They must not be written to.
func (c *cursor) take(n int) ([]byte, error) {
	if err := c.load(); err != nil {
		return nil, err
	}
	if n <= len(c.data)-c.off {
		c.off += n
		return c.data[c.off-n : c.off : c.off], nil
	}
	b := make([]byte, 0, n)
	for len(b) < n {
		if err := c.load(); err != nil {
			return nil, err
		}
		k := min(n-len(b), len(c.data)-c.off)
		b = append(b, c.data[c.off:c.off+k]...)
		c.off += k
	}
	return b, nil
}

// load makes at least one byte available. Only a full block has another one behind it.
func (c *cursor) load() error {
	for c.next == 0 || c.off >= len(c.data) {
		if c.next != 0 {
			if len(c.data) < metaSize {
				return c.r.damaged(c.at, 0, "metadata block at %#x: offset %d of %d bytes", c.at, c.off, len(c.data))
			}
			c.at, c.off = c.next, c.off-metaSize
		}
		b, err := c.r.metaBlock(c.at)
		if err != nil {
			return err
		}
		c.data, c.next = b.data, b.next
		if c.seen != nil {
			c.seen[c.at] = struct{}{}
		}
	}
	return nil
}

// table is an array whose items lie in metadata blocks, or as they are if there are no blocks.
type table struct {
	what  string
	item  int     // size of one
	count int64   // of items
	start int64   // of an array stored as it is
	index []int64 // offsets of the metadata blocks
	err   *format.Error
}

// get returns item i of t.
func (r *Reader) item(t *table, i uint32) ([]byte, error) {
	if t.err != nil {
		return nil, t.err
	}
	if int64(i) >= t.count {
		return nil, r.damaged(t.start, 0, "%s table at %#x: index %d of %d", t.what, t.start, i, t.count)
	}
	pos := int64(i) * int64(t.item)
	if t.index == nil {
		b := make([]byte, t.item)
		return b, r.read(b, t.start+pos, t.what+" table")
	}
	return r.cursorAt(t.index[pos/metaSize], int(pos%metaSize)).take(t.item)
}

// openTable reads the offsets, each of width bytes, of the metadata blocks of a table of count items.
func (r *Reader) openTable(what string, start int64, count uint32, item, width int) *table {
	t := &table{what: what, item: item, count: int64(count), start: start}
	if count == 0 || start == noTable {
		t.count = 0
		return t
	}
	blocks := (t.count*int64(item) + metaSize - 1) / metaSize
	n := blocks * int64(width)
	if start > r.end || n > r.end-start {
		t.err = r.damaged(start, n, "%s table at %#x: %d items, the image ends at %#x", what, start, count, r.end)
		return t
	}
	b := make([]byte, n)
	if err := r.read(b, start, what+" table"); err != nil {
		t.err = err.(*format.Error)
		return t
	}
	t.index = make([]int64, blocks)
	for i := range t.index {
		v := field{uint16(0), uint16(8 * width)}.of(b[i*width:], r.super.big)
		t.index[i] = int64(min(v, 1<<62))
	}
	return t
}

func (r *Reader) openTables() {
	s := &r.super
	switch s.major {
	case 4:
		r.uids = r.openTable("id", s.idTable, s.ids, 4, 8)
		r.gids = r.uids
		r.fragment = r.openTable("fragment", s.fragTable, s.fragments, 16, 8)
		r.xattrs = r.openXattrs()
		return
	case 3:
		r.fragment = r.openTable("fragment", s.fragTable, s.fragments, 16, 8)
	case 2:
		r.fragment = r.openTable("fragment", s.fragTable, s.fragments, 8, 4)
	case 1:
		r.fragment = &table{what: "fragment"}
	}
	r.uids = &table{what: "uid", item: 4, count: int64(s.uids), start: s.uidTable}
	r.gids = &table{what: "gid", item: 4, count: int64(s.gids), start: s.gidTable}
}
