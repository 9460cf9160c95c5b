// Package allwinner reads IMAGEWTY, the image that Allwinner's tools (LiveSuit, PhoenixSuit) write
// to a device: a header, a table of items, and the items: boot loader, partitions, configuration.
//
// Specification: imagefile_new.h of Allwinner's imgdecode, published with
// https://github.com/YuzukiTsuru/OpenixCard; version 0x100 follows imagewty.h there.
package allwinner

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "IMAGEWTY"

// encrypted are the first 16 bytes of images under RC6, which all are under one key: magic,
// version and size of the header, one block. Versions 0x100, 0x300 and 0x403.
var encrypted = [...]string{
	"\x2a\x99\xa2\x80\x46\xd0\x63\x98\x24\xa2\x62\x04\x93\x1e\x03\x95",
	"\x36\xd7\xa9\x54\xf5\x98\xaa\xaf\x76\x57\x5e\x5f\x54\xa3\x15\x5d",
	"\x30\x09\xb8\xec\x1a\x6d\x9a\x59\xea\xf7\x27\x4f\x6c\x42\x2a\x2d",
}

// Format is the image.
var Format = format.Format{
	Name:   "allwinner",
	Title:  "Allwinner IMAGEWTY",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}, {Bytes: encrypted[0], Start: true}, {Bytes: encrypted[1], Start: true}, {Bytes: encrypted[2], Start: true}},
	Refs:   []format.Ref{{Title: "OpenixCard", URL: "https://github.com/YuzukiTsuru/OpenixCard"}},
	Limits: []string{"Images under RC6 are told but not decrypted, nor are items that name an encryption."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic[8], version, its size, attributes, version of the format, size
// of the image u64 (from version 0x300 on; else u32), alignment, USB product, USB vendor, hardware,
// firmware, attributes of items, size of an item in the table, number of items, offset of the table.
//
// An item: version, size of this, main type[8], subtype[16], attributes; from version 0x300 on
// name[256], stored size u64, size u64, offset u64, encryption[64], checksum; in version 0x100
// stored size, size, offset, opaque u32, name[256].
const (
	headerSize = 1024
	itemSize   = 1024
	maxItems   = 1024
	oldVersion = 0x100
)

type image struct {
	src     format.Source
	attrs   []artifact.Attr
	items   []item
	size    int64
	problem error
}

type item struct {
	path       string
	main, sub  string
	stored     artifact.Range
	size       int64
	encryption string
	header     artifact.Range
	verified   bool // by the item that holds its checksum
}

func open(src format.Source) (*image, error) {
	b := make([]byte, headerSize)
	if n, _ := src.ReadAt(b, 0); n < headerSize {
		return nil, format.Not("allwinner: %d bytes", n)
	}
	m := &image{src: src}
	for _, e := range encrypted {
		if bytes.HasPrefix(b, []byte(e)) {
			m.size = src.Size()
			return m, nil
		}
	}
	if string(b[:8]) != magic {
		return nil, format.Not("allwinner: header")
	}
	return m, m.read(b)
}

func (m *image) read(b []byte) error {
	u32 := func(off int) int64 { return int64(binary.LittleEndian.Uint32(b[off:])) }
	version, size, fields := u32(8), u32(24), 32 // where the fields behind the alignment stand
	if version != oldVersion {
		// The upper half of the size; some descriptions have the alignment here.
		if fields = 36; u32(28) != 0 && u32(28) != 1024 {
			return format.Not("allwinner: image of 4 GiB and more")
		}
	}
	each, count, table := u32(fields+20), u32(fields+24), u32(fields+28)
	if each != itemSize || table != headerSize || count < 1 || count > maxItems || size < headerSize+count*itemSize {
		return format.Not("allwinner: version %#x, %d items of %d bytes at %#x, %d bytes", version, count, each, table, size)
	}
	if m.size = size; size > m.src.Size() {
		if m.src.Before > 0 {
			return format.Not("allwinner: %d bytes, %d left", size, m.src.Size())
		}
		m.size = m.src.Size()
		m.problem = format.Errorf(artifact.Truncated, m.size, "allwinner: %d bytes, %d left", size, m.size)
	}
	add := func(name string, off int) {
		m.attrs = append(m.attrs, artifact.Attr{Name: name, Value: fmt.Sprintf("%#x", u32(off)), At: artifact.Range{Off: int64(off), Len: 4}})
	}
	add("version", 8)
	add("usb product", fields)
	add("usb vendor", fields+4)
	add("hardware", fields+8)
	add("firmware", fields+12)
	first := headerSize + count*itemSize
	for i := range count {
		t, err := readItem(m.src, headerSize+i*itemSize, version, first, size)
		if err != nil && len(m.items) == 0 {
			return format.Not("%v", err)
		}
		if err != nil {
			m.problem = err
			break
		}
		m.items = append(m.items, t)
	}
	m.verify()
	return nil
}

// readItem reads the item whose header is at off. Data stand between first and end.
func readItem(src format.Source, off, version, first, end int64) (t item, err error) {
	b := make([]byte, itemSize)
	if n, _ := src.ReadAt(b, off); n < itemSize {
		return t, format.Errorf(artifact.Truncated, off, "allwinner: item at %#x: %d bytes left", off, n)
	}
	text := func(off, n int) string {
		s, _, _ := strings.Cut(string(b[off:off+n]), "\x00")
		return s
	}
	u64 := func(off int) int64 { return int64(binary.LittleEndian.Uint64(b[off:]) & (1<<63 - 1)) }
	u32 := func(off int) int64 { return int64(binary.LittleEndian.Uint32(b[off:])) }
	t = item{main: text(8, 8), sub: text(16, 16), header: artifact.Range{Off: off, Len: itemSize}}
	if version == oldVersion {
		t.path, t.stored, t.size = text(52, 256), artifact.Range{Off: u32(44), Len: u32(36)}, u32(40)
	} else {
		t.path, t.stored, t.size = text(36, 256), artifact.Range{Off: u64(308), Len: u64(292)}, u64(300)
		t.encryption = text(316, 64)
	}
	if u32(4) != itemSize || t.path == "" || t.size > t.stored.Len || t.stored.Off < first || t.stored.Off > end || t.stored.Len > end-t.stored.Off {
		return t, format.Errorf(artifact.Damaged, off, "allwinner: item %q at %#x: %d of %d bytes at %#x, image of %#x", t.path, off, t.size, t.stored.Len, t.stored.Off, end)
	}
	return t, nil
}

// verify compares items with the sums that others hold: the item of the same name and subtype with
// V before them, 4 bytes. Sums that do not fit are passed over: builds differ in what they cover.
func (m *image) verify() {
	bySub := map[string]*item{}
	for i := range m.items {
		bySub[m.items[i].sub] = &m.items[i]
	}
	left := 2 * m.size // items may overlap
	for i := range m.items {
		t := &m.items[i]
		var want [4]byte
		if v := bySub["V"+t.sub[:min(len(t.sub), 15)]]; v != nil && v.size == 4 && t.stored.End() <= m.size && left > 0 {
			left -= t.size
			n, _ := m.src.ReadAt(want[:], v.stored.Off)
			sum, err := m.sum(t.stored.Off, t.size)
			t.verified = n == 4 && err == nil && sum == binary.LittleEndian.Uint32(want[:])
		}
	}
}

// sum adds up 32-bit words, the last one filled up with zeros, as add_sum of Allwinner's U-Boot does.
func (m *image) sum(off, size int64) (sum uint32, err error) {
	r := io.NewSectionReader(m.src, off, size)
	b := make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(r, b)
		clear(b[n:])
		for i := 0; i < n; i += 4 {
			sum += binary.LittleEndian.Uint32(b[i:])
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return sum, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func (m *image) Size() int64 { return m.size }

// Entries yields the items by their file names.
func (m *image) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if m.problem != nil && !yield(format.Entry{}, m.problem) {
			return
		}
		if len(m.items) == 0 {
			at := artifact.Range{Len: m.size}
			yield(format.Entry{}, &format.Error{Kind: artifact.Encrypted, At: at, Text: "allwinner: image encrypted with RC6"})
			return
		}
		for _, t := range m.items {
			at := artifact.Range{Off: min(t.stored.Off, m.size), Len: max(0, min(t.stored.Off+t.size, m.size)-t.stored.Off)}
			if !yield(format.Entry{Path: t.path, Size: t.size, Window: &at}, nil) {
				return
			}
		}
	}
}

func (m *image) Describe() []artifact.Attr {
	attrs := m.attrs
	for _, t := range m.items {
		value := t.path + ", " + t.main + " " + t.sub + ", " + strconv.FormatInt(t.size, 10) + " bytes"
		if t.encryption != "" {
			value += fmt.Sprintf(", encryption %q", t.encryption)
		}
		if t.verified {
			value += ", sum ok"
		}
		attrs = append(attrs, artifact.Attr{Name: "item", Value: value, At: t.header})
	}
	return attrs
}
