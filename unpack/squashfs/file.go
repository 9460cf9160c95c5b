package squashfs

import (
	"fmt"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// storedBit in a block's size says that the block is stored as it is. In version 1 sizes are
// of 16 bits and it is bit 15.
const (
	storedBit  = 1 << 24
	storedBit1 = 1 << 15
)

// extent is a block of a file or of fragments: size bytes in the image, 0 if it is all zeros.
type extent struct {
	at, size int64
	stored   bool
}

// extent makes sense of a size as stored.
func (r *Reader) extent(at int64, size uint32) extent {
	return extent{at, int64(size &^ storedBit), size&storedBit != 0}
}

// content sets how a file's bytes are to be read.
func (w *walk) content(e *format.Entry, i *inode) {
	e.Size = i.length
	if at, ok := w.window(i); ok {
		e.Window = &at
		return
	}
	e.Open = func() (io.Reader, error) { return w.r.openFile(i), nil }
}

// maxSizes bounds how many block sizes are looked at in one pass to find windows: crafted inodes
// could share long lists of them. At 128 KiB a block it is enough for 512 GiB stored as they are.
const maxSizes = 1 << 22

// window returns where a file's bytes stand as they are, if they do.
func (w *walk) window(i *inode) (at artifact.Range, ok bool) {
	if i.length == 0 {
		return at, false
	}
	for f := w.r.openFile(i); f.left > 0; w.sizes++ {
		x, off, n, err := f.nextExtent()
		if err != nil || !x.stored || x.size < off+n || x.at > w.r.end || x.size > w.r.end-x.at || w.sizes > maxSizes {
			return at, false
		}
		if at.Len == 0 {
			at.Off = x.at + off
		}
		if at.End() != x.at+off {
			return at, false
		}
		at.Len += n
		f.left -= n
	}
	return at, true
}

// file reads one file from its begin to its end or to its first damage.
type file struct {
	r       *Reader
	i       *inode
	sizes   cursor
	block   int64  // number of the next block
	at      int64  // of the next block in the image
	left    int64  // bytes of the file behind what was decoded
	pending []byte // decoded and not yet read
	buf     *[]byte
	err     error
}

func (r *Reader) openFile(i *inode) *file {
	return &file{r: r, i: i, sizes: i.rest, at: i.start, left: i.length}
}

// inBlocks returns how many bytes of the file are in blocks of its own; the rest is in a fragment.
func (f *file) inBlocks() int64 {
	if f.i.fragment == noIndex || f.r.super.major == 1 {
		return f.i.length
	}
	return f.i.length - f.i.length%f.r.super.blockSize
}

// width is that of a block's size, in bytes.
func (f *file) width() int {
	if f.r.super.major == 1 {
		return 2
	}
	return 4
}

// nextExtent returns the block that holds the next bytes of the file, where they begin in it
// once decoded, and how many they are.
func (f *file) nextExtent() (x extent, off, n int64, err error) {
	r := f.r
	if done := f.i.length - f.left; done >= f.inBlocks() {
		x, err = r.fragmentExtent(f.i.fragment)
		return x, int64(f.i.offset), f.left, err
	}
	b, err := f.sizes.take(f.width())
	if err != nil {
		return x, 0, 0, err
	}
	size := uint32(offset(b, r.super.big))
	if r.super.major == 1 {
		size = size&^storedBit1 | size&storedBit1<<9
	}
	x = r.extent(f.at, size)
	f.at += x.size
	f.block++
	return x, 0, min(f.left, r.super.blockSize), nil
}

// fragmentExtent looks fragment block number i up.
func (r *Reader) fragmentExtent(i uint32) (extent, error) {
	b, err := r.item(r.fragment, i)
	if err != nil {
		return extent{}, err
	}
	at, size := field{0, 64}, field{64, 32}
	if len(b) == 8 { // version 2
		at, size = field{0, 32}, field{32, 32}
	}
	return r.extent(int64(min(at.of(b, r.super.big), 1<<62)), uint32(size.of(b, r.super.big))), nil
}

// Read reads up to len(p) bytes. A block that fits is decoded right into p.
func (f *file) Read(p []byte) (n int, err error) {
	if len(f.pending) == 0 {
		if err := f.more(p); err != nil {
			return 0, err
		}
		if f.buf == nil && len(f.pending) > 0 && len(p) > 0 && &f.pending[0] == &p[0] {
			n, f.pending = len(f.pending), nil
			return n, nil
		}
	}
	n = copy(p, f.pending)
	f.pending = f.pending[n:]
	return n, nil
}

// WriteTo writes the rest of the file to w, block by block.
func (f *file) WriteTo(w io.Writer) (sum int64, err error) {
	for {
		if len(f.pending) == 0 {
			if err := f.more(nil); err == io.EOF {
				return sum, nil
			} else if err != nil {
				return sum, err
			}
		}
		n, err := w.Write(f.pending)
		sum += int64(n)
		f.pending = f.pending[n:]
		if err != nil {
			return sum, err
		}
	}
}

// more makes bytes pending: in p if a whole block fits, else in a buffer of the file's own. Its
// error is the file's end or damage, and stays.
func (f *file) more(p []byte) error {
	if f.err == nil && f.left == 0 {
		f.err = io.EOF
	}
	if f.err == nil {
		f.err = f.decode(p)
	}
	if f.err != nil && f.buf != nil {
		f.r.buffers.put(f.buf)
		f.buf = nil
	}
	return f.err
}

func (f *file) decode(p []byte) error {
	r := f.r
	x, off, n, err := f.nextExtent()
	if err != nil {
		return err
	}
	if f.i.length-f.left >= f.inBlocks() {
		b, err := r.fragments.get(int64(f.i.fragment), func() ([]byte, error) { return r.decodeFragment(x) })
		if err != nil {
			return err
		}
		if off > int64(len(b)) || n > int64(len(b))-off {
			return r.damaged(x.at, x.size, "fragment block %d at %#x: %d bytes at %d wanted, it has %d", f.i.fragment, x.at, n, off, len(b))
		}
		f.pending = b[off : off+n]
		f.left -= n
		return nil
	}
	if int64(len(p)) < n {
		if f.buf == nil {
			f.buf = r.buffers.get()
		}
		p = *f.buf
	} else if f.buf != nil {
		r.buffers.put(f.buf)
		f.buf = nil
	}
	p = p[:n]
	if x.size == 0 {
		clear(p)
	} else if _, err := r.decodeBlock(p, x, true); err != nil {
		return r.damaged(x.at, x.size, "block %d at %#x: %v", f.block-1, x.at, err)
	}
	f.pending = p
	f.left -= n
	return nil
}

func (r *Reader) decodeFragment(x extent) ([]byte, error) {
	b := make([]byte, r.super.blockSize)
	n, err := r.decodeBlock(b, x, false)
	if err != nil {
		return nil, r.damaged(x.at, x.size, "fragment block at %#x: %v", x.at, err)
	}
	return b[:n], nil
}

// decodeBlock fills dst with the block at x; if exact is not set, the block may be shorter.
func (r *Reader) decodeBlock(dst []byte, x extent, exact bool) (int, error) {
	if x.size > r.super.blockSize {
		return 0, fmt.Errorf("%d bytes > block size %d", x.size, r.super.blockSize)
	}
	if x.stored {
		if exact && x.size != int64(len(dst)) {
			return 0, fmt.Errorf("%d bytes stored, want %d", x.size, len(dst))
		}
		return int(x.size), r.readFull(dst[:x.size], x.at)
	}
	buf := r.buffers.get()
	defer r.buffers.put(buf)
	src := (*buf)[:x.size]
	if err := r.readFull(src, x.at); err != nil {
		return 0, err
	}
	return r.codec.decode(dst, src, exact)
}
