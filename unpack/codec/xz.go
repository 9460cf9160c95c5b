package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"strconv"
)

// The xz container, https://tukaani.org/xz/xz-file-format.txt.
const (
	xzMagic       = "\xfd7zXZ\x00"
	xzFooterMagic = "YZ"
	xzHeader      = 12 // magic, 2 flags, CRC32 of the flags
	xzFooter      = 12 // CRC32, index size, 2 flags, magic
	xzMaxFilters  = 4
	xzVarint      = 9
)

// xzChecks gives the size of the check by its id; those with a name are the ones defined.
var xzChecks = [16]struct {
	size int
	name string
}{{0, "none"}, {4, "crc32"}, {4, ""}, {4, ""}, {8, "crc64"}, {8, ""}, {8, ""}, {16, ""}, {16, ""}, {16, ""}, {32, "sha256"}, {32, ""}, {32, ""}, {64, ""}, {64, ""}, {64, ""}}

var crc64Table = crc64.MakeTable(crc64.ECMA)

// xzReader holds where a decoder of an xz stream stands in the container.
type xzReader struct {
	in     *input
	check  byte
	blocks xzIndex // of the blocks read, to compare with the index
}

// xzIndex sums up an index without keeping it: number of records, and a CRC of all of them.
type xzIndex struct {
	records uint64
	sum     uint32
}

func (x *xzIndex) add(unpadded, plain uint64) {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], unpadded)
	binary.LittleEndian.PutUint64(b[8:], plain)
	x.records++
	x.sum = crc32.Update(x.sum, crc32.IEEETable, b[:])
}

// xzBlock is a block's header and, while it is read, its sizes.
type xzBlock struct {
	start         int64 // in the input
	packed, plain int64 // as declared, -1 if not
	filters       []xzFilter
	dict          int64
}

type xzFilter struct {
	filter
	id    uint64
	start uint32
}

// header reads the stream header.
func (x *xzReader) header() error {
	b := x.in.peek(xzHeader)
	if b == nil || string(b[:6]) != xzMagic || b[6] != 0 || b[7] > 15 || crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return ErrHeader
	}
	x.in.pos += xzHeader
	x.check, x.blocks = b[7], xzIndex{}
	return nil
}

// block reads a block header. It returns nil at the index.
func (x *xzReader) block() (*xzBlock, error) {
	start := x.in.consumed()
	b := x.in.peek(1)
	if b == nil {
		return nil, x.in.cut()
	}
	if b[0] == 0 {
		return nil, nil
	}
	n := int(b[0])*4 + 4
	if b = x.in.take(n); b == nil {
		return nil, x.in.cut()
	}
	if crc32.ChecksumIEEE(b[:n-4]) != binary.LittleEndian.Uint32(b[n-4:]) {
		return nil, ErrCorrupt
	}
	h := &xzBlock{start: start, packed: -1, plain: -1}
	flags, b := b[1], b[2:n-4]
	if flags&0x3c != 0 {
		return nil, ErrCorrupt
	}
	ok := true
	number := func() int64 {
		v, n := xzNumber(b)
		if n == 0 {
			ok = false
			return 0
		}
		b = b[n:]
		return int64(v)
	}
	if flags&0x40 != 0 {
		h.packed = number()
		ok = ok && h.packed > 0
	}
	if flags&0x80 != 0 {
		h.plain = number()
	}
	for i := range int(flags&(xzMaxFilters-1)) + 1 {
		id, size := uint64(number()), number()
		if !ok || size > int64(len(b)) {
			return nil, ErrCorrupt
		}
		props := b[:size]
		b = b[size:]
		if last := i == int(flags&(xzMaxFilters-1)); last != (id == 0x21) {
			return nil, ErrCorrupt
		} else if last {
			if len(props) != 1 || props[0] > 40 {
				return nil, ErrCorrupt
			}
			h.dict = lzma2Dict(props[0])
			continue
		}
		f, start, known := newFilter(id, props)
		if !known {
			return nil, ErrCorrupt
		}
		h.filters = append(h.filters, xzFilter{f, id, start})
	}
	if !ok || len(bytes.TrimLeft(b, "\x00")) > 0 {
		return nil, ErrCorrupt
	}
	return h, nil
}

// lzma2Dict decodes the dictionary size of an LZMA2 filter.
func lzma2Dict(b byte) int64 {
	if b == 40 {
		return 1<<32 - 1
	}
	return int64(2|b&1) << (b/2 + 11)
}

// end reads what follows a block's data, and checks the sizes: padding and the check.
func (x *xzReader) end(h *xzBlock, headerEnd, plain int64, sum []byte) error {
	packed := x.in.consumed() - headerEnd
	if h.packed >= 0 && h.packed != packed || h.plain >= 0 && h.plain != plain {
		return ErrCorrupt
	}
	if err := x.padding(packed); err != nil {
		return err
	}
	size := xzChecks[x.check].size
	b := x.in.take(size)
	if b == nil && size > 0 {
		return x.in.cut()
	}
	x.blocks.add(uint64(headerEnd-h.start+packed+int64(size)), uint64(plain))
	if sum != nil && !bytes.Equal(sum, b) {
		return ErrChecksum
	}
	return nil
}

