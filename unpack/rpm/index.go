package rpm

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// index is a header structure, big endian: magic (8), number of entries (4), length of the store (4),
// entries of tag, type, offset in the store and count (4 each), and the store.
type index struct {
	at      artifact.Range
	raw     []byte
	entries map[uint32]entry
	store   int64 // its offset in raw
}

type entry struct{ kind, off, count uint32 }

const (
	indexMagic = "\x8e\xad\xe8\x01\x00\x00\x00\x00"
	indexLen   = 16
	entryLen   = 16

	// rpm's own limits, lib/header.c.
	maxEntries = 1 << 16
	maxStore   = 256 << 20
)

// Types of entries.
const (
	kindInt32  = 4
	kindInt64  = 5
	kindString = 6
	kindBinary = 7
	kindI18N   = 9 // strings; the first is in the language C
)

func readIndex(src format.Source, off int64) (*index, error) {
	h, err := format.ReadAt(src, off, indexLen, "header")
	if err != nil {
		return nil, err
	}
	n, size := int64(binary.BigEndian.Uint32(h[8:])), int64(binary.BigEndian.Uint32(h[12:]))
	if string(h[:8]) != indexMagic || n == 0 || n > maxEntries || size > maxStore {
		return nil, fmt.Errorf("header at %#x: magic %x, %d entries, %d bytes", off, h[:8], n, size)
	}
	x := &index{at: artifact.Range{Off: off, Len: indexLen + n*entryLen + size}, store: indexLen + n*entryLen, entries: map[uint32]entry{}}
	if x.raw, err = format.ReadAt(src, off, x.at.Len, "header"); err != nil {
		return nil, err
	}
	for b := x.raw[indexLen:x.store]; len(b) > 0; b = b[entryLen:] {
		u32 := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
		if _, ok := x.entries[u32(0)]; !ok {
			x.entries[u32(0)] = entry{u32(4), u32(8), u32(12)}
		}
	}
	return x, nil
}

// find returns what stands in the store from the value of tag on.
func (x *index) find(tag uint32, kinds ...uint32) (b []byte, at artifact.Range, count uint32) {
	e, ok := x.entries[tag]
	if !ok || int64(e.off) >= int64(len(x.raw))-x.store {
		return nil, at, 0
	}
	for _, k := range kinds {
		if e.kind == k {
			off := x.store + int64(e.off)
			return x.raw[off:], artifact.Range{Off: x.at.Off + off}, e.count
		}
	}
	return nil, at, 0
}

func (x *index) text(tag uint32) (string, artifact.Range, bool) {
	b, at, count := x.find(tag, kindString, kindI18N)
	end := bytes.IndexByte(b, 0)
	if count == 0 || end < 0 {
		return "", at, false
	}
	at.Len = int64(end)
	return string(b[:end]), at, true
}

func (x *index) bytes(tag uint32) ([]byte, artifact.Range, bool) {
	b, at, count := x.find(tag, kindBinary)
	if uint64(count) > uint64(len(b)) {
		return nil, at, false
	}
	at.Len = int64(count)
	return b[:count], at, b != nil
}

func (x *index) number(tag uint32) (int64, bool) {
	if b, _, count := x.find(tag, kindInt64); count == 1 && len(b) >= 8 {
		v := int64(binary.BigEndian.Uint64(b))
		return v, v >= 0
	}
	if b, _, count := x.find(tag, kindInt32); count == 1 && len(b) >= 4 {
		return int64(binary.BigEndian.Uint32(b)), true
	}
	return 0, false
}
