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

// The GUIDs d6012e07-10bc-4f91-b28a-352f82261a50 and 8827be90-36cd-4fc2-a987-73a8484e84b1, as stored.
const (
	packMagic  = "\x07\x2e\x01\xd6\xbc\x10\x91\x4f\xb2\x8a\x35\x2f\x82\x26\x1a\x50"
	tableMagic = "\x90\xbe\x27\x88\xcd\x36\xc2\x4f\xa9\x87\x73\xa8\x48\x4e\x84\xb1"
)

// Pack is a whole firmware image with its table of partitions.
var Pack = format.Format{
	Name:   "novatek-pack",
	Title:  "Novatek NVTPACK",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: packMagic}},
	Refs:   []format.Ref{{Title: "NTKFWinfo", URL: "https://github.com/EgorKin/Novatek-FW-info"}},
	Limits: []string{"Only version 0x16071515 is read."},
	Open:   func(src format.Source) (format.Chunk, error) { return openPack(src) },
}

// The header, little endian: GUID, version, size of the header, number of partitions, size of
// all, checksum method, checksum. Behind it stand the partitions' offset, size and number.
const (
	packHeader    = 0x28
	packVersion   = 0x16071515
	packEntry     = 12
	maxPartitions = 64 // numbers have that many in the device trees of the SDK
)

type pack struct {
	src   format.Source
	raw   []byte
	size  int64
	parts []partition
	sum   string
	bad   error
}

type partition struct {
	number uint32
	at     artifact.Range
	entry  artifact.Range // in the table
}

func openPack(src format.Source) (*pack, error) {
	p := &pack{src: src, raw: make([]byte, packHeader), sum: "ok"}
	if n, _ := src.ReadAt(p.raw, 0); n < packHeader || string(p.raw[:16]) != packMagic {
		return nil, format.Not("novatek: header")
	}
	u32 := func(off int) int64 { return int64(binary.LittleEndian.Uint32(p.raw[off:])) }
	p.size = u32(28)
	head, count := u32(20), u32(24)
	if u32(16) != packVersion || head < packHeader || head > 4096 || count < 1 || count > maxPartitions || p.size <= head+count*packEntry {
		return nil, format.Not("novatek: version %#x, header of %d bytes, %d partitions, %d bytes", u32(16), head, count, p.size)
	}
	var ok bool
	if p.parts, ok = readTable(src, head, count, head+count*packEntry, p.size); !ok {
		return nil, format.Not("novatek: table at %#x", head)
	}
	if left := src.Size(); p.size > left {
		p.bad = format.Errorf(artifact.Truncated, left, "novatek: %d bytes, %d left", p.size, left)
		p.size, p.sum = left, "not checked: image cut off"
		return p, nil
	}
	switch sum, err := total(src, p.size); {
	case err != nil:
		return nil, err
	case sum != 0:
		p.sum = "bad"
		p.bad = format.Errorf(artifact.Checksum, 36, "novatek: checksum: words and indices add up to %#x, want 0", sum)
	}
	return p, nil
}

// readTable reads count partitions at off. They stand between first and end, in order.
func readTable(src io.ReaderAt, off, count, first, end int64) (list []partition, ok bool) {
	b := make([]byte, count*packEntry)
	if n, _ := src.ReadAt(b, off); n < len(b) {
		return nil, false
	}
	for ; len(b) > 0; b, off = b[packEntry:], off+packEntry {
		at := artifact.Range{Off: int64(binary.LittleEndian.Uint32(b)), Len: int64(binary.LittleEndian.Uint32(b[4:]))}
		if at.Off < first || at.Len == 0 || at.End() > end {
			return nil, false
		}
		first = at.End()
		list = append(list, partition{binary.LittleEndian.Uint32(b[8:]), at, artifact.Range{Off: off, Len: packEntry}})
	}
	return list, true
}

func (p *pack) Size() int64 { return p.size }

func (p *pack) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if p.bad != nil && !yield(format.Entry{}, p.bad) {
			return
		}
		windows(p.parts, p.size, yield)
	}
}

// windows yields partitions by number, as far as they are there.
func windows(parts []partition, size int64, yield func(format.Entry, error) bool) bool {
	for _, q := range parts {
		at := artifact.Range{Off: min(q.at.Off, size), Len: max(0, min(q.at.End(), size)-min(q.at.Off, size))}
		e := format.Entry{Path: strconv.FormatUint(uint64(q.number), 10), Size: q.at.Len, Window: &at}
		if at.Len < q.at.Len {
			e.Problems = []artifact.Problem{{Kind: artifact.Truncated, At: at, Detail: fmt.Sprintf("novatek: partition %d at %#x: %d bytes, %d left", q.number, q.at.Off, q.at.Len, at.Len)}}
		}
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

func (p *pack) Describe() []artifact.Attr {
	return append([]artifact.Attr{
		{Name: "version", Value: fmt.Sprintf("%#x", packVersion), At: artifact.Range{Off: 16, Len: 4}},
		{Name: "size", Value: strconv.FormatUint(uint64(binary.LittleEndian.Uint32(p.raw[28:])), 10), At: artifact.Range{Off: 28, Len: 4}},
		{Name: "checksum", Value: p.sum, At: artifact.Range{Off: 36, Len: 4}},
	}, describe(p.parts)...)
}

func describe(parts []partition) (attrs []artifact.Attr) {
	for _, q := range parts {
		attrs = append(attrs, artifact.Attr{Name: "partition", Value: fmt.Sprintf("%d %#x+%#x", q.number, q.at.Off, q.at.Len), At: q.entry})
	}
	return attrs
}
