// Package arj reads ARJ archives.
//
// Specification: technote.txt of ARJ Software, which comes with the program
// (https://github.com/FarGroup/FarManager/blob/master/plugins/multiarc/arc.doc/arj.txt). The
// CRC-32 of every header and of every member is checked.
//
// Not read: encrypted ("garbled") members, and members that continue in another volume.
package arj

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// Format is ARJ.
var Format = format.Format{
	Name:   "arj",
	Title:  "ARJ archive",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "ARJ archives: format description", URL: "https://github.com/FarGroup/FarManager/blob/master/plugins/multiarc/arc.doc/arj.txt"}},
	Limits: []string{"Encrypted members are yielded as they are stored.", "Archives split over several volumes are not joined."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

type archive struct {
	src  format.Source
	main *header
	end  int64
}

func open(src format.Source) (*archive, error) {
	h, err := readHeader(src, 0)
	if err != nil {
		return nil, format.Not("arj: %v", err)
	}
	if h == nil || h.kind != kindMain {
		return nil, format.Not("arj: no main header")
	}
	return &archive{src: src, main: h, end: h.data.Off}, nil
}

// Size returns the end of the mark behind the last member, or of that if there is none.
func (a *archive) Size() int64 { return a.end }

// Describe tells the archive's name and comment.
func (a *archive) Describe() []artifact.Attr {
	var attrs []artifact.Attr
	if a.main.name != "" {
		attrs = append(attrs, artifact.Attr{Name: "name", Value: a.main.name, At: a.main.nameAt})
	}
	if a.main.comment != "" {
		attrs = append(attrs, artifact.Attr{Name: "comment", Value: a.main.comment, At: artifact.Range{Off: a.main.nameAt.End() + 1, Len: int64(len(a.main.comment))}})
	}
	return attrs
}

// Entries yields the members in the order stored.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for pos := a.main.data.Off; ; {
			h, err := readHeader(a.src, pos)
			if err != nil {
				kind := artifact.Damaged
				if pos >= a.src.Size() {
					kind = artifact.Truncated
				}
				yield(format.Entry{}, format.Errorf(kind, pos, "arj: %v", err))
				return
			}
			if h == nil {
				a.end = pos + endLen
				return
			}
			a.end = min(h.data.End(), a.src.Size())
			if h.kind <= kindDirectory && !yield(a.entry(h), nil) {
				return
			}
			pos = h.data.End()
		}
	}
}

func (a *archive) entry(h *header) format.Entry {
	e := format.Entry{Path: h.name, Size: h.size, ModTime: h.mtime, Mode: h.mode()}
	if e.Mode.IsDir() {
		e.Size = 0
		return e
	}
	note := func(kind artifact.ProblemKind, text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: h.data, Detail: fmt.Sprintf("arj: member %q at %#x: %s", h.name, h.at, fmt.Sprintf(text, args...))})
	}
	if left := max(0, a.src.Size()-h.data.Off); h.data.Len > left {
		note(artifact.Truncated, "%d bytes, %d left", h.data.Len, left)
		h.data.Len = left
	}
	if h.flags&(flagVolume|flagExtended) != 0 {
		note(artifact.Truncated, "continues in another volume")
	}
	stored := func() { e.Window, e.Size = &h.data, h.data.Len }
	switch {
	case h.flags&flagGarbled != 0:
		stored()
		note(artifact.Encrypted, "encrypted")
	case h.method == 0:
		stored()
		var fault *format.Error
		if _, err := io.Copy(io.Discard, &checked{h: h, r: io.NewSectionReader(a.src, h.data.Off, h.data.Len)}); errors.As(err, &fault) {
			e.Problems = append(e.Problems, artifact.Problem{Kind: fault.Kind, At: fault.At, Detail: fault.Text})
		}
	case h.method <= methodFastest:
		e.Open = func() (io.Reader, error) { return a.open(h) }
	default:
		stored()
		note(artifact.Unsupported, "method %d", h.method)
	}
	return e
}

func (a *archive) open(h *header) (io.Reader, error) {
	in := io.NewSectionReader(a.src, h.data.Off, h.data.Len)
	if h.method == methodFastest {
		return &checked{h: h, r: newFastest(in, h.size)}, nil
	}
	const positions = 17 // codes of the distance, whose window of 26624 bytes needs fewer
	s, err := codec.NewLZH(in, h.data.Len, positions, h.size)
	if err != nil {
		return nil, err
	}
	return &checked{h: h, r: s}, nil
}

// checked passes on what r reads and checks its CRC-32 at the end.
type checked struct {
	h   *header
	r   io.Reader
	crc uint32
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	switch {
	case err == io.EOF && c.crc != c.h.crc:
		err = format.Errorf(artifact.Checksum, c.h.at, "arj: member %q at %#x: CRC-32 %08x, want %08x", c.h.name, c.h.at, c.crc, c.h.crc)
	case err != nil && err != io.EOF:
		err = format.Errorf(artifact.Damaged, c.h.at, "arj: member %q at %#x: %v", c.h.name, c.h.at, err)
	}
	return n, err
}
