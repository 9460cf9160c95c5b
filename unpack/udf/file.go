package udf

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const (
	kindDir  = 4
	kindLink = 12
)

type inode struct {
	off      int64
	kind     byte
	mode     fs.FileMode
	uid, gid uint32
	mtime    int64
	size     int64
	extents  []extent
}

// extent is a run of bytes of a file. One at -1 was never written and reads as zeros.
type extent struct{ off, n int64 }

// Where the fields of a file entry, and of an extended one, are: 27 kind (1), 34 flags (2), 36 UID,
// 40 GID, 44 permissions, 56 size (8), the others as listed.
type layout struct{ mtime, attributes, descriptors, data int }

var layouts = map[uint16]layout{
	tagFile:    {84, 168, 172, 176},
	tagExtFile: {92, 208, 212, 216},
}

func (r *Reader) inode(a address) (*inode, error) {
	off, ok := r.place(a)
	if !ok {
		return nil, format.Errorf(artifact.Damaged, 0, "udf: file entry in block %d of partition %d", a.block, a.part)
	}
	b, err := r.descriptor(off, tagAny)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	l, ok := layouts[le.Uint16(b)]
	if !ok {
		return nil, format.Errorf(artifact.Damaged, off, "udf: file entry at %#x: kind %d", off, le.Uint16(b))
	}
	size := le.Uint64(b[56:])
	attributes, length := int64(le.Uint32(b[l.attributes:])), int64(le.Uint32(b[l.descriptors:]))
	from := int64(l.data) + attributes
	if size > 1<<62 || from > int64(len(b)) || length > int64(len(b))-from {
		return nil, format.Errorf(artifact.Damaged, off, "udf: file entry at %#x: %d bytes, %d of attributes, %d of extents", off, size, attributes, length)
	}
	n := &inode{
		off: off, kind: b[27], mode: permissions(le.Uint32(b[44:])), uid: owner(le.Uint32(b[36:])), gid: owner(le.Uint32(b[40:])),
		mtime: timestamp(b[l.mtime:]), size: int64(size),
	}
	const embedded = 3
	switch kind := le.Uint16(b[34:]) & 7; kind {
	case embedded:
		n.extents = []extent{{off + from, length}}
	case 0, 1:
		n.extents, err = r.extents(b[from:from+length], a.part, kind == 1, off)
	default:
		err = format.Errorf(artifact.Unsupported, off, "udf: file entry at %#x: extents of kind %d", off, kind)
	}
	return n, err
}

// maxExtents bounds the extents of a file: those of a large one in pieces of a block.
const maxExtents = 1 << 20

// extents reads allocation descriptors: 0 length and in its two upper bits what it is, 4 block, and
// of long ones 8 partition. One of kind 3 leads to more of them.
func (r *Reader) extents(b []byte, part uint16, long bool, at int64) (out []extent, err error) {
	const recorded, more = 0, 3
	size := 8
	if long {
		size = 16
	}
	le := binary.LittleEndian
	for chained := 0; len(b) >= size; b = b[size:] {
		v := le.Uint32(b)
		kind, n := v>>30, int64(v&(1<<30-1))
		if n == 0 {
			break
		}
		a := address{le.Uint32(b[4:]), part}
		if long {
			a.part = le.Uint16(b[8:])
		}
		x := extent{-1, n}
		if kind == recorded || kind == more {
			off, ok := r.place(a)
			if !ok {
				return out, format.Errorf(artifact.Damaged, at, "udf: file entry at %#x: extent in block %d of partition %d", at, a.block, a.part)
			}
			x.off = off
		}
		if kind == more {
			d, err := r.descriptor(x.off, tagExtents)
			if err != nil {
				return out, err
			}
			length := int64(le.Uint32(d[20:]))
			if chained++; length > int64(len(d))-24 || chained > maxExtents/64 {
				return out, format.Errorf(artifact.Damaged, x.off, "udf: extents at %#x: %d bytes", x.off, length)
			}
			b = append(make([]byte, size), d[24:24+length]...)
			continue
		}
		if out = append(out, x); len(out) > maxExtents {
			return out, format.Errorf(artifact.Limit, at, "udf: file entry at %#x: more than %d extents", at, maxExtents)
		}
	}
	return out, nil
}

