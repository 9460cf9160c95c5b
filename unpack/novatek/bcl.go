package novatek

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

const bclMagic = "BCL1"

// BCL is a compressed partition. In older firmware a table of further partitions follows it.
var BCL = format.Format{
	Name:   "novatek-bcl",
	Title:  "Novatek BCL1",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: bclMagic}},
	Refs: []format.Ref{
		{Title: "NTKFWinfo", URL: "https://github.com/EgorKin/Novatek-FW-info"},
		{Title: "Basic Compression Library", URL: "https://bcl.comli.eu/home-en.html"},
	},
	Limits: []string{"Of the Basic Compression Library's methods only LZ77, and those that Novatek added, LZMA and zlib, are decoded."},
	Open:   func(src format.Source) (format.Chunk, error) { return openBCL(src) },
}

// The header, big endian but for the checksum: magic, checksum u16, method u16, size, compressed size.
const (
	bclHeader = 16
	maxRatio  = 256 // far beyond what code packs to, so that a false header costs little
)

// methods are Novatek's; 9 is that of the Basic Compression Library.
func methods(id uint16) (name string, decode codec.Block) {
	switch id {
	case 9:
		return "LZ77", lz77
	case 11:
		return "LZMA", lzma
	case 12:
		return "zlib", codec.Zlib
	}
	return "", nil
}

type bcl struct {
	src    format.Source
	raw    []byte
	method string
	decode codec.Block
	packed int64
	size   int64 // of all
	sum    string
	bad    error
	parts  []partition
	table  artifact.Range
}

func openBCL(src format.Source) (*bcl, error) {
	b := &bcl{src: src, raw: make([]byte, bclHeader)}
	if n, _ := src.ReadAt(b.raw, 0); n < bclHeader || string(b.raw[:4]) != bclMagic {
		return nil, format.Not("novatek: header")
	}
	id := binary.BigEndian.Uint16(b.raw[6:])
	b.method, b.decode = methods(id)
	b.packed = int64(binary.BigEndian.Uint32(b.raw[12:]))
	if b.decode == nil || b.unpacked() == 0 || b.packed < 4 || b.unpacked()/maxRatio > b.packed {
		return nil, format.Not("novatek: method %d, %d bytes in %d", id, b.unpacked(), b.packed)
	}
	b.size = bclHeader + b.packed
	return b, b.check()
}

func (b *bcl) unpacked() int64 { return int64(binary.BigEndian.Uint32(b.raw[8:])) }

// check accepts what has a good checksum or, since some devices begin the sum with a number of
// their own, what decodes to the size that the header tells.
func (b *bcl) check() error {
	left := b.src.Size()
	if b.size > left && b.src.Before > 0 {
		return format.Not("novatek: %d bytes, %d left", b.size, left)
	}
	if b.size > left {
		b.bad = format.Errorf(artifact.Truncated, left, "novatek: %d bytes, %d left", b.size, left)
		b.size, b.packed, b.sum = left, left-bclHeader, "not checked: cut off"
		return nil
	}
	sum, err := total(b.src, b.size)
	if err != nil {
		return err
	}
	if b.sum = "ok"; sum != 0 {
		if _, err := b.content(); err != nil {
			return format.Not("novatek: checksum off by %#x, and %v", sum, err)
		}
		b.sum = fmt.Sprintf("off by %#x", sum)
	}
	b.findTable()
	return nil
}

// findTable looks for the table of partitions right behind: GUID, size of the table with its
// header, checksum, count, then as in a pack; offsets count from the start of the BCL1 header.
func (b *bcl) findTable() {
	var head [28]byte
	at := b.size
	if n, _ := b.src.ReadAt(head[:], at); n < len(head) || string(head[:16]) != tableMagic {
		return
	}
	size, count := int64(binary.LittleEndian.Uint32(head[16:])), int64(binary.LittleEndian.Uint32(head[24:]))
	if count < 1 || count > maxPartitions || size < 28+count*packEntry || size > 4096 {
		return
	}
	if sum, err := total(io.NewSectionReader(b.src, at, size), size); err != nil || sum != 0 {
		return
	}
	if parts, ok := readTable(b.src, at+28, count, at+28+count*packEntry, b.src.Size()); ok {
		b.parts, b.table = parts, artifact.Range{Off: at, Len: size}
		b.size = parts[len(parts)-1].at.End()
	}
}

// content decodes the payload.
func (b *bcl) content() ([]byte, error) {
	if n := b.packed + b.unpacked(); n > b.src.Memory() {
		return nil, format.Errorf(artifact.Limit, 8, "novatek: %d bytes > %d of memory allowed", n, b.src.Memory())
	}
	src, err := format.ReadAt(b.src, bclHeader, b.packed, "novatek: payload")
	if err != nil {
		return nil, err
	}
	dst := make([]byte, b.unpacked())
	n, err := b.decode(dst, src)
	if err == nil && n < len(dst) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return dst[:n], format.Errorf(artifact.Damaged, bclHeader, "novatek: %s: %d of %d bytes: %v", b.method, n, len(dst), err)
	}
	return dst, nil
}

func (b *bcl) Size() int64 { return b.size }

// Entries yields the payload, without a name or as partition 0, and what the table tells.
func (b *bcl) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if b.bad != nil && !yield(format.Entry{}, b.bad) {
			return
		}
		e := format.Entry{Size: b.unpacked(), Open: b.open}
		if len(b.parts) > 0 {
			e.Path = "0"
		}
		if yield(e, nil) {
			windows(b.parts, b.size, yield)
		}
	}
}

func (b *bcl) open() (io.Reader, error) {
	content, err := b.content()
	if err != nil {
		return io.MultiReader(bytes.NewReader(content), failing{err}), nil
	}
	return bytes.NewReader(content), nil
}

// failing is the error behind what could be decoded.
type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

func (b *bcl) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	attrs := []artifact.Attr{
		{Name: "checksum", Value: b.sum, At: at(4, 2)},
		{Name: "method", Value: b.method, At: at(6, 2)},
		{Name: "size", Value: strconv.FormatInt(b.unpacked(), 10), At: at(8, 4)},
	}
	return append(attrs, describe(b.parts)...)
}

var errLZ77 = errors.New("LZ77 data is corrupt")

// lz77 decodes that of the Basic Compression Library: the first byte is a marker; behind a marker
// stand 0 for the marker itself, or length and distance, in groups of 7 bits, the highest first.
func lz77(dst, src []byte) (out int, err error) {
	if len(src) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	marker, in := src[0], 1
	number := func() (v int, ok bool) {
		for ; in < len(src) && v < 1<<24; in++ {
			v = v<<7 | int(src[in]&0x7f)
			if src[in]&0x80 == 0 {
				in++
				return v, true
			}
		}
		return 0, false
	}
	for out < len(dst) && in < len(src) {
		c := src[in]
		in++
		if c == marker && in < len(src) && src[in] != 0 {
			n, ok := number()
			back, ok2 := number()
			if !ok || !ok2 || back < 1 || back > out || n > len(dst)-out {
				return out, errLZ77
			}
			for ; n > 0; n-- {
				dst[out] = dst[out-back]
				out++
			}
			continue
		}
		if c == marker {
			in++
		}
		dst[out] = c
		out++
	}
	return out, nil
}

// lzma decodes an .lzma file whose size field some builds fill with two copies of 32 bits.
func lzma(dst, src []byte) (int, error) {
	if len(src) < 14 {
		return 0, io.ErrUnexpectedEOF
	}
	return codec.LZMARaw(src[0])(dst, src[13:])
}
