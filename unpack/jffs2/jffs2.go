// Package jffs2 reads JFFS2, the log-structured filesystem of NOR and small NAND flash.
//
// There is no specification; the names are those of the Linux driver (fs/jffs2, in particular
// include/uapi/linux/jffs2.h) and of David Woodhouse, "JFFS: The Journalling Flash File System",
// https://www.sourceware.org/jffs2/jffs2.pdf.
//
// The area is scanned node by node, as the driver does at mount: both byte orders, current and
// old magic, with or without cleanmarkers and summaries. Nodes marked obsolete are skipped, nodes
// whose checksums do not fit are refused and reported. Every byte of a file has a node, holes
// included, so a run without one means that a node was lost.
//
// If the unpacker asks to recover, deleted regular files and earlier versions of regular files
// come behind the filesystem, as lost+found/versions/PATH~vN (see past.go).
package jffs2

import (
	"encoding/binary"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is JFFS2 to the unpacker.
var Format = format.Format{
	Name:   "jffs2",
	Title:  "JFFS2",
	Kind:   format.Filesystem,
	Magics: magics(),
	Refs: []format.Ref{
		{Title: "JFFS: The Journalling Flash File System", URL: "https://www.sourceware.org/jffs2/jffs2.pdf"},
		{Title: "Linux on-flash structures", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/include/uapi/linux/jffs2.h"},
	},
	Limits: []string{
		"Deleted files and earlier versions of files are listed only on request, of regular files alone, and the 64 newest of each.",
		"Two filesystems of the same byte order side by side are told apart only if their inode and version numbers contradict.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return newReader(src, src.Size(), src.Recover) },
}

// magics lists the first four bytes of each node type, live and obsolete, in both byte orders.
func magics() []format.Magic {
	var out []format.Magic
	add := func(magic, typ uint16) {
		for _, typ := range []uint16{typ, typ &^ accurate} {
			for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
				b := order.AppendUint16(order.AppendUint16(nil, magic), typ)
				out = append(out, format.Magic{Bytes: string(b)})
			}
		}
	}
	for _, typ := range []uint16{typeDirent, typeInode, typeCleanmarker, typePadding, typeSummary, typeXattr, typeXref} {
		add(magic, typ)
	}
	for _, typ := range []uint16{typeDirent, typeInode, typeCleanmarker} {
		add(oldMagic, typ)
	}
	return out
}

// A Reader is an opened filesystem. It is safe for concurrent use.
type Reader struct {
	src   io.ReaderAt
	order binary.ByteOrder
	size  int64

	erase    int64              // size of an erase block, 0 if too little shows it
	inodes   map[uint32][]inode // nodes of an inode, oldest version first
	children map[uint32][]dirent
	xattrs   map[uint32][]artifact.Xattr
	past     *past // nil unless it is to be recovered
	problems []*format.Error
	skipped  []artifact.Range
}

// Skipped returns what stands between the nodes and in nodes that hold no part of a file.
func (r *Reader) Skipped() []artifact.Range { return r.skipped }

// NewReader scans the filesystem whose first node is at offset 0 of src. The error wraps
// format.ErrFormat if there is no node. src must be safe for concurrent use.
func NewReader(src io.ReaderAt, size int64) (*Reader, error) { return newReader(src, size, false) }

func newReader(src io.ReaderAt, size int64, past bool) (*Reader, error) {
	var first [headerSize]byte
	if n, _ := src.ReadAt(first[:], 0); n < headerSize || size < headerSize {
		return nil, format.Not("jffs2: %d bytes", size)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, magic := range []uint16{magic, oldMagic} {
			if h, ok := parseHeader(first[:], order, magic); ok && h.length <= size {
				r := &Reader{src: src, order: order}
				s := scanner{window: window{src: src, size: size}, order: order, magic: magic, sound: true, recover: past}
				s.scan()
				for _, x := range append(s.gaps, s.filler...) {
					r.skipped = append(r.skipped, artifact.Range{Off: x.off, Len: x.end - x.off})
				}
				r.build(&s)
				return r, nil
			}
		}
	}
	return nil, format.Not("jffs2: no node with a good header checksum at offset 0")
}

// Size returns the number of bytes from the first node to the end of the last.
func (r *Reader) Size() int64 { return r.size }

// Describe tells the byte order and the erase block size.
func (r *Reader) Describe() []artifact.Attr {
	endian := "little"
	if r.order == binary.BigEndian {
		endian = "big"
	}
	out := []artifact.Attr{{Name: "endian", Value: endian, At: artifact.Range{Len: 4}}}
	if r.erase > 0 {
		out = append(out, artifact.Attr{Name: "erase block", Value: strconv.FormatInt(r.erase, 10)})
	}
	return out
}

// Entries yields the problems of the scan, then every name but the root's, parents first.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range r.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		r.walk(yield)
	}
}
