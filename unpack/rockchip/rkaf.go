package rockchip

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Package is an RKAF image, which RKFW holds.
var Package = format.Format{
	Name:   "rkaf",
	Title:  "Rockchip partition package (RKAF)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: "RKAF"}},
	Refs:   []format.Ref{{Title: "rockchip-mkbootimg", URL: "https://github.com/neo-technologies/rockchip-mkbootimg"}},
	Open:   func(src format.Source) (format.Chunk, error) { return openPackage(src) },
}

// The header, little endian:
//
//	  0   4  "RKAF"
//	  4   4  length, without the CRC behind it
//	  8  34  model
//	 42  30  id
//	 72  56  manufacturer
//	132   4  version: build[2], minor, major
//	136   4  number of parts
//	140 112  each part: name[32], file name[60], flash size, offset, flash address, padded size, size
const (
	packageHeader = 140
	partSize      = 112
	maxParts      = 64
)

func openPackage(src format.Source) (*chunk, error) {
	b := make([]byte, packageHeader+maxParts*partSize)
	n, _ := src.ReadAt(b, 0)
	if n < packageHeader || string(b[:4]) != "RKAF" {
		return nil, format.Not("rkaf: header")
	}
	u32 := func(off int64) int64 { return int64(binary.LittleEndian.Uint32(b[off:])) }
	length, count := u32(4), u32(136)
	tables := packageHeader + count*partSize
	if count < 1 || count > maxParts || length < tables || tables > int64(n) {
		return nil, format.Not("rkaf: %d parts in %d bytes", count, length)
	}
	c := &chunk{size: length + 4}
	for _, f := range []struct {
		name   string
		off, n int64
	}{{"model", 8, 34}, {"id", 42, 30}, {"manufacturer", 72, 56}} {
		if s := text(b[f.off : f.off+f.n]); s != "" {
			c.tell(f.name, s, f.off, int64(len(s)))
		}
	}
	c.tell("version", fmt.Sprintf("%d.%d.%d", b[135], b[134], binary.LittleEndian.Uint16(b[132:])), 132, 4)
	if err := c.readParts(src, b[packageHeader:tables], length); err != nil {
		return nil, err
	}
	if c.size > src.Size() {
		c.problem = format.Errorf(artifact.Truncated, src.Size(), "rkaf: %d bytes, %d left", c.size, src.Size())
		c.size = src.Size()
		return c, nil
	}
	c.checkCRC(src, length)
	return c, nil
}

func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// readParts takes in the parts that have bytes here. One that is called SELF stands for the
// package itself.
func (c *chunk) readParts(src format.Source, table []byte, length int64) error {
	var total int64
	for off := 0; off < len(table); off += partSize {
		e := table[off : off+partSize]
		p := part{text(e[32:92]), artifact.Range{Off: int64(binary.LittleEndian.Uint32(e[96:])), Len: int64(binary.LittleEndian.Uint32(e[108:]))}}
		name := text(e[:32])
		c.tell("partition", fmt.Sprintf("%s %#x+%#x", name, binary.LittleEndian.Uint32(e[100:]), binary.LittleEndian.Uint32(e[92:])), int64(packageHeader+off), partSize)
		if p.path == "SELF" || p.at.Len == 0 {
			continue
		}
		if p.path == "" {
			p.path = name
		}
		if total += p.at.Len; p.path == "" || !p.at.Within(length) || total > length {
			return format.Not("rkaf: part %q at %#x+%#x of %#x bytes", p.path, p.at.Off, p.at.Len, length)
		}
		if p.at.Len = min(p.at.Len, src.Size()-p.at.Off); p.at.Len > 0 {
			c.parts = append(c.parts, unwrap(src, p))
		}
	}
	return nil
}

// unwrap removes the frame that the file of parameters has: "PARM", its length, and a CRC behind it.
func unwrap(src format.Source, p part) part {
	b := make([]byte, 8)
	if n, _ := src.ReadAt(b, p.at.Off); n == 8 && string(b[:4]) == "PARM" && int64(binary.LittleEndian.Uint32(b[4:])) == p.at.Len-12 {
		p.at = artifact.Range{Off: p.at.Off + 8, Len: p.at.Len - 12}
	}
	return p
}

// polynomial is that of CRC-32 but for one bit: Rockchip's tools have it so.
const polynomial = 0x04c10db7

func (c *chunk) checkCRC(src format.Source, length int64) {
	var table [256]uint32
	for i := range table {
		v := uint32(i) << 24
		for range 8 {
			v = v<<1 ^ polynomial*(v>>31)
		}
		table[i] = v
	}
	var sum uint32
	buf := make([]byte, 64<<10)
	for off := int64(0); off < length; {
		b := buf[:min(int64(len(buf)), length-off)]
		n, err := src.ReadAt(b, off)
		if n < len(b) {
			c.problem = format.Errorf(artifact.Damaged, off, "rkaf: package at %#x: %v", off, err)
			return
		}
		for _, x := range b {
			sum = sum<<8 ^ table[byte(sum>>24)^x]
		}
		off += int64(n)
	}
	stored := make([]byte, 4)
	src.ReadAt(stored, length)
	if want := binary.LittleEndian.Uint32(stored); sum != want {
		c.problem = format.Errorf(artifact.Checksum, length, "rkaf: CRC at %#x: %#x, want %#x", length, sum, want)
		c.tell("crc", "bad", length, 4)
		return
	}
	c.tell("crc", "ok", length, 4)
}
