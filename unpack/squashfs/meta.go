package squashfs

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
// stored as it is. A length of 0 was 32 KiB before 4.0, which no block is.
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

// skip goes over n bytes.
func (c *cursor) skip(n int64) error {
	for n > 0 {
		if err := c.load(); err != nil {
			return err
		}
		k := min(n, int64(len(c.data)-c.off))
		c.off += int(k)
		n -= k
	}
	return nil
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

// table is an array. Its items lie in metadata blocks, whose offsets, of width bytes each, stand
// at start; or, if width is 0, as they are.
type table struct {
	what  string
	start int64
	count uint32 // of items
	item  int    // size of one
	width int
}

// item returns item i of t.
func (r *Reader) item(t table, i uint32) ([]byte, error) {
	if i >= t.count || t.start == noTable {
		return nil, r.damaged(max(0, t.start), 0, "%s table at %#x: index %d of %d", t.what, t.start, i, t.count)
	}
	pos := int64(i) * int64(t.item)
	if t.width == 0 {
		b := make([]byte, t.item)
		return b, r.read(b, t.start+pos, t.what+" table")
	}
	b := make([]byte, t.width)
	if err := r.read(b, t.start+pos/metaSize*int64(t.width), t.what+" table"); err != nil {
		return nil, err
	}
	return r.cursorAt(offset(b, r.super.big), int(pos%metaSize)).take(t.item)
}

// end returns where the table, or what it has of offsets, ends.
func (t table) end() int64 {
	switch {
	case t.count == 0 || t.start == noTable:
		return 0
	case t.width == 0:
		return t.start + int64(t.count)*int64(t.item)
	}
	blocks := (int64(t.count)*int64(t.item) + metaSize - 1) / metaSize
	return t.start + blocks*int64(t.width)
}

// readExports reads the table of where each inode is, which NFS servers need and nobody else. It
// must be what it is said to be: other bytes in its place would go unseen.
func (r *Reader) readExports() error {
	const item, width = 8, 8
	t := table{"export", r.super.exports, r.super.inodes, item, width}
	if t.start <= 0 || t.end() > r.end {
		return nil
	}
	left := int64(t.count) * item
	for at := t.start; left > 0; at += width {
		b := make([]byte, width)
		if err := r.read(b, at, "export table"); err != nil {
			return err
		}
		m, err := r.metaBlock(offset(b, r.super.big))
		if err != nil {
			return err
		}
		if n := min(left, metaSize); int64(len(m.data)) != n {
			return r.damaged(at, width, "export table at %#x: block of %d bytes, want %d", t.start, len(m.data), n)
		}
		for b := m.data; len(b) > 0; b = b[item:] {
			if inode, off := position(uint64(offset(b[:item], r.super.big))); off >= metaSize || inode >= r.super.dirTable-r.super.inodeTable {
				return r.damaged(at, width, "export table at %#x: inode at %#x of %#x bytes", t.start, inode, r.super.dirTable-r.super.inodeTable)
			}
		}
		left -= int64(len(m.data))
	}
	return nil
}

// tablesEnd returns the end of the last table: writers put nothing behind it.
func (r *Reader) tablesEnd() int64 {
	end := max(r.uids.end(), r.gids.end(), r.fragment.end())
	if r.xattrs != nil {
		end = max(end, r.xattrs.table.end())
	}
	return end
}

// offset returns the number that is all of b, or one beyond every image if it is larger still.
func offset(b []byte, big bool) int64 {
	return int64(min(field{0, uint16(8 * len(b))}.of(b, big), 1<<62))
}

func (r *Reader) openTables() {
	s := &r.super
	r.uids = table{"uid", s.uidTable, s.uids, 4, 0}
	r.gids = table{"gid", s.gidTable, s.gids, 4, 0}
	switch s.major {
	case 4:
		r.uids = table{"id", s.idTable, s.ids, 4, 8}
		r.gids = r.uids
		r.fragment = table{"fragment", s.fragTable, s.fragments, 16, 8}
		r.xattrs = r.openXattrs()
	case 3:
		r.fragment = table{"fragment", s.fragTable, s.fragments, 16, 8}
	case 2:
		r.fragment = table{"fragment", s.fragTable, s.fragments, 8, 4}
	}
}
