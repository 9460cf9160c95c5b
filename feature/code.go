package feature

import (
	"encoding/binary"

	"hallmark/elf"
)

// decoder takes one instruction from the beginning of b, which holds at least four bytes or ends
// the code. It returns its length, at least 1, and what is left of it without registers, addresses
// and immediates: 0 for an instruction that only fills up.
type decoder interface {
	decode(b []byte) (token uint16, n int)
	// block prepares for the bytes of a block. Those of an instruction set that changes within a
	// file tell which it is.
	block(b []byte)
	// constant returns the 32-bit value that the last instruction completed.
	constant() (uint32, bool)
}

// decoderOf returns the decoder for the code of f, nil if there is none.
func decoderOf(f *elf.File) decoder {
	switch f.Machine.String() {
	case "arm":
		return &arm{order: f.Order}
	case "aarch64":
		return &arm64{}
	case "mips", "mips-le":
		return &mips{order: f.Order}
	case "ppc", "ppc64":
		return &ppc{}
	case "riscv":
		return &riscv{}
	case "x86":
		return &x86{}
	case "x86-64":
		return &x86{long: true}
	}
	return nil
}

// grams adds each eight opcodes in a row, and constants.
type grams struct {
	x         *extractor
	decode    decoder
	next      int64  // where the next instruction begins
	low, high uint64 // addresses of the stretch: such values are no constants
	a, b      uint64 // the last eight tokens, the newest lowest in b
	seen      int
}

// armSpan is the bytes for which ARM and Thumb are told apart; it divides blockSize.
const armSpan = 512

// block reads the instructions that begin within the first n bytes of b, which stands at off.
func (g *grams) block(b []byte, n int, off int64) {
	x, bound := g.x, g.x.bound[Code]
	for from := 0; from < n; from += armSpan {
		to := min(from+armSpan, n)
		g.decode.block(b[from:to])
		i := int(g.next - off)
		for i < to {
			token, size := g.decode.decode(b[i:])
			if v, ok := g.decode.constant(); ok && x.on[Constants] && g.telling(v) {
				x.add(Constants, hash2(uint64(Constants), uint64(v)), off+int64(i))
			}
			i += size
			if token == 0 {
				continue
			}
			g.a, g.b = g.a<<16|g.b>>48, g.b<<16|uint64(token)
			if g.seen++; g.seen < 8 {
				continue
			}
			if h := hash2(g.a, g.b); h <= bound && x.on[Code] && varied(g.a, g.b) {
				x.add(Code, h, off+int64(i))
				bound = x.bound[Code]
			}
		}
		g.next = off + int64(i)
	}
}

// telling reports whether v is a constant that somebody chose: no small number, no mask, no address.
func (g *grams) telling(v uint32) bool {
	if v < 1<<16 || v > -1<<16&(1<<32-1) || v&0xfff == 0 || v&0xfff == 0xfff || v&(v+1) == 0 {
		return false
	}
	return uint64(v) < g.low&^0xffffff || uint64(v) > g.high+1<<24
}

// varied reports whether at least five of the eight tokens differ.
func varied(a, b uint64) bool {
	var t [8]uint16
	n := 0
next:
	for i := range 8 {
		v := uint16(b >> (16 * (i & 3)))
		if i >= 4 {
			v = uint16(a >> (16 * (i & 3)))
		}
		for _, w := range t[:n] {
			if v == w {
				continue next
			}
		}
		t[n] = v
		n++
	}
	return n >= 5
}

// whole is the part of a decoder that sets of one instruction set share.
type whole struct {
	value uint32
	ok    bool
}

func (*whole) block([]byte) {}

func (w *whole) constant() (uint32, bool) {
	ok := w.ok
	w.ok = false
	return w.value, ok
}

func (w *whole) set(v uint32) { w.value, w.ok = v, true }

// short ends the code where fewer bytes are left than an instruction has.
func short(b []byte) (uint16, int) { return 0, max(1, len(b)) }

// halves remembers the register that was given the upper or lower half of a value, so that the
// instruction which gives the other half completes a constant.
type halves struct {
	part  [32]uint32
	valid uint32
}

func (h *halves) begin(reg, v uint32) {
	h.part[reg&31] = v
	h.valid |= 1 << (reg & 31)
}

