// Package novatek reads the firmware containers of Novatek's tools: the whole image with its table
// of partitions (NVTPACK), the CKSM wrapper around a partition, a header of 64 bytes with a
// checksum and then a file system, and the compressed partition BCL1.
//
// There is no public specification. The layouts are known from the unpackers BANG
// (https://github.com/armijnhemel/binaryanalysis-ng) and NTKFWinfo
// (https://github.com/EgorKin/Novatek-FW-info); the checksum rule was found on three genuine CKSM
// images and is that of NTKFWinfo: over all, header included, the sum of every 16-bit word plus
// its index is 0 modulo 65,536.
package novatek

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "CKSM"

// Format is the CKSM wrapper.
var Format = format.Format{
	Name:   "novatek",
	Title:  "Novatek CKSM",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "BANG", URL: "https://github.com/armijnhemel/binaryanalysis-ng"}},
	Limits: []string{"Only version 0x16040719 with a header of 64 bytes is read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian:
//
//	 0  4  magic
//	 4  4  version, a date in BCD
//	 8  4  0
//	12  4  checksum, 16 bits of it used
//	16  4  size of the header
//	20  4  size of the payload
//	24  4  0
//	28  4  9 in every image seen
const (
	headerSize = 0x40
	version    = 0x16040719
)

type wrapper struct {
	src  format.Source
	raw  []byte // the header
	size int64  // of the payload, as far as it is there
	sum  string // "ok", or what is wrong with it
	bad  error
}

func open(src format.Source) (*wrapper, error) {
	w := &wrapper{src: src, raw: make([]byte, headerSize)}
	if n, _ := src.ReadAt(w.raw, 0); n < headerSize || string(w.raw[:4]) != magic {
		return nil, format.Not("novatek: header")
	}
	if v, n := w.u32(4), w.u32(16); v != version || n != headerSize || w.u32(12) > 0xffff || w.u32(20) == 0 {
		return nil, format.Not("novatek: version %#x, header of %#x bytes", v, n)
	}
	w.size = int64(w.u32(20))
	w.check()
	return w, nil
}

func (w *wrapper) check() {
	if left := w.src.Size() - headerSize; w.size > left {
		w.bad = format.Errorf(artifact.Truncated, headerSize+left, "novatek: payload at %#x: %d bytes, %d left", headerSize, w.size, left)
		w.size, w.sum = left, "not checked: payload cut off"
		return
	}
	sum, err := total(w.src, w.Size())
	switch {
	case err != nil:
		w.bad, w.sum = err, "not checked: payload cannot be read"
	case sum != 0:
		w.bad = format.Errorf(artifact.Checksum, 12, "novatek: checksum: words and indices add up to %#x, want 0", sum)
		w.sum = "bad"
	default:
		w.sum = "ok"
	}
}

// total adds up the words of the first size bytes of r and their indices. The odd byte at the end,
// if any, is not counted.
func total(r io.ReaderAt, size int64) (sum uint16, err error) {
	buf := make([]byte, 64<<10)
	for off := int64(0); off < size; off += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), size-off)]
		if n, err := r.ReadAt(b, off); n < len(b) {
			return 0, format.Errorf(artifact.Damaged, off, "novatek: payload at %#x: %v", off, err)
		}
		for i := 0; i+1 < len(b); i += 2 {
			sum += binary.LittleEndian.Uint16(b[i:]) + uint16((off+int64(i))/2)
		}
	}
	return sum, nil
}

func (w *wrapper) u32(off int) uint32 { return binary.LittleEndian.Uint32(w.raw[off:]) }

func (w *wrapper) Size() int64 { return headerSize + w.size }

func (w *wrapper) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if w.bad != nil && !yield(format.Entry{}, w.bad) {
			return
		}
		at := artifact.Range{Off: headerSize, Len: w.size}
		yield(format.Entry{Size: w.size, Window: &at}, nil)
	}
}

func (w *wrapper) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "magic", Value: magic, At: at(0, 4)},
		{Name: "version", Value: fmt.Sprintf("0x%08x", w.u32(4)), At: at(4, 4)},
		{Name: "checksum", Value: w.sum, At: at(12, 4)},
		{Name: "size", Value: strconv.FormatUint(uint64(w.u32(20)), 10), At: at(20, 4)},
	}
}
