// Package cpio reads cpio archives: SVR4's "newc" with and without checksums, POSIX.1's portable
// "odc", and the old binary format of either byte order.
//
// The formats are in cpio(5) of libarchive (https://man.archlinux.org/man/cpio.5) and in Linux's
// Documentation/driver-api/early-userspace/buffer-format.rst. Archives that follow each other, as
// in an initramfs, are a chunk each. Members are windows of the archive.
package cpio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is cpio.
var Format = format.Format{
	Name:  "cpio",
	Title: "cpio archive",
	Kind:  format.Archive,
	Magics: []format.Magic{
		{Bytes: magicNew},
		{Bytes: magicCRC},
		{Bytes: magicODC},
		{Bytes: magicLE},
		{Bytes: magicBE},
	},
	Refs: []format.Ref{
		{Title: "libarchive, cpio(5)", URL: "https://man.archlinux.org/man/cpio.5"},
		{Title: "Linux, initramfs buffer format", URL: "https://www.kernel.org/doc/html/latest/driver-api/early-userspace/buffer-format.html"},
	},
	Limits: []string{"The variants of HP-UX and AIX with larger device numbers are not known."},
	Open:   Open,
}

const trailer = "TRAILER!!!"

type archive struct {
	src   format.Source
	first *header
	end   int64
}

// Open opens the archive whose first header is at offset 0 of src.
func Open(src format.Source) (format.Chunk, error) {
	h, err := readHeader(src, 0)
	if err != nil {
		return nil, format.Not("cpio: %v", err)
	}
	if h.binary() && !h.likely(src) {
		return nil, format.Not("cpio: nothing follows the first member")
	}
	return &archive{src: src, first: h}, nil
}

// Size returns the end of the archive: of its trailer, and of zeros that fill its last 512 bytes.
func (a *archive) Size() int64 { return a.end }

func (a *archive) Describe() []artifact.Attr {
	names := map[string]string{magicNew: "newc", magicCRC: "crc", magicODC: "odc", magicLE: "binary, little endian", magicBE: "binary, big endian"}
	m := a.first.magic
	return []artifact.Attr{{Name: "variant", Value: names[m], At: artifact.Range{Len: int64(len(m))}}}
}

// inode identifies the file that several names share.
type inode struct{ major, minor, ino uint32 }

// links holds back names of a file until its data comes: newc stores it with the last name only.
type links struct {
	waiting map[inode][]format.Entry
	order   []inode
	count   int
	limit   int
	known   map[inode]string // path of the name that has the data
}

// Entries yields the members. Of names that share a file, the one that has the data comes before the others.
func (a *archive) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		l := links{waiting: map[inode][]format.Entry{}, known: map[inode]string{}, limit: int(a.src.Memory() / 1024)}
		for pos := int64(0); ; {
			h, err := readHeader(a.src, pos)
			if err != nil {
				kind := artifact.Damaged
				if errors.Is(err, io.ErrUnexpectedEOF) {
					kind = artifact.Truncated
				}
				next, more := a.resync(pos)
				if !yield(format.Entry{}, format.Errorf(kind, pos, "cpio: %v", err)) {
					return
				}
				if !more {
					break
				}
				pos = next
				continue
			}
			if h.name == trailer && h.size == 0 {
				a.end = a.padded(h.next)
				break
			}
			e := a.entry(h)
			a.end = min(h.next, a.src.Size())
			if !l.pass(h, e, yield) {
				return
			}
			pos = h.next
		}
		l.flush(yield)
	}
}

// pass yields e, or holds it back if it is a name of a file whose data is still to come.
func (l *links) pass(h *header, e format.Entry, yield func(format.Entry, error) bool) bool {
	id := inode{h.major, h.minor, h.ino}
	if !e.Mode.IsRegular() || h.links < 2 || len(e.Problems) > 0 && h.size == 0 {
		return yield(e, nil)
	}
	if h.size == 0 {
		if path, ok := l.known[id]; ok {
			return yield(linked(e, path), nil)
		}
		if l.count >= l.limit {
			return yield(e, nil)
		}
		if l.waiting[id] == nil {
			l.order = append(l.order, id)
		}
		l.waiting[id] = append(l.waiting[id], e)
		l.count++
		return true
	}
	if !yield(e, nil) {
		return false
	}
	if _, ok := l.known[id]; !ok && len(l.known) < l.limit {
		l.known[id] = e.Path
	}
	for _, w := range l.waiting[id] {
		if !yield(linked(w, e.Path), nil) {
			return false
		}
	}
	l.count -= len(l.waiting[id])
	delete(l.waiting, id)
	return true
}