// padding reads the zeros that round n up to a multiple of four.
func (x *xzReader) padding(n int64) error {
	k := int(-n & 3)
	b := x.in.take(k)
	if len(b) < k {
		return x.in.cut()
	}
	if len(bytes.TrimLeft(b, "\x00")) > 0 {
		return ErrCorrupt
	}
	return nil
}

// index reads the index and the footer, and compares them with what was read.
func (x *xzReader) index() error {
	start := x.in.consumed()
	sum := uint32(0)
	number := func() (uint64, error) {
		x.in.need(xzVarint)
		v, n := xzNumber(x.in.buf[x.in.pos:])
		if n == 0 {
			if len(x.in.buf)-x.in.pos < xzVarint {
				return 0, x.in.cut()
			}
			return 0, ErrCorrupt
		}
		sum = crc32.Update(sum, crc32.IEEETable, x.in.take(n))
		return v, nil
	}
	sum = crc32.Update(sum, crc32.IEEETable, x.in.take(1)) // the indicator
	records, err := number()
	if err != nil {
		return err
	}
	if records != x.blocks.records {
		return ErrCorrupt
	}
	var stored xzIndex
	for range records {
		unpadded, err := number()
		if err != nil {
			return err
		}
		plain, err := number()
		if err != nil {
			return err
		}
		stored.add(unpadded, plain)
	}
	if stored != x.blocks {
		return ErrCorrupt
	}
	n := x.in.consumed() - start
	sum = crc32.Update(sum, crc32.IEEETable, make([]byte, -n&3))
	if err := x.padding(n); err != nil {
		return err
	}
	b := x.in.take(4)
	if b == nil {
		return x.in.cut()
	}
	if binary.LittleEndian.Uint32(b) != sum {
		return ErrCorrupt
	}
	n = x.in.consumed() - start
	if b = x.in.take(xzFooter); b == nil {
		return x.in.cut()
	}
	if crc32.ChecksumIEEE(b[4:10]) != binary.LittleEndian.Uint32(b) || int64(binary.LittleEndian.Uint32(b[4:]))*4+4 != n ||
		b[8] != 0 || b[9] != x.check || string(b[10:]) != xzFooterMagic {
		return ErrCorrupt
	}
	return nil
}

// xzNumber decodes a variable-length integer of at most 63 bits. n is 0 if there is none.
func xzNumber(b []byte) (v uint64, n int) {
	for i := range min(len(b), xzVarint) {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			if b[i] == 0 && i > 0 {
				return 0, 0 // not the shortest form
			}
			return v, i + 1
		}
	}
	return 0, 0
}

// checksum is a running check, nil for none and for ids that are not defined.
func (x *xzReader) checksum() hash.Hash {
	switch xzChecks[x.check].name {
	case "crc32":
		return crc32.NewIEEE()
	case "crc64":
		return crc64.New(crc64Table)
	case "sha256":
		return sha256.New()
	}
	return nil
}

