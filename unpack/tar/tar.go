// Package tar reads tar archives: the seventh edition's, POSIX.1-1988 ustar, POSIX.1-2001 pax
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html) and GNU's
// (https://www.gnu.org/software/tar/manual/html_node/Standard.html).
//
// Members are windows of the archive, but for sparse files, whose holes are filled in.
// Not read: the parts of a file that are on another volume.
package tar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is tar.
var Format = format.Format{
	Name:  "tar",
	Title: "tar archive",
	Kind:  format.Archive,
	Magics: []format.Magic{
		{Bytes: "ustar", Off: 257},
		// The seventh edition has no magic. A mode is six octal digits with leading zeros or spaces.
		{Bytes: "0000", Off: 100, Start: true},
		{Bytes: "0100", Off: 100, Start: true},
		{Bytes: "0040", Off: 100, Start: true},
		{Bytes: "1006", Off: 100, Start: true},
		{Bytes: "1007", Off: 100, Start: true},
		{Bytes: " 407", Off: 100, Start: true},
		{Bytes: "   4", Off: 100, Start: true},
		{Bytes: "   5", Off: 100, Start: true},
		{Bytes: "   6", Off: 100, Start: true},
		{Bytes: "   7", Off: 100, Start: true},
	},
	Refs: []format.Ref{
		{Title: "POSIX.1-2024 pax: ustar and pax interchange formats", URL: "https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html"},
		{Title: "GNU tar manual, basic tar format and extensions", URL: "https://www.gnu.org/software/tar/manual/html_node/Tar-Internals.html"},
		{Title: "libarchive, tar(5)", URL: "https://man.archlinux.org/man/tar.5"},
	},
	Limits: []string{
		"A file that begins or ends on another volume is yielded as the part that is there.",
		"An archive in the format of the seventh edition is found only at the start of a content.",
	},
	Open: Open,
}

const (
	block  = 512
	record = 20 * block // what tar pads an archive to

	maxHeaderData = 1 << 20 // of a long name or pax header
	maxPath       = 4096    // Linux PATH_MAX
)

type archive struct {
	src   format.Source
	first *header
	end   int64

	skipped []artifact.Range
}

// Open opens the archive whose first header is at offset 0 of src.
func Open(src format.Source) (format.Chunk, error) {
	h, err := readHeader(src, 0)
	if err != nil {
		return nil, format.Not("tar: %v", err)
	}
	if h.dialect == dialectV7 && (src.Before > 0 || !h.strict()) {
		return nil, format.Not("tar: no magic")
	}
	return &archive{src: src, first: h}, nil
}

// Size returns the end of the archive: behind the two zero blocks that end it, and behind further
// zeros that fill the last record of 10,240 bytes.
func (a *archive) Size() int64 { return a.end }

// Skipped returns the data of headers that is more than the names which it can be about.
func (a *archive) Skipped() []artifact.Range { return a.skipped }

func (a *archive) Describe() []artifact.Attr {
	at := artifact.Range{Off: 257, Len: 8}
	if a.first.dialect == dialectV7 {
		at = artifact.Range{Off: 148, Len: 8}
	}
	return []artifact.Attr{{Name: "dialect", Value: a.first.dialect, At: at}}
}

// Entries yields the members.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		a.skipped = nil
		var pending extended
		global := records{}
		for pos := int64(0); ; {
			h, err := readHeader(a.src, pos)
			switch {
			case errors.Is(err, errZero):
				if next, more := a.finish(pos); more {
					pos = next
					continue
				}
				return
			case err != nil:
				next, more := a.resync(pos)
				kind := artifact.Damaged
				if pos >= a.src.Size()-block {
					kind = artifact.Truncated
				}
				a.end = min(pos, a.src.Size())
				if more {
					pending = extended{}
				}
				if !yield(format.Entry{}, format.Errorf(kind, pos, "tar: %v", err)) || !more {
					return
				}
				pos = next
				continue
			}
			stored := h.stored()
			if h.extends() {
				if err := a.extend(h, pos+block, stored, &pending, global); err != nil && !yield(format.Entry{}, err) {
					return
				}
				pos = a.skip(pos, stored)
				continue
			}
			if h.kind == typeVolume { // the archive's own name, no file
				pos = a.skip(pos, 0)
				continue
			}
			m := &member{header: h, pos: pos, data: pos + block, src: a.src}
			m.apply(global, pending)
			pending = extended{}
			pos = a.skip(pos, m.stored())
			if !yield(m.entry(), nil) {
				return
			}
		}
	}
}

