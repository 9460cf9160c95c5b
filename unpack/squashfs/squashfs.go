// Package squashfs reads SquashFS, the compressed read-only filesystem of most camera firmware:
// versions 1.x to 4.0, in both byte orders, with the compressors gzip, lzma, lzo, xz, lz4 and
// zstd, and the changes that vendors made to them.
//
// The specification of 4.0 is https://dr-emann.github.io/squashfs/squashfs.html and the kernel's
// Documentation/filesystems/squashfs.rst; the older layouts are those that unsquashfs of
// https://github.com/plougher/squashfs-tools reads (squashfs_compat.h). What vendors do is known
// from images: other superblock magics, a compressor under another one's id, LZMA blocks with 13,
// 9, 5, 1 or no bytes of header, XZ blocks with another stream magic. A block is decoded by what
// its superblock says and, where that fails, by what the block itself looks like.
//
// A file ends at its first block that cannot be decoded: nothing is filled in for it, and
// nothing behind it is moved up. A metadata block that cannot be decoded loses the inodes and
// directory entries in it and leaves the others; files that have lost their names are found by
// their inodes, or, where the tables are cut off, by their blocks.
//
// Not read: the directory indexes (nothing in them that the inodes do not say), and blocks that a
// vendor encrypted.
package squashfs

import (
	"encoding/binary"
	"fmt"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is SquashFS as the unpacker knows it.
var Format = format.Format{
	Name:   "squashfs",
	Title:  "SquashFS 1.x to 4.0",
	Kind:   format.Filesystem,
	Magics: magics,
	Refs: []format.Ref{
		{Title: "SquashFS binary format", URL: "https://dr-emann.github.io/squashfs/squashfs.html"},
		{Title: "Linux: Squashfs 4.0 filesystem", URL: "https://docs.kernel.org/filesystems/squashfs.html"},
		{Title: "squashfs-tools", URL: "https://github.com/plougher/squashfs-tools"},
	},
	Limits: []string{
		"A file stops at its first damaged block.",
		"Names below a path of 4,096 bytes are not read.",
		"Blocks that a vendor encrypted are not read.",
	},
	Open: func(src format.Source) (format.Chunk, error) {
		r, err := open(src)
		if err != nil {
			return nil, err
		}
		return r, nil
	},
}

// The first two are the standard's, in little and big endian. The others are what firmware tools
// know of vendors' images with LZMA; the last two are DD-WRT's.
var magics = []format.Magic{
	{Bytes: "hsqs"}, {Bytes: "sqsh"},
	{Bytes: "shsq"}, {Bytes: "qshs"}, {Bytes: "sqlz"}, {Bytes: "zlqs"}, {Bytes: "hsqt"}, {Bytes: "tqsh"},
}

// Reader reads one filesystem. It is a [format.Chunk] and a [format.Describer], and safe for
// concurrent use.
type Reader struct {
	src   format.Source
	end   int64 // of the image: bytes_used, or what is there of it
	super superblock
	codec *imageCodec // what the image's blocks are compressed with
	// metaOrder is the byte order of the lengths of metadata blocks.
	metaOrder binary.ByteOrder

	buffers   *pool
	metadata  *cache[block]
	fragments *cache[[]byte]

	uids, gids table // 4.0 has one table for both
	fragment   table
	xattrs     *xattrs // nil if there are none

	lost [][]piece // files of an image without tables
}

// NewReader opens the filesystem whose superblock is at offset 0 of r. Bytes behind the
// filesystem's end are not looked at.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return open(format.Source{SectionReader: io.NewSectionReader(r, 0, size)})
}

func open(src format.Source) (*Reader, error) {
	super, err := readSuper(src)
	if err != nil {
		return nil, err
	}
	r := &Reader{
		src:       src,
		end:       min(super.bytesUsed, src.Size()),
		super:     super,
		buffers:   newPool(int(super.blockSize)),
		metadata:  newMetadataCache(),
		fragments: newCache(min(fragmentMemory, src.Memory()/4), func(b []byte) int64 { return int64(cap(b)) }),
	}
	r.openTables()
	r.chooseCodec()
	if end := r.tablesEnd(); r.end < super.bytesUsed && end <= r.end && r.sense() == makesSense {
		// Nothing is missing, so it is bytes_used that is wrong.
		at := super.layout.bytesUsed.at()
		r.super.doubt = &format.Error{Kind: artifact.Damaged, At: at,
			Text: fmt.Sprintf("squashfs: superblock at %#x: %d bytes used, the last table ends at %d", at.Off, super.bytesUsed, end)}
		r.end, r.super.bytesUsed = end, end
	}
	if r.headless() {
		r.lost = r.salvage()
	}
	return r, nil
}

// newMetadataCache keeps 128 blocks, 1 MiB: an inode or a listing touches few of them at a time,
// each many times over.
func newMetadataCache() *cache[block] {
	return newCache(128, func(block) int64 { return 1 })
}

// fragmentMemory bounds the decoded fragment blocks that are kept, in bytes. Files that share
// one stand close together, so few are enough.
const fragmentMemory = 16 << 20

// Size returns the superblock's bytes_used, or what is there of it; if bytes_used reaches beyond
// what is there and still all is there, the end of the last table. Padding behind it, which
// mksquashfs adds up to a multiple of 4 KiB, is no part of the filesystem.
//
// Of an image that is cut before its tables and of whose blocks none could be found, only the
// superblock is claimed.
func (r *Reader) Size() int64 {
	if r.headless() && r.lost == nil {
		return min(r.super.layout.size, r.end)
	}
	return r.end
}

// headless reports whether the image is cut before its tables of inodes and directories.
func (r *Reader) headless() bool {
	return r.end < r.super.bytesUsed && r.super.inodeTable >= r.end && r.super.dirTable >= r.end
}

// damaged returns an error about n bytes at off. If they reach beyond what is there of the
// image, it says that the image is truncated.
func (r *Reader) damaged(off, n int64, text string, args ...any) *format.Error {
	kind := artifact.Damaged
	if off >= 0 && n >= 0 && r.end < r.super.bytesUsed && off <= r.super.bytesUsed && n <= r.super.bytesUsed-off && n > r.end-off {
		kind = artifact.Truncated
	}
	e := format.Errorf(kind, off, "squashfs: "+text, args...)
	if e.At.Len = max(0, min(n, r.end-off)); off < 0 || off > r.end {
		e.At = artifact.Range{}
	}
	return e
}

// read fills p from offset off of the image.
func (r *Reader) read(p []byte, off int64, what string) error {
	if err := r.readFull(p, off); err != nil {
		return r.damaged(off, int64(len(p)), "%s at %#x: %v", what, off, err)
	}
	return nil
}

// readFull is read with an error that does not say where.
func (r *Reader) readFull(p []byte, off int64) error {
	if n := int64(len(p)); off < superSize1 || off > r.end || n > r.end-off {
		return fmt.Errorf("%d bytes, the image ends at %#x", n, r.end)
	}
	if n, err := r.src.ReadAt(p, off); n < len(p) {
		return err
	}
	return nil
}