func (h *halves) complete(w *whole, reg, v uint32) {
	if bit := uint32(1) << (reg & 31); h.valid&bit != 0 {
		h.valid &^= bit
		w.set(h.part[reg&31] | v)
	}
}

// arm decodes A32 and T32. Which of them a stretch is tells the condition field: nearly every A32
// instruction is executed always, so that its upper half byte is E.
//
// Encodings: Arm Architecture Reference Manual ARMv7-A, https://developer.arm.com/documentation/ddi0406.
type arm struct {
	whole
	halves
	order binary.ByteOrder
	thumb bool
}

func (d *arm) block(b []byte) {
	always, words := 0, 0
	for i := 0; i+4 <= len(b); i += 4 {
		words++
		if d.order.Uint32(b[i:])>>28 == 0xe {
			always++
		}
	}
	d.thumb = always*2 < words
}

func (d *arm) decode(b []byte) (uint16, int) {
	if d.thumb {
		return d.decodeThumb(b)
	}
	if len(b) < 4 {
		return short(b)
	}
	w := d.order.Uint32(b)
	op := w >> 20 & 0xff
	switch {
	case w>>20&0xff == 0x30: // MOVW
		d.begin(w>>12&15, w>>4&0xf000|w&0xfff)
	case w>>20&0xff == 0x34: // MOVT
		d.complete(&d.whole, w>>12&15, (w>>4&0xf000|w&0xfff)<<16)
	}
	switch w >> 25 & 7 {
	case 0: // data processing by register, multiplications, extra loads
		if w == 0xe1a00000 {
			return 0, 4 // MOV r0, r0
		}
		return uint16(w>>28<<12 | op<<4 | w>>4&9), 4
	case 2, 3: // loads and stores: the sign of the offset goes
		return uint16(w>>28<<12 | op&^8<<4), 4
	case 5: // branches
		return uint16(w>>28<<12 | op&0xf0<<4), 4
	}
	return uint16(w>>28<<12 | op<<4), 4
}

func (d *arm) decodeThumb(b []byte) (uint16, int) {
	if len(b) < 2 {
		return short(b)
	}
	w := d.order.Uint16(b)
	if w>>11 < 0x1d { // 16 bits
		switch {
		case w == 0xbf00 || w == 0x46c0 || w == 0:
			return 0, 2
		case w>>10 == 0x10: // data processing
			return 0x100 | w>>6, 2
		case w>>12 == 0xd: // conditional branches
			return 0x2000 | w>>8, 2
		case w>>12 == 0xb: // push, pop, and others
			return 0x2100 | w>>8, 2
		case w>>10 == 0x11: // high registers, BX
			return 0x2200 | w>>8, 2
		}
		return 0x3000 | w>>11, 2
	}
	if len(b) < 4 {
		return short(b)
	}
	v := d.order.Uint16(b[2:])
	imm := uint32(w&15)<<12 | uint32(w>>10&1)<<11 | uint32(v>>12&7)<<8 | uint32(v&0xff)
	switch {
	case w&0xfbf0 == 0xf240: // MOVW
		d.begin(uint32(v>>8&15), imm)
	case w&0xfbf0 == 0xf2c0: // MOVT
		d.complete(&d.whole, uint32(v>>8&15), imm<<16)
	}
	switch {
	case w>>11 == 0x1e && v>>15 == 1: // branches: BL, B.W, conditional ones with their condition
		if v&0x5000 == 0 {
			return 0x4000 | w>>6&15, 4
		}
		return 0x4100 | v>>12, 4
	case w>>11 == 0x1e: // immediates: without the bit of the immediate
		return 0x5000 | w>>4&0x3f, 4
	}
	return 0x8000 | w>>4&0x3ff, 4
}

// arm64 decodes A64, always little-endian.
//
// Encodings: Arm Architecture Reference Manual for A-profile, https://developer.arm.com/documentation/ddi0487.
type arm64 struct {
	whole
	halves
}

