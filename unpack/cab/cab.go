// Package cab reads cabinet files.
//
// Specification: [MS-CAB] (https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-cab/)
// [MS-MCI] for MSZIP (https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-mci/)
// and [MS-PATCH] for LZX (https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-patch/).
// The checksum of every data block is checked. The files of a folder are compressed as one stream, and share one decoding pass.
//
// Not read: what continues in another cabinet of a set.
package cab

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

const magic = "MSCF\x00\x00\x00\x00"

// Format is the cabinet.
var Format = format.Format{
	Name:   "cab",
	Title:  "Cabinet",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: magic}},
	Refs: []format.Ref{
		{Title: "[MS-CAB] Cabinet File Format", URL: "https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-cab/"},
		{Title: "[MS-PATCH] LZX DELTA Compression and Decompression", URL: "https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-patch/"},
		{Title: "[MS-MCI] MCI Compression and Decompression", URL: "https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-mci/"},
		{Title: "libmspack, Quantum", URL: "https://github.com/kyz/libmspack/blob/master/libmspack/mspack/qtmd.c"},
	},
	Limits: []string{"Cabinets of a set are not joined."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// Size returns the length that the header tells.
func (c *cabinet) Size() int64 { return min(c.size, c.src.Size()) }

// Describe tells the set, and how the folders are compressed.
func (c *cabinet) Describe() []artifact.Attr {
	attrs := []artifact.Attr{{Name: "set", Value: fmt.Sprintf("%#04x, cabinet %d", c.set, c.number), At: artifact.Range{Off: 32, Len: 4}}}
	seen := map[uint16]bool{}
	for i := range c.folders {
		f := &c.folders[i]
		if m := f.method & methodMask; !seen[m] {
			seen[m] = true
			attrs = append(attrs, artifact.Attr{Name: "method", Value: methodName(m), At: artifact.Range{Off: f.header + 6, Len: 2}})
		}
	}
	return attrs
}

// Entries yields the files in the order of their content.
func (c *cabinet) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range c.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		for i := range c.files {
			if !yield(c.entry(&c.files[i]), nil) {
				return
			}
		}
	}
}

func (c *cabinet) entry(f *file) format.Entry {
	e := format.Entry{Path: strings.ReplaceAll(f.name, `\`, "/"), Size: f.size, ModTime: f.mtime}
	note := func(kind artifact.ProblemKind, at artifact.Range, text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: at, Detail: fmt.Sprintf("cab: file %q at %#x: %s", f.name, f.header, fmt.Sprintf(text, args...))})
	}
	if f.folder == nil {
		err := format.Errorf(artifact.Unsupported, f.header, "cab: file %q at %#x: folder %#x, which continues in another cabinet", f.name, f.header, f.index)
		e.Open = func() (io.Reader, error) { return nil, err }
		return e
	}
	for _, b := range f.folder.bad {
		if b.plain < f.offset+f.size && b.plain+b.size > f.offset {
			note(artifact.Checksum, artifact.Range{Off: b.at}, "data block at %#x: checksum does not fit", b.at)
			break
		}
	}
	e.Open = func() (io.Reader, error) { return c.open(f) }
	return e
}

func (c *cabinet) open(f *file) (io.Reader, error) {
	r, err := c.passes.Reader(f.folder, f.offset, f.folder.size, c.src.Memory()*3/8, func() (io.Reader, error) { return f.folder.open(c.src), nil })
	if err != nil {
		return nil, err
	}
	return &measured{f, io.LimitReader(r, f.size), 0}, nil
}

// measured passes on what r reads and checks its length at the end.
type measured struct {
	f *file
	r io.Reader
	n int64
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if err == nil || err == io.EOF && m.n == m.f.size {
		return n, err
	}
	kind := artifact.Damaged
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		kind, err = artifact.Truncated, io.ErrUnexpectedEOF
	}
	return n, format.Errorf(kind, m.f.header, "cab: file %q at %#x: %d bytes, want %d: %v", m.f.name, m.f.header, m.n, m.f.size, err)
}

type cabinet struct {
	src      format.Source
	size     int64
	set      uint16
	number   uint16
	folders  []folder
	files    []file
	passes   codec.Passes // over folders
	problems []error
}
