// Package tiandy reads the box, the update and configuration container of Tiandy: a header and
// entries that each begin with a name of 128 bytes and their length, twice.
//
// There is no official specification. The layout follows a public reader and a public writer
// that agree, https://github.com/zb3/tiandy-research and https://github.com/OpenIPC/coupler.
package tiandy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "Tiandy\x00\x00"

// Format is the box.
var Format = format.Format{
	Name:   "tiandy",
	Title:  "Tiandy box",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs: []format.Ref{
		{Title: "tiandy-research", URL: "https://github.com/zb3/tiandy-research"},
		{Title: "OpenIPC coupler", URL: "https://github.com/OpenIPC/coupler"},
	},
	Limits: []string{"Bytes 12 to 31 of the header are not understood."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic[8], length of the box, type[4], 16 opaque bytes, length of
// the entries, and again (some writers leave it 0). An entry: name[128], length, length, data,
// padding to a multiple of 8.
const (
	headerSize = 40
	entrySize  = 136
	maxEntries = 4096
)

type box struct {
	src     format.Source
	raw     []byte
	entries []entry
	end     int64
	problem error
}

type entry struct {
	path string
	at   artifact.Range
}

func open(src format.Source) (*box, error) {
	b := &box{src: src, raw: make([]byte, headerSize), end: headerSize}
	if n, _ := src.ReadAt(b.raw, 0); n < headerSize || string(b.raw[:8]) != magic {
		return nil, format.Not("tiandy: header")
	}
	total := int64(b.u32(8))
	if total != int64(b.u32(32))+headerSize || total < headerSize+entrySize {
		return nil, format.Not("tiandy: box of %d bytes, entries of %d", total, b.u32(32))
	}
	for b.problem == nil && b.end < total {
		b.problem = b.next(total)
	}
	if len(b.entries) == 0 {
		return nil, format.Not("tiandy: no entry")
	}
	return b, nil
}

func (b *box) u32(off int) uint32 { return binary.LittleEndian.Uint32(b.raw[off:]) }

// next reads the entry at end. The padding behind the last one may be missing.
func (b *box) next(total int64) error {
	h := make([]byte, entrySize)
	off := b.end
	if n, _ := b.src.ReadAt(h, off); n < entrySize {
		return format.Errorf(artifact.Truncated, off, "tiandy: entry at %#x: %d bytes left", off, n)
	}
	name, _, _ := bytes.Cut(h[:128], []byte{0})
	n, again := int64(binary.LittleEndian.Uint32(h[128:])), int64(binary.LittleEndian.Uint32(h[132:]))
	off += entrySize
	if len(name) == 0 || n != again || n > total-off || len(b.entries) == maxEntries {
		return format.Errorf(artifact.Damaged, b.end, "tiandy: entry %q at %#x: %d and %d bytes, %d left", name, b.end, n, again, total-off)
	}
	var problem error
	if left := b.src.Size() - off; n > left {
		problem = format.Errorf(artifact.Truncated, b.end, "tiandy: entry %q at %#x: %d bytes, %d left", name, b.end, n, left)
		n = left
	}
	b.entries = append(b.entries, entry{string(name), artifact.Range{Off: off, Len: n}})
	b.end = min((off+n+7)&^7, total, b.src.Size())
	return problem
}

func (b *box) Size() int64 { return b.end }

func (b *box) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if b.problem != nil && !yield(format.Entry{}, b.problem) {
			return
		}
		for _, e := range b.entries {
			if !yield(format.Entry{Path: e.path, Size: e.at.Len, Window: &e.at}, nil) {
				return
			}
		}
	}
}

func (b *box) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "magic", Value: "Tiandy", At: at(0, 8)},
		{Name: "total", Value: strconv.FormatUint(uint64(b.u32(8)), 10), At: at(8, 4)},
		{Name: "type", Value: fmt.Sprintf("%x", b.raw[12:16]), At: at(12, 4)},
		{Name: "metadata", Value: fmt.Sprintf("%x", b.raw[16:32]), At: at(16, 16)},
		{Name: "files", Value: strconv.Itoa(len(b.entries)), At: at(headerSize, b.end-headerSize)},
	}
}
