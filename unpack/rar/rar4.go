package rar

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"strings"
	"unicode/utf16"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Blocks of version 4, little endian: CRC (2, the lower half of the CRC-32 of what follows), type (1),
// flags (2), length of the header (2), and length of data (4) if flag 0x8000 is set.
const (
	main4 = 0x73
	file4 = 0x74
	sub4  = 0x7a // like a file, of the archive's own
	end4  = 0x7b

	short4   = 7
	fileLen4 = 32

	flagLong4   = 0x8000
	flagSealed4 = 0x0080 // of the archive header
)

// Flags of a file header.
const (
	flagBefore4    = 0x0001
	flagAfter4     = 0x0002
	flagEncrypted4 = 0x0004
	flagSolid4     = 0x0010
	flagDir4       = 0x00e0 // else the size of the dictionary
	flagLarge4     = 0x0100
	flagUnicode4   = 0x0200
)

func readBlock4(src format.Source, pos int64) (*block, error) {
	h, err := format.ReadAt(src, pos, short4, "block")
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	kind, flags, size := h[2], le.Uint16(h[3:]), int64(le.Uint16(h[5:]))
	if kind < 0x72 || kind > end4 || size < short4 {
		return nil, fmt.Errorf("block at %#x: type %#x, %d bytes", pos, kind, size)
	}
	if h, err = format.ReadAt(src, pos, size, "block"); err != nil {
		return nil, err
	}
	if got, want := uint16(crc32.ChecksumIEEE(h[2:])), le.Uint16(h); got != want {
		return nil, fmt.Errorf("block at %#x: CRC %04x, want %04x", pos, got, want)
	}
	b := &block{at: pos, data: artifact.Range{Off: pos + size}}
	if flags&flagLong4 != 0 {
		if size < short4+4 {
			return nil, fmt.Errorf("block at %#x: %d bytes", pos, size)
		}
		b.data.Len = int64(le.Uint32(h[7:]))
	}
	switch kind {
	case main4:
		b.kind, b.data.Len = mainHeader, 0
		if flags&flagSealed4 != 0 {
			b.kind = sealed
		}
	case end4:
		b.kind = end
	case file4, sub4:
		if kind == file4 {
			b.kind = fileHeader
		}
		return b, b.file4(h, flags)
	}
	return b, nil
}

// file4 reads
//
//	7 stored (4), 11 length (4), 15 host, 16 CRC-32 (4), 20 time (4), 24 version, 25 method, 26 length of the name (2),
//	28 attributes (4), 32 upper halves of stored and length (8, if flagged), name
func (b *block) file4(h []byte, flags uint16) error {
	if len(h) < fileLen4 {
		return fmt.Errorf("file at %#x: %d bytes", b.at, len(h))
	}
	le := binary.LittleEndian
	stored, size := uint64(le.Uint32(h[7:])), uint64(le.Uint32(h[11:]))
	name, n := h[fileLen4:], int(le.Uint16(h[26:]))
	if flags&flagLarge4 != 0 && len(name) >= 8 {
		stored |= uint64(le.Uint32(name)) << 32
		size |= uint64(le.Uint32(name[4:])) << 32
		name = name[8:]
	}
	if n > len(name) || stored > 1<<62 || size > 1<<63-1 {
		return fmt.Errorf("file at %#x: name of %d bytes, %d bytes stored", b.at, n, stored)
	}
	b.data.Len = int64(stored)
	attrs, host := le.Uint32(h[28:]), h[15]
	m := &b.member
	*m = member{
		name: name4(name[:n], flags), size: int64(size), mtime: format.DOSTime(le.Uint16(h[22:]), le.Uint16(h[20:])),
		stored: h[25] == 0x30, method: fmt.Sprintf("%#x of version %d", h[25], h[24]), encrypted: flags&flagEncrypted4 != 0,
		split: flags&(flagBefore4|flagAfter4) != 0, crc: le.Uint32(h[16:]), hasCRC: true,
	}
	if m.version4 = h[24] == 29; m.version4 {
		m.dictionary, m.solid = 64<<10<<(flags>>5&7), flags&flagSolid4 != 0
	}
	if host >= 3 { // Unix, Mac OS, BeOS
		m.mode = format.UnixMode(attrs)
	} else {
		m.name = strings.ReplaceAll(m.name, `\`, "/")
	}
	if flags&flagDir4 == flagDir4 {
		m.mode = m.mode.Perm() | fs.ModeDir
	}
	return nil
}

// name4 decodes a name. If flagged, a zero and the name in UTF-16 follow the plain one, the
// latter packed: a byte common to many upper halves, and then, two bits a step in bytes of their own,
// 0 a lower half, 1 a lower half with that common byte, 2 both halves, 3 a run of what the plain name says.
func name4(b []byte, flags uint16) string {
	plain, packed, ok := strings.Cut(string(b), "\x00")
	if flags&flagUnicode4 == 0 || !ok || len(packed) < 1 {
		return plain // in UTF-8 if flagged
	}
	var out []uint16
	high := uint16(packed[0]) << 8
	pos, ops, left := 1, byte(0), 0
	take := func() uint16 {
		if pos < len(packed) {
			pos++
			return uint16(packed[pos-1])
		}
		return 0
	}
	for pos < len(packed) && len(out) < 1<<11 {
		if left == 0 {
			ops, left = byte(take()), 4
			continue
		}
		left--
		switch op := ops >> (2 * left) & 3; op {
		case 0:
			out = append(out, take())
		case 1:
			out = append(out, take()|high)
		case 2:
			c := take()
			out = append(out, c|take()<<8)
		case 3:
			n, add, upper := take(), uint16(0), uint16(0)
			if n&0x80 != 0 {
				add, upper = take(), high
			}
			for range n&0x7f + 2 {
				if len(out) >= len(plain) {
					break
				}
				out = append(out, (uint16(plain[len(out)])+add)&0xff|upper)
			}
		}
	}
	return string(utf16.Decode(out))
}
