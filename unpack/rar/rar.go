// Package rar reads RAR archives of versions 1.5 to 5.
//
// Specification: RAR 5.0 archive format (https://www.rarlab.com/technote.htm), and technote.txt of
// RAR 3.93 for the older one (http://acritum.com/?p=197). The checksum of every header is
// checked, and of every member. Members that are stored as they are come out, and those that RAR 2.9 to 6 compressed.
// The members of a solid archive share one decoding pass.
//
// Not read: the compression of RAR before 2.9 and of 7, filters that RAR's own packer does not write, and encrypted members.
package rar

import (
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

const (
	magic4 = "Rar!\x1a\x07\x00"
	magic5 = "Rar!\x1a\x07\x01\x00"
)

// Format is RAR.
var Format = format.Format{
	Name:   "rar",
	Title:  "RAR archive",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: magic4}, {Bytes: magic5}},
	Refs: []format.Ref{
		{Title: "RAR 5.0 archive format", URL: "https://www.rarlab.com/technote.htm"},
		{Title: "RAR 3.93, technical information", URL: "http://acritum.com/?p=197"},
	},
	Limits: []string{
		"Members compressed by versions before 2.9, or by version 7 with its large dictionaries, are yielded as they are stored.",
		"Members of versions before 5 that have filters other than the six of RAR's own packer are decoded up to the first of these.",
		"Encrypted members are yielded as they are stored.",
		"Archives split over several volumes are not joined.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

type archive struct {
	src   format.Source
	next  func(format.Source, int64) (*block, error) // reads the header of one of the versions
	first int64
	end   int64
	attrs []artifact.Attr

	passes codec.Passes // over groups
}

// block is what both versions' headers say.
type block struct {
	at     int64
	kind   kind
	data   artifact.Range
	member member
}

type kind int

const (
	other kind = iota
	mainHeader
	fileHeader
	sealed // what follows is encrypted
	end
)

type member struct {
	name      string
	mode      fs.FileMode
	size      int64
	mtime     int64
	link      string
	hardLink  string
	stored    bool
	method    string
	encrypted bool
	split     bool // continues from or in another volume
	crc       uint32
	hasCRC    bool

	solid      bool // goes on with what the member before left
	version4   bool
	dictionary int64 // of a method that is read, else 0
	group      *group
	offset     int64 // in the group, decoded
	why        error // why it cannot be decoded
}

func open(src format.Source) (*archive, error) {
	var b [len(magic5)]byte
	n, _ := src.ReadAt(b[:], 0)
	a := &archive{src: src}
	switch {
	case string(b[:n]) == magic5:
		a.next, a.first = readBlock5, int64(len(magic5))
	case n >= len(magic4) && string(b[:len(magic4)]) == magic4:
		a.next, a.first = readBlock4, int64(len(magic4))
	default:
		return nil, format.Not("rar: magic %x", b[:n])
	}
	m, err := a.next(src, a.first)
	if err != nil {
		return nil, format.Not("rar: %v", err)
	}
	if m.kind != mainHeader && m.kind != sealed {
		return nil, format.Not("rar: no archive header at %#x", a.first)
	}
	version := "5"
	if a.first == int64(len(magic4)) {
		version = "4"
	}
	a.attrs = []artifact.Attr{{Name: "version", Value: version, At: artifact.Range{Len: a.first}}}
	a.end = m.data.Off
	return a, nil
}

// Size returns the end of the last block; of an archive with encrypted headers, whose blocks are not seen, of all.
func (a *archive) Size() int64 { return a.end }

// Describe tells the version.
func (a *archive) Describe() []artifact.Attr { return a.attrs }

// Entries yields the members in the order stored.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		blocks, fault := a.blocks()
		groups(blocks, a.src.Size())
		for _, b := range blocks {
			switch b.kind {
			case sealed:
				at := artifact.Range{Off: b.data.Off, Len: a.src.Size() - b.data.Off}
				yield(format.Entry{Window: &at, Size: at.Len, Problems: []artifact.Problem{{Kind: artifact.Encrypted, At: at, Detail: fmt.Sprintf("rar: headers from %#x on: encrypted", at.Off)}}}, nil)
				return
			case fileHeader:
				if !yield(a.entry(b), nil) {
					return
				}
			}
		}
		if fault != nil {
			yield(format.Entry{}, fault)
		}
	}
}

// blocks reads the headers, up to the last or to one that is damaged, and finds the end of the archive.
func (a *archive) blocks() (list []*block, fault error) {
	for pos := a.first; ; {
		b, err := a.next(a.src, pos)
		if err != nil {
			// Old archives have no last block.
			if pos < a.src.Size() || a.first == int64(len(magic5)) {
				return list, a.fault(pos, err)
			}
			return list, nil
		}
		if b.kind != other {
			list = append(list, b)
		}
		if b.kind == sealed {
			a.end = a.src.Size()
			return list, nil
		}
		a.end = min(b.data.End(), a.src.Size())
		if b.kind == end {
			return list, nil
		}
		pos = b.data.End()
	}
}

func (a *archive) fault(pos int64, err error) error {
	kind := artifact.Damaged
	if a.src.Size()-pos < 64 {
		kind = artifact.Truncated
	}
	return format.Errorf(kind, min(pos, a.src.Size()), "rar: %v", err)
}

func (a *archive) entry(b *block) format.Entry {
	m := &b.member
	e := format.Entry{Path: m.name, Mode: m.mode, Size: m.size, ModTime: m.mtime}
	switch {
	case m.link != "":
		e.Mode, e.Link, e.Size = e.Mode.Perm()|fs.ModeSymlink, m.link, int64(len(m.link))
		return e
	case m.hardLink != "":
		e.Mode, e.HardLink = e.Mode.Perm(), m.hardLink
		return e
	case e.Mode.IsDir():
		e.Size = 0
		return e
	}
	note := func(kind artifact.ProblemKind, text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: b.data, Detail: fmt.Sprintf("rar: member %q at %#x: %s", m.name, b.at, fmt.Sprintf(text, args...))})
	}
	if left := max(0, a.src.Size()-b.data.Off); b.data.Len > left {
		note(artifact.Truncated, "%d bytes, %d left", b.data.Len, left)
		b.data.Len = left
	}
	e.Window, e.Size = &b.data, b.data.Len
	if m.split {
		note(artifact.Truncated, "continues in another volume")
	}
	link := e.Mode&fs.ModeSymlink != 0
	e.Mode = e.Mode &^ fs.ModeType
	switch {
	case m.encrypted:
		note(artifact.Encrypted, "encrypted")
		return e
	case m.stored || m.size == 0:
	case m.why != nil:
		if !m.split {
			note(artifact.Unsupported, "%v", m.why)
		}
		return e
	default:
		e.Window, e.Size = nil, m.size
		e.Open = func() (io.Reader, error) { return a.open(b) }
		return e
	}
	switch {
	case link && b.data.Len > 0 && b.data.Len <= maxLink: // of version 4
		if target, err := format.ReadAt(a.src, b.data.Off, b.data.Len, "rar: link"); err == nil {
			e.Mode, e.Link, e.Window = e.Mode|fs.ModeSymlink, string(target), nil
		}
	case m.hasCRC && !m.split:
		h := crc32.NewIEEE()
		if _, err := io.Copy(h, io.NewSectionReader(a.src, b.data.Off, b.data.Len)); err != nil {
			note(artifact.Damaged, "%v", err)
		} else if h.Sum32() != m.crc {
			note(artifact.Checksum, "CRC-32 %08x, want %08x", h.Sum32(), m.crc)
		}
	}
	return e
}

const maxLink = 1 << 12
