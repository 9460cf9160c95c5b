package inno

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// readScript reads what stands at the offset of the script: an identification, from 6.5 on a
// header about encryption with a CRC-32 before it, a block of records that hold texts, a block of records of parts.
func (s *installer) readScript() {
	id, err := format.ReadAt(s.src, s.table.script, scriptID, "inno: identification of the script")
	if err != nil {
		s.faults = append(s.faults, err)
		return
	}
	s.id = strings.TrimRight(string(id), "\x00")
	var a, b, c int
	if n, _ := fmt.Sscanf(s.id, scriptMagic+"%d.%d.%d", &a, &b, &c); n < 3 || max(a, b, c) > 999 {
		s.fault(artifact.Unsupported, s.table.script, "script at %#x: %q", s.table.script, s.id)
		return
	}
	s.version = a*1e6 + b*1e3 + c
	at := s.table.script + scriptID
	if s.version >= 6_005_000 {
		// The CRC-32, then: what is encrypted (1: 0 nothing, 1 files, 2 all), salt (16), iterations (4), nonce (24), test (4).
		const headerLen = 4 + 49
		h, err := format.ReadAt(s.src, at, headerLen, "inno: header about encryption")
		if err != nil {
			s.faults = append(s.faults, err)
			return
		}
		if crc32.ChecksumIEEE(h[4:]) != binary.LittleEndian.Uint32(h) {
			s.fault(artifact.Checksum, at, "header about encryption at %#x: CRC-32 is not %08x", at, binary.LittleEndian.Uint32(h))
		}
		if at += headerLen; h[4] == 2 {
			s.sealed = artifact.Range{Off: at, Len: s.size - at}
			return
		}
	}
	text, end, err := s.block(at, -1)
	if err != nil {
		s.faults = append(s.faults, err)
		return
	}
	s.texts, s.textsAt = text, artifact.Range{Off: at, Len: end - at}
	records, last, err := s.block(end, -1)
	if err != nil {
		s.faults = append(s.faults, err)
		return
	}
	s.size = max(s.size, last)
	if s.parts = s.readParts(records); s.parts == nil && len(records) > 0 {
		s.fault(artifact.Unsupported, end, "records of parts at %#x: %d bytes of version %d", end, len(records), s.version)
		return
	}
	s.names = s.findNames(text)
}

// block reads a block and tells where it ends. Its header is a CRC-32, the number of bytes stored (4, from 6.7 on 8) and
// whether they are compressed (1). They stand in pieces of up to 4 KiB with a CRC-32 before each. plain is negative if it is not known.
func (s *installer) block(at, plain int64) ([]byte, int64, error) {
	const piece = 4 << 10
	le := binary.LittleEndian
	h, err := format.ReadAt(s.src, at, min(13, max(9, s.src.Size()-at)), "inno: header of a block")
	if err != nil {
		return nil, 0, err
	}
	var stored int64
	var packed bool
	from := at
	switch sum := le.Uint32(h); {
	case crc32.ChecksumIEEE(h[4:9]) == sum:
		stored, packed, from = int64(le.Uint32(h[4:])), h[8] != 0, at+9
	case len(h) == 13 && crc32.ChecksumIEEE(h[4:13]) == sum:
		stored, packed, from = int64(min(le.Uint64(h[4:]), 1<<62)), h[12] != 0, at+13
	default:
		return nil, 0, format.Errorf(artifact.Checksum, at, "inno: header of a block at %#x: CRC-32 is not %08x", at, sum)
	}
	b, err := format.ReadAt(s.src, from, stored, "inno: block")
	if err != nil {
		return nil, 0, err
	}
	end := from + stored
	whole := b[:0]
	for pos := from; len(b) > 4; {
		n := min(piece, len(b)-4)
		if crc32.ChecksumIEEE(b[4:4+n]) != le.Uint32(b) {
			return nil, 0, format.Errorf(artifact.Checksum, pos, "inno: block at %#x: CRC-32 of the piece at %#x is not %08x", at, pos, le.Uint32(b))
		}
		whole = append(whole, b[4:4+n]...)
		b, pos = b[4+n:], pos+int64(4+n)
	}
	if !packed {
		return whole, end, nil
	}
	damaged := func(err error) ([]byte, int64, error) {
		kind := artifact.Damaged
		if errors.Is(err, codec.ErrMemory) {
			kind = artifact.Limit
		}
		return nil, 0, format.Errorf(kind, at, "inno: block at %#x: %v", at, err)
	}
	if len(whole) < lzmaHeader {
		return damaged(io.ErrUnexpectedEOF)
	}
	limit := s.src.Memory() / 4
	r, err := codec.NewLZMARaw(bytes.NewReader(whole[lzmaHeader:]), int64(len(whole)-lzmaHeader), whole[:lzmaHeader], -1, limit)
	if err != nil {
		return damaged(err)
	}
	if plain >= 0 {
		limit = min(limit, plain)
	}
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return damaged(err)
	case int64(len(out)) > limit && plain < 0:
		return damaged(codec.ErrMemory)
	case plain >= 0 && int64(len(out)) != plain:
		return damaged(fmt.Errorf("%d bytes decoded, want %d", len(out), plain))
	}
	return out, end, nil
}

const lzmaHeader = 5

// wide reports whether texts are UTF-16.
func (s *installer) wide() bool {
	return s.version >= 6_000_000 || strings.Contains(strings.ToLower(s.id), "(u)")
}

// cursor reads records. After the first fault everything it reads is zero.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int64) []byte {
	if c.bad || n < 0 || n > int64(len(c.b)) {
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

func (c *cursor) u64() uint64 { return uint64(c.u32()) | uint64(c.u32())<<32 }

const maxText = 1 << 16

// text reads the number of bytes of a text and the text.
func (c *cursor) text(wide bool) string {
	n := int64(c.u32())
	if n > maxText {
		c.bad = true
	}
	b := c.take(n)
	if !wide {
		return string(b)
	}
	v, ok := decode16(b)
	c.bad = c.bad || !ok
	return v
}

func decode16(b []byte) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u)), true
}

// records returns the texts of the records, a line each: whatever has its length before it and is nothing but characters.
func (s *installer) records() []byte {
	b, wide := s.texts, s.wide()
	const shortest, longest = 4, 8 << 20
	var out []byte
	for i := 0; i+4 < len(b); {
		n := int(min(binary.LittleEndian.Uint32(b[i:]), 1<<31-1))
		if n < shortest || n > min(longest, len(b)-i-4) {
			i++
			continue
		}
		v := string(b[i+4 : i+4+n])
		if wide {
			if w, ok := decode16(b[i+4 : i+4+n]); ok && readable(w) {
				v = w
			}
		}
		if wide && !readable(v) || strings.ContainsFunc(v, control) {
			i++
			continue
		}
		out = append(append(out, v...), '\n')
		i += 4 + n
	}
	return out
}

func control(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' || r == 0x7f }

// readable reports whether s is text, and not numbers that happen to be letters of many scripts.
func readable(s string) bool {
	plain, all := 0, 0
	for _, r := range s {
		if r == utf8.RuneError || control(r) {
			return false
		}
		if all++; r < 0x80 {
			plain++
		}
		if all == 64 && plain == 0 {
			return false
		}
	}
	return plain*2 > all
}
