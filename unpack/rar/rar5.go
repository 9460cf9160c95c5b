package rar

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Blocks of version 5: CRC-32 of what follows (4), length of the header from its type on, type, flags, length of the
// extra area (if flag 1), length of data (if flag 2), what the type has, extra area. Numbers have 7 bits a byte, the lowest first.
const (
	main5   = 1
	file5   = 2
	sealed5 = 4
	end5    = 5

	flagExtra5  = 0x01
	flagData5   = 0x02
	flagSplit5  = 0x08 | 0x10
	maxHeader5  = 2 << 20 // the specification's own limit
	extraCrypt5 = 1
	extraTime5  = 3
	extraLink5  = 5
)

func readBlock5(src format.Source, pos int64) (*block, error) {
	var lead [7]byte // the length has at most 3 bytes
	n, _ := src.ReadAt(lead[:], pos)
	c := &cursor{b: lead[min(n, 4):n]}
	size := c.number()
	if c.bad || size < 2 || size > maxHeader5 {
		return nil, fmt.Errorf("block at %#x: %d bytes", pos, size)
	}
	skip := int64(n - len(c.b))
	h, err := format.ReadAt(src, pos+4, skip-4+int64(size), "block")
	if err != nil {
		return nil, err
	}
	if got, want := crc32.ChecksumIEEE(h), binary.LittleEndian.Uint32(lead[:]); got != want {
		return nil, fmt.Errorf("block at %#x: CRC-32 %08x, want %08x", pos, got, want)
	}
	c = &cursor{b: h[skip-4:]}
	b := &block{at: pos, data: artifact.Range{Off: pos + skip + int64(size)}}
	kind, flags := c.number(), c.number()
	var extra []byte
	if flags&flagExtra5 != 0 {
		n := c.number()
		if n > uint64(len(c.b)) {
			return nil, fmt.Errorf("block at %#x: extra area of %d bytes", pos, n)
		}
		extra = h[uint64(len(h))-n:]
	}
	if flags&flagData5 != 0 {
		n := c.number()
		if n > 1<<62-uint64(b.data.Off) {
			return nil, fmt.Errorf("block at %#x: data of %d bytes", pos, n)
		}
		b.data.Len = int64(n)
	}
	switch kind {
	case main5:
		b.kind = mainHeader
	case end5:
		b.kind = end
	case sealed5:
		b.kind = sealed
	case file5:
		b.kind = fileHeader
		b.member.split = flags&flagSplit5 != 0
		b.file5(c)
		b.extra5(&cursor{b: extra})
	}
	if c.bad {
		return nil, fmt.Errorf("block at %#x: cut off", pos)
	}
	return b, nil
}

// file5 reads flags, length, attributes, time (4, if flag 2), CRC-32 (4, if flag 4), compression, host, length of the name, name.
func (b *block) file5(c *cursor) {
	const dir, hasTime, hasCRC, unknownSize, unix = 1, 2, 4, 8, 1
	m := &b.member
	flags := c.number()
	m.size = int64(min(c.number(), 1<<62))
	attrs := c.number()
	if flags&hasTime != 0 {
		m.mtime = int64(c.u32())
	}
	if flags&hasCRC != 0 {
		m.crc, m.hasCRC = c.u32(), true
	}
	packing := c.number() // 0-5 version, 6 solid, 7-9 method, 10- dictionary
	m.stored, m.method = packing>>7&7 == 0, fmt.Sprintf("%d of version %d", packing>>7&7, packing&0x3f)
	if packing&0x3f == 0 && flags&unknownSize == 0 {
		m.solid, m.dictionary = packing&0x40 != 0, 128<<10<<(packing>>10&15)
	}
	if c.number() == unix {
		m.mode = format.UnixMode(uint32(attrs))
	}
	if flags&dir != 0 {
		m.mode = m.mode.Perm() | fs.ModeDir
	}
	m.name = string(c.take(c.number()))
}

// extra5 reads records of a length, a type and data.
func (b *block) extra5(c *cursor) {
	m := &b.member
	for len(c.b) > 0 && !c.bad {
		r := &cursor{b: c.take(c.number())}
		switch r.number() {
		case extraCrypt5:
			m.encrypted = true
		case extraTime5: // flags: 1 seconds of Unix, 2 has the time of modification; else 100 ns since 1601
			switch flags := r.number(); {
			case flags&3 == 3:
				m.mtime = int64(r.u32())
			case flags&3 == 2:
				if t := r.take(8); t != nil {
					m.mtime = int64(binary.LittleEndian.Uint64(t)/10_000_000) - 11_644_473_600
				}
			}
		case extraLink5: // type: 1 to 3 symbolic links, 4 a hard link, 5 a copy; flags; length of the target, target
			kind := r.number()
			r.number()
			target := string(r.take(r.number()))
			if kind >= 1 && kind <= 3 {
				m.link = target
			} else {
				m.hardLink = target
			}
		}
	}
}

// cursor reads a header. After the first fault everything it reads is 0.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) number() (v uint64) {
	for shift := 0; shift < 64; shift += 7 {
		b := c.take(1)
		if b == nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return v
		}
	}
	c.bad = true
	return 0
}
