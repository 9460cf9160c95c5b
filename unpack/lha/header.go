package lha

import (
	"encoding/binary"
	"fmt"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// header is what the header of a member says. Little endian; all levels have
//
//	2 method (5), 7 length stored (4), 11 length (4), 15 time (4), 19 attribute, 20 level
//
// Levels 0 and 1 begin with the length of what follows its first two bytes, and the sum of that; there stand
//
//	21 length of the name (1), the name, CRC-16 (2), system (1)
//
// and the length of the first extended header (2) in level 1, whose length stored counts those.
// Level 2 begins with the length of all headers (2), and has
//
//	21 CRC-16 (2), 23 system (1), 24 length of the first extended header (2)
//
// Level 3 is the same, but for lengths of 4 bytes: it begins with their 4, and the length of all headers stands at 24.
type header struct {
	at       int64
	method   string
	data     artifact.Range
	size     int64
	crc      uint16
	name     string
	mtime    int64
	mode     uint32
	uid, gid uint32
}

const (
	commonLen = 21
	maxExtra  = 1 << 16 // bytes of extended headers
)

func readHeader(src format.Source, pos int64) (*header, error) {
	var buf [256 + 2]byte
	n, _ := src.ReadAt(buf[:], pos)
	b := buf[:n]
	if n < commonLen+1 || b[2] != '-' || b[3] != 'l' || b[6] != '-' || b[20] > 3 {
		return nil, fmt.Errorf("no header of level 0 to 3 at %#x", pos)
	}
	le := binary.LittleEndian
	h := &header{at: pos, method: string(b[2:7]), size: int64(le.Uint32(b[11:]))}
	h.data.Len = int64(le.Uint32(b[7:]))
	if b[20] >= 2 {
		return h, h.level2(src, b)
	}
	size := 2 + int(b[0])
	if size > n || size < commonLen+3 {
		return nil, fmt.Errorf("header at %#x: %d bytes", pos, b[0])
	}
	b = b[:size]
	var sum byte
	for _, x := range b[2:] {
		sum += x
	}
	nameEnd := commonLen + 1 + int(b[21])
	if sum != b[1] || nameEnd+2 > size {
		return nil, fmt.Errorf("header at %#x: sum %02x, want %02x", pos, sum, b[1])
	}
	h.mtime = format.DOSTime(le.Uint16(b[17:]), le.Uint16(b[15:]))
	h.name = slashes(b[22:nameEnd], '\\')
	h.crc = le.Uint16(b[nameEnd:])
	h.data.Off = pos + int64(size)
	rest := b[nameEnd+2:]
	if b[20] == 0 {
		// Unix: system, minor, time (4), mode (2), uid (2), gid (2)
		if len(rest) >= 12 && rest[0] == 'U' {
			h.mtime = int64(le.Uint32(rest[2:]))
			h.mode, h.uid, h.gid = uint32(le.Uint16(rest[6:])), uint32(le.Uint16(rest[8:])), uint32(le.Uint16(rest[10:]))
		}
		return h, nil
	}
	if len(rest) < 3 {
		return nil, fmt.Errorf("header at %#x: %d bytes", pos, size)
	}
	used, err := h.extended(src, h.data.Off, int64(le.Uint16(b[size-2:])), 2, nil)
	if err != nil || used > h.data.Len {
		return nil, fmt.Errorf("header at %#x: extended headers of %d bytes: %v", pos, used, err)
	}
	h.data.Off, h.data.Len = h.data.Off+used, h.data.Len-used
	return h, nil
}

// level2 reads a header of level 2 or 3.
func (h *header) level2(src format.Source, b []byte) error {
	le := binary.LittleEndian
	base, word, size := 26, 2, int64(le.Uint16(b))
	if b[20] == 3 && len(b) >= 32 {
		if size != 4 {
			return fmt.Errorf("header at %#x: lengths of %d bytes", h.at, size)
		}
		base, word, size = 32, 4, int64(le.Uint32(b[24:]))
	}
	if size < int64(base) || size > maxExtra || len(b) < base {
		return fmt.Errorf("header at %#x: %d bytes", h.at, size)
	}
	h.mtime, h.crc = int64(le.Uint32(b[15:])), le.Uint16(b[21:])
	whole, err := format.ReadAt(src, h.at, size, "header")
	if err != nil {
		return err
	}
	check := &common{}
	used, err := h.extended(src, h.at+int64(base), length(b[base-word:base]), word, check)
	if err != nil || int64(base)+used > size {
		return fmt.Errorf("header at %#x: %d bytes, extended headers of %d: %v", h.at, size, used, err)
	}
	if at := check.at - h.at; check.at > 0 && at+2 <= size {
		whole[at], whole[at+1] = 0, 0
		if got := crc16(0, whole); got != check.crc {
			return fmt.Errorf("header at %#x: CRC-16 %04x, want %04x", h.at, got, check.crc)
		}
	} else if h.name == "" {
		return fmt.Errorf("header at %#x: neither CRC nor name", h.at)
	}
	h.data.Off = h.at + size
	return nil
}

// common is the CRC-16 of all headers of a member, with the field itself 0.
type common struct {
	at  int64
	crc uint16
}

// length reads a length of 2 or 4 bytes.
func length(b []byte) int64 {
	if len(b) == 2 {
		return int64(binary.LittleEndian.Uint16(b))
	}
	return int64(binary.LittleEndian.Uint32(b))
}

// extended reads headers of a type (1), data, and the length of the next (word), which counts all three.
// It returns how many bytes they have.
func (h *header) extended(src format.Source, pos, n int64, word int, check *common) (used int64, err error) {
	le := binary.LittleEndian
	var dir string
	for n > 0 {
		if n < int64(1+word) || used+n > maxExtra {
			return used, fmt.Errorf("extended header at %#x: %d bytes", pos, n)
		}
		b, err := format.ReadAt(src, pos, n, "extended header")
		if err != nil {
			return used, err
		}
		next := b[len(b)-word:]
		d := b[1 : len(b)-word]
		switch kind := b[0]; {
		case kind == 0x00 && len(d) >= 2 && check != nil:
			check.at, check.crc = pos+1, le.Uint16(d)
		case kind == 0x01:
			h.name = slashes(d, '\\')
		case kind == 0x02:
			dir = strings.TrimSuffix(slashes(d, 0xff), "/") + "/"
		case kind == 0x50 && len(d) >= 2:
			h.mode = uint32(le.Uint16(d))
		case kind == 0x51 && len(d) >= 4:
			h.gid, h.uid = uint32(le.Uint16(d)), uint32(le.Uint16(d[2:]))
		case kind == 0x54 && len(d) >= 4:
			h.mtime = int64(le.Uint32(d))
		}
		used, pos = used+n, pos+n
		n = length(next)
	}
	h.name = dir + h.name
	return used, nil
}

// slashes returns a name with its separators as slashes.
func slashes(b []byte, separator byte) string {
	out := make([]byte, len(b))
	for i, c := range b {
		if c == separator {
			c = '/'
		}
		out[i] = c
	}
	return string(out)
}

// crc16 is the CRC of polynomial A001, reflected, which ARC introduced.
func crc16(crc uint16, b []byte) uint16 {
	table := [16]uint16{0, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400}
	for _, x := range b {
		crc ^= uint16(x)
		crc = crc>>4 ^ table[crc&15]
		crc = crc>>4 ^ table[crc&15]
	}
	return crc
}
