// Package ubifs reads UBIFS, the filesystem of UBI volumes.
//
// The format is described by A. Hunter, "A Brief Introduction to the Design of UBIFS",
// http://www.linux-mtd.infradead.org/doc/ubifs_whitepaper.pdf, and by the kernel's
// fs/ubifs/ubifs-media.h, whose names are used. Numbers are little-endian.
//
// The newest good master node leads to the index as of the last commit. On top of it the journal
// is replayed: nodes of the buds that the log names, in the order of their sequence numbers.
// Where a part of the index cannot be read, all nodes of the image whose keys belong to that part
// stand in, the highest sequence number first; files deleted before may then come back, which is
// reported.
//
// A block that the index does not have is a hole and reads as zeros: UBIFS stores none. A block
// that the index has, but whose node is bad, is reported, and so is a block without a node where
// the index is lost, since nobody can tell whether it was one.
//
// Not read: encrypted files, authentication, and keys other than the simple format, the only one there is.
package ubifs

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is UBIFS to the unpacker.
var Format = format.Format{
	Name:  "ubifs",
	Title: "UBIFS",
	Kind:  format.Filesystem,
	// Length and type of the superblock node. Each node has the magic number, so that would be met everywhere.
	Magics: []format.Magic{{Bytes: "\x00\x10\x00\x00\x06\x00\x00\x00", Off: 16}},
	Refs: []format.Ref{
		{Title: "A Brief Introduction to the Design of UBIFS", URL: "http://www.linux-mtd.infradead.org/doc/ubifs_whitepaper.pdf"},
		{Title: "On-flash structures", URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/fs/ubifs/ubifs-media.h"},
	},
	Limits: []string{
		"Encrypted files are listed and not read.",
		"Hashes of authenticated images are not verified.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return NewReader(src, src.Size()) },
}

const (
	minLEB = 15 << 10 // UBIFS_MIN_LEB_SZ
	maxLEB = 8 << 20

	superLEB   = 0
	masterLEB  = 1 // and the next
	logLEB     = 3
	superSize  = 4096
	blockSize  = 4096
	rootIno    = 1
	flagCrypt  = 0x10 // of the superblock: some files are encrypted
	inodeCrypt = 0x40 // of an inode: this one is
)

// super is the superblock node:
//
//	26 key hash u8, 27 key format u8, 28 flags, 32 min. I/O size, 36 LEB size, 40 LEBs, 44 most LEBs,
//	56 LEBs of the log, 60 LEBs of the properties tree, 76 LEBs saved beside it, 80 format version, 84 default compression u16, 108 UUID [16]
type super struct {
	minIO, lebs, logLEBs, version, flags uint32
	most, lptLEBs, saved                 uint32
	leb                                  int64
	compr                                uint16
	uuid                                 [16]byte
}

// master is the master node:
//
//	32 number of the commit u64, 44 first LEB of the log, 48 LEB, 52 offset and 56 length of the root of the index
type master struct {
	node
	commit uint64
	log    uint32
	root   place
}

// A Reader is an opened filesystem. It is safe for concurrent use.
type Reader struct {
	src      io.ReaderAt
	limit    int64 // bytes that src has
	super    super
	master   *master
	inodes   map[uint32]inode
	children map[uint32][]dent
	xattrs   map[uint32][]dent
	blocks   map[uint32][]block // by number
	lost     []span             // parts of the index that could not be read
	problems []*format.Error
}

// NewReader opens the filesystem that begins at offset 0 of src. The error wraps
// format.ErrFormat if there is none.
func NewReader(src io.ReaderAt, size int64) (*Reader, error) {
	r := &Reader{src: src, limit: size}
	b := make([]byte, superSize)
	if n, _ := src.ReadAt(b, 0); n < superSize {
		return nil, format.Not("ubifs: %d bytes", n)
	}
	n, ok := parseNode(b)
	if !ok || n.typ != typeSuper || len(n.b) != superSize {
		return nil, format.Not("ubifs: no superblock node")
	}
	le := binary.LittleEndian
	u32 := func(off int) uint32 { return le.Uint32(b[off:]) }
	r.super = super{
		minIO: u32(32), lebs: u32(40), logLEBs: u32(56), version: u32(80), flags: u32(28), most: u32(44), lptLEBs: u32(60), saved: u32(76),
		leb: int64(u32(36)), compr: le.Uint16(b[84:]), uuid: [16]byte(b[108:]),
	}
	if r.super.leb < minLEB || r.super.leb > maxLEB || r.super.leb%8 != 0 || r.super.lebs < logLEB {
		return nil, format.Not("ubifs: superblock: %d blocks of %d bytes", r.super.lebs, r.super.leb)
	}
	if b[27] != 0 {
		return nil, format.Errorf(artifact.Unsupported, 27, "ubifs: superblock: key format %d", b[27])
	}
	r.load()
	return r, nil
}

// Size returns the number of bytes of the LEBs that the superblock tells, or less if the data
// ends before, as that of a UBI volume may.
func (r *Reader) Size() int64 { return min(int64(r.super.lebs)*r.super.leb, r.limit) }

// Describe tells what the superblock says.
func (r *Reader) Describe() []artifact.Attr {
	u32 := func(v uint32) string { return strconv.FormatUint(uint64(v), 10) }
	return []artifact.Attr{
		{Name: "version", Value: u32(r.super.version), At: artifact.Range{Off: 80, Len: 4}},
		{Name: "block", Value: strconv.FormatInt(r.super.leb, 10), At: artifact.Range{Off: 36, Len: 4}},
		{Name: "compression", Value: comprName(r.super.compr), At: artifact.Range{Off: 84, Len: 2}},
		{Name: "uuid", Value: fmt.Sprintf("%x", r.super.uuid), At: artifact.Range{Off: 108, Len: 16}},
	}
}

// Entries yields the problems met, then every name but the root's, each directory before what it holds.
func (r *Reader) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range r.problems {
			if !yield(format.Entry{}, p) {
				return
			}
		}
		r.walk(yield)
		r.readProperties()
	}
}

func (r *Reader) report(kind artifact.ProblemKind, off int64, text string, args ...any) {
	r.problems = append(r.problems, format.Errorf(kind, off, text, args...))
}
