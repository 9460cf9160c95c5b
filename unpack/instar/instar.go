// Package instar reads the BNEG update of Instar cameras: a header of 20 bytes around two
// partitions.
//
// There is no official specification. The layout is known from the unpacker unblob,
// https://github.com/onekey-sec/unblob.
package instar

import (
	"encoding/binary"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	name  = "BNEG"
	magic = name + "\x01\x00\x00\x00" // with the major version
)

// Format is the update.
var Format = format.Format{
	Name:   "instar",
	Title:  "Instar update (BNEG)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "unblob", URL: "https://github.com/onekey-sec/unblob"}},
	Limits: []string{"The ZIP archives with altered magics of newer cameras are not read here."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic, major 1, minor (1 and 2 are known), size of the first and of the second partition.
const headerSize = 20

type update struct {
	minor   uint32
	parts   [2]artifact.Range
	size    int64
	problem error
}

func open(src format.Source) (*update, error) {
	b := make([]byte, headerSize)
	if n, _ := src.ReadAt(b, 0); n < headerSize || string(b[:8]) != magic {
		return nil, format.Not("instar: header")
	}
	minor := binary.LittleEndian.Uint32(b[8:])
	if minor == 0 || minor > 9 {
		return nil, format.Not("instar: version 1.%d", minor)
	}
	first, second := int64(binary.LittleEndian.Uint32(b[12:])), int64(binary.LittleEndian.Uint32(b[16:]))
	if first == 0 || second == 0 {
		return nil, format.Not("instar: partitions of %d and %d bytes", first, second)
	}
	u := &update{minor: minor, size: headerSize + first + second}
	if u.size > src.Size() {
		u.problem = format.Errorf(artifact.Truncated, src.Size(), "instar: %d bytes, %d left", u.size, src.Size())
		u.size = src.Size()
	}
	first = min(first, u.size-headerSize)
	u.parts[0] = artifact.Range{Off: headerSize, Len: first}
	u.parts[1] = artifact.Range{Off: headerSize + first, Len: u.size - headerSize - first}
	return u, nil
}

func (u *update) Size() int64 { return u.size }

func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if u.problem != nil && !yield(format.Entry{}, u.problem) {
			return
		}
		for i, at := range u.parts {
			if at.Len > 0 && !yield(format.Entry{Path: "part" + strconv.Itoa(i+1), Size: at.Len, Window: &at}, nil) {
				return
			}
		}
	}
}

func (u *update) Describe() []artifact.Attr {
	return []artifact.Attr{
		{Name: "magic", Value: name, At: artifact.Range{Off: 0, Len: 4}},
		{Name: "version", Value: "1." + strconv.FormatUint(uint64(u.minor), 10), At: artifact.Range{Off: 4, Len: 8}},
	}
}
