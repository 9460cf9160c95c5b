package codec

import (
	"encoding/binary"
	"math/bits"
)

// xxh64 is XXH64 with seed 0, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.
type xxh64 struct {
	lanes [4]uint64
	tail  [32]byte
	have  int // bytes in tail
	total uint64
}

const (
	xxh64p1 = 0x9e3779b185ebca87
	xxh64p2 = 0xc2b2ae3d27d4eb4f
	xxh64p3 = 0x165667b19e3779f9
	xxh64p4 = 0x85ebca77c2b2ae63
	xxh64p5 = 0x27d4eb2f165667c5
)

func newXXH64() *xxh64 {
	first, second := uint64(xxh64p1), uint64(xxh64p2)
	return &xxh64{lanes: [4]uint64{first + second, second, 0, -first}}
}

func (x *xxh64) write(p []byte) {
	x.total += uint64(len(p))
	if x.have > 0 {
		n := copy(x.tail[x.have:], p)
		x.have += n
		if p = p[n:]; x.have < len(x.tail) {
			return
		}
		x.stripes(x.tail[:])
	}
	whole := len(p) &^ 31
	x.stripes(p[:whole])
	x.have = copy(x.tail[:], p[whole:])
}

func xxh64Round(lane, v uint64) uint64 { return bits.RotateLeft64(lane+v*xxh64p2, 31) * xxh64p1 }

func (x *xxh64) stripes(p []byte) {
	a, b, c, d := x.lanes[0], x.lanes[1], x.lanes[2], x.lanes[3]
	for ; len(p) >= 32; p = p[32:] {
		a = xxh64Round(a, binary.LittleEndian.Uint64(p))
		b = xxh64Round(b, binary.LittleEndian.Uint64(p[8:]))
		c = xxh64Round(c, binary.LittleEndian.Uint64(p[16:]))
		d = xxh64Round(d, binary.LittleEndian.Uint64(p[24:]))
	}
	x.lanes = [4]uint64{a, b, c, d}
}

func (x *xxh64) sum() uint64 {
	h := uint64(xxh64p5)
	if x.total >= 32 {
		h = bits.RotateLeft64(x.lanes[0], 1) + bits.RotateLeft64(x.lanes[1], 7) + bits.RotateLeft64(x.lanes[2], 12) + bits.RotateLeft64(x.lanes[3], 18)
		for _, lane := range x.lanes {
			h = (h^xxh64Round(0, lane))*xxh64p1 + xxh64p4
		}
	}
	h += x.total
	p := x.tail[:x.have]
	for ; len(p) >= 8; p = p[8:] {
		h = bits.RotateLeft64(h^xxh64Round(0, binary.LittleEndian.Uint64(p)), 27)*xxh64p1 + xxh64p4
	}
	if len(p) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(p))*xxh64p1, 23)*xxh64p2 + xxh64p3
		p = p[4:]
	}
	for _, b := range p {
		h = bits.RotateLeft64(h^uint64(b)*xxh64p5, 11) * xxh64p1
	}
	h = (h ^ h>>33) * xxh64p2
	h = (h ^ h>>29) * xxh64p3
	return h ^ h>>32
}