// skip returns the position behind the header at pos and stored bytes, in whole blocks.
func (a *archive) skip(pos, stored int64) int64 {
	left := a.src.Size() - pos - block
	if stored > left {
		stored = left
	}
	next := pos + block + (stored+block-1)/block*block
	a.end = min(next, a.src.Size())
	return next
}

// finish takes the zero block at pos for the end, unless only one is there and a header follows.
func (a *archive) finish(pos int64) (next int64, more bool) {
	if h, err := readHeader(a.src, pos+block); err == nil && h.dialect != dialectV7 {
		return pos + block, true
	}
	a.end = min(pos+block, a.src.Size())
	for b := (pos/record + 1) * record; a.end < b || a.end == pos+block; a.end += block {
		var z [block]byte
		n, _ := a.src.ReadAt(z[:], a.end)
		if n < block || z != [block]byte{} {
			if n > 0 && n < block && len(bytes.Trim(z[:n], "\x00")) == 0 {
				a.end += int64(n)
			}
			break
		}
	}
	return 0, false
}

// resync finds the next header with a magic behind damage at pos, within a reach in proportion to
// what was read before it.
func (a *archive) resync(pos int64) (int64, bool) {
	end := min(a.src.Size(), pos+1<<20+16*pos)
	buf := make([]byte, 128*block)
	for pos += block; pos < end; pos += int64(len(buf)) {
		n, _ := a.src.ReadAt(buf, pos)
		for i := 0; i+block <= n; i += block {
			if h, err := parseHeader((*[block]byte)(buf[i:])); err == nil && h.dialect != dialectV7 {
				return pos + int64(i), true
			}
		}
	}
	return 0, false
}

// extended is what headers before a member's own say about it.
type extended struct {
	name, link string
	records    records
}

// extend reads the data of a header that is about the next members.
func (a *archive) extend(h *header, at, n int64, pending *extended, global records) error {
	if n > maxHeaderData {
		return format.Errorf(artifact.Limit, at, "tar: header of type %q at %#x: %d bytes > %d", h.kind, at-block, n, maxHeaderData)
	}
	b, err := format.ReadAt(a.src, at, n, "tar: extended header")
	if err != nil {
		return err
	}
	if n > maxPath {
		a.skipped = append(a.skipped, artifact.Range{Off: at, Len: n})
	}
	switch h.kind {
	case typeLongName:
		pending.name = cstring(b)
	case typeLongLink:
		pending.link = cstring(b)
	default:
		r, err := parseRecords(b)
		if h.kind == typeGlobal {
			for k, v := range r {
				global[k] = v
			}
		} else {
			pending.records = r
		}
		if err != nil {
			return format.Errorf(artifact.Damaged, at, "tar: pax header at %#x: %v", at-block, err)
		}
	}
	return nil
}

// member is a header with what the extended headers before it add.
type member struct {
	*header
	src      format.Source
	pos      int64 // of the header
	data     int64
	xattrs   []artifact.Xattr
	sparse   records // the records of a sparse file, nil if it is none
	problems []artifact.Problem
}

