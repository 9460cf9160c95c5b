package tar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"hallmark/artifact"
)

// Types of members. POSIX pax, "ustar Interchange Format", and GNU tar.h.
const (
	typeHardLink = '1'
	typeSymlink  = '2'
	typeChar     = '3'
	typeBlock    = '4'
	typeDir      = '5'
	typeFIFO     = '6'
	typePax      = 'x'
	typeSunPax   = 'X' // what Solaris called it before POSIX did
	typeGlobal   = 'g'
	typeDumpDir  = 'D' // a directory with the list of its names
	typeLongLink = 'K'
	typeLongName = 'L'
	typeSparse   = 'S'
	typeVolume   = 'V'
)

const (
	dialectV7    = "v7"
	dialectUstar = "ustar"
	dialectGNU   = "gnu"
)

// header is a header block.
type header struct {
	raw          [block]byte
	dialect      string
	name, link   string
	mode         uint32
	uid, gid     uint32
	size         int64
	mtime        int64
	kind         byte
	major, minor uint32
}

var errZero = errors.New("a block of zeros")

// readHeader reads the header block at pos.
func readHeader(r io.ReaderAt, pos int64) (*header, error) {
	var b [block]byte
	if n, _ := r.ReadAt(b[:], pos); n < block {
		return nil, fmt.Errorf("header at %#x: %d bytes left, want %d", pos, n, block)
	}
	h, err := parseHeader(&b)
	if err != nil {
		return nil, fmt.Errorf("header at %#x: %w", pos, err)
	}
	return h, nil
}

// parseHeader reads
//
//	0 name (100), 100 mode (8), 108 uid (8), 116 gid (8), 124 size (12), 136 mtime (12), 148 checksum (8),
//	156 type, 157 link (100), 257 magic (6), 263 version (2), 265 user (32), 297 group (32),
//	329 major (8), 337 minor (8), 345 prefix (155)
//
// where GNU has times and the map of a sparse file in place of the prefix.
func parseHeader(b *[block]byte) (*header, error) {
	if *b == [block]byte{} {
		return nil, errZero
	}
	if err := checksum(b); err != nil {
		return nil, err
	}
	h := &header{raw: *b, name: cstring(b[:100]), link: cstring(b[157:257]), kind: b[156], dialect: dialectV7}
	var bad error
	number := func(off, n int) int64 {
		v, err := numeric(b[off : off+n])
		if err != nil && bad == nil {
			bad = fmt.Errorf("field at %d: %v", off, err)
		}
		return v
	}
	h.mode, h.uid, h.gid = uint32(number(100, 8)), uint32(number(108, 8)), uint32(number(116, 8))
	h.mtime = number(136, 12)
	bad = nil // what is wrong so far costs no content
	if h.size = number(124, 12); bad != nil || h.size < 0 {
		return nil, fmt.Errorf("size %q", b[124:136])
	}
	switch magic := string(b[257:265]); {
	case magic == "ustar  \x00":
		h.dialect = dialectGNU
	case strings.HasPrefix(magic, "ustar"):
		h.dialect = dialectUstar
		prefix := b[345:500]
		if string(b[508:512]) == "tar\x00" { // star has times in the last 24 bytes of the prefix
			prefix = b[345:476]
		}
		if p := cstring(prefix); p != "" {
			h.name = p + "/" + h.name
		}
	}
	if h.dialect != dialectV7 {
		h.major, h.minor = uint32(number(329, 8)), uint32(number(337, 8))
	}
	if (h.kind == 0 || h.kind == '0') && strings.HasSuffix(h.name, "/") {
		h.kind = typeDir // before there was a type for it
	}
	return h, nil
}

// checksum compares the stored sum with that of the bytes, the field itself taken as spaces. Some old
// programs added up signed characters.
func checksum(b *[block]byte) error {
	want, err := numeric(b[148:156])
	if err != nil {
		return fmt.Errorf("checksum %q", b[148:156])
	}
	unsigned, signed := int64(8*' '), int64(8*' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			unsigned += int64(c)
			signed += int64(int8(c))
		}
	}
	if want != unsigned && want != signed {
		return fmt.Errorf("checksum %#o, want %#o", want, unsigned)
	}
	return nil
}

