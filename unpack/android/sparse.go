package android

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Sparse is the sparse image: an image of a partition without its holes.
var Sparse = format.Format{
	Name:   "android-sparse",
	Title:  "Android sparse image",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: "\x3a\xff\x26\xed\x01\x00"}},
	Refs:   []format.Ref{{Title: "AOSP, sparse_format.h", URL: "https://android.googlesource.com/platform/system/core/+/refs/heads/main/libsparse/sparse_format.h"}},
	Limits: []string{"Checksums are not verified: img2simg writes none."},
	Open:   openSparse,
}

// Kinds of chunks.
const (
	chunkRaw  = 0xcac1
	chunkFill = 0xcac2 // 4 bytes, repeated
	chunkSkip = 0xcac3
	chunkCRC  = 0xcac4

	sparseHeader = 28
	chunkHeader  = 12
)

type sparse struct {
	src           format.Source
	header, chunk int64 // sizes of the header and of a chunk's
	block         int64
	blocks        int64
	chunks        uint32
	end           int64
}

// openSparse reads
//
//	0 magic, 4 major version (2), 6 minor (2), 8 size of this header (2), 10 of a chunk's (2), 12 block, 16 blocks, 20 chunks, 24 CRC-32
func openSparse(src format.Source) (format.Chunk, error) {
	b, err := format.ReadAt(src, 0, sparseHeader, "android-sparse: header")
	if err != nil {
		return nil, format.Not("%v", err)
	}
	le := binary.LittleEndian
	s := &sparse{
		src: src, header: int64(le.Uint16(b[8:])), chunk: int64(le.Uint16(b[10:])),
		block: int64(le.Uint32(b[12:])), blocks: int64(le.Uint32(b[16:])), chunks: le.Uint32(b[20:]),
	}
	if le.Uint32(b) != 0xed26ff3a || le.Uint16(b[4:]) != 1 || s.header < sparseHeader || s.chunk < chunkHeader || s.block == 0 || s.block%4 != 0 || s.block > 1<<26 {
		return nil, format.Not("android-sparse: headers of %d and %d bytes, blocks of %d", s.header, s.chunk, s.block)
	}
	r := s.open()
	for r.nextChunk() == nil {
	}
	s.end = min(r.at, src.Size())
	if s.end == s.header && s.chunks > 0 {
		return nil, format.Not("android-sparse: no chunk: %v", r.err)
	}
	return s, nil
}

// Size returns the end of the last chunk.
func (s *sparse) Size() int64 { return s.end }

func (s *sparse) Describe() []artifact.Attr {
	return []artifact.Attr{{Name: "size", Value: fmt.Sprint(s.block * s.blocks), At: artifact.Range{Off: 12, Len: 8}}}
}

// Entries yields the image.
func (s *sparse) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		e := format.Entry{Size: s.block * s.blocks, Open: func() (io.Reader, error) { return s.open(), nil }}
		yield(e, nil)
	}
}

// reader expands the image.
type reader struct {
	*sparse
	at    int64 // of the next chunk
	index uint32
	done  int64 // blocks before the chunk at hand
	err   error // io.EOF behind the last chunk
	kind  uint16
	left  int64 // bytes of the chunk at hand that are still to come, and where its data goes on
	data  int64
	fill  [4]byte
	phase int
}

func (s *sparse) open() *reader { return &reader{sparse: s, at: s.header} }

// nextChunk reads the next chunk's header: 0 kind (2), 4 blocks, 8 bytes in the file. It returns r.err.
func (r *reader) nextChunk() error {
	if r.err != nil {
		return r.err
	}
	if r.index == r.chunks {
		if r.err = io.EOF; r.done < r.blocks {
			r.err = format.Errorf(artifact.Truncated, r.at, "android-sparse: %d blocks in %d chunks, want %d", r.done, r.chunks, r.blocks)
		}
		return r.err
	}
	b, err := format.ReadAt(r.src, r.at, r.chunk, "android-sparse: chunk")
	if err != nil {
		r.err = err
		return err
	}
	le := binary.LittleEndian
	kind, blocks, size := le.Uint16(b), int64(le.Uint32(b[4:])), int64(le.Uint32(b[8:]))
	want := r.chunk
	switch kind {
	case chunkRaw:
		want += blocks * r.block
	case chunkFill:
		want += 4
	case chunkSkip:
	case chunkCRC:
		want, blocks = want+4, 0
	default:
		want = -1
	}
	if size != want || blocks > r.blocks-r.done {
		r.err = format.Errorf(artifact.Damaged, r.at, "android-sparse: chunk at %#x: kind %#x of %d blocks and %d bytes", r.at, kind, blocks, size)
		return r.err
	}
	if kind == chunkFill {
		if n, _ := r.src.ReadAt(r.fill[:], r.at+r.chunk); n < 4 {
			r.err = format.Errorf(artifact.Truncated, r.at, "android-sparse: chunk at %#x is cut off", r.at)
			return r.err
		}
	}
	r.kind, r.left, r.data, r.phase = kind, blocks*r.block, r.at+r.chunk, 0
	r.done += blocks
	r.at += size
	r.index++
	if r.at > r.src.Size() { // a raw chunk: what there is of it can be read
		r.err = format.Errorf(artifact.Truncated, r.src.Size(), "android-sparse: chunk at %#x: %d bytes, %d left", r.data, r.left, r.src.Size()-r.data)
		r.left = max(0, r.src.Size()-r.data)
	}
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	for r.left == 0 {
		if err := r.nextChunk(); err != nil {
			return 0, err
		}
	}
	n := int(min(int64(len(p)), r.left))
	switch r.kind {
	case chunkRaw:
		k, err := r.src.ReadAt(p[:n], r.data)
		if k == 0 && err != nil {
			return 0, format.Errorf(artifact.Damaged, r.data, "android-sparse: data at %#x: %v", r.data, err)
		}
		n = k
	case chunkFill:
		r.pattern(p[:n])
	default:
		clear(p[:n])
	}
	r.left, r.data = r.left-int64(n), r.data+int64(n)
	return n, nil
}

// pattern repeats the four bytes of a chunk of kind fill.
func (r *reader) pattern(p []byte) {
	if r.fill == [4]byte{} {
		clear(p)
		return
	}
	for i := range min(len(p), 4) {
		p[i] = r.fill[(r.phase+i)%4]
	}
	for n := 4; n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
	r.phase = (r.phase + len(p)) % 4
}
