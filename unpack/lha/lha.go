// Package lha reads LHA archives (.lzh) with headers of levels 0 to 3.
//
// Specification: header.doc of LHa for UNIX (https://github.com/jca02266/lha/blob/master/header.doc.md).
// The checksum of every header and the CRC-16 of every member are checked.
//
// Not read: the methods lh1 to lh3, lzs, lz5 and PMarc's.
package lha

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// Format is LHA.
var Format = format.Format{
	Name:  "lha",
	Title: "LHA archive",
	Kind:  format.Archive,
	Magics: []format.Magic{
		{Bytes: "-lh0-", Off: 2}, {Bytes: "-lh1-", Off: 2}, {Bytes: "-lh4-", Off: 2}, {Bytes: "-lh5-", Off: 2},
		{Bytes: "-lh6-", Off: 2}, {Bytes: "-lh7-", Off: 2}, {Bytes: "-lhd-", Off: 2}, {Bytes: "-lz4-", Off: 2}, {Bytes: "-lz5-", Off: 2},
	},
	Refs:   []format.Ref{{Title: "LHa for UNIX, header.doc", URL: "https://github.com/jca02266/lha/blob/master/header.doc.md"}},
	Limits: []string{"Members of methods lh1 to lh3, lzs, lz5 and PMarc's are yielded as they are stored."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

type archive struct {
	src format.Source
	end int64
}

func open(src format.Source) (*archive, error) {
	if _, err := readHeader(src, 0); err != nil {
		return nil, format.Not("lha: %v", err)
	}
	return &archive{src: src}, nil
}

// Size returns the end of the zero behind the last member, or of that if there is none.
func (a *archive) Size() int64 { return a.end }

// Entries yields the members in the order stored.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for pos := int64(0); pos < a.src.Size(); {
			h, err := readHeader(a.src, pos)
			if err != nil {
				var b [1]byte
				if a.src.ReadAt(b[:], pos); b[0] == 0 {
					a.end = pos + 1
				} else {
					yield(format.Entry{}, format.Errorf(artifact.Damaged, pos, "lha: %v", err))
				}
				return
			}
			a.end = min(h.data.End(), a.src.Size())
			if !yield(a.entry(h), nil) {
				return
			}
			pos = h.data.End()
		}
	}
}

func (a *archive) entry(h *header) format.Entry {
	e := format.Entry{Path: h.name, Size: h.size, ModTime: h.mtime, UID: h.uid, GID: h.gid, Mode: format.UnixMode(h.mode)}
	if h.method == "-lhd-" {
		if name, target, ok := strings.Cut(h.name, "|"); ok && e.Mode&fs.ModeSymlink != 0 {
			e.Path, e.Link, e.Size = name, target, int64(len(target))
			return e
		}
		e.Mode, e.Size = e.Mode.Perm()|fs.ModeDir, 0
		return e
	}
	if !e.Mode.IsRegular() {
		e.Mode = e.Mode.Perm()
	}
	note := func(kind artifact.ProblemKind, text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: h.data, Detail: fmt.Sprintf("lha: member %q at %#x: %s", h.name, h.at, fmt.Sprintf(text, args...))})
	}
	if left := max(0, a.src.Size()-h.data.Off); h.data.Len > left {
		note(artifact.Truncated, "%d bytes, %d left", h.data.Len, left)
		h.data.Len = left
	}
	switch h.method {
	case "-lh0-", "-lz4-":
		e.Window, e.Size = &h.data, h.data.Len
		var fault *format.Error
		if _, err := io.Copy(io.Discard, &checked{h: h, r: io.NewSectionReader(a.src, h.data.Off, h.data.Len)}); errors.As(err, &fault) {
			e.Problems = append(e.Problems, artifact.Problem{Kind: fault.Kind, At: fault.At, Detail: fault.Text})
		}
	case "-lh4-", "-lh5-", "-lh6-", "-lh7-":
		e.Open = func() (io.Reader, error) { return a.open(h) }
	default:
		e.Window, e.Size = &h.data, h.data.Len
		note(artifact.Unsupported, "method %s", h.method)
	}
	return e
}

func (a *archive) open(h *header) (io.Reader, error) {
	positions := 14
	switch h.method {
	case "-lh6-":
		positions = 16
	case "-lh7-":
		positions = 17
	}
	s, err := codec.NewLZH(io.NewSectionReader(a.src, h.data.Off, h.data.Len), h.data.Len, positions, h.size)
	if err != nil {
		return nil, err
	}
	return &checked{h: h, r: s}, nil
}

// checked passes on what r reads and checks its CRC-16 at the end.
type checked struct {
	h   *header
	r   io.Reader
	crc uint16
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.crc = crc16(c.crc, p[:n])
	switch {
	case err == io.EOF && c.crc != c.h.crc:
		err = format.Errorf(artifact.Checksum, c.h.at, "lha: member %q at %#x: CRC-16 %04x, want %04x", c.h.name, c.h.at, c.crc, c.h.crc)
	case err != nil && err != io.EOF:
		err = format.Errorf(artifact.Damaged, c.h.at, "lha: member %q at %#x: %v", c.h.name, c.h.at, err)
	}
	return n, err
}