// strict reports whether a header without a magic is beyond doubt one of the seventh edition.
func (h *header) strict() bool {
	for _, c := range []byte(h.name) {
		if c < 0x20 || c == 0x7f {
			return false
		}
	}
	for _, f := range [...][]byte{h.raw[100:108], h.raw[108:116], h.raw[116:124], h.raw[124:136], h.raw[136:148], h.raw[148:156]} {
		if only(f, " \x00") || !only(f, "01234567 \x00") {
			return false
		}
	}
	// GNU tar writes device numbers even so.
	rest := only(h.raw[257:329], "\x00") && only(h.raw[329:345], "0\x00") && only(h.raw[345:], "\x00")
	return h.name != "" && (h.kind == 0 || h.kind >= '0' && h.kind <= '7') && rest
}

// only reports whether b is made of the characters of set.
func only(b []byte, set string) bool { return len(bytes.Trim(b, set)) == 0 }

// extends reports whether the header is about the next member.
func (h *header) extends() bool {
	switch h.kind {
	case typePax, typeSunPax, typeGlobal, typeLongLink, typeLongName:
		return true
	}
	return false
}

// stored returns how many bytes of data follow the header.
func (h *header) stored() int64 {
	switch h.kind {
	case typeHardLink, typeSymlink, typeChar, typeBlock, typeDir, typeFIFO, typeVolume:
		return 0 // whatever the size says
	}
	return h.size
}

// numeric reads an octal number, or if its first bit is set a big-endian one (GNU, star).
func numeric(b []byte) (int64, error) {
	if b[0]&0x80 != 0 {
		v := int64(int8(b[0]<<1)) >> 1 // the sign is the second bit
		for _, c := range b[1:] {
			if v > 1<<54 || v < -1<<54 {
				return 0, errors.New("number is too large")
			}
			v = v<<8 | int64(c)
		}
		return v, nil
	}
	s := strings.Trim(string(b), " \x00")
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	if s == "" {
		return 0, nil
	}
	v, err := strconv.ParseUint(s, 8, 63)
	if err != nil {
		return 0, fmt.Errorf("%q is no octal number", s)
	}
	return int64(v), nil
}

func cstring(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// records are those of a pax header, by keyword.
type records map[string]string

// parseRecords reads lines "length keyword=value\n", where length counts the whole line. It
// returns what it read before an error. Keywords that may occur again are joined with commas.
func parseRecords(b []byte) (records, error) {
	r := records{}
	for rest := b; len(rest) > 0; {
		if len(bytes.Trim(rest, "\x00")) == 0 {
			break
		}
		i := bytes.IndexByte(rest[:min(len(rest), 20)], ' ')
		if i < 0 {
			return r, fmt.Errorf("record %.20q: no length", rest)
		}
		n, err := strconv.ParseUint(string(rest[:i]), 10, 31)
		if err != nil || int(n) < i+2 || int(n) > len(rest) || rest[n-1] != '\n' {
			return r, fmt.Errorf("record %.20q: length does not fit", rest)
		}
		key, value, ok := strings.Cut(string(rest[i+1:n-1]), "=")
		if !ok {
			return r, fmt.Errorf("record %.20q: no keyword", rest)
		}
		rest = rest[n:]
		switch key {
		case "GNU.sparse.offset", "GNU.sparse.numbytes": // GNU's sparse format 0.0 has one of each for a region
			if old := r["GNU.sparse.map"]; old != "" {
				value = old + "," + value
			}
			key = "GNU.sparse.map"
		}
		r[key] = value
	}
	return r, nil
}

// xattrs returns the extended attributes, in order of name.
func (r records) xattrs() []artifact.Xattr {
	const prefix = "SCHILY.xattr."
	var out []artifact.Xattr
	for k, v := range r {
		if name, ok := strings.CutPrefix(k, prefix); ok {
			out = append(out, artifact.Xattr{Name: name, Value: []byte(v)})
		}
	}
	slices.SortFunc(out, func(a, b artifact.Xattr) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// decimal reads a decimal number.
func decimal(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
