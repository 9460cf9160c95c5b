package fat

import (
	"bytes"
	"io"

	"hallmark/unpack/format"
)

// readTables reads the tables as a whole, so that they count as read: the first up to its first
// entry that leads nowhere, the others if they are its copies.
func (r *Reader) readTables() {
	const step = 3 << 10 // a whole number of entries of any width
	peek := format.Summed(r.src)
	used := ((r.clusters+2)*int64(r.bits) + 7) / 8
	last := int64(1)<<min(r.bits, 28) - 17 // and above: bad clusters, ends
	first, other := make([]byte, step), make([]byte, step)
	for at := int64(0); at < used; at += step {
		b := first[:min(step, used-at)]
		if n, _ := peek.ReadAt(b, r.table+at); n < len(b) {
			return
		}
		if !r.plausible(b, last) {
			return
		}
		for i := range r.tables {
			o := other[:len(b)]
			copyAt := r.table + i*r.tableSize + at
			if n, _ := peek.ReadAt(o, copyAt); n == len(o) && bytes.Equal(b, o) {
				io.ReadFull(io.NewSectionReader(r.src, copyAt, int64(len(o))), o)
			}
		}
	}
}

// plausible reports whether every entry of b is free, a cluster, or at least last.
func (r *Reader) plausible(b []byte, last int64) bool {
	for i := range int64(len(b)) * 8 / int64(r.bits) {
		bit := i * int64(r.bits)
		var v int64
		for k := int64(0); k < (int64(r.bits)+bit%8+7)/8; k++ {
			v |= int64(b[bit/8+k]) << (8 * k)
		}
		v = v >> (bit % 8) & (1<<min(r.bits, 28) - 1)
		if v > 1 && v < last && v >= r.clusters+2 {
			return false
		}
	}
	return true
}