// owner returns 0 for one that is not stated.
func owner(v uint32) uint32 {
	if v == 1<<32-1 {
		return 0
	}
	return v
}

// permissions translates: 5 bits each for others, group and owner, of which 1 is execute, 2 write, 4 read.
func permissions(v uint32) fs.FileMode {
	return fs.FileMode(v>>10&7<<6 | v>>5&7<<3 | v&7)
}

// timestamp reads: 0 minutes east of UTC in 12 bits (2), 2 year (2), 4 month, 5 day, 6 hour, 7 minute, 8 second.
func timestamp(b []byte) int64 {
	zone := int64(int16(binary.LittleEndian.Uint16(b)<<4) >> 4)
	if zone < -1440 || zone > 1440 {
		zone = 0
	}
	days := format.Days(int64(binary.LittleEndian.Uint16(b[2:])), int64(b[4]), int64(b[5]))
	if days == 0 {
		return 0
	}
	return days*86400 + int64(b[6])*3600 + (int64(b[7])-zone)*60 + int64(b[8])
}

type dirent struct {
	name string
	at   address
}

// directory reads file identifiers: a tag (16), 18 flags (1), 19 bytes of the name (1), 20 file entry
// (16), 36 bytes for others (2), 38 these and the name, padded to 4.
func (r *Reader) directory(at address) (list []dirent, err error) {
	const fixed, deleted, parent = 38, 4, 8
	n, err := r.inode(at)
	if err != nil {
		return nil, err
	}
	if r.budget -= n.size; n.size > r.src.Size() || r.budget < 0 {
		return nil, format.Errorf(artifact.Damaged, n.off, "udf: directory at %#x: %d bytes", n.off, n.size)
	}
	f, err := r.open(n)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	le := binary.LittleEndian
	for len(b) >= fixed && le.Uint16(b) == tagFileID {
		name, other := int(b[19]), int(le.Uint16(b[36:]))
		end := fixed + other + name
		if end > len(b) {
			return list, format.Errorf(artifact.Damaged, n.off, "udf: directory at %#x: name of %d bytes, %d left", n.off, name, len(b)-fixed)
		}
		if b[18]&(deleted|parent) == 0 {
			list = append(list, dirent{text(b[fixed+other : end]), parseLong(b[20:])})
		}
		b = b[min(len(b), (end+3)&^3):]
	}
	return list, err
}

// target reads a link, which is parts of a path: 0 kind (1), 1 length (1), 4 name.
func (r *Reader) target(n *inode) (string, error) {
	const maxTarget = 1 << 16
	f, err := r.open(n)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxTarget))
	var parts []string
	for len(b) >= 4 && 4+int(b[1]) <= len(b) {
		switch b[0] {
		case 1, 2:
			parts = append(parts, "")
		case 3:
			parts = append(parts, "..")
		case 4:
			parts = append(parts, ".")
		case 5:
			parts = append(parts, text(b[4:4+int(b[1])]))
		}
		b = b[4+int(b[1]):]
	}
	if len(parts) == 1 && parts[0] == "" {
		return "/", err
	}
	return strings.Join(parts, "/"), err
}

// open reads the extents of a file one behind the other. What they lack of its size is told.
func (r *Reader) open(n *inode) (io.Reader, error) {
	var parts []io.Reader
	left := n.size
	for _, x := range n.extents {
		k := min(x.n, left)
		left -= k
		switch {
		case k == 0:
		case x.off < 0:
			parts = append(parts, io.LimitReader(zeros{}, k))
		case x.off > r.src.Size()-k:
			have := max(0, r.src.Size()-x.off)
			parts = append(parts, io.NewSectionReader(r.src, min(x.off, r.src.Size()), have),
				failing{format.Errorf(artifact.Truncated, min(x.off, r.src.Size()), "udf: extent at %#x: %d bytes, %d left", x.off, k, have)})
			return io.MultiReader(parts...), nil
		default:
			parts = append(parts, io.NewSectionReader(r.src, x.off, k))
		}
	}
	if left > 0 {
		parts = append(parts, failing{format.Errorf(artifact.Damaged, n.off, "udf: file entry at %#x: %d bytes of %d are in no extent", n.off, left, n.size)})
	}
	if parts == nil {
		return bytes.NewReader(nil), nil
	}
	return io.MultiReader(parts...), nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
