package arj

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "\x60\xea"

// header is the header of the archive or of a member, little endian:
//
//	0 magic (2), 2 length of what follows up to the CRC (2), 4 length of the fixed part from here on (1),
//	5 version, 6 version needed, 7 host, 8 flags, 9 method, 10 kind, 12 time (4), 16 length stored (4),
//	20 length (4), 24 CRC-32 (4), 28 part of the name that is no path (2), 30 mode (2), 32 host's data (2)
//
// then the name and a comment, with a zero each, CRC-32 of all from 4 on, and extended headers: length (2),
// data, CRC-32, up to a length of 0. A length of 0 at 2 ends the archive.
type header struct {
	at      int64
	host    byte
	flags   byte
	method  byte
	kind    byte
	mtime   int64
	data    artifact.Range
	size    int64
	crc     uint32
	access  uint16
	name    string
	nameAt  artifact.Range
	comment string
}

const (
	prefixLen = 4
	fixedLen  = 30 // the least
	maxHeader = 2600
	endLen    = 4
)

const (
	kindMain      = 2
	kindDirectory = 3 // 0 and 1 are binary and text files; 4 and 5 labels

	flagGarbled  = 0x01
	flagVolume   = 0x04
	flagExtended = 0x08

	hostUnix = 2
	hostNext = 8

	methodFastest = 4
)

// readHeader returns nil at the end mark.
func readHeader(src format.Source, pos int64) (*header, error) {
	var buf [prefixLen + maxHeader + 4]byte
	n, _ := src.ReadAt(buf[:prefixLen+fixedLen], pos)
	le := binary.LittleEndian
	if n < endLen || string(buf[:2]) != magic {
		return nil, fmt.Errorf("header at %#x: magic %x", pos, buf[:min(n, 2)])
	}
	size := int(le.Uint16(buf[2:]))
	if size == 0 {
		return nil, nil
	}
	fixed := int(buf[4])
	if n < prefixLen+fixedLen || size > maxHeader || fixed < fixedLen || fixed+2 > size || buf[10] > 5 {
		return nil, fmt.Errorf("header at %#x: %d bytes", pos, size)
	}
	if n, _ = src.ReadAt(buf[:prefixLen+size+4], pos); n < prefixLen+size+4 {
		return nil, fmt.Errorf("header at %#x: %d bytes, %d left", pos, size, n)
	}
	b := buf[:prefixLen+size]
	if got, want := crc32.ChecksumIEEE(b[prefixLen:]), le.Uint32(buf[len(b):]); got != want {
		return nil, fmt.Errorf("header at %#x: CRC-32 %08x, want %08x", pos, got, want)
	}
	h := &header{at: pos, host: b[7], flags: b[8], method: b[9], kind: b[10], size: int64(le.Uint32(b[20:])), crc: le.Uint32(b[24:]), access: le.Uint16(b[30:])}
	if h.mtime = int64(le.Uint32(b[12:])); !h.unix() {
		h.mtime = format.DOSTime(le.Uint16(b[14:]), le.Uint16(b[12:]))
	}
	name, rest, _ := bytes.Cut(b[prefixLen+fixed:], []byte{0})
	comment, _, _ := bytes.Cut(rest, []byte{0})
	h.name, h.comment = string(name), string(comment)
	h.nameAt = artifact.Range{Off: pos + prefixLen + int64(fixed), Len: int64(len(name))}
	if !h.unix() {
		h.name = strings.ReplaceAll(h.name, `\`, "/")
	}
	end, err := skipExtended(src, pos+int64(len(b))+4)
	if err != nil {
		return nil, err
	}
	h.data.Off = end
	if h.kind != kindMain { // where the field is the archive's length
		h.data.Len = int64(le.Uint32(b[16:]))
	}
	return h, nil
}

func skipExtended(src format.Source, pos int64) (int64, error) {
	for range 16 {
		b, err := format.ReadAt(src, pos, 2, "extended header")
		if err != nil {
			return 0, err
		}
		n := int64(binary.LittleEndian.Uint16(b))
		pos += 2
		if n == 0 {
			return pos, nil
		}
		pos += n + 4
	}
	return 0, fmt.Errorf("extended headers at %#x: no end", pos)
}

func (h *header) unix() bool { return h.host == hostUnix || h.host == hostNext }

func (h *header) mode() fs.FileMode {
	var mode fs.FileMode
	if h.unix() {
		mode = format.UnixMode(uint32(h.access)).Perm()
	}
	if h.kind == kindDirectory {
		mode |= fs.ModeDir
	}
	return mode
}