// flush yields the names whose data never came: they are names of an empty file.
func (l *links) flush(yield func(format.Entry, error) bool) {
	for _, id := range l.order {
		for i, w := range l.waiting[id] {
			if i > 0 {
				w = linked(w, l.waiting[id][0].Path)
			}
			if !yield(w, nil) {
				return
			}
		}
		delete(l.waiting, id)
	}
}

func linked(e format.Entry, path string) format.Entry {
	e.HardLink, e.Window, e.Size = path, nil, 0
	return e
}

// entry makes the member's entry.
func (a *archive) entry(h *header) format.Entry {
	e := format.Entry{Path: h.name, Mode: format.UnixMode(h.mode), Size: h.size, UID: h.uid, GID: h.gid, ModTime: h.mtime}
	note := func(kind artifact.ProblemKind, text string, args ...any) {
		e.Problems = append(e.Problems, artifact.Problem{Kind: kind, At: artifact.Range{Off: h.pos}, Detail: fmt.Sprintf(text, args...)})
	}
	w := artifact.Range{Off: min(h.data, a.src.Size()), Len: h.size}
	if left := a.src.Size() - w.Off; w.Len > left {
		note(artifact.Truncated, "cpio: member %q at %#x: %d bytes, %d left", h.name, h.pos, w.Len, left)
		w.Len = left
	}
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		b, err := format.ReadAt(a.src, w.Off, min(w.Len, maxLink), "cpio: link")
		if err != nil || w.Len > maxLink || len(b) == 0 {
			note(artifact.Damaged, "cpio: link %q at %#x: target of %d bytes", h.name, h.pos, h.size)
			e.Mode, e.Window = e.Mode.Perm(), &w
			break
		}
		e.Link, e.Size = string(b), int64(len(b))
	case e.Mode&fs.ModeDevice != 0:
		e.Dev = &artifact.Device{Major: h.rmajor, Minor: h.rminor}
	case e.Mode.IsRegular():
		e.Window = &w
		if sum, ok := h.checksum(); ok && w.Len == h.size {
			if got := sum32(a.src, w); got != sum {
				note(artifact.Checksum, "cpio: member %q at %#x: sum %08x, want %08x", h.name, h.pos, got, sum)
			}
		}
	}
	return e
}

const maxLink = 1 << 16

// sum32 adds up the bytes at w, as the "crc" variant does.
func sum32(src format.Source, w artifact.Range) (sum uint32) {
	buf := make([]byte, min(w.Len, 1<<16))
	for off := w.Off; off < w.End(); {
		n, err := src.ReadAt(buf[:min(int64(len(buf)), w.End()-off)], off)
		for _, c := range buf[:n] {
			sum += uint32(c)
		}
		if off += int64(n); err != nil {
			break
		}
	}
	return sum
}

// padded returns the end of an archive whose trailer ends at end: cpio fills its last 512 bytes with zeros.
func (a *archive) padded(end int64) int64 {
	if end >= a.src.Size() {
		return a.src.Size()
	}
	pad := min((end+511)/512*512, a.src.Size()) - end
	var z [512]byte
	n, _ := a.src.ReadAt(z[:pad], end)
	for _, c := range z[:n] {
		if c != 0 {
			return end
		}
	}
	return end + int64(n)
}

// resync finds the next header of the same variant behind damage at pos, within a reach in
// proportion to what was read before it.
func (a *archive) resync(pos int64) (int64, bool) {
	m := a.first.magic
	if len(m) < 6 {
		return 0, false
	}
	end := min(a.src.Size(), pos+1<<20+16*pos)
	const block = 1 << 16
	buf := make([]byte, block+len(m)-1)
	for pos++; pos < end; pos += block {
		n, _ := a.src.ReadAt(buf, pos)
		for i := 0; i+len(m) <= n; i++ {
			if buf[i] != '0' || string(buf[i:i+len(m)]) != m {
				continue
			}
			if _, err := readHeader(a.src, pos+int64(i)); err == nil {
				return pos + int64(i), true
			}
		}
	}
	return 0, false
}
