// Package hikvision reads the update containers of Hikvision: HKWS, one package with its table
// of files in clear; HK20, a wrapper around several packages; and HK30, a package whose table
// and bodies are encrypted.
//
// There is no official specification. The layouts follow public readers and were checked on
// published headers and on one genuine file:
// https://github.com/MatrixEditor/hiktools,
// https://github.com/renaudallard/hikvision_R2_firmware,
// https://github.com/HaToan/Decrypt-Firmware-Hikvision.
//
// Headers are masked with a fixed string, or stand in clear in products other than cameras.
// The bodies of HK30 are not decrypted. Neither are members that carry encryption of their own
// (_cfgUpgSecPls, *.tar.lzma of recorders); they are handed out as they stand.
package hikvision

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is the update container.
var Format = format.Format{
	Name:  "hikvision",
	Title: "Hikvision update (HKWS, HK20, HK30)",
	Kind:  format.Container,
	Magics: []format.Magic{
		{Bytes: "\xe9\x9a\xf7\xb6"}, // SWKH masked
		{Bytes: "\x8a\xff\xf7\xb6"}, // 02KH masked
		{Bytes: "\x8a\xfe\xf7\xb6", Start: true},
		{Bytes: packageMagic},
		{Bytes: wrapperMagic},
		{Bytes: sealedMagic, Start: true},
	},
	Refs: []format.Ref{
		{Title: "hiktools", URL: "https://github.com/MatrixEditor/hiktools"},
		{Title: "hikvision_R2_firmware", URL: "https://github.com/renaudallard/hikvision_R2_firmware"},
		{Title: "Decrypt-Firmware-Hikvision", URL: "https://github.com/HaToan/Decrypt-Firmware-Hikvision"},
	},
	Limits: []string{
		"HK30 packages are recognised; their tables and bodies are encrypted and stay closed.",
		"An HK30 package is found only at the start of a content, as HK20 hands it out.",
		"Members that are encrypted by themselves are not decrypted.",
	},
	Open: open,
}

// The magics as they read unmasked.
const (
	packageMagic = "SWKH" // HKWS
	wrapperMagic = "02KH" // HK20
	sealedMagic  = "03KH" // HK30
)

// mask is the published string that headers are XORed with; it hides nothing and is no key.
const mask = "\xba\xcd\xbc\xfe\xd6\xca\xdd\xd3\xba\xb9\xa3\xab\xbf\xcb\xb5\xbe"

// unmask decodes a part of a header in place, which starts at offset at. The mask shifts by one
// every 16 bytes and starts anew with every header.
func unmask(b []byte, at int) {
	for i := range b {
		b[i] ^= mask[(at+i+(at+i)>>4)&15]
	}
}

const (
	fixedSize = 0x40 // of the header before its table
	entrySize = 0x2c // name[32], offset, length, byte sum
	maxSize   = 0x10000
	maxCount  = (maxSize - fixedSize) / entrySize
)

func open(src format.Source) (format.Chunk, error) {
	b := make([]byte, 16)
	if n, _ := src.ReadAt(b, 0); n < len(b) {
		return nil, format.Not("hikvision: header: %d bytes", n)
	}
	masked := false
	if !known(b) {
		unmask(b, 0)
		masked = true
	}
	switch string(b[:4]) {
	case sealedMagic:
		return openSealed(src, b, masked)
	case packageMagic, wrapperMagic:
		return openTable(src, string(b[:4]), masked)
	}
	return nil, format.Not("hikvision: magic %x", b[:4])
}

func known(b []byte) bool {
	switch string(b[:4]) {
	case packageMagic, wrapperMagic, sealedMagic:
		return true
	}
	return false
}

// container is an HKWS package or an HK20 wrapper.
type container struct {
	src      format.Source
	magic    string
	masked   bool
	header   []byte // unmasked, with its table
	size     uint32 // of the header, as stated
	checksum string
	members  []member
	end      int64 // of the last member, as far as it is there
	problems []error
}

type member struct {
	path  string
	entry int64 // where its table entry stands
	at    artifact.Range
	sum   uint32
}

// openTable accepts a header whose checksum fits, or whose table leads from the header through
// every member to the end without a gap. Four bytes of magic alone accuse nobody.
func openTable(src format.Source, magic string, masked bool) (*container, error) {
	c := &container{src: src, magic: magic, masked: masked}
	fixed := make([]byte, fixedSize)
	if got, _ := src.ReadAt(fixed, 0); got < len(fixed) {
		return nil, format.Not("hikvision: header: %d bytes", got)
	}
	c.unmask(fixed, 0)
	c.size = binary.LittleEndian.Uint32(fixed[8:])
	n := binary.LittleEndian.Uint32(fixed[c.countAt():])
	full := fixedSize + n*entrySize
	if n == 0 || n > maxCount {
		return nil, format.Not("hikvision: %d members, want 1 to %d", n, maxCount)
	}
	// Access controllers do not count the table in.
	if c.size != full && c.size != fixedSize {
		return nil, format.Not("hikvision: header of %#x bytes for %d members, want %#x", c.size, n, full)
	}
	if magic == wrapperMagic && binary.LittleEndian.Uint32(fixed[0xc:]) != 0 {
		return nil, format.Not("hikvision: HK20 field at 0xc is not 0")
	}
	c.header = append(fixed, make([]byte, full-fixedSize)...)
	if got, _ := src.ReadAt(c.header[fixedSize:], fixedSize); got < int(full)-fixedSize {
		return nil, format.Not("hikvision: table of %d bytes, %d left", full-fixedSize, got)
	}
	exact, err := c.readTable()
	if err != nil {
		return nil, err
	}
	stated := binary.LittleEndian.Uint32(c.header[4:])
	switch sum := byteSum(c.header[0xc:c.size]); {
	case len(c.members) == 0:
		return nil, format.Not("hikvision: no member within the content")
	case stated == sum:
		c.checksum = "ok"
	case !exact:
		return nil, format.Not("hikvision: header sum %#x, want %#x, and offsets do not chain", stated, sum)
	case stated == 0:
		c.checksum = "not stated"
	default:
		c.checksum = "bad"
		c.problems = append(c.problems, format.Errorf(artifact.Checksum, 4, "hikvision: header sum at 0x4: %#x, want %#x", stated, sum))
	}
	return c, nil
}

