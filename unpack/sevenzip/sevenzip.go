// Package sevenzip reads 7z archives as 7-Zip writes them.
//
// Specification: 7zFormat.txt and Methods.txt in the documentation of the LZMA SDK
// (https://www.7-zip.org/sdk.html, DOC/). The checksums of both headers and of every file are checked.
//
// Many files may be compressed as one folder, of which only the whole can be decoded. The entries
// of a folder share one decoding pass, whose last bytes are kept: entries that are read in order,
// several at a time or not, cost one pass. An entry whose bytes are gone begins a new one.
//
// Not read: AES, LZ4 and Brotli; archives split over several volumes are not joined.
package sevenzip

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

const magic = "7z\xbc\xaf\x27\x1c"

// Format is 7z.
var Format = format.Format{
	Name:   "7z",
	Title:  "7z archive",
	Kind:   format.Archive,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "LZMA SDK, 7zFormat.txt and Methods.txt", URL: "https://www.7-zip.org/sdk.html"}},
	Limits: []string{
		"Encrypted folders are yielded as they are stored.",
		"Methods LZ4 and Brotli are not decoded.",
		"Archives split over several volumes are not joined.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

type archive struct {
	src      format.Source
	start    startHeader
	header   header
	passes   codec.Passes // over folders
	problems []error
	sealed   bool // the header is encrypted
}

func open(src format.Source) (*archive, error) {
	a := &archive{src: src}
	var err error
	if a.start, err = readStart(src); err != nil {
		return nil, err
	}
	a.read()
	return a, nil
}

// Size returns where the header ends, which is the end of the archive.
func (a *archive) Size() int64 { return min(a.start.end(), a.src.Size()) }

// Describe tells the version and the methods of the folders.
func (a *archive) Describe() []artifact.Attr {
	attrs := []artifact.Attr{{Name: "version", Value: fmt.Sprintf("%d.%d", a.start.major, a.start.minor), At: artifact.Range{Off: 6, Len: 2}}}
	seen := map[string]bool{}
	var list []string
	for i := range a.header.folders {
		if m := a.header.folders[i].methods(); !seen[m] && len(list) < 20 {
			seen[m] = true
			list = append(list, m)
		}
	}
	if len(list) > 0 {
		attrs = append(attrs, artifact.Attr{Name: "method", Value: strings.Join(list, ", "), At: artifact.Range{Off: a.start.offset, Len: a.start.size}})
	}
	return attrs
}

// Entries yields the files in the order of the header.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range a.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		if a.sealed {
			at := artifact.Range{Off: startLen, Len: a.start.offset - startLen}
			yield(unread(format.Entry{}, at, errSealed), nil)
			return
		}
		for i := range a.header.files {
			f := &a.header.files[i]
			if f.anti {
				continue // says what to delete when the archive updates a folder
			}
			if !yield(a.entry(f), nil) {
				return
			}
		}
	}
}

// unread makes e the packed bytes at, with the reason why they were not decoded.
func unread(e format.Entry, at artifact.Range, why error) format.Entry {
	e.Window, e.Size = &at, at.Len
	e.Problems = append(e.Problems, artifact.Problem{Kind: kindOf(why), At: at, Detail: fmt.Sprintf("7z: %q at %#x: %v", e.Path, at.Off, why)})
	return e
}

func (a *archive) entry(f *file) format.Entry {
	e := format.Entry{Path: f.name, Mode: f.mode(), ModTime: f.mtime, Size: f.size}
	if f.folder == nil {
		if e.Mode.IsRegular() {
			e.Window = &artifact.Range{}
		} else if e.Mode&fs.ModeDevice != 0 {
			e.Dev = &artifact.Device{} // the number is not stored
		}
		return e
	}
	link := e.Mode&fs.ModeSymlink != 0
	if !e.Mode.IsRegular() {
		e.Mode = e.Mode.Perm()
	}
	at := f.folder.at
	why := f.folder.readable()
	switch {
	case why != nil && f.offset == 0 && at.Within(a.src.Size()): // the first of its folder stands for all
		return unread(e, at, why)
	case link:
		if target, ok := a.link(f); ok {
			e.Mode, e.Link = e.Mode|fs.ModeSymlink, target
			return e
		}
	case f.folder.stored() && at.Within(a.src.Size()) && f.size <= at.Len-min(at.Len, f.offset):
		e.Window = &artifact.Range{Off: at.Off + f.offset, Len: f.size}
		if _, err := io.Copy(io.Discard, a.checked(f, io.NewSectionReader(a.src, e.Window.Off, f.size))); err != nil {
			err := a.fault(f, err)
			e.Problems = append(e.Problems, artifact.Problem{Kind: err.Kind, At: err.At, Detail: err.Text})
		}
		return e
	}
	e.Open = func() (io.Reader, error) { return a.open(f) }
	return e
}

// open returns the content of f, decoded.
func (a *archive) open(f *file) (io.Reader, error) {
	var r io.Reader
	var err error
	if f.folder.files == 1 {
		r, err = f.folder.open(a.src)
	} else {
		// The unpacker reads entries in batches of up to 64 MiB: what a pass keeps covers that.
		r, err = a.passes.Reader(f.folder, f.offset, f.folder.size(), a.src.Memory()*3/8, func() (io.Reader, error) { return f.folder.open(a.src) })
	}
	if err != nil {
		return nil, a.fault(f, err)
	}
	return a.checked(f, io.LimitReader(r, f.size)), nil
}

const maxLink = 1 << 12

func (a *archive) link(f *file) (string, bool) {
	if f.size == 0 || f.size > maxLink {
		return "", false
	}
	r, err := a.open(f)
	if err != nil {
		return "", false
	}
	b, err := io.ReadAll(r)
	return string(b), err == nil && strings.IndexByte(string(b), 0) < 0
}

// checked passes on what r reads and checks its length and CRC-32 at the end.
type checked struct {
	a   *archive
	f   *file
	r   io.Reader
	n   int64
	crc uint32
}

func (a *archive) checked(f *file, r io.Reader) io.Reader { return &checked{a: a, f: f, r: r} }

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	switch {
	case err == nil:
	case err != io.EOF:
		err = c.a.fault(c.f, err)
	case c.n < c.f.size:
		err = c.a.fault(c.f, fmt.Errorf("%d bytes, want %d", c.n, c.f.size))
	case c.f.hasCRC && c.crc != c.f.crc:
		err = c.a.fault(c.f, fmt.Errorf("CRC-32 %08x, want %08x: %w", c.crc, c.f.crc, codec.ErrChecksum))
	}
	return n, err
}

// fault says what err means for f.
func (a *archive) fault(f *file, err error) *format.Error {
	var e *format.Error
	if errors.As(err, &e) {
		return e
	}
	kind, at := kindOf(err), f.folder.at
	if !at.Within(a.src.Size()) {
		kind, at.Len = artifact.Truncated, 0
	}
	return &format.Error{Kind: kind, At: at, Text: fmt.Sprintf("7z: file %q in folder at %#x: %v", f.name, at.Off, err)}
}

func kindOf(err error) artifact.ProblemKind {
	switch {
	case errors.Is(err, errMethod):
		return artifact.Unsupported
	case errors.Is(err, errSealed):
		return artifact.Encrypted
	case errors.Is(err, codec.ErrMemory):
		return artifact.Limit
	case errors.Is(err, codec.ErrChecksum):
		return artifact.Checksum
	}
	return artifact.Damaged
}
