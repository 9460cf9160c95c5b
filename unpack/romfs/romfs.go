// Package romfs reads the uncompressed, read-only filesystem of Linux.
//
// The specification is the kernel's Documentation/filesystems/romfs.rst,
// https://docs.kernel.org/filesystems/romfs.html. Numbers are big-endian, everything is aligned
// to 16 bytes, offsets count from the first byte. Files are stored as they are, so every file
// has a window. Owners and times are not stored, permissions but for one bit neither: those
// reported are the ones that the Linux driver shows.
package romfs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is romfs to the unpacker.
var Format = format.Format{
	Name:   "romfs",
	Title:  "ROM filesystem",
	Kind:   format.Filesystem,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "ROMFS - ROM FILE SYSTEM", URL: "https://docs.kernel.org/filesystems/romfs.html"}},
	Limits: []string{"The variant with little-endian tables of one vendor's SDK is another format."},
	Open:   func(src format.Source) (format.Chunk, error) { return NewReader(src, src.Size()) },
}

const (
	magic = "-rom1fs-"
	align = 16
	// sumSize is how many bytes the superblock's checksum covers.
	sumSize = 512
	maxName = 512  // the Linux driver stops at 128
	maxPath = 4096 // PATH_MAX
	maxHops = 16   // hard links to hard links
)

// File types, the low 3 bits of a header's first word; bit 3 is the right to execute.
const (
	typeHardLink = iota
	typeDir
	typeFile
	typeSymlink
	typeBlockDev
	typeCharDev
	typeSocket
	typeFIFO

	typeMask = 7
	execBit  = 8
)

// modes are the types and permissions of romfs_modemap in the kernel's fs/romfs/super.c.
var modes = [...]fs.FileMode{
	typeDir:      fs.ModeDir | 0o644,
	typeFile:     0o644,
	typeSymlink:  fs.ModeSymlink | 0o777,
	typeBlockDev: fs.ModeDevice | 0o600,
	typeCharDev:  fs.ModeDevice | fs.ModeCharDevice | 0o600,
	typeSocket:   fs.ModeSocket | 0o644,
	typeFIFO:     fs.ModeNamedPipe | 0o644,
}

// header begins each file:
//
//	0 next header u32, its low 4 bits type and execBit; 4 info u32; 8 size u32; 12 checksum u32;
//	16 name, NUL, filled up to 16 bytes; then the data
type header struct {
	at     int64
	next   int64
	typ    uint32
	exec   bool
	info   uint32 // first header of a directory, target of a hard link, number of a device
	size   int64
	name   string
	data   int64
	sumFit bool
}

// A Reader is an opened filesystem. It is safe for concurrent use.
type Reader struct {
	src   io.ReaderAt
	limit int64 // bytes that src has
	full  int64 // bytes that the superblock tells
	size  int64
	name  string
	sum   bool // the superblock's checksum fits
	root  header
}

// NewReader opens the filesystem that begins at offset 0 of src. The error wraps
// format.ErrFormat if there is none.
func NewReader(src io.ReaderAt, size int64) (*Reader, error) {
	b := make([]byte, min(size, sumSize))
	if n, err := src.ReadAt(b, 0); n < len(b) && err != nil || len(b) < 2*align || string(b[:8]) != magic {
		return nil, format.Not("romfs: no superblock")
	}
	// 0 magic [8], 8 size u32, 12 checksum u32, 16 volume name, NUL, filled up to 16 bytes
	r := &Reader{src: src, limit: size, full: int64(binary.BigEndian.Uint32(b[8:]))}
	r.size = min(r.full, size)
	if r.full < 2*align {
		return nil, format.Not("romfs: superblock tells %d bytes", r.full)
	}
	r.sum = sum(b[:min(len(b), int(r.full)&^3)]) == 0
	name, end, err := r.readName(align)
	if err == nil {
		r.root, err = r.header(end)
	}
	if err != nil || r.root.typ != typeDir || !r.sum && !r.root.sumFit {
		return nil, format.Not("romfs: superblock without a root directory")
	}
	r.name = name
	return r, nil
}

// sum adds up big-endian words; with the checksum in its place the result is 0.
func sum(b []byte) (s uint32) {
	for ; len(b) >= 4; b = b[4:] {
		s += binary.BigEndian.Uint32(b)
	}
	return s
}

// Size returns the size that the superblock tells, or less if the data ends before. It is not
// rounded up to the 1024 bytes that genromfs fills.
func (r *Reader) Size() int64 { return r.size }

// Describe tells the volume name.
func (r *Reader) Describe() []artifact.Attr {
	if r.name == "" {
		return nil
	}
	return []artifact.Attr{{Name: "volume name", Value: r.name, At: artifact.Range{Off: align, Len: int64(len(r.name))}}}
}

// Entries yields every name but those of the root, each directory before what it holds.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if r.full > r.limit {
			if !yield(format.Entry{}, format.Errorf(artifact.Truncated, r.limit, "romfs: superblock tells %d bytes, %d left", r.full, r.limit)) {
				return
			}
		}
		if !r.sum {
			err := &format.Error{Kind: artifact.Checksum, At: artifact.Range{Off: 12, Len: 4}, Text: "romfs: superblock at 0x0: bad checksum"}
			if !yield(format.Entry{}, err) {
				return
			}
		}
		r.walk(yield)
	}
}