// apply replaces fields by what extended headers say. The member's own records go before global ones.
func (m *member) apply(global records, x extended) {
	if x.name != "" {
		m.name = x.name
	}
	if x.link != "" {
		m.link = x.link
	}
	all := records{}
	for _, r := range []records{global, x.records} {
		for k, v := range r {
			all[k] = v
		}
	}
	number := func(key string, set func(int64)) {
		if v, ok := all[key]; ok {
			if n, ok := decimal(v); ok {
				set(n)
			} else {
				m.note(artifact.Damaged, "tar: pax record at %#x: %s is %q", m.pos, key, v)
			}
		}
	}
	if v := all["path"]; v != "" {
		m.name = v
	}
	if v := all["GNU.sparse.name"]; v != "" {
		m.name = v
	}
	if v := all["linkpath"]; v != "" {
		m.link = v
	}
	number("size", func(n int64) { m.size = n })
	number("uid", func(n int64) { m.uid = uint32(n) })
	number("gid", func(n int64) { m.gid = uint32(n) })
	if v, ok := all["mtime"]; ok { // a fraction may follow
		if n, ok := decimal(strings.SplitN(v, ".", 2)[0]); ok {
			m.mtime = n
		}
	}
	m.xattrs = all.xattrs()
	if all["GNU.sparse.major"] != "" || all["GNU.sparse.map"] != "" || all["GNU.sparse.numblocks"] != "" {
		m.sparse = all
	}
}

func (m *member) note(kind artifact.ProblemKind, text string, args ...any) {
	m.problems = append(m.problems, artifact.Problem{Kind: kind, At: artifact.Range{Off: m.pos}, Detail: fmt.Sprintf(text, args...)})
}

// stored returns the bytes that follow the header, in the archive.
func (m *member) stored() int64 {
	n := m.header.stored()
	if m.kind != typeSparse {
		return n
	}
	// Blocks that continue the map follow the header and are not counted in its size.
	ext, _ := oldSparseBlocks(m.src, m.pos)
	return n + int64(len(ext))*block
}

// entry makes the member's entry.
func (m *member) entry() format.Entry {
	e := format.Entry{
		Path: m.name, Mode: format.UnixMode(m.mode & 0o7777), Size: m.size,
		UID: m.uid, GID: m.gid, ModTime: m.mtime, Xattrs: m.xattrs,
	}
	switch m.kind {
	case typeHardLink:
		e.HardLink, e.Size = m.link, 0
	case typeSymlink:
		e.Mode |= fs.ModeSymlink
		e.Link, e.Size = m.link, int64(len(m.link))
	case typeChar, typeBlock:
		e.Mode |= fs.ModeDevice
		if m.kind == typeChar {
			e.Mode |= fs.ModeCharDevice
		}
		e.Dev, e.Size = &artifact.Device{Major: m.major, Minor: m.minor}, 0
	case typeDir, typeDumpDir:
		e.Mode |= fs.ModeDir
		e.Size = 0
	case typeFIFO:
		e.Mode |= fs.ModeNamedPipe
		e.Size = 0
	default:
		m.content(&e)
	}
	e.Problems = m.problems
	return e
}

// content sets where the bytes of a regular file come from.
func (m *member) content(e *format.Entry) {
	stored := m.header.stored()
	if left := max(0, m.src.Size()-m.data); stored > left {
		m.note(artifact.Truncated, "tar: member %q at %#x: %d bytes, %d left", m.name, m.pos, stored, left)
		stored = left
	}
	e.Window = &artifact.Range{Off: min(m.data, m.src.Size()), Len: stored}
	if m.kind != typeSparse && m.sparse == nil {
		return
	}
	s, err := m.readSparse(m.data, stored)
	if err != nil {
		m.note(artifact.Damaged, "tar: sparse member %q at %#x: %v", m.name, m.pos, err)
		return
	}
	e.Window, e.Size = nil, s.size
	// Terabytes of holes would leave nothing of the limits for the members behind them.
	if most := max(1<<30, 16*m.src.Size()); s.size > most {
		m.note(artifact.Limit, "tar: sparse member %q at %#x: %d bytes: read up to %d", m.name, m.pos, s.size, most)
		s.size = most
	}
	e.Open = func() (io.Reader, error) {
		r := *s
		return &r, nil
	}
}