func (d *arm64) decode(b []byte) (uint16, int) {
	if len(b) < 4 {
		return short(b)
	}
	w := binary.LittleEndian.Uint32(b)
	if w == 0xd503201f || w == 0 {
		return 0, 4 // NOP
	}
	switch w & 0x7fe00000 {
	case 0x52800000: // MOVZ, not shifted
		d.begin(w, w>>5&0xffff)
	case 0x72a00000: // MOVK, shifted by 16
		d.complete(&d.whole, w, w>>5&0xffff<<16)
	}
	switch w >> 25 & 15 {
	case 8, 9: // immediates: ADR has none of its opcode below bit 24, bit fields down to 22
		if w>>24&0x1f == 0x10 {
			return uint16(0x8000 | w>>31), 4
		}
		return uint16(w >> 23), 4
	case 10, 11: // branches
		if w>>26&0x1f == 5 {
			return uint16(0x8100 | w>>31), 4
		}
		if w>>24 == 0x54 {
			return uint16(0x8200 | w&15), 4
		}
		return uint16(0x8300 | w>>24), 4
	case 4, 6, 12, 14: // loads and stores
		if w>>24&1 == 1 && w>>28&3 == 3 || w>>27&7 == 5 {
			return uint16(0x2000 | w>>22), 4 // the offset begins at bit 21
		}
		return uint16(0x4000 | w>>21), 4
	}
	return uint16(0x1000 | w>>21), 4
}

// mips decodes MIPS32 and MIPS64 up to release 5; not microMIPS.
//
// Encodings: MIPS32 Architecture for Programmers, volume II, https://mips.com/products/architectures/mips32-2/.
type mips struct {
	whole
	halves
	order binary.ByteOrder
}

func (d *mips) decode(b []byte) (uint16, int) {
	if len(b) < 4 {
		return short(b)
	}
	w := d.order.Uint32(b)
	if w == 0 {
		return 0, 4
	}
	op := w >> 26
	switch op {
	case 0x0f: // LUI
		d.begin(w>>16&31, w<<16)
	case 0x0d: // ORI
		if w>>21&31 == w>>16&31 {
			d.complete(&d.whole, w>>16&31, w&0xffff)
		}
	}
	switch op {
	case 0x00, 0x1c, 0x1f: // SPECIAL and its sisters
		return uint16(0x4000 | op<<6 | w&0x3f), 4
	case 0x01: // branches that compare with zero
		return uint16(0x1000 | w>>16&31), 4
	case 0x10, 0x11, 0x12: // coprocessors
		return uint16(0x2000 | op&3<<11 | w>>21&31<<6 | w&0x3f), 4
	}
	return uint16(0x8000 | op), 4
}

// ppc decodes big-endian Power.
//
// Encodings: Power ISA, book I, https://openpowerfoundation.org/specifications/isa/.
type ppc struct{ whole }

func (*ppc) decode(b []byte) (uint16, int) {
	if len(b) < 4 {
		return short(b)
	}
	w := binary.BigEndian.Uint32(b)
	switch op := w >> 26; op {
	case 19, 31, 59, 63:
		return uint16(op<<10 | w>>1&0x3ff), 4
	case 24:
		if w == 0x60000000 {
			return 0, 4 // NOP
		}
		return uint16(op << 10), 4
	default:
		return uint16(op << 10), 4
	}
}

// riscv decodes RV32 and RV64 with compressed instructions.
//
// Encodings: The RISC-V Instruction Set Manual, volume I, https://riscv.org/technical/specifications/.
type riscv struct{ whole }

func (*riscv) decode(b []byte) (uint16, int) {
	if len(b) < 2 {
		return short(b)
	}
	w := binary.LittleEndian.Uint16(b)
	if w&3 != 3 {
		if w == 1 || w == 0 {
			return 0, 2 // C.NOP
		}
		return 0x8000 | w>>13<<2 | w&3, 2
	}
	if len(b) < 4 {
		return short(b)
	}
	v := binary.LittleEndian.Uint32(b)
	if v&0x7f == 0x33 || v&0x7f == 0x3b { // between registers
		return uint16(v>>25<<5&0x7000 | v>>12&7<<7 | v&0x7f), 4
	}
	if op := v & 0x7f; op == 0x37 || op == 0x17 || op == 0x6f { // no function field
		return uint16(op), 4
	}
	return uint16(0x4000 | v>>12&7<<7 | v&0x7f), 4
}
