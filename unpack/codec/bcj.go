package codec

import (
	"encoding/binary"
	"math/bits"
)

// filter undoes one of the filters that xz puts before LZMA2. It works in place on b, which
// starts pos bytes into the data, and returns how many bytes are final; it needs to see the rest
// again with more behind it. At the end of the data the rest stays as it is.
// The branch filters turn the absolute addresses of calls back into relative ones,
// see https://tukaani.org/xz/xz-file-format.txt, section 5.3.
type filter interface {
	undo(b []byte, pos uint32) int
}

// branch is a filter without state.
type branch func(b []byte, pos uint32) int

func (f branch) undo(b []byte, pos uint32) int { return f(b, pos) }

// newFilter returns the filter with xz's id and properties, and the position it starts from.
func newFilter(id uint64, props []byte) (f filter, start uint32, ok bool) {
	if id == 3 {
		if len(props) != 1 {
			return nil, 0, false
		}
		return &delta{distance: int(props[0]) + 1}, 0, true
	}
	var align uint32
	switch id {
	case 4:
		f, align = &x86{}, 1
	case 5:
		f, align = branch(powerPC), 4
	case 6:
		f, align = branch(ia64), 16
	case 7:
		f, align = branch(arm), 4
	case 8:
		f, align = branch(armThumb), 2
	case 9:
		f, align = branch(sparc), 4
	case 10:
		f, align = branch(arm64), 4
	case 11:
		f, align = branch(riscV), 2
	default:
		return nil, 0, false
	}
	switch len(props) {
	case 0:
	case 4:
		start = binary.LittleEndian.Uint32(props)
	default:
		return nil, 0, false
	}
	return f, start, start%align == 0
}

// filterName is the name that xz gives the filter with an id that newFilter knows.
func filterName(id uint64) string {
	return [...]string{3: "delta", 4: "x86", 5: "powerpc", 6: "ia64", 7: "arm", 8: "armthumb", 9: "sparc", 10: "arm64", 11: "riscv"}[id]
}

type delta struct {
	distance int
	history  [256]byte
	at       uint8
}

func (d *delta) undo(b []byte, _ uint32) int {
	for i := range b {
		b[i] += d.history[d.at-uint8(d.distance)]
		d.history[d.at] = b[i]
		d.at++
	}
	return len(b)
}

// x86 converts the operand of CALL (E8) and JMP (E9) where its highest byte is 00 or FF. Opcodes
// among the operand bytes of another one make it doubtful which is an instruction: near keeps,
// for the four bytes before the current one, which were opcodes that were not converted.
type x86 struct {
	near uint32
	prev uint32 // position of the last opcode byte seen, plus 5 to be 0 at the start
}

func (x *x86) undo(b []byte, pos uint32) int {
	i := 0
	for i+5 <= len(b) {
		if b[i]&0xfe != 0xe8 {
			i++
			continue
		}
		at := pos + uint32(i)
		since := at + 5 - x.prev
		x.prev = at + 5
		if since > 5 {
			x.near = 0
		} else {
			for range since {
				x.near = x.near & 0x77 << 1
			}
		}
		top := b[i+4]
		if !x86Allowed(x.near) || !sign(top) {
			x.near |= 1
			if sign(top) {
				x.near |= 0x10
			}
			i++
			continue
		}
		from := binary.LittleEndian.Uint32(b[i+1:])
		to := from - (at + 5)
		for x.near != 0 {
			shift := 8 * uint(bits.Len32(x.near>>1))
			if !sign(byte(to >> (24 - shift))) {
				break
			}
			from = to ^ (1<<(32-shift) - 1)
			to = from - (at + 5)
		}
		to &= 1<<25 - 1
		if to&(1<<24) != 0 {
			to |= 0xff << 24
		}
		binary.LittleEndian.PutUint32(b[i+1:], to)
		x.near = 0
		i += 5
	}
	return i
}

func sign(b byte) bool { return b == 0 || b == 0xff }

// x86Allowed reports whether the opcodes nearby leave the operand of this one free.
func x86Allowed(near uint32) bool {
	switch near >> 1 {
	case 0, 1, 2, 4:
		return true
	}
	return false
}

func powerPC(b []byte, pos uint32) int {
	i := 0
	for ; i+4 <= len(b); i += 4 {
		if v := binary.BigEndian.Uint32(b[i:]); v&0xfc000003 == 0x48000001 {
			binary.BigEndian.PutUint32(b[i:], 0x48000001|(v-pos-uint32(i))&0x03fffffc)
		}
	}
	return i
}

