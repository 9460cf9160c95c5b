// Package tenvis reads PK2, the update file of Tenvis cameras: files to write and commands to run,
// each under a fixed 8-byte XOR with the MD5 of what it hides.
//
// There is no public specification. The layout and the pattern follow FACT's extractor,
// https://github.com/fkie-cad/fact_extractor; what the MD5 of a file covers was found on its
// test files.
package tenvis

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "PK2\x00"

// Format is PK2.
var Format = format.Format{
	Name:   "tenvis",
	Title:  "Tenvis PK2",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "FACT extractor", URL: "https://github.com/fkie-cad/fact_extractor"}},
	Limits: []string{"Sections other than FILE and CMD end the file."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic, camera type, time, version[4], opaque[8], number of sections.
// A section: type[4], MD5[16], size. A file's begins with its name and its own size, both clear:
// size of the name, name, size. The rest, or all of a command's, is hidden.
const (
	headerSize  = 28
	sectionSize = 24
	maxSections = 4096
	maxName     = 1024
)

var pattern = [8]byte{0xa1, 0x83, 0x24, 0x78, 0xb3, 0x41, 0x43, 0x56}

type update struct {
	src      format.Source
	raw      [headerSize]byte
	sections []section
	end      int64
	problem  error
}

type section struct {
	path string
	at   artifact.Range // of what is hidden
	bad  []artifact.Problem
}

func open(src format.Source) (*update, error) {
	u := &update{src: src, end: headerSize}
	if n, _ := src.ReadAt(u.raw[:], 0); n < headerSize || string(u.raw[:4]) != magic {
		return nil, format.Not("tenvis: header")
	}
	count := u.u32(24)
	if count < 1 || count > maxSections {
		return nil, format.Not("tenvis: %d sections", count)
	}
	for i := 0; i < int(count) && u.problem == nil; i++ {
		u.problem = u.next(i)
	}
	if len(u.sections) == 0 {
		return nil, format.Not("tenvis: %v", u.problem)
	}
	return u, nil
}

func (u *update) u32(off int) uint32 { return binary.LittleEndian.Uint32(u.raw[off:]) }

// next reads section i, at end.
func (u *update) next(i int) error {
	head, err := format.ReadAt(u.src, u.end, sectionSize, "tenvis: section")
	if err != nil {
		return err
	}
	kind, off, size := string(head[:4]), u.end+sectionSize, int64(binary.LittleEndian.Uint32(head[20:]))
	if left := u.src.Size() - off; size > left {
		return format.Errorf(artifact.Truncated, u.end, "tenvis: section %d at %#x: %d bytes, %d left", i, u.end, size, left)
	}
	s := section{path: fmt.Sprintf("command-%d", i), at: artifact.Range{Off: off, Len: size}}
	h := md5.New()
	switch kind {
	case "CMD\x00":
	case "FILE":
		if s.path, s.at, err = u.file(s.at, h); err != nil {
			return err
		}
	default:
		return format.Errorf(artifact.Damaged, u.end, "tenvis: section %d at %#x: type %q", i, u.end, kind)
	}
	if _, err := io.Copy(h, s.open(u.src)); err != nil {
		return format.Errorf(artifact.Damaged, off, "tenvis: section %d at %#x: %v", i, u.end, err)
	}
	if !bytes.Equal(h.Sum(nil), head[4:20]) {
		s.bad = []artifact.Problem{{Kind: artifact.Checksum, At: artifact.Range{Off: u.end + 4, Len: 16}, Detail: fmt.Sprintf("tenvis: section %d at %#x: MD5 %x, want %x", i, u.end, h.Sum(nil), head[4:20])}}
		if i == 0 {
			return format.Errorf(artifact.Checksum, u.end+4, "%s", s.bad[0].Detail)
		}
	}
	u.sections = append(u.sections, s)
	u.end = off + size
	return nil
}

// file reads the clear beginning of a file's section and adds it to the MD5.
func (u *update) file(at artifact.Range, h hash.Hash) (path string, data artifact.Range, err error) {
	bad := format.Errorf(artifact.Damaged, at.Off, "tenvis: file at %#x: sizes do not fit into %d bytes", at.Off, at.Len)
	b := make([]byte, min(at.Len, 8+maxName))
	if n, _ := u.src.ReadAt(b, at.Off); n < len(b) || n < 8 {
		return "", data, bad
	}
	name := int64(binary.LittleEndian.Uint32(b))
	if name < 1 || name > int64(len(b))-8 {
		return "", data, bad
	}
	if int64(binary.LittleEndian.Uint32(b[4+name:])) != at.Len-8-name {
		return "", data, bad
	}
	h.Write(b[:8+name])
	return string(bytes.TrimRight(b[4:4+name], "\x00")), artifact.Range{Off: at.Off + 8 + name, Len: at.Len - 8 - name}, nil
}

// open reads what the section hides.
func (s *section) open(src format.Source) io.Reader {
	return &plain{src: io.NewSectionReader(src, s.at.Off, s.at.Len)}
}

type plain struct {
	src io.Reader
	pos int
}

func (c *plain) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	for i := range p[:n] {
		p[i] ^= pattern[c.pos%len(pattern)]
		c.pos++
	}
	return n, err
}

func (u *update) Size() int64 { return u.end }

// Entries yields files by their path and commands as command-N, N being the section's number.
func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if u.problem != nil && !yield(format.Entry{}, u.problem) {
			return
		}
		for _, s := range u.sections {
			if !yield(format.Entry{Path: s.path, Size: s.at.Len, Problems: s.bad, Open: func() (io.Reader, error) { return s.open(u.src), nil }}, nil) {
				return
			}
		}
	}
}

func (u *update) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	return []artifact.Attr{
		{Name: "camera type", Value: strconv.FormatUint(uint64(u.u32(4)), 10), At: at(4, 4)},
		{Name: "time", Value: strconv.FormatUint(uint64(u.u32(8)), 10), At: at(8, 4)},
		{Name: "version", Value: fmt.Sprintf("%x", u.raw[12:16]), At: at(12, 4)},
		{Name: "sections", Value: strconv.FormatUint(uint64(u.u32(24)), 10), At: at(24, 4)},
	}
}
