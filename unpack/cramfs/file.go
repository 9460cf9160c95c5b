package cramfs

import (
	"errors"
	"io"
	"io/fs"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// A file is a table of one pointer of 4 bytes for each block, then the blocks. A plain pointer is
// the end of its block. With flagExtPointers its top bits have a meaning: the block is stored as
// it is, and the rest of the pointer is the block's start in words of 4 bytes, where the length
// of a compressed block stands in the first 2 bytes.
const (
	pointerStored = 1 << 31
	pointerDirect = 1 << 30
	pointerFlags  = pointerStored | pointerDirect
)

// blockRange is where block i of n stands. A length of 0 is a hole.
func (r *Reader) blockRange(n inode, i int64) (off, length int64, stored bool, err error) {
	blocks := (n.size + r.block - 1) / r.block
	at := n.off + 4*i
	p := r.bytes(at, 4)
	if p == nil {
		return 0, 0, false, format.Errorf(artifact.Truncated, at, "cramfs: block pointer at %#x: outside of the data", at)
	}
	ptr := r.order.Uint32(p)
	ext := r.super.flags&flagExtPointers != 0
	stored = ext && ptr&pointerStored != 0
	if ext && ptr&pointerDirect != 0 {
		off = int64(ptr&^pointerFlags) << 2
		if stored {
			return off, min(r.block, n.size-i*r.block), true, nil
		}
		l := r.bytes(off, 2)
		if l == nil {
			return 0, 0, false, format.Errorf(artifact.Truncated, at, "cramfs: block at %#x: outside of the data", off)
		}
		return off + 2, int64(r.order.Uint16(l)), false, nil
	}
	off = n.off + 4*blocks
	if i > 0 {
		p := r.order.Uint32(r.bytes(at-4, 4))
		off = int64(p)
		if ext {
			off = int64(p &^ pointerFlags)
			if p&pointerDirect != 0 {
				before, length, _, err := r.blockRange(n, i-1)
				if err != nil {
					return 0, 0, false, err
				}
				off = before + length
			}
		}
	}
	end := int64(ptr)
	if ext {
		end = int64(ptr &^ pointerFlags)
	}
	if end < off || end-off > 2*r.block {
		return 0, 0, false, format.Errorf(artifact.Damaged, at, "cramfs: block pointer at %#x: block from %#x to %#x", at, off, end)
	}
	return off, end - off, stored, nil
}

// readBlock returns block i of n. What is missing of it because of an error is zero.
func (r *Reader) readBlock(n inode, i int64) ([]byte, error) {
	dst := make([]byte, min(r.block, n.size-i*r.block))
	off, length, stored, err := r.blockRange(n, i)
	if err != nil || length == 0 {
		return dst, err
	}
	src := r.bytes(off, length)
	if src == nil {
		return dst, format.Errorf(artifact.Truncated, min(off, r.limit), "cramfs: block at %#x: %d bytes, %d left", off, length, max(0, r.limit-off))
	}
	if stored {
		copy(dst, src)
		return dst, nil
	}
	got, err := decode(dst, src)
	if err != nil {
		return dst, format.Errorf(artifact.Damaged, off, "cramfs: block at %#x: %d of %d bytes: %v", off, got, len(dst), err)
	}
	return dst, nil
}

// blockSize finds the block size, which is the memory page of the machine the image is for and
// nowhere stored: with the right one the first block of a large file decodes to just as much.
func (r *Reader) blockSize() int64 {
	found := int64(pageSize)
	tries := 0
	r.walk(func(_ format.Entry, n inode, err error) bool {
		if err != nil || !n.mode.IsRegular() || n.size <= pageSize {
			return true
		}
		for b := int64(pageSize); b <= 64<<10; b *= 2 {
			probe := *r
			probe.block = b
			_, length, _, err := probe.blockRange(n, 0)
			if err != nil || length == 0 {
				continue
			}
			if _, err := probe.readBlock(n, 0); err == nil {
				found = b
				return false
			}
		}
		tries++
		return tries < 16
	})
	return found
}

// dataEnd returns the end of what n refers to.
func (r *Reader) dataEnd(n inode) int64 {
	switch {
	case n.size == 0:
		return 0
	case n.mode.IsDir():
		return n.off + n.size
	case n.mode.IsRegular() || n.mode.Type() == fs.ModeSymlink:
		off, length, _, err := r.blockRange(n, (n.size-1)/r.block)
		if err == nil {
			return min(off+length, r.limit)
		}
	}
	return 0
}

// file reads one file. It ends where the data ends. Other blocks that do not decode read as
// zeros, so that what follows stays in place; the first of them is the error at the end.
type file struct {
	r *Reader
	inode
	next  int64 // block
	block []byte
	err   error
}

func (f *file) Read(p []byte) (int, error) {
	if len(f.block) == 0 {
		if f.next*f.r.block >= f.size {
			if f.err != nil {
				return 0, f.err
			}
			return 0, io.EOF
		}
		var err error
		if f.block, err = f.r.readBlock(f.inode, f.next); err != nil && f.err == nil {
			f.err = err
		}
		f.next++
		var broken *format.Error
		if errors.As(err, &broken) && broken.Kind == artifact.Truncated {
			f.block, f.next = nil, f.size // the rest is behind the end, too
			return 0, f.err
		}
	}
	n := copy(p, f.block)
	f.block = f.block[n:]
	return n, nil
}
