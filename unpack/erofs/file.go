package erofs

import (
	"bytes"
	"errors"
	"io"
	"sort"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// file reads the content of an inode from its first byte to its last.
type file struct {
	r    *Reader
	m    extents
	size int64
	x    extent
	pos  int64
	data []byte // of x, if it had to be decoded
}

func (r *Reader) open(in *inode) io.Reader { return &file{r: r, m: r.extents(in), size: in.size} }

func (f *file) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for f.pos >= f.x.to {
		if f.pos >= f.size {
			return 0, io.EOF
		}
		x, err := f.m.next()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		f.x, f.data = x, nil
		if x.kind < stored || x.kind == interlaced {
			if f.data, err = f.r.decode(x); err != nil {
				return 0, err
			}
		}
	}
	n := int(min(int64(len(p)), f.x.to-f.pos))
	err := f.r.copy(p[:n], f.x, f.data, f.pos-f.x.from)
	if err != nil {
		return 0, err
	}
	f.pos += int64(n)
	return n, nil
}

// copy fills p with what is at off of x. data is what was decoded.
func (r *Reader) copy(p []byte, x extent, data []byte, off int64) error {
	switch {
	case data != nil:
		copy(p, data[off:])
	case x.kind == hole:
		clear(p)
	case x.kind == fragment:
		if r.packedNID == 0 {
			return fault(superOff+96, "end of a file at %#x of the packed inode: there is none", x.at)
		}
		b, err := r.readRandom(&r.packed, r.packedNID, x.at+off, int64(len(p)))
		copy(p, b)
		return err
	default:
		b, err := r.metadata(x.box, x.at+off, int64(len(p)), "data")
		copy(p, b)
		return err
	}
	return nil
}

// decode returns all of an extent.
func (r *Reader) decode(x extent) ([]byte, error) {
	src, err := r.metadata(x.box, x.at, x.length, "cluster")
	if err != nil {
		return nil, err
	}
	dst := make([]byte, x.to-x.from)
	if x.kind == interlaced {
		if x.length > r.block {
			return nil, fault(x.at, "cluster at %#x: %d bytes", x.at, x.length)
		}
		skip := int(x.from & (r.block - 1))
		n := copy(dst, src[min(skip, len(src)):])
		copy(dst[n:], src)
		return dst, nil
	}
	if r.incompat&incompatZeroPadding != 0 || x.kind != lz4 {
		src = bytes.TrimLeft(src, "\x00")
	}
	n, err := decompress(x.kind, dst, src)
	// Only the beginning of a cluster may be meant. A decoder that cannot stop within a match or
	// a block gets more room.
	for room := 2 * len(dst); n < len(dst) && errors.Is(err, codec.ErrTooLong) && room <= 2*maxDecoded; room *= 2 {
		b := make([]byte, room)
		n, err = decompress(x.kind, b, src)
		n = copy(dst, b[:n])
	}
	if n < len(dst) {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, format.Errorf(artifact.Damaged, x.at, "erofs: cluster at %#x: %d of %d bytes: %v", x.at, n, len(dst), err)
	}
	return dst, nil
}

func decompress(k kind, dst, src []byte) (int, error) {
	switch k {
	case lz4:
		return codec.LZ4(dst, src)
	case deflate:
		return codec.Deflate(dst, src)
	case zstd:
		return codec.Zstd(dst, src)
	}
	// MicroLZMA: the first byte, which would be 0, holds the properties inverted. liblzma, lzma/container.h.
	if len(src) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	props := ^src[0]
	src[0] = 0
	n, err := codec.LZMARaw(props)(dst, src)
	src[0] = ^props
	return n, err
}

// maxExtents bounds the map of a file that others refer into.
const maxExtents = 1 << 22

// readRandom returns n bytes at off of the content of inode nid, which f holds the map of.
func (r *Reader) readRandom(f *random, nid uint64, off, n int64) ([]byte, error) {
	f.once.Do(func() {
		if nid&inBox != 0 { // it would hold itself
			f.err = fault(superOff, "inode %#x", nid)
			return
		}
		if f.in, f.err = r.inode(nid); f.err != nil {
			return
		}
		m := r.extents(f.in)
		for len(f.list) < maxExtents {
			x, err := m.next()
			if err == nil && x.kind == fragment {
				err = fault(f.in.off, "inode at %#x: packed into itself", f.in.off)
			}
			if err != nil {
				break // what lies behind is missed when it is asked for
			}
			f.list = append(f.list, x)
		}
	})
	if f.err != nil {
		return nil, f.err
	}
	if off < 0 || n < 0 || off > f.in.size || n > f.in.size-off || n > r.src.Memory() {
		return nil, fault(f.in.off, "inode at %#x: %d bytes at %#x of %d", f.in.off, n, off, f.in.size)
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	out := make([]byte, n)
	i := sort.Search(len(f.list), func(i int) bool { return f.list[i].to > off })
	for p := out; len(p) > 0; i++ {
		if i >= len(f.list) {
			return nil, fault(f.in.off, "inode at %#x: nothing at %#x", f.in.off, off)
		}
		x := f.list[i]
		var data []byte
		if x.kind < stored || x.kind == interlaced {
			if f.data == nil || f.held != x {
				b, err := r.decode(x)
				if err != nil {
					return nil, err
				}
				f.held, f.data = x, b
			}
			data = f.data
		}
		k := min(int64(len(p)), x.to-off)
		if err := r.copy(p[:k], x, data, off-x.from); err != nil {
			return nil, err
		}
		p, off = p[k:], off+k
	}
	return out, nil
}
