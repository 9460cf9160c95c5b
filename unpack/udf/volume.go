package udf

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Identifiers of descriptors, ECMA-167 3/7.2.1 and 4/7.2.1.
const (
	tagAny       = 0
	tagAnchor    = 2
	tagPartition = 5
	tagLogical   = 6
	tagFileSet   = 256
	tagFileID    = 257
	tagExtents   = 258
	tagFile      = 261
	tagExtFile   = 266
)

// descriptor returns the sector at off if it begins with a good tag:
//
//	0 identifier (2), 2 version (2), 4 sum of the other bytes of the tag (1), 8 CRC (2), 10 bytes that it is over (2), 12 block
func (r *Reader) descriptor(off int64, want uint16) ([]byte, error) {
	if off < 0 || off > r.src.Size()-r.sector {
		return nil, format.Errorf(artifact.Truncated, max(0, min(off, r.src.Size())), "udf: descriptor at %#x: %d bytes in all", off, r.src.Size())
	}
	b := make([]byte, r.sector)
	if n, err := format.Summed(r.src).ReadAt(b, off); n < len(b) {
		return nil, format.Errorf(artifact.Damaged, off, "udf: descriptor at %#x: %v", off, err)
	}
	le := binary.LittleEndian
	var sum byte
	for i, c := range b[:16] {
		if i != 4 {
			sum += c
		}
	}
	id, n := le.Uint16(b), int64(le.Uint16(b[10:]))
	if sum != b[4] || id == 0 || n > r.sector-16 || crc16(b[16:16+n]) != le.Uint16(b[8:]) {
		return nil, format.Errorf(artifact.Damaged, off, "udf: descriptor at %#x: checksum", off)
	}
	if want != tagAny && id != want {
		return nil, format.Errorf(artifact.Damaged, off, "udf: descriptor at %#x: kind %d, want %d", off, id, want)
	}
	return format.ReadAt(r.src, off, r.sector, "udf: descriptor")
}

// crc16 is CCITT's: polynomial 0x1021, highest bit first, begun at 0.
func crc16(b []byte) (crc uint16) {
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// address is a block of a partition.
type address struct {
	block uint32
	part  uint16
}

// parseLong reads a long allocation descriptor: 0 length, 4 block, 8 partition (2), 10 6 bytes for others.
func parseLong(b []byte) address {
	return address{binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint16(b[8:])}
}

// partition is where the blocks of a partition stand: in a range, or in the extents of a metadata file.
type partition struct {
	at   artifact.Range
	meta []extent
}

// maps reads partition maps: 0 kind (1), 1 length (1); kind 1: 4 number (2); kind 2: 5 identifier
// (23), 38 number (2), and of a metadata partition 40 block of its file.
func (r *Reader) maps(b []byte, ranges map[uint16]artifact.Range) error {
	le := binary.LittleEndian
	count, maps := int(le.Uint32(b[268:])), b[440:]
	if n := int64(le.Uint32(b[264:])); n <= int64(len(maps)) {
		maps = maps[:n]
	}
	for range count {
		if len(maps) < 6 || int(maps[1]) < 6 || int(maps[1]) > len(maps) {
			break
		}
		m := maps[:maps[1]]
		maps = maps[maps[1]:]
		switch {
		case m[0] == 1:
			r.parts = append(r.parts, partition{at: ranges[le.Uint16(m[4:])]})
		case m[0] == 2 && len(m) >= 64 && strings.HasPrefix(string(m[5:28]), "*UDF Sparable Partition"):
			r.parts = append(r.parts, partition{at: ranges[le.Uint16(m[38:])]})
		case m[0] == 2 && len(m) >= 64 && strings.HasPrefix(string(m[5:28]), "*UDF Metadata Partition"):
			outer := partition{at: ranges[le.Uint16(m[38:])]}
			number := uint16(len(r.parts))
			r.parts = append(r.parts, outer)
			n, err := r.inode(address{le.Uint32(m[40:]), number})
			if err != nil {
				return err
			}
			r.parts[number].meta = n.extents
		default:
			return format.Errorf(artifact.Unsupported, 0, "udf: partition of kind %q", strings.TrimRight(string(m[4:min(28, len(m))]), "\x00"))
		}
	}
	return nil
}

// place returns where block a stands.
func (r *Reader) place(a address) (int64, bool) {
	if int(a.part) >= len(r.parts) {
		return 0, false
	}
	p := r.parts[a.part]
	off := int64(a.block) * r.sector
	if p.meta == nil {
		return p.at.Off + off, off < p.at.Len
	}
	for _, x := range p.meta {
		if off < x.n {
			return x.off + off, x.off >= 0
		}
		off -= x.n
	}
	return 0, false
}

// dstring reads text whose last byte is its length.
func dstring(b []byte) string {
	if n := int(b[len(b)-1]); n > 0 && n < len(b) {
		return text(b[:n])
	}
	return ""
}

// text reads OSTA's compressed Unicode: 8 or 16 bits a character, as the first byte says.
func text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	var u []uint16
	if b[0] == 16 || b[0] == 255 {
		for i := 1; i+1 < len(b); i += 2 {
			u = append(u, binary.BigEndian.Uint16(b[i:]))
		}
	} else {
		for _, c := range b[1:] {
			u = append(u, uint16(c))
		}
	}
	return string(utf16.Decode(u))
}
