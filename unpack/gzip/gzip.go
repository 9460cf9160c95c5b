// Package gzip reads gzip files, RFC 1952, https://www.rfc-editor.org/rfc/rfc1952.
//
// Members that follow each other directly are one stream, as gzip itself reads them.
package gzip

import (
	"strconv"

	"hallmark/unpack/codec"
	"hallmark/unpack/format"
	"hallmark/unpack/format/stream"
)

// Format is gzip. The entry has the name that the first member stores, or none.
var Format = format.Format{
	Name:   "gzip",
	Title:  "gzip",
	Kind:   format.Stream,
	Magics: []format.Magic{{Bytes: "\x1f\x8b\x08"}},
	Refs:   []format.Ref{{Title: "RFC 1952", URL: "https://www.rfc-editor.org/rfc/rfc1952"}},
	Limits: []string{"Names of members after the first are not told."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

const (
	maxHeader = 64 << 10 // as far as the decoder looks for the end of the header

	// The header of a proof is what encoders write; one with odd values has to decode further.
	proof    = 512
	oddProof = 64 << 10
)

// Offsets in the header.
const (
	offXFL  = 8
	offOS   = 9
	offName = 10 // if there is no extra field
)

func open(src format.Source) (format.Chunk, error) {
	b := stream.Head(src, 512)
	h, err := codec.ParseGzipHeader(b)
	if err != nil && len(b) == 512 {
		b = stream.Head(src, maxHeader)
		h, err = codec.ParseGzipHeader(b)
	}
	if err != nil {
		return nil, format.Not("gzip: header: %v", err)
	}
	c := &stream.Chunk{Format: "gzip", Source: src, Decoder: codec.NewGzip, Proof: proof}
	if b[offXFL]&^6 != 0 || h.OS > 13 && h.OS != 255 {
		c.Proof = oddProof
	}
	c.Entry = format.Entry{Path: h.Name, Size: -1, ModTime: int64(h.ModTime)}
	if h.Name != "" && len(h.Extra) == 0 {
		c.Attrs = append(c.Attrs, stream.Attr("name", h.Name, offName, int64(len(h.Name))))
	}
	c.Attrs = append(c.Attrs, stream.Attr("system", system(h.OS), offOS, 1))
	return c, nil
}

// system names the operating system, RFC 1952, section 2.3.1.
func system(os byte) string {
	names := [...]string{"FAT", "Amiga", "VMS", "Unix", "VM/CMS", "Atari TOS", "HPFS", "Macintosh", "Z-System", "CP/M", "TOPS-20", "NTFS", "QDOS", "Acorn RISCOS"}
	switch {
	case int(os) < len(names):
		return names[os]
	case os == 255:
		return "unknown"
	}
	return strconv.Itoa(int(os))
}