// level is a directory on the way down: its path and its next header.
type level struct {
	path string
	next int64
}

func (r *Reader) walk(yield func(format.Entry, error) bool) {
	seen := map[int64]bool{}    // headers
	paths := map[int64]string{} // of the files yielded, by header
	stack := []level{{"", int64(r.root.info) &^ (align - 1)}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		at := top.next
		if at == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		h, err := r.header(at)
		if err == nil && seen[at] {
			err = format.Errorf(artifact.Damaged, at, "romfs: header at %#x: met a second time", at)
		}
		if err != nil {
			if !yield(format.Entry{}, err) {
				return
			}
			stack = stack[:len(stack)-1]
			continue
		}
		seen[at] = true
		top.next = h.next
		if h.name == "." || h.name == ".." {
			continue
		}
		path := h.name
		if top.path != "" {
			path = top.path + "/" + path
		}
		e, target, err := r.entry(h, path)
		switch {
		case err != nil:
		case len(path) > maxPath:
			err = format.Errorf(artifact.Limit, at, "romfs: header at %#x: path of %d bytes > %d", at, len(path), maxPath)
		case target.typ == typeDir && h.typ == typeHardLink:
			err = format.Errorf(artifact.Damaged, at, "romfs: header at %#x: %q is a hard link to a directory", at, path)
		case target.typ == typeDir:
			stack = append(stack, level{path, int64(h.info) &^ (align - 1)})
		case paths[target.at] == "":
			paths[target.at] = path
		case target.typ == typeFile:
			e.HardLink, e.Window = paths[target.at], nil
		}
		if err != nil {
			e = format.Entry{}
		}
		if !yield(e, err) {
			return
		}
	}
}

// entry describes h, or, if it is a hard link, what it leads to, which is the second result.
func (r *Reader) entry(h header, path string) (format.Entry, header, error) {
	target := h
	for hops := 0; target.typ == typeHardLink; hops++ {
		if hops == maxHops {
			return format.Entry{}, h, format.Errorf(artifact.Damaged, h.at, "romfs: header at %#x: more than %d hard links in a row", h.at, maxHops)
		}
		var err error
		if target, err = r.header(int64(target.info) &^ (align - 1)); err != nil {
			return format.Entry{}, h, err
		}
	}
	e := format.Entry{Path: path, Mode: modes[target.typ]}
	if target.exec {
		e.Mode |= 0o111
	}
	problem := func(kind artifact.ProblemKind, text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: artifact.Range{Off: target.at}, Detail: fmt.Sprintf(text, args...)})
	}
	if !target.sumFit {
		problem(artifact.Checksum, "romfs: header at %#x: bad checksum", target.at)
	}
	have := max(0, min(target.size, r.size-target.data))
	if have < target.size && (target.typ == typeFile || target.typ == typeSymlink) {
		problem(artifact.Truncated, "romfs: file at %#x: %d bytes, %d left", target.data, target.size, have)
	}
	switch target.typ {
	case typeFile:
		e.Size = target.size
		e.Window = &artifact.Range{Off: min(target.data, r.size), Len: have}
	case typeSymlink:
		b := make([]byte, min(have, maxPath))
		n, _ := r.src.ReadAt(b, target.data)
		e.Link = string(b[:n])
	case typeBlockDev, typeCharDev:
		e.Dev = &artifact.Device{Major: target.info >> 16, Minor: target.info & 0xffff}
	}
	return e, target, nil
}

// header reads the header at offset at.
func (r *Reader) header(at int64) (header, error) {
	var b [align]byte
	if at < align || at+2*align > r.size {
		return header{}, format.Errorf(artifact.Damaged, at, "romfs: header at %#x: outside of %d bytes", at, r.size)
	}
	if n, err := r.src.ReadAt(b[:], at); n < len(b) {
		return header{}, format.Errorf(artifact.Damaged, at, "romfs: header at %#x: %v", at, err)
	}
	next := binary.BigEndian.Uint32(b[:])
	name, data, err := r.readName(at + align)
	if err != nil {
		return header{}, err
	}
	padded := make([]byte, data-at-align)
	copy(padded, name)
	return header{
		at: at, next: int64(next) &^ (align - 1), typ: next & typeMask, exec: next&execBit != 0,
		info: binary.BigEndian.Uint32(b[4:]), size: int64(binary.BigEndian.Uint32(b[8:])),
		name: name, data: data, sumFit: sum(b[:])+sum(padded) == 0,
	}, nil
}

// readName returns the name at offset at and the offset behind it.
func (r *Reader) readName(at int64) (string, int64, error) {
	var name []byte
	for off := at; off+align <= r.size && len(name) <= maxName; off += align {
		var b [align]byte
		if n, _ := r.src.ReadAt(b[:], off); n < align {
			break
		}
		if i := bytes.IndexByte(b[:], 0); i >= 0 {
			return string(append(name, b[:i]...)), off + align, nil
		}
		name = append(name, b[:]...)
	}
	return "", 0, format.Errorf(artifact.Damaged, at, "romfs: name at %#x: no end within %d bytes", at, maxName)
}
