package codec

import (
	"encoding/binary"
	"io"
)

// The parts of xz that other containers use by themselves, as 7z does.

// rawLZMA2 is LZMA2 without a container around it.
type rawLZMA2 struct {
	lzma2Reader
}

// NewLZMA2 decodes LZMA2 up to its end mark. dict is the byte that encodes the size of the dictionary, 0 to 40.
func NewLZMA2(r io.ReaderAt, size int64, dict byte, maxMemory int64) (Stream, error) {
	if dict > 40 {
		return nil, ErrHeader
	}
	core := lzmaCores.Get().(*lzmaCore)
	return &rawLZMA2{lzma2Reader{lzma2: newLZMA2(core, newInput(r, size), newWindow(lzma2Dict(dict), maxMemory))}}, nil
}

func (z *rawLZMA2) Consumed() int64 { return z.in.consumed() }

func (z *rawLZMA2) Read(p []byte) (int, error) {
	n, err := z.lzma2Reader.Read(p)
	if err != nil && z.core != nil {
		lzmaCores.Put(z.core)
		z.core = nil
	}
	return n, err
}

// NewFilter undoes in what r yields the filter that xz knows by id (3 delta, 4 x86, 5 PowerPC,
// 6 IA-64, 7 ARM, 8 ARM Thumb, 9 SPARC, 10 ARM64, 11 RISC-V), with its properties. The error
// is [ErrHeader].
func NewFilter(r io.Reader, id uint64, props []byte) (io.Reader, error) {
	f, start, ok := newFilter(id, props)
	if !ok {
		return nil, ErrHeader
	}
	return &filterReader{src: r, filter: f, pos: start}, nil
}

// NewLZMARaw decodes LZMA without a header, of plain bytes or, if that is negative, up to an end
// mark. props are the five bytes that a header begins with: lc, lp and pb, and the dictionary's size.
func NewLZMARaw(r io.ReaderAt, size int64, props []byte, plain, maxMemory int64) (Stream, error) {
	if len(props) != 5 {
		return nil, ErrHeader
	}
	return newLZMAStream(newInput(r, size), props[0], int64(binary.LittleEndian.Uint32(props[1:])), plain, maxMemory)
}
