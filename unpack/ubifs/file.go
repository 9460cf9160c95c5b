package ubifs

import (
	"encoding/binary"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// Compression methods of a data node.
const (
	comprNone = 0
	comprLZO  = 1
	comprZlib = 2 // deflate without the header of zlib
	comprZstd = 3
)

// file reads one file. Blocks that cannot be read are zeros, so that what follows stays in place;
// the first thing wrong is the error at the end.
type file struct {
	r      *Reader
	ino    uint32
	size   int64
	blocks []block // those from next on
	next   int64   // block
	buf    []byte
	err    error
}

func (f *file) Read(p []byte) (int, error) {
	if len(f.buf) == 0 {
		left := f.size - f.next*blockSize
		if left <= 0 {
			if f.err != nil {
				return 0, f.err
			}
			return 0, io.EOF
		}
		if f.buf = f.block(); f.buf == nil {
			return 0, f.err
		}
		f.buf = f.buf[:min(left, blockSize)]
		f.next++
	}
	n := copy(p, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

// block returns the next block, filled up with zeros, or nil if none is left of a file that
// should have more.
func (f *file) block() []byte {
	if len(f.blocks) > 0 && int64(f.blocks[0].num) == f.next {
		b, err := f.r.decode(f.blocks[0])
		f.blocks = f.blocks[1:]
		f.fail(err)
		return b
	}
	if f.r.isLost(key{f.ino, typeData<<keyTypeShift | uint32(f.next)&keyRestMask}) {
		f.fail(format.Errorf(artifact.Damaged, 0, "ubifs: inode %d: block %d: no node found and no index to tell whether there was one", f.ino, f.next))
		if len(f.blocks) == 0 {
			return nil
		}
	}
	return make([]byte, blockSize)
}

func (f *file) fail(err error) {
	if f.err == nil && err != nil {
		f.err = err
	}
}

// decode returns the content of b, filled up with zeros.
func (r *Reader) decode(b block) ([]byte, error) {
	dst := make([]byte, blockSize)
	off := r.offset(b.at)
	damaged := func(text string, args ...any) ([]byte, error) {
		return dst, format.Errorf(artifact.Damaged, off, "ubifs: inode %d: block %d at %#x: "+text, append([]any{b.ino, b.num, off}, args...)...)
	}
	n, ok := r.node(b.at)
	if !ok || n.typ != typeData || len(n.b) < dataSize {
		return damaged("no data node with a good checksum")
	}
	if k := parseKey(n.b[24:]); k.ino != b.ino || k.rest&keyRestMask != b.num {
		return damaged("node is of inode %d", k.ino)
	}
	size := binary.LittleEndian.Uint32(n.b[40:])
	if size > blockSize {
		return damaged("%d bytes > %d", size, blockSize)
	}
	var decode codec.Block
	switch compr := binary.LittleEndian.Uint16(n.b[44:]); compr {
	case comprNone:
		decode = func(dst, src []byte) (int, error) { return copy(dst, src), nil }
	case comprLZO:
		decode = codec.LZO
	case comprZlib:
		decode = codec.Deflate
	case comprZstd:
		decode = codec.Zstd
	default:
		return dst, format.Errorf(artifact.Unsupported, off, "ubifs: inode %d: block %d at %#x: compression method %d", b.ino, b.num, off, compr)
	}
	got, err := decode(dst[:size], n.b[dataSize:])
	if err == nil && got < int(size) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return damaged("%d of %d bytes: %v", got, size, err)
	}
	return dst, nil
}
