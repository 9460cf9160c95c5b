// Package kernel reads the boot images of Linux: the self-extracting zImage of 32-bit ARM, the
// Image of 64-bit ARM, the bzImage of x86, and the kernel configuration that many kernels carry.
//
// Specifications: Documentation/arch/arm/booting.rst, Documentation/arch/arm64/booting.rst and
// Documentation/arch/x86/boot.rst of Linux, https://docs.kernel.org/arch/; the tables of the
// ARM decompressor in arch/arm/boot/compressed/head.S and vmlinux.lds.S; kernel/configs.c.
//
// A self-extracting kernel is divided no further than its compressed payload. Those of MIPS and
// other machines have no header; their payload is found by its own magic.
package kernel

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// image is what all formats here come to: a header, a payload and facts.
type image struct {
	size    int64
	path    string
	payload artifact.Range // empty if it was not found
	attrs   []artifact.Attr
	problem error
}

func (m *image) Size() int64               { return m.size }
func (m *image) Describe() []artifact.Attr { return m.attrs }

func (m *image) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if m.problem != nil && !yield(format.Entry{}, m.problem) {
			return
		}
		if m.payload.Len > 0 {
			yield(format.Entry{Path: m.path, Size: m.payload.Len, Window: &m.payload}, nil)
		}
	}
}

func (m *image) tell(name, value string, off, n int64) {
	m.attrs = append(m.attrs, artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: off, Len: n}})
}

// stream is a compression that Linux boots from: how it begins, and whether the rest of its
// header makes sense. Decompressors hold the magics as constants, so a magic alone proves little.
type stream struct {
	name, magic string
	valid       func(b []byte) bool
}

func streams() []stream {
	return []stream{
		{"gzip", "\x1f\x8b\x08", func(b []byte) bool { return b[3]&0xe0 == 0 && (b[8] == 0 || b[8] == 2 || b[8] == 4) }},
		{"xz", "\xfd7zXZ\x00", func(b []byte) bool {
			return b[6] == 0 && b[7] <= 10 && crc32.ChecksumIEEE(b[6:8]) == binary.LittleEndian.Uint32(b[8:])
		}},
		{"lzma", "\x5d\x00\x00", validLZMA},
		{"lzop", "\x89LZO\x00\r\n\x1a\n", func(b []byte) bool { return b[9] == 0x10 && b[11] == 0x20 && b[13] == 0x09 }}, // versions
		{"lz4", "\x02\x21\x4c\x18", validLZ4},
		{"zstd", "\x28\xb5\x2f\xfd", func(b []byte) bool { return b[4]&8 == 0 }},
		{"bzip2", "BZh", func(b []byte) bool { return b[3] >= '1' && b[3] <= '9' && string(b[4:10]) == "1AY&SY" }},
	}
}

// validLZ4 asks for a sane length of the first block, which must begin with literals.
func validLZ4(b []byte) bool {
	n := binary.LittleEndian.Uint32(b[4:])
	return n > 256 && n <= 8<<20+8<<20/255+16 && b[8]>>4 > 0
}

// validLZMA asks for a dictionary of a power of two and a size that is unknown or sane. The
// first byte of the coder is always 0.
func validLZMA(b []byte) bool {
	dict, size := binary.LittleEndian.Uint32(b[1:]), binary.LittleEndian.Uint64(b[5:])
	return dict >= 1<<16 && dict&(dict-1) == 0 && (size == 1<<64-1 || size > 0 && size < 1<<30) && b[13] == 0
}

// streamHead is the longest header looked at.
const streamHead = 14

// findStream returns the first compressed stream that begins in b at from or behind, and its
// offset.
func findStream(b []byte, from int) (s stream, off int, ok bool) {
	off = len(b)
	for _, t := range streams() {
		for i := from; ; i++ {
			j := bytes.Index(b[i:off], []byte(t.magic))
			if j < 0 || i+j+streamHead > len(b) {
				break
			}
			if i += j; t.valid(b[i:]) {
				s, off, ok = t, i, true
				break
			}
		}
	}
	return s, off, ok
}

// payloadEnd is where a stream ends whose length word stands at off. The build appends that word
// to every stream but gzip, whose own last word it is.
func payloadEnd(s stream, word int64) int64 {
	if s.name == "gzip" {
		return word + 4
	}
	return word
}