func ia64(b []byte, pos uint32) int {
	// Which of a bundle's three slots are branches, by its template.
	const branches = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x04\x06\x06\x00\x00\x07\x07\x04\x04\x00\x00\x04\x04\x00\x00"
	i := 0
	for ; i+16 <= len(b); i += 16 {
		mask := branches[b[i]&31]
		for slot := range 3 {
			if mask>>slot&1 == 0 {
				continue
			}
			bit := 5 + 41*slot
			p := b[i+bit/8 : i+bit/8+6]
			word := uint64(binary.LittleEndian.Uint32(p)) | uint64(binary.LittleEndian.Uint16(p[4:]))<<32
			v := word >> (bit % 8)
			if v>>37&15 != 5 || v>>9&7 != 0 {
				continue
			}
			to := (uint32(v>>13&0xfffff|v>>36&1<<20)<<4 - pos - uint32(i)) >> 4
			v &^= 0x8fffff << 13
			v |= uint64(to&0xfffff)<<13 | uint64(to&0x100000)<<16
			word = word&(1<<(bit%8)-1) | v<<(bit%8)
			binary.LittleEndian.PutUint32(p, uint32(word))
			binary.LittleEndian.PutUint16(p[4:], uint16(word>>32))
		}
	}
	return i
}

func arm(b []byte, pos uint32) int {
	i := 0
	for ; i+4 <= len(b); i += 4 {
		if b[i+3] == 0xeb { // BL, always
			v := binary.LittleEndian.Uint32(b[i:])
			to := (v<<2 - (pos + uint32(i) + 8)) >> 2
			binary.LittleEndian.PutUint32(b[i:], 0xeb000000|to&0xffffff)
		}
	}
	return i
}

func armThumb(b []byte, pos uint32) int {
	i := 0
	for ; i+4 <= len(b); i += 2 {
		high, low := uint32(binary.LittleEndian.Uint16(b[i:])), uint32(binary.LittleEndian.Uint16(b[i+2:]))
		if high&0xf800 != 0xf000 || low&0xf800 != 0xf800 { // BL in two halves
			continue
		}
		to := ((high&0x7ff<<11|low&0x7ff)<<1 - (pos + uint32(i) + 4)) >> 1
		binary.LittleEndian.PutUint16(b[i:], uint16(0xf000|to>>11&0x7ff))
		binary.LittleEndian.PutUint16(b[i+2:], uint16(0xf800|to&0x7ff))
		i += 2
	}
	return i
}

func sparc(b []byte, pos uint32) int {
	i := 0
	for ; i+4 <= len(b); i += 4 {
		v := binary.BigEndian.Uint32(b[i:])
		if v>>22 != 0x100 && v>>22 != 0x1ff { // CALL with a displacement of 23 bits and sign
			continue
		}
		to := (v<<2 - (pos + uint32(i))) >> 2
		to = -(to>>22&1)<<22&0x3fffffff | to&0x3fffff | 0x40000000
		binary.BigEndian.PutUint32(b[i:], to)
	}
	return i
}

func arm64(b []byte, pos uint32) int {
	i := 0
	for ; i+4 <= len(b); i += 4 {
		v := binary.LittleEndian.Uint32(b[i:])
		switch at := pos + uint32(i); {
		case v>>26 == 0x25: // BL
			v = 0x94000000 | (v-at>>2)&0x03ffffff
		case v&0x9f000000 == 0x90000000: // ADRP, if it reaches at most 512 MiB
			page := v>>29&3 | v>>3&0x1ffffc
			if (page+0x20000)&0x1c0000 != 0 {
				continue
			}
			page -= at >> 12
			v = v&0x9000001f | page&3<<29 | page&0x3fffc<<3 | -(page&0x20000)&0xe00000
		default:
			continue
		}
		binary.LittleEndian.PutUint32(b[i:], v)
	}
	return i
}

// riscV undoes JAL to x1 and x5, and pairs of AUIPC and an instruction that uses its result,
// which the encoder marks as an AUIPC to x2 that holds the second instruction, followed by the
// absolute address in big-endian order.
func riscV(b []byte, pos uint32) int {
	const opcode, sp = 0x17, 2 << 7
	i := 0
	for ; i+8 <= len(b); i += 2 {
		v := binary.LittleEndian.Uint32(b[i:])
		at := pos + uint32(i)
		switch {
		case v&0xff == 0xef:
			if v&0xd00 != 0 { // JAL, but rd is neither x1 nor x5
				continue
			}
			to := v>>8&0xf0<<13 | v>>16&0xff<<9 | v>>24<<1
			to -= at
			v = v&0xfff | to&0xff000 | to>>11&1<<20 | to>>1&0x3ff<<21 | to>>20&1<<31
			binary.LittleEndian.PutUint32(b[i:], v)
			i += 2
		case v&0x7f != opcode:
		case v&0xe80 != 0: // rd is neither x0 nor x2: data that looks like a pair was disguised
			second := binary.LittleEndian.Uint32(b[i+4:])
			if (v<<8^(second-3))&0xf8003 != 0 {
				i += 4
				continue
			}
			binary.LittleEndian.PutUint32(b[i:], opcode|sp|second<<12)
			binary.LittleEndian.PutUint32(b[i+4:], v&0xfffff000+second>>20)
			i += 6
		default:
			base := v >> 27 // rs1 of the second instruction
			if (v-0x3000-opcode-sp)<<18 >= base&0x1d {
				i += 2
				continue
			}
			to := binary.BigEndian.Uint32(b[i+4:]) - at
			binary.LittleEndian.PutUint32(b[i:], opcode|base<<7|(to+0x800)&0xfffff000)
			binary.LittleEndian.PutUint32(b[i+4:], v>>12|to<<20)
			i += 6
		}
	}
	return i
}
