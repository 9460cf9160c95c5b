package squashfs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// An image that was cut has lost its tables, which stand last, and with them names, owners and
// the sizes of blocks. What is left are the blocks, one behind the other. Those of gzip, xz and
// zstd are streams that tell their own ends. A writer puts the blocks of a file side by side, all
// but the last full, and files that are less than a block, with others, into a fragment block: so
// full blocks and the short one behind them are a file, and a short block alone is a fragment.

// piece is one block found without its size.
type piece struct {
	extent
	n int // bytes decoded
}

// salvage finds the blocks up to the end of what is there, and returns them as files.
func (r *Reader) salvage() (files [][]piece) {
	pos := r.super.layout.size
	if m, err := r.metaBlock(pos); r.super.flags&flagOptions != 0 && err == nil {
		pos = m.next
	}
	var run []piece
	flush := func() {
		if len(run) > 0 {
			files = append(files, run)
		}
		run = nil
	}
	for pos < r.end {
		p, ok := r.pieceAt(pos)
		if full := pos + r.super.blockSize; !ok && full < r.end {
			if _, next := r.pieceAt(full); next { // a block that did not shrink is stored
				p, ok = piece{extent{at: pos, size: r.super.blockSize, stored: true}, int(r.super.blockSize)}, true
			}
		}
		if !ok {
			flush()
			if pos, ok = r.nextPiece(pos + 1); !ok {
				break
			}
			continue
		}
		if run = append(run, p); int64(p.n) < r.super.blockSize {
			flush()
		}
		pos += p.size
	}
	flush()
	return files
}

// streamEnds are how to find the end of a block at the start of b, by the magic that it has.
var streamEnds = []struct {
	magic  string
	method int
	end    func(b []byte) int
}{
	{"\xfd7zXZ\x00", compXZ, xzEnd},
	{"\x28\xb5\x2f\xfd", compZstd, zstdEnd},
	{"\x78\xda", compGzip, zlibEnd},
	{"\x78\x9c", compGzip, zlibEnd},
	{"\x78\x01", compGzip, zlibEnd},
	{"\x78\x5e", compGzip, zlibEnd},
}

// pieceAt returns the compressed block at off, if it decodes to its end.
func (r *Reader) pieceAt(off int64) (piece, bool) {
	src, dst := r.buffers.get(), r.buffers.get()
	defer r.buffers.put(src)
	defer r.buffers.put(dst)
	b := (*src)[:max(0, min(int64(len(*src)), r.end-off))]
	if n, _ := format.Summed(r.src).ReadAt(b, off); n < len(b) {
		return piece{}, false
	}
	for _, s := range streamEnds {
		if !bytes.HasPrefix(b, []byte(s.magic)) {
			continue
		}
		if end := s.end(b); end > 0 {
			n, err := methods[s.method].decode((*dst)[:r.super.blockSize], b[:end], false)
			return piece{extent{at: off, size: int64(end)}, n}, err == nil
		}
	}
	return piece{}, false
}

// nextPiece returns where from off on the next block begins, within what a lost one can span.
func (r *Reader) nextPiece(off int64) (int64, bool) {
	buf := make([]byte, min(2*r.super.blockSize, r.end-off))
	n, _ := format.Summed(r.src).ReadAt(buf, off)
	tries := 0
	for i := range buf[:n] {
		for _, s := range streamEnds {
			if bytes.HasPrefix(buf[i:n], []byte(s.magic)) {
				const most = 64 // of the short magic in bytes without meaning
				if tries++; tries > most {
					return 0, false
				}
				if _, ok := r.pieceAt(off + int64(i)); ok {
					return off + int64(i), true
				}
			}
		}
	}
	return 0, false
}

// xzEnd returns where the .xz stream at the start of b ends: at the first footer whose checksum
// fits and whose index does, https://tukaani.org/xz/xz-file-format.txt, 2.1.2.
func xzEnd(b []byte) int {
	const footer = 12
	for i := 2 * footer; ; {
		k := bytes.Index(b[min(i, len(b)):], []byte("YZ"))
		if k < 0 {
			return 0
		}
		end := i + k + 2
		f := b[end-footer : end]
		size := (int(binary.LittleEndian.Uint32(f[4:])) + 1) * 4 // of the index
		if crc32.ChecksumIEEE(f[4:10]) == binary.LittleEndian.Uint32(f) && size >= 8 && size <= end-2*footer {
			index := b[end-footer-size : end-footer]
			if index[0] == 0 && crc32.ChecksumIEEE(index[:size-4]) == binary.LittleEndian.Uint32(index[size-4:]) {
				return end
			}
		}
		i = end
	}
}

// zstdEnd returns where the frame at the start of b ends, RFC 8878, 3.1.1.
func zstdEnd(b []byte) int {
	if len(b) < 6 {
		return 0
	}
	d := b[4]
	single := d&0x20 != 0
	pos := 5 + []int{0, 1, 2, 4}[d&3] + []int{0, 2, 4, 8}[d>>6]
	if !single {
		pos++
	} else if d>>6 == 0 {
		pos++
	}
	for pos+3 <= len(b) {
		h := int(b[pos]) | int(b[pos+1])<<8 | int(b[pos+2])<<16
		n := h >> 3
		if h>>1&3 == 1 { // one byte, repeated
			n = 1
		}
		if pos += 3 + n; h&1 != 0 {
			if d&4 != 0 {
				pos += 4
			}
			if pos > len(b) {
				return 0
			}
			return pos
		}
	}
	return 0
}

func zlibEnd(b []byte) int {
	s, err := codec.NewZlib(bytes.NewReader(b), int64(len(b)), int64(len(b)))
	if err != nil {
		return 0
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(s, 1<<20+1)); err != nil {
		return 0
	}
	return int(s.Consumed())
}

// salvaged makes the entry of a file whose name is lost.
func (r *Reader) salvaged(run []piece) format.Entry {
	last := run[len(run)-1]
	at := artifact.Range{Off: run[0].at, Len: last.at + last.size - run[0].at}
	e := format.Entry{Path: fmt.Sprintf("lost+found/%#x", at.Off)}
	problem := artifact.Problem{Kind: artifact.Damaged, At: at, Detail: "squashfs: blocks of a file whose name is lost, and whose end is where a block is not full"}
	switch full := int64(last.n) == r.super.blockSize; {
	case full:
		problem.Detail = "squashfs: blocks of one or more files whose names are lost, and whose end did not show"
	case len(run) == 1:
		e.Path = fmt.Sprintf("lost+found/fragments-%#x", at.Off)
		problem.Detail = "squashfs: a fragment block, in which files or ends of files follow each other"
	}
	e.Problems = []artifact.Problem{problem}
	for _, p := range run {
		e.Size += int64(p.n)
	}
	e.Open = func() (io.Reader, error) { return &pieces{r: r, left: run}, nil }
	return e
}

// pieces reads blocks one after the other.
type pieces struct {
	r    *Reader
	left []piece
	rest []byte
}

func (p *pieces) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if len(p.left) == 0 {
			return 0, io.EOF
		}
		x := p.left[0]
		dst := make([]byte, x.n)
		if _, err := p.r.decodeBlock(dst, x.extent, true); err != nil {
			return 0, p.r.damaged(x.at, x.size, "block at %#x: %v", x.at, err)
		}
		p.left, p.rest = p.left[1:], dst
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
