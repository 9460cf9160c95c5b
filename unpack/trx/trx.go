// Package trx reads the TRX image of Broadcom's boot loader CFE: a header with up to four
// offsets at which kernel and file systems start.
//
// Specification: trxhdr.h of Broadcom,
// https://git.openwrt.org/?p=openwrt/openwrt.git;a=blob;f=package/system/mtd/src/trx.c
package trx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "HDR0"

// Format is the image.
var Format = format.Format{
	Name:   "trx",
	Title:  "Broadcom TRX",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "OpenWrt mtd, trx.c", URL: "https://git.openwrt.org/?p=openwrt/openwrt.git;a=blob;f=package/system/mtd/src/trx.c"}},
	Limits: []string{"Headers with another magic, as some makers have, are not found."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic, length with header, CRC-32 from offset 12 on without final
// inversion, flags[2], version[2], then 3 offsets in version 1, 4 in version 2; 0 is none.
const headerSize = 28

type image struct {
	src     format.Source
	raw     []byte
	offsets []int64
	size    int64
	crc     string
	problem error
}

func open(src format.Source) (*image, error) {
	m := &image{src: src, raw: make([]byte, headerSize+4)}
	if n, _ := src.ReadAt(m.raw, 0); n < len(m.raw) || string(m.raw[:4]) != magic {
		return nil, format.Not("trx: header")
	}
	m.size = int64(m.u32(4))
	version := binary.LittleEndian.Uint16(m.raw[14:])
	head := int64(headerSize)
	if version == 2 {
		head += 4
	}
	if version < 1 || version > 2 || m.size <= head {
		return nil, format.Not("trx: version %d, %d bytes", version, m.size)
	}
	last := head - 1
	for i := 16; i < int(head); i += 4 {
		off := int64(m.u32(i))
		if off == 0 {
			continue
		}
		if off <= last || off >= m.size {
			return nil, format.Not("trx: part at %#x behind %#x of %d bytes", off, last, m.size)
		}
		m.offsets = append(m.offsets, off)
		last = off
	}
	if len(m.offsets) == 0 {
		m.offsets = []int64{head}
	}
	return m, m.check()
}

// check compares the CRC. An image whose CRC does not fit, in the midst of others, is none: its
// length would claim what is not its own. But one that is full of headers is taken as it says:
// else each of them would be read to its end.
func (m *image) check() error {
	if left := m.src.Size(); m.size > left {
		if m.src.Before > 0 {
			return format.Not("trx: %d bytes, %d left", m.size, left)
		}
		m.problem = format.Errorf(artifact.Truncated, left, "trx: %d bytes, %d left", m.size, left)
		m.size, m.crc = left, "not checked: image cut off"
		return nil
	}
	h := &sum{Hash32: crc32.NewIEEE()}
	if _, err := io.Copy(h, io.NewSectionReader(format.Summed(m.src), 12, m.size-12)); err != nil {
		return format.Errorf(artifact.Damaged, 12, "trx: image: %v", err)
	}
	m.crc = "ok"
	if got, want := ^h.Sum32(), m.u32(8); got != want {
		if m.size != m.src.Size() && h.headers < manyHeaders {
			return format.Not("trx: CRC %#x, want %#x", got, want)
		}
		m.crc = "bad"
		m.problem = format.Errorf(artifact.Checksum, 8, "trx: CRC %#x, want %#x", got, want)
	}
	return nil
}

const manyHeaders = 16

// sum is a CRC that counts headers in passing.
type sum struct {
	hash.Hash32
	headers int
}

func (s *sum) Write(b []byte) (int, error) {
	s.headers += bytes.Count(b, []byte(magic))
	return s.Hash32.Write(b)
}

func (m *image) u32(off int) uint32 { return binary.LittleEndian.Uint32(m.raw[off:]) }

func (m *image) Size() int64 { return m.size }

// Entries yields the parts by number, each up to the next.
func (m *image) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if m.problem != nil && !yield(format.Entry{}, m.problem) {
			return
		}
		for i, off := range m.offsets {
			end := m.size
			if i+1 < len(m.offsets) {
				end = min(end, m.offsets[i+1])
			}
			if off >= end {
				return
			}
			at := artifact.Range{Off: off, Len: end - off}
			if !yield(format.Entry{Path: strconv.Itoa(i), Size: at.Len, Window: &at}, nil) {
				return
			}
		}
	}
}

func (m *image) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "size", Value: strconv.FormatUint(uint64(m.u32(4)), 10), At: at(4, 4)},
		{Name: "crc", Value: m.crc, At: at(8, 4)},
		{Name: "flags", Value: fmt.Sprintf("%#x", binary.LittleEndian.Uint16(m.raw[12:])), At: at(12, 2)},
		{Name: "version", Value: strconv.Itoa(int(m.raw[14])), At: at(14, 2)},
	}
}
