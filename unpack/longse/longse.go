// Package longse reads the FLS update of Longse cameras: a header of 44 bytes with the name of
// the chip and of the sensor, then the whole flash.
//
// There is no official specification. The layout is that of a public writer,
// https://github.com/OpenIPC/coupler. TVT uses the same file suffix for something else.
package longse

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	mark  = "BURNER_BIN"
	magic = "\x01\x00\x00\x00" + mark
)

// Format is the update.
var Format = format.Format{
	Name:   "longse",
	Title:  "Longse update (FLS)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic, Off: 20}},
	Refs:   []format.Ref{{Title: "OpenIPC coupler", URL: "https://github.com/OpenIPC/coupler"}},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: name[8], sensor[8], size of the flash, 1, magic[10], NUL to the end.
const headerSize = 44

type update struct {
	raw     []byte
	flash   artifact.Range
	problem error
}

func open(src format.Source) (*update, error) {
	u := &update{raw: make([]byte, headerSize)}
	if n, _ := src.ReadAt(u.raw, 0); n < headerSize || string(u.raw[20:34]) != magic {
		return nil, format.Not("longse: header")
	}
	size := int64(binary.LittleEndian.Uint32(u.raw[16:]))
	if size == 0 || !name(u.raw[:8]) || !name(u.raw[8:16]) || len(bytes.Trim(u.raw[34:], "\x00")) > 0 {
		return nil, format.Not("longse: name %q, sensor %q, %d bytes", u.raw[:8], u.raw[8:16], size)
	}
	if left := src.Size() - headerSize; size > left {
		u.problem = format.Errorf(artifact.Truncated, src.Size(), "longse: flash at %#x: %d bytes, %d left", headerSize, size, left)
		size = left
	}
	u.flash = artifact.Range{Off: headerSize, Len: size}
	return u, nil
}

// name reports whether b is printable, padded with NUL.
func name(b []byte) bool {
	for _, c := range bytes.TrimRight(b, "\x00") {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

func (u *update) Size() int64 { return u.flash.End() }

func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if u.problem != nil && !yield(format.Entry{}, u.problem) {
			return
		}
		if u.flash.Len > 0 {
			yield(format.Entry{Path: "flash", Size: u.flash.Len, Window: &u.flash}, nil)
		}
	}
}

func (u *update) Describe() []artifact.Attr {
	text := func(off int) string { return string(bytes.TrimRight(u.raw[off:off+8], "\x00")) }
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "name", Value: text(0), At: at(0, 8)},
		{Name: "sensor", Value: text(8), At: at(8, 8)},
		{Name: "size", Value: strconv.FormatUint(uint64(binary.LittleEndian.Uint32(u.raw[16:])), 10), At: at(16, 4)},
		{Name: "magic", Value: mark, At: at(24, 10)},
	}
}