// sum returns h's check as xz stores it, which is little-endian for the CRCs.
func xzSum(h hash.Hash) []byte {
	if h == nil {
		return nil
	}
	b := h.Sum(nil)
	if len(b) <= 8 {
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
	return b
}

// XZ is the [Block] decoder of one whole .xz stream.
func XZ(dst, src []byte) (int, error) {
	core := lzmaCores.Get().(*lzmaCore)
	defer lzmaCores.Put(core)
	in, w := input{buf: src}, window{buf: dst, fixed: true}
	x := xzReader{in: &in}
	if err := x.header(); err != nil {
		return 0, err
	}
	var late error
	for {
		h, err := x.block()
		if err == nil && h == nil {
			if err = x.index(); err == nil {
				err = late
			}
		}
		if err != nil || h == nil {
			return w.op, err
		}
		start, headerEnd := w.op, in.consumed()
		w.base = w.op
		z := newLZMA2(core, &in, &w)
		done, err := z.step()
		if err == nil && !done {
			err = ErrTooLong
		}
		data := dst[start:w.op]
		for i := len(h.filters) - 1; i >= 0; i-- {
			n := h.filters[i].undo(data, h.filters[i].start)
			if err != nil {
				data = data[:n] // what is behind would change with what is missing
			}
		}
		if err != nil {
			return start + len(data), err
		}
		sum := x.checksum()
		if sum != nil {
			sum.Write(data)
		}
		if err := x.end(h, headerEnd, int64(len(data)), xzSum(sum)); err == ErrChecksum {
			late = err
		} else if err != nil {
			return w.op, err
		}
	}
}

// xzStream decodes .xz streams one after the other.
type xzStream struct {
	xzReader
	core   *lzmaCore
	memory int64
	data   io.Reader // of the block being read
	block  *xzBlock
	begun  int64 // where the block's data begins in the input
	plain  int64
	sum    hash.Hash
	late   error // a check that does not fit: what follows is still read
	err    error
}

// NewXZ decodes an .xz stream, and those that follow it directly.
func NewXZ(r io.ReaderAt, size, maxMemory int64) (Stream, error) {
	x := &xzStream{xzReader: xzReader{in: newInput(r, size)}, memory: maxMemory}
	if err := x.header(); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *xzStream) Consumed() int64 { return x.in.consumed() }

func (x *xzStream) Read(p []byte) (int, error) {
	for x.err == nil && len(p) > 0 {
		if x.data == nil {
			x.err = x.next()
			continue
		}
		n, err := x.data.Read(p)
		x.plain += int64(n)
		if x.sum != nil {
			x.sum.Write(p[:n])
		}
		if err == io.EOF {
			if err = x.end(x.block, x.begun, x.plain, xzSum(x.sum)); err == ErrChecksum {
				x.late, err = err, nil
			}
			x.data = nil
		}
		x.err = err
		if n > 0 {
			return n, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	if x.core != nil {
		lzmaCores.Put(x.core)
		x.core, x.data = nil, nil
	}
	return 0, x.err
}

// next opens the next block, or reads the index and opens the next stream.
func (x *xzStream) next() (err error) {
	if x.block, err = x.xzReader.block(); err != nil {
		return err
	}
	if x.block == nil {
		if err := x.index(); err != nil {
			return err
		}
		switch {
		case x.header() == nil:
			return nil
		case x.late != nil:
			return x.late
		}
		return io.EOF
	}
	if x.core == nil {
		x.core = lzmaCores.Get().(*lzmaCore)
	}
	x.begun, x.plain, x.sum = x.in.consumed(), 0, x.checksum()
	dict := x.block.dict
	if x.block.plain >= 0 {
		dict = min(dict, x.block.plain)
	}
	w := newWindow(dict, x.memory)
	x.data = &lzma2Reader{lzma2: newLZMA2(x.core, x.in, w)}
	for i := len(x.block.filters) - 1; i >= 0; i-- {
		x.data = &filterReader{src: x.data, filter: x.block.filters[i].filter, pos: x.block.filters[i].start}
	}
	return nil
}

// lzma2Reader hands out what lzma2 decodes, and then the error, if any, for ever.
type lzma2Reader struct {
	lzma2
	err error
}

func (z *lzma2Reader) Read(p []byte) (int, error) {
	for len(z.w.pending()) == 0 && z.err == nil {
		var done bool
		if done, z.err = z.step(); done {
			z.err = io.EOF
		}
	}
	n := z.w.take(p)
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, z.err
}

// filterReader undoes a filter in what src yields. What is at hand is buf[from:done] filtered,
// and buf[done:] not yet.
type filterReader struct {
	src        io.Reader
	filter     filter
	pos        uint32
	buf        []byte
	from, done int
	err        error
}

func (f *filterReader) Read(p []byte) (int, error) {
	if f.buf == nil {
		f.buf = make([]byte, 0, 32<<10)
	}
	for f.from == f.done && f.err == nil {
		rest := copy(f.buf[:cap(f.buf)], f.buf[f.done:])
		var n int
		n, f.err = f.src.Read(f.buf[rest:cap(f.buf)])
		f.buf = f.buf[:rest+n]
		f.from, f.done = 0, f.filter.undo(f.buf, f.pos)
		f.pos += uint32(f.done)
		if f.err == io.EOF {
			f.done = len(f.buf) // the rest stays as it is; after damage it is not known
		}
	}
	n := copy(p, f.buf[f.from:f.done])
	f.from += n
	if n == 0 && len(p) > 0 {
		return 0, f.err
	}
	return n, nil
}

// XZHeader is what the headers of an .xz stream say.
type XZHeader struct {
	Check   string   // name of the check, or its number
	Filters []string // of the first block, in the order of encoding; nil if there is no block
	Dict    int64    // dictionary size of the first block, in bytes
}

// ParseXZHeader reads the stream header and the first block header at the start of b.
func ParseXZHeader(b []byte) (XZHeader, error) {
	x := xzReader{in: &input{buf: b}}
	if err := x.header(); err != nil {
		return XZHeader{}, err
	}
	h := XZHeader{Check: xzChecks[x.check].name}
	if h.Check == "" {
		h.Check = strconv.Itoa(int(x.check))
	}
	if block, err := x.block(); err == nil && block != nil {
		h.Dict = block.dict
		for _, f := range block.filters {
			h.Filters = append(h.Filters, filterName(f.id))
		}
		h.Filters = append(h.Filters, "lzma2")
	}
	return h, nil
}