func (c *container) unmask(b []byte, at int) {
	if c.masked {
		unmask(b, at)
	}
}

func (c *container) countAt() int {
	if c.magic == wrapperMagic {
		return 0x14
	}
	return 0xc
}

func (c *container) totalAt() int {
	if c.magic == wrapperMagic {
		return 0x10
	}
	return 0x20
}

// readTable fills members and reports whether each follows the one before without a gap and all
// end within the content, where the header says if it does. It stops at the first that overlaps.
func (c *container) readTable() (exact bool, err error) {
	exact = true
	c.end = int64(len(c.header))
	for i := fixedSize; i < len(c.header); i += entrySize {
		e := c.header[i : i+entrySize]
		c.unmask(e, i)
		off, n := int64(binary.LittleEndian.Uint32(e[32:])), int64(binary.LittleEndian.Uint32(e[36:]))
		m := member{c.name(e[:32], (i-fixedSize)/entrySize), int64(i), artifact.Range{Off: off, Len: n}, binary.LittleEndian.Uint32(e[40:])}
		if off != c.end {
			exact = false
		}
		switch {
		case off < c.end:
			return false, format.Not("hikvision: member %q at %#x: overlaps what ends at %#x", m.path, off, c.end)
		case off > c.src.Size():
			c.problems = append(c.problems, format.Errorf(artifact.Truncated, int64(i), "hikvision: member %q at %#x and all behind it: content ends at %#x", m.path, off, c.src.Size()))
			return false, nil
		case n > c.src.Size()-off:
			exact = false
			c.problems = append(c.problems, format.Errorf(artifact.Truncated, int64(i), "hikvision: member %q at %#x: %d bytes, %d left", m.path, off, n, c.src.Size()-off))
			m.at.Len = c.src.Size() - off
		}
		c.members = append(c.members, m)
		c.end = m.at.End()
	}
	if total := int64(binary.LittleEndian.Uint32(c.header[c.totalAt():])); stated(uint32(total)) && total != c.end {
		exact = false
	}
	return exact, nil
}

func stated(v uint32) bool { return v != 0 && v != 0xffffffff }

// name returns the name of a member. Packages of a wrapper are named by device code, which is
// no file name, so they are numbered.
func (c *container) name(b []byte, i int) string {
	if c.magic == wrapperMagic {
		return fmt.Sprintf("package%d", i)
	}
	if s := text(b); s != "" {
		return s
	}
	return fmt.Sprintf("member%d", i)
}

// text returns the bytes before the first NUL if they are printable, else "".
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	for _, c := range b {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return string(b)
}

func (c *container) Size() int64 { return c.end }

func (c *container) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range c.problems {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		for _, m := range c.members {
			e := format.Entry{Path: m.path, Size: m.at.Len, Window: &m.at}
			if p := c.check(m); p != nil {
				e.Problems = []artifact.Problem{*p}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// check compares a member with its byte sum. A cut member has its problem already.
func (c *container) check(m member) *artifact.Problem {
	if m.at.Len != int64(binary.LittleEndian.Uint32(c.header[m.entry+36:])) {
		return nil
	}
	var sum uint32
	buf := make([]byte, 64<<10)
	for off := m.at.Off; off < m.at.End(); {
		b := buf[:min(int64(len(buf)), m.at.End()-off)]
		if n, _ := c.src.ReadAt(b, off); n < len(b) {
			return &artifact.Problem{Kind: artifact.Damaged, At: m.at, Detail: fmt.Sprintf("hikvision: member %q at %#x: cannot be read", m.path, off)}
		}
		sum += byteSum(b)
		off += int64(len(b))
	}
	if sum == m.sum {
		return nil
	}
	return &artifact.Problem{Kind: artifact.Checksum, At: artifact.Range{Off: m.entry + 40, Len: 4},
		Detail: fmt.Sprintf("hikvision: sum of member %q at %#x: %#x, want %#x", m.path, m.at.Off, sum, m.sum)}
}

func byteSum(b []byte) (sum uint32) {
	for _, c := range b {
		sum += uint32(c)
	}
	return sum
}
