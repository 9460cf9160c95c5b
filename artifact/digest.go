// Package artifact names what was found in an image and where, and keeps contents by digest.
//
// A [Tree] is a graph of contents, each named by its SHA-256 and held once however often it
// occurs. A content is covered by extents, in order and without a gap: a chunk that a format
// read, padding, or unknown bytes. A chunk holds nodes (files, directories, payloads), and a
// node that is a file names the content it holds. A [Place] is one way from the root to a content.
package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
)

// Digest is the SHA-256 of a content.
type Digest [sha256.Size]byte

// String returns d as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d names no content.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes d as [Digest.String] does.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(d) {
		return fmt.Errorf("artifact: digest %q: %d characters, want %d", b, len(b), 2*len(d))
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// Range is a half-open run of bytes within one content.
type Range struct {
	Off int64 `json:"offset"`
	Len int64 `json:"length"`
}

// End returns the offset of the first byte behind r.
func (r Range) End() int64 { return r.Off + r.Len }

// Shift returns r moved by n bytes.
func (r Range) Shift(n int64) Range { return Range{r.Off + n, r.Len} }

// Contains reports whether o lies within r.
func (r Range) Contains(o Range) bool { return o.Off >= r.Off && o.End() <= r.End() }

// Within reports whether r is a valid run of a content of size bytes. It is safe for any values.
func (r Range) Within(size int64) bool {
	return r.Off >= 0 && r.Len >= 0 && r.Off <= size && r.Len <= size-r.Off
}

// Evidence is one citation: these bytes of that content, read in this way, by that rule.
type Evidence struct {
	Content   Digest  `json:"content"`
	At        Range   `json:"at"`
	Technique string  `json:"technique"`         // how it was read: "string", "elf.soname", "modinfo.license", ...
	Rule      string  `json:"rule"`              // id of the signature that fired
	Excerpt   Excerpt `json:"excerpt,omitempty"` // at most MaxExcerpt bytes of the content, as they stand at At
}

// Excerpt is a run of bytes of a content. As text it is written like the inside of a Go string
// in ASCII (\x00, \n, \\, \"), so that any bytes come back as they were.
type Excerpt string

// MarshalText writes e with escapes.
func (e Excerpt) MarshalText() ([]byte, error) {
	q := strconv.QuoteToASCII(string(e))
	return []byte(q[1 : len(q)-1]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (e *Excerpt) UnmarshalText(b []byte) error {
	s, err := strconv.Unquote(`"` + string(b) + `"`)
	if err != nil {
		return fmt.Errorf("artifact: excerpt %q: %w", b, err)
	}
	*e = Excerpt(s)
	return nil
}

// MaxExcerpt bounds [Evidence.Excerpt], in bytes.
const MaxExcerpt = 64
