// Package uimage reads the legacy image of the U-Boot boot loader: a 64-byte header around a
// kernel, a ramdisk, a script, several parts, or whatever else a maker puts into flash.
//
// Specification: struct legacy_img_hdr in U-Boot's include/image.h,
// https://source.denx.de/u-boot/u-boot/-/blob/master/include/image.h
//
// Payloads are handed out as they stand. The compression and type fields are reported and not
// believed: camera makers wrap bare SquashFS images in headers that say "standalone, gzip".
package uimage

import (
	"bytes"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "\x27\x05\x19\x56"

// Format is the legacy U-Boot image.
var Format = format.Format{
	Name:   "uimage",
	Title:  "U-Boot legacy image",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "U-Boot include/image.h", URL: "https://source.denx.de/u-boot/u-boot/-/blob/master/include/image.h"}},
	Limits: []string{"Headers whose magic number a maker replaced are not found."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, big endian:
//
//	 0  4  magic
//	 4  4  CRC-32 of the header, this field taken as 0
//	 8  4  time of creation, seconds since 1970
//	12  4  size of the data
//	16  4  load address
//	20  4  entry point
//	24  4  CRC-32 of the data
//	28  1  operating system
//	29  1  architecture
//	30  1  type
//	31  1  compression
//	32 32  name, padded with NUL
const headerSize = 64

const (
	typeMulti  = 4 // table of sizes, then parts
	typeScript = 6 // the same table with one part
)

type image struct {
	src     format.Source
	raw     []byte // the header
	size    int64  // of the data, as far as it is there and belongs to the image
	dataCRC string
	problem error
}

func open(src format.Source) (*image, error) {
	b := make([]byte, headerSize)
	if n, _ := src.ReadAt(b, 0); n < headerSize || string(b[:4]) != magic {
		return nil, format.Not("uimage: header")
	}
	sum := crc32.ChecksumIEEE(b[:4])
	sum = crc32.Update(sum, crc32.IEEETable, make([]byte, 4))
	sum = crc32.Update(sum, crc32.IEEETable, b[8:])
	if got := binary.BigEndian.Uint32(b[4:]); got != sum {
		return nil, format.Not("uimage: header CRC: %#x, want %#x", got, sum)
	}
	m := &image{src: src, raw: b, size: int64(binary.BigEndian.Uint32(b[12:]))}
	m.check()
	return m, nil
}

func (m *image) Size() int64 { return headerSize + m.size }

func (m *image) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if m.problem != nil && !yield(format.Entry{}, m.problem) {
			return
		}
		for _, p := range m.parts() {
			e := format.Entry{Path: p.path, Size: p.at.Len, ModTime: m.time(), Window: &p.at}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// check compares the data with its CRC. A header whose data was overwritten or never there must
// not claim what follows it in flash. So if the CRC does not fit, the size is believed only
// where the content or padding begins behind it; else the image is its header alone. It is
// believed too if the data is full of headers: else each of them would be read to its end.
func (m *image) check() {
	if left := m.src.Size() - headerSize; m.size > left {
		m.dataCRC = "not checked: data cut off"
		m.problem = format.Errorf(artifact.Truncated, m.src.Size(), "uimage: data at %#x: %d bytes, %d left", headerSize, m.size, left)
		m.size = 0
		if m.src.Before == 0 {
			m.size = left
		}
		return
	}
	h := &sum{Hash32: crc32.NewIEEE()}
	if _, err := io.Copy(h, io.NewSectionReader(format.Summed(m.src), headerSize, m.size)); err != nil {
		m.problem = format.Errorf(artifact.Damaged, headerSize, "uimage: data at %#x: %v", headerSize, err)
	}
	m.dataCRC = "ok"
	if want := m.u32(24); h.Sum32() != want {
		m.dataCRC = "bad"
		m.problem = format.Errorf(artifact.Checksum, headerSize, "uimage: data CRC: %#x, want %#x", h.Sum32(), want)
		if !m.padded() && h.headers < manyHeaders {
			m.size = 0
		}
	}
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

// padded reports whether the content ends behind the data, or goes on with erased or zero bytes.
func (m *image) padded() bool {
	b := make([]byte, 16)
	n, _ := m.src.ReadAt(b, m.Size())
	b = b[:n]
	return len(bytes.Trim(b, "\xff")) == 0 || len(bytes.Trim(b, "\x00")) == 0
}

type part struct {
	path string
	at   artifact.Range
}

// parts returns the data, or what its table divides it into. A table that does not account for
// the data to the byte is none.
func (m *image) parts() []part {
	if m.size == 0 {
		return nil
	}
	whole := []part{{m.name(), artifact.Range{Off: headerSize, Len: m.size}}}
	if m.raw[30] != typeMulti && m.raw[30] != typeScript {
		return whole
	}
	sizes, off := m.table()
	var parts []part
	for i, n := range sizes {
		if n > m.Size()-off {
			return whole
		}
		p := part{strconv.Itoa(i), artifact.Range{Off: off, Len: n}}
		if len(sizes) == 1 {
			p.path = m.name()
		}
		parts = append(parts, p)
		off += n
		if i < len(sizes)-1 {
			off += -n & 3 // parts start at multiples of 4
		}
	}
	if parts == nil || m.Size()-off > 3 {
		return whole
	}
	return parts
}

// maxParts is far above what any boot loader passes on (kernel, ramdisk, device trees).
const maxParts = 256

// table reads part sizes up to the 0 that ends them, and returns where the parts start.
func (m *image) table() (sizes []int64, off int64) {
	b := make([]byte, min(m.size, 4*(maxParts+1)))
	n, _ := m.src.ReadAt(b, headerSize)
	for i := 0; i+4 <= n; i += 4 {
		size := binary.BigEndian.Uint32(b[i:])
		if size == 0 {
			return sizes, headerSize + int64(i) + 4
		}
		sizes = append(sizes, int64(size))
	}
	return nil, 0
}

// name returns the stored name as a path element, or the type if there is none.
func (m *image) name() string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, m.storedName())
	if s = strings.TrimSpace(s); strings.Trim(s, ".") == "" {
		return lookup(types, m.raw[30])
	}
	return s
}

func (m *image) storedName() string {
	s, _, _ := strings.Cut(string(m.raw[32:]), "\x00")
	return s
}

func (m *image) u32(off int) uint32 { return binary.BigEndian.Uint32(m.raw[off:]) }
func (m *image) time() int64        { return int64(m.u32(8)) }

func (m *image) Describe() []artifact.Attr {
	hex := func(off int) string { return "0x" + strconv.FormatUint(uint64(m.u32(off)), 16) }
	dec := func(off int) string { return strconv.FormatUint(uint64(m.u32(off)), 10) }
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "name", Value: m.storedName(), At: at(32, 32)},
		{Name: "time", Value: dec(8), At: at(8, 4)},
		{Name: "size", Value: dec(12), At: at(12, 4)},
		{Name: "load", Value: hex(16), At: at(16, 4)},
		{Name: "entry", Value: hex(20), At: at(20, 4)},
		{Name: "os", Value: lookup(systems, m.raw[28]), At: at(28, 1)},
		{Name: "arch", Value: lookup(machines, m.raw[29]), At: at(29, 1)},
		{Name: "type", Value: lookup(types, m.raw[30]), At: at(30, 1)},
		{Name: "compression", Value: lookup(methods, m.raw[31]), At: at(31, 1)},
		{Name: "header-crc", Value: "ok", At: at(4, 4)},
		{Name: "data-crc", Value: m.dataCRC, At: at(24, 4)},
	}
}
