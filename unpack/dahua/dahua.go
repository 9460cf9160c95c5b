// Package dahua reads the boot header of Dahua: 2,048 bytes that begin with BUHD, around a boot
// loader, as dhboot.bin.img of an update and the boot partition of a camera hold it.
//
// There is no official specification. The layout was measured on a genuine image
// (https://github.com/BotoX/DH_IPC-HX4XXX-Eos): its CRC-32 fits the body.
//
// The update itself is a ZIP archive with an altered first magic; it is not read here.
package dahua

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "BUHD"

// Format is the boot header.
var Format = format.Format{
	Name:   "dahua",
	Title:  "Dahua boot header (BUHD)",
	Kind:   format.Boot,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "DH_IPC-HX4XXX-Eos", URL: "https://github.com/BotoX/DH_IPC-HX4XXX-Eos"}},
	Limits: []string{"What stands behind offset 0x3c of the header is not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian:
//
//	 0  4  magic
//	 4  4  time of creation, seconds since 1970
//	 8  4  size of the body
//	12  4  load address
//	16  4  entry point
//	20  4  CRC-32 of the body
//	24  4  0
//	28 32  name, padded with NUL
const headerSize = 0x800

type header struct {
	src  format.Source
	raw  []byte // the first 60 bytes
	name string
	size int64  // of the body, as far as it is there
	crc  string // "ok", or what is wrong with it
	bad  error
}

func open(src format.Source) (*header, error) {
	h := &header{src: src, raw: make([]byte, 60)}
	if n, _ := src.ReadAt(h.raw, 0); n < len(h.raw) || string(h.raw[:4]) != magic || src.Size() < headerSize {
		return nil, format.Not("dahua: header")
	}
	name, rest, _ := bytes.Cut(h.raw[28:], []byte{0})
	if h.u32(24) != 0 || len(name) == 0 || len(bytes.Trim(rest, "\x00")) > 0 || !printable(name) {
		return nil, format.Not("dahua: header name %q", name)
	}
	h.name = string(name)
	h.size = int64(h.u32(8))
	if h.size == 0 {
		return nil, format.Not("dahua: empty body")
	}
	h.check()
	return h, nil
}

func printable(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' || c == '/' {
			return false
		}
	}
	return true
}

func (h *header) check() {
	if left := h.src.Size() - headerSize; h.size > left {
		h.bad = format.Errorf(artifact.Truncated, headerSize+left, "dahua: body at %#x: %d bytes, %d left", headerSize, h.size, left)
		h.size, h.crc = left, "not checked: body cut off"
		return
	}
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, io.NewSectionReader(format.Summed(h.src), headerSize, h.size)); err != nil {
		h.bad = format.Errorf(artifact.Damaged, headerSize, "dahua: body at %#x: %v", headerSize, err)
		h.crc = "not checked: body cannot be read"
		return
	}
	h.crc = "ok"
	if want := h.u32(20); sum.Sum32() != want {
		h.bad = format.Errorf(artifact.Checksum, 20, "dahua: body CRC: %#x, want %#x", sum.Sum32(), want)
		h.crc = "bad"
	}
}

func (h *header) Size() int64 { return headerSize + h.size }

func (h *header) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if h.bad != nil && !yield(format.Entry{}, h.bad) {
			return
		}
		at := artifact.Range{Off: headerSize, Len: h.size}
		yield(format.Entry{Path: h.name, Size: h.size, ModTime: int64(h.u32(4)), Window: &at}, nil)
	}
}

func (h *header) u32(off int) uint32 { return binary.LittleEndian.Uint32(h.raw[off:]) }

func (h *header) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "magic", Value: magic, At: at(0, 4)},
		{Name: "time", Value: strconv.FormatUint(uint64(h.u32(4)), 10), At: at(4, 4)},
		{Name: "size", Value: strconv.FormatUint(uint64(h.u32(8)), 10), At: at(8, 4)},
		{Name: "load", Value: fmt.Sprintf("%#x", h.u32(12)), At: at(12, 4)},
		{Name: "entry", Value: fmt.Sprintf("%#x", h.u32(16)), At: at(16, 4)},
		{Name: "crc", Value: h.crc, At: at(20, 4)},
		{Name: "name", Value: h.name, At: at(28, int64(len(h.name)))},
	}
}
