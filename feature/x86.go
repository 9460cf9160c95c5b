package feature

import "encoding/binary"

// x86 tells how long instructions of IA-32 and AMD64 are, in 32 and 64 bit mode. What it reads
// wrongly (data between functions) costs some instructions, until the lengths fall in step again.
//
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A,
// https://www.intel.com/sdm.
type x86 struct {
	whole
	long bool
}

// What follows an opcode.
const (
	hasModRM = 1 << iota
	imm8
	imm16
	immz     // 32 bits, 16 with an operand-size prefix
	immGroup // as F6 and F7: an immediate only if the reg field is 0 or 1
	offset   // an address
	group    // the reg field is part of the opcode
)

// oneByte and twoByte describe the opcodes of the first two maps.
var (
	oneByte = func() (t [256]byte) {
		for op := 0; op < 0x40; op++ {
			switch op & 7 {
			case 0, 1, 2, 3:
				t[op] = hasModRM
			case 4:
				t[op] = imm8
			case 5:
				t[op] = immz
			}
		}
		set := func(flags byte, ops ...int) {
			for _, op := range ops {
				t[op] = flags
			}
		}
		set(hasModRM, 0x62, 0x63, 0xc4, 0xc5, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf)
		set(hasModRM|group, 0x8f, 0xd0, 0xd1, 0xd2, 0xd3, 0xfe, 0xff)
		set(hasModRM|group|imm8, 0x80, 0x82, 0x83, 0xc0, 0xc1, 0xc6)
		set(hasModRM|group|immz, 0x81, 0xc7)
		set(hasModRM|group|immGroup|imm8, 0xf6)
		set(hasModRM|group|immGroup|immz, 0xf7)
		set(hasModRM|imm8, 0x6b)
		set(hasModRM|immz, 0x69)
		set(immz, 0x68, 0xa9, 0xe8, 0xe9)
		set(imm16|immz, 0x9a, 0xea)
		set(imm8, 0x6a, 0xa8, 0xcd, 0xd4, 0xd5, 0xeb)
		set(imm16, 0xc2, 0xca)
		set(imm16|imm8, 0xc8)
		set(offset, 0xa0, 0xa1, 0xa2, 0xa3)
		for op := 0x70; op < 0x80; op++ {
			t[op] = imm8
		}
		for op := 0xb0; op < 0xb8; op++ {
			t[op], t[op+8] = imm8, immz
		}
		for op := 0xe0; op < 0xe8; op++ {
			t[op] = imm8
		}
		return t
	}()
	twoByte = func() (t [256]byte) {
		for op := range t {
			t[op] = hasModRM
		}
		for _, op := range []int{0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x0e, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x37, 0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa,
			0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf} {
			t[op] = 0
		}
		for _, op := range []int{0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6} {
			t[op] = hasModRM | imm8
		}
		for op := 0x80; op < 0x90; op++ {
			t[op] = immz
		}
		return t
	}()
)

// maxX86 is the length of the longest instruction.
const maxX86 = 15

func (d *x86) decode(b []byte) (uint16, int) {
	i, narrow, wide := 0, false, false
prefixes:
	for ; i < len(b) && i < maxX86; i++ {
		switch b[i] {
		case 0x66:
			narrow = true
		case 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65:
		default:
			break prefixes
		}
	}
	if d.long && i < len(b) && b[i]>>4 == 4 { // REX
		wide = b[i]&8 != 0
		i++
	}
	if i >= len(b) {
		return 0, max(1, len(b))
	}
	op, table, page := b[i], &oneByte, uint16(0)
	i++
	vex := i < len(b) && (d.long || b[i]>>6 == 3)
	switch {
	case op == 0x0f && i < len(b):
		op, table, page = b[i], &twoByte, 1
		i++
		if (op == 0x38 || op == 0x3a) && i < len(b) {
			page = 2 + uint16(op>>1&1)
			op = b[i]
			i++
		}
	case vex && op == 0xc5 && i+1 < len(b):
		op, table, page = b[i+1], &twoByte, 1
		i += 2
	case vex && (op == 0xc4 && i+2 < len(b) || op == 0x62 && i+3 < len(b)):
		page = uint16(b[i] & 3)
		i += 2
		if op == 0x62 {
			i++
		}
		op, table = b[i], &twoByte
		i++
	}
	flags := table[op]
	switch page {
	case 2:
		flags = hasModRM
	case 3:
		flags = hasModRM | imm8
	}
	token := 1 + (page<<8 | uint16(op))
	if page == 0 && op == 0x90 || page == 0 && op == 0xcc {
		token = 0
	}
	if flags&hasModRM != 0 {
		if i >= len(b) {
			return 0, len(b)
		}
		m := b[i]
		i++
		reg := m >> 3 & 7
		if flags&group != 0 {
			token |= uint16(reg+1) << 11
		}
		if m>>6 == 3 {
			token |= 1 << 15
		}
		if page == 1 && op == 0x1f {
			token = 0 // long NOP
		}
		i += addressing(b[min(i, len(b)):], m)
		if flags&immGroup != 0 && reg > 1 {
			flags &^= imm8 | immz
		}
	}
	if flags&imm8 != 0 {
		i++
	}
	if flags&imm16 != 0 {
		i += 2
	}
	if flags&offset != 0 {
		i += 4
		if d.long {
			i += 4
		}
	}
	switch {
	case flags&immz == 0:
	case narrow && page == 0 && op != 0xe8 && op != 0xe9:
		i += 2
	default:
		if i+4 <= len(b) && page == 0 && op != 0xe8 && op != 0xe9 {
			d.set(binary.LittleEndian.Uint32(b[i:]))
		}
		i += 4
		if wide && op >= 0xb8 && op < 0xc0 && page == 0 {
			i += 4
		}
	}
	return token, max(1, min(i, maxX86, len(b)))
}

// addressing returns how many bytes follow the ModRM byte m: a SIB byte and a displacement.
func addressing(b []byte, m byte) int {
	mod, rm := m>>6, m&7
	n := 0
	if mod == 3 {
		return 0
	}
	if rm == 4 {
		n = 1
		if len(b) > 0 && b[0]&7 == 5 && mod == 0 {
			n += 4
		}
	}
	switch {
	case mod == 1:
		n++
	case mod == 2, mod == 0 && rm == 5:
		n += 4
	}
	return n
}
