package codec

import (
	"encoding/binary"
	"math/bits"
)

// xxh32 is XXH32 with seed 0, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.
type xxh32 struct {
	lanes [4]uint32
	tail  [16]byte
	have  int // bytes in tail
	total uint32
	long  bool // 16 bytes or more were written
}

const (
	xxh1 = 0x9e3779b1
	xxh2 = 0x85ebca77
	xxh3 = 0xc2b2ae3d
	xxh4 = 0x27d4eb2f
	xxh5 = 0x165667b1
)

func newXXH32() *xxh32 {
	first, second := uint32(xxh1), uint32(xxh2)
	return &xxh32{lanes: [4]uint32{first + second, second, 0, -first}}
}

func (x *xxh32) write(p []byte) {
	x.total += uint32(len(p))
	if x.have > 0 {
		n := copy(x.tail[x.have:], p)
		x.have += n
		if p = p[n:]; x.have < len(x.tail) {
			return
		}
		x.stripes(x.tail[:])
	}
	whole := len(p) &^ 15
	x.stripes(p[:whole])
	x.have = copy(x.tail[:], p[whole:])
}

func (x *xxh32) stripes(p []byte) {
	a, b, c, d := x.lanes[0], x.lanes[1], x.lanes[2], x.lanes[3]
	for ; len(p) >= 16; p = p[16:] {
		a = bits.RotateLeft32(a+binary.LittleEndian.Uint32(p)*xxh2, 13) * xxh1
		b = bits.RotateLeft32(b+binary.LittleEndian.Uint32(p[4:])*xxh2, 13) * xxh1
		c = bits.RotateLeft32(c+binary.LittleEndian.Uint32(p[8:])*xxh2, 13) * xxh1
		d = bits.RotateLeft32(d+binary.LittleEndian.Uint32(p[12:])*xxh2, 13) * xxh1
		x.long = true
	}
	x.lanes = [4]uint32{a, b, c, d}
}

func (x *xxh32) sum() uint32 {
	h := uint32(xxh5)
	if x.long {
		h = bits.RotateLeft32(x.lanes[0], 1) + bits.RotateLeft32(x.lanes[1], 7) + bits.RotateLeft32(x.lanes[2], 12) + bits.RotateLeft32(x.lanes[3], 18)
	}
	h += x.total
	p := x.tail[:x.have]
	for ; len(p) >= 4; p = p[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(p)*xxh3, 17) * xxh4
	}
	for _, b := range p {
		h = bits.RotateLeft32(h+uint32(b)*xxh5, 11) * xxh1
	}
	h = (h ^ h>>15) * xxh2
	h = (h ^ h>>13) * xxh3
	return h ^ h>>16
}

func xxh32Sum(p []byte) uint32 {
	x := newXXH32()
	x.write(p)
	return x.sum()
}
