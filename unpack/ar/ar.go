// Package ar reads ar archives, which are static libraries and Debian packages: the common
// format with long names as System V/GNU and as BSD write them.
//
// The formats are in ar(5) of FreeBSD (https://man.freebsd.org/cgi/man.cgi?query=ar&sektion=5).
// Members, symbol tables included, are windows of the archive. Not read: the members of thin
// archives, which are other files, and AIX's formats.
package ar

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is ar.
var Format = format.Format{
	Name:   "ar",
	Title:  "ar archive",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: magic}, {Bytes: magicThin}},
	Refs: []format.Ref{
		{Title: "FreeBSD, ar(5)", URL: "https://man.freebsd.org/cgi/man.cgi?query=ar&sektion=5"},
		{Title: "Debian, deb(5)", URL: "https://manpages.debian.org/deb.5"},
	},
	Limits: []string{"The members of a thin archive are other files; it is described, not read."},
	Open:   Open,
}

const (
	magic     = "!<arch>\n"
	magicThin = "!<thin>\n"
	headerLen = 60
	maxName   = 1 << 16
)

type archive struct {
	src   format.Source
	thin  bool
	names []byte // GNU's table of long names
	end   int64
}

// Open opens the archive whose magic is at offset 0 of src.
func Open(src format.Source) (format.Chunk, error) {
	var b [len(magic) + headerLen]byte
	n, _ := src.ReadAt(b[:], 0)
	a := &archive{src: src, end: int64(len(magic))}
	switch string(b[:min(n, len(magic))]) {
	case magicThin:
		a.thin = true
	case magic:
	default:
		return nil, format.Not("ar: magic %q", b[:min(n, len(magic))])
	}
	if src.Size() > a.end { // the magic alone is an empty archive if nothing follows
		if _, err := a.header(a.end); err != nil {
			return nil, format.Not("ar: %v", err)
		}
	}
	return a, nil
}

// Size returns the end of the last member. The format has no end of its own.
func (a *archive) Size() int64 { return a.end }

// Entries yields the members, symbol tables under the names that stand in their headers.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if a.thin {
			yield(format.Entry{}, format.Errorf(artifact.Unsupported, 0, "ar: thin archive at 0x0: its members are other files"))
			return
		}
		for pos := int64(len(magic)); pos < a.src.Size(); {
			h, err := a.header(pos)
			if err != nil {
				// What follows an archive is none of its business, unless it is cut off.
				if left := a.src.Size() - pos; left < headerLen {
					yield(format.Entry{}, format.Errorf(artifact.Truncated, pos, "ar: %v", err))
				}
				return
			}
			e, err := a.entry(h)
			if err != nil && !yield(format.Entry{}, err) {
				return
			}
			next := h.data + h.size
			next += next & 1
			a.end = min(next, a.src.Size())
			if e.Window != nil && !yield(e, nil) {
				return
			}
			pos = next
		}
	}
}

type header struct {
	pos, data, size int64
	name            string
	mtime           int64
	uid, gid, mode  uint32
}

// header reads
//
//	0 name (16), 16 mtime (12), 28 uid (6), 34 gid (6), 40 mode (8, octal), 48 size (10), 58 "`\n"
//
// where numbers are text filled up with spaces.
func (a *archive) header(pos int64) (*header, error) {
	b := make([]byte, headerLen)
	if n, _ := a.src.ReadAt(b, pos); n < headerLen {
		return nil, fmt.Errorf("header at %#x: %d bytes, want %d", pos, n, headerLen)
	}
	if b[58] != '`' || b[59] != '\n' {
		return nil, fmt.Errorf("header at %#x: ends with %q", pos, b[58:])
	}
	h := &header{pos: pos, data: pos + headerLen, name: strings.TrimRight(string(b[:16]), " ")}
	var bad error
	number := func(off, n, base int) int64 {
		s := strings.TrimSpace(string(b[off : off+n]))
		if s == "" { // a table of names has only a size
			return 0
		}
		v, err := strconv.ParseInt(s, base, 64)
		if err != nil || v < 0 {
			bad = fmt.Errorf("header at %#x: field at %d is %q", pos, off, s)
		}
		return v
	}
	h.mtime, h.uid, h.gid = number(16, 12, 10), uint32(number(28, 6, 10)), uint32(number(34, 6, 10))
	h.mode = uint32(number(40, 8, 8))
	bad = nil // these cost no content
	h.size = number(48, 10, 10)
	return h, bad
}

// entry makes the entry of a member and resolves its name. For GNU's table of names it keeps that and returns none.
func (a *archive) entry(h *header) (format.Entry, error) {
	w := artifact.Range{Off: h.data, Len: h.size}
	e := format.Entry{Mode: format.UnixMode(h.mode), UID: h.uid, GID: h.gid, ModTime: h.mtime}
	note := func(kind artifact.ProblemKind, text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: artifact.Range{Off: h.pos}, Detail: fmt.Sprintf(text, args...)})
	}
	if left := max(0, a.src.Size()-w.Off); w.Len > left {
		note(artifact.Truncated, "ar: member %q at %#x: %d bytes, %d left", h.name, h.pos, w.Len, left)
		w.Len = left
	}
	e.Path = h.name
	switch {
	case h.name == "//":
		names, err := format.ReadAt(a.src, w.Off, w.Len, "ar: long names")
		a.names = names
		return format.Entry{}, err
	case h.name == "/" || h.name == "/SYM64/":
		e.Path = strings.Trim(h.name, "/")
		if e.Path == "" {
			e.Path = "__.SYMDEF" // what BSD calls the table, as a slash is no name
		}
	case strings.HasPrefix(h.name, "#1/"): // BSD: the name stands before the content
		n, err := strconv.ParseInt(h.name[3:], 10, 32)
		if err != nil || n < 0 || n > w.Len || n > maxName {
			note(artifact.Damaged, "ar: member at %#x: name is %q", h.pos, h.name)
			break
		}
		b, err := format.ReadAt(a.src, w.Off, n, "ar: name")
		if err != nil {
			return format.Entry{}, err
		}
		e.Path = strings.TrimRight(string(b), "\x00")
		w.Off, w.Len = w.Off+n, w.Len-n
	case strings.HasPrefix(h.name, "/"): // GNU: an offset in the table of names, where "/\n" ends each
		n, err := strconv.ParseInt(h.name[1:], 10, 64)
		if err != nil || n < 0 || n >= int64(len(a.names)) {
			note(artifact.Damaged, "ar: member at %#x: name %q of %d bytes of names", h.pos, h.name, len(a.names))
			break
		}
		name, _, _ := strings.Cut(string(a.names[n:min(int64(len(a.names)), n+maxName)]), "\n")
		e.Path = strings.TrimSuffix(name, "/")
	default:
		e.Path = strings.TrimSuffix(h.name, "/")
	}
	if !e.Mode.IsRegular() {
		e.Mode = e.Mode.Perm()
	}
	e.Window, e.Size = &w, w.Len
	return e, nil
}
