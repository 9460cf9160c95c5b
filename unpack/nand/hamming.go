package nand

import (
	"fmt"
	"math/bits"

	"hallmark/unpack/format"
)

// hamming is how a driver lays out the Hamming code in the spare area: 3 bytes for each step of
// the data.
type hamming struct {
	step int   // bytes of data that one code is for
	at   []int // where its bytes are in the spare area, 3 for each step
	// swapped is the order of SmartMedia: the low rows of the code first.
	swapped bool
}

func (h *hamming) String() string {
	order := ""
	if h.swapped {
		order = " in SmartMedia order"
	}
	return fmt.Sprintf("Hamming, 3 bytes for %d%s", h.step, order)
}

type counts struct {
	corrected, lost int
	first           int64 // page of the first one lost
}

// layout returns where n bytes of code are in the spare area of a geometry. Linux
// drivers/mtd/nand/raw/nand_base.c: of small pages around the bad block mark, else at the end.
func layout(g geometry, n int) []int {
	if g.page == 512 && n == 6 {
		return []int{0, 1, 2, 3, 6, 7}
	}
	first := int(g.spare) - n
	if first < 2 {
		return nil
	}
	at := make([]int, n)
	for i := range at {
		at[i] = first + i
	}
	return at
}

// findHamming returns the layout that nearly all of some pages agree with, or nil.
func findHamming(src format.Source, g geometry) *hamming {
	const sample = 64
	pages := src.Size() / g.whole()
	buf := make([]byte, g.whole())
	for _, h := range []hamming{{step: 256}, {step: 256, swapped: true}, {step: 512}, {step: 512, swapped: true}} {
		h.at = layout(g, 3*int(g.page)/h.step)
		if h.at == nil {
			continue
		}
		good, written, coded := 0, 0, 0
		for i, tried := int64(0), 0; i < pages && written < sample && tried < 16*sample; i, tried = i+max(1, pages/(16*sample)), tried+1 {
			if n, _ := src.ReadAt(buf, i*g.whole()); n < len(buf) {
				break
			}
			if plain(buf[:g.page]) {
				continue // the code of a page of one value fits many layouts
			}
			written++
			if c, lost := h.fix(buf[:g.page], buf[g.page:]); lost == 0 && c <= 1 {
				good++
			}
			if !unwritten(h.code(buf[g.page:])) {
				coded++
			}
		}
		// The code of regular data is that of erased flash at times, but not of most pages.
		if written >= 4 && good*10 >= written*9 && coded*2 >= written {
			return &h
		}
	}
	return nil
}

func plain(b []byte) bool {
	for _, c := range b {
		if c != b[0] {
			return false
		}
	}
	return true
}

// A corrector knows a code and where it stands in the spare area.
type corrector interface {
	// fix sets wrong bits of a page right and returns how many, and in how many steps too many are wrong.
	fix(page, spare []byte) (corrected, lost int)
	String() string
}

// findCode returns the code of the dump, or nil.
func findCode(src format.Source, g geometry) corrector {
	if h := findHamming(src, g); h != nil {
		return h
	}
	if c := findBCH(src, g); c != nil {
		return c
	}
	return nil
}

// check goes through all pages.
func check(ecc corrector, src format.Source, g geometry) (c counts) {
	if ecc == nil {
		return c
	}
	buf := make([]byte, g.whole())
	for off := int64(0); off+g.whole() <= src.Size(); off += g.whole() {
		if n, _ := src.ReadAt(buf, off); n < len(buf) {
			break
		}
		corrected, lost := ecc.fix(buf[:g.page], buf[g.page:])
		if c.lost == 0 && lost > 0 {
			c.first = off
		}
		c.corrected += corrected
		c.lost += lost
	}
	return c
}

// fix corrects a page and returns how many bits it changed and in how many steps more than one is
// wrong. A wrong bit in the code itself counts as corrected.
func (h *hamming) fix(page, spare []byte) (corrected, lost int) {
	code := h.code(spare)
	if unwritten(code) {
		return 0, 0
	}
	for i := 0; (i+1)*h.step <= len(page); i++ {
		data := page[i*h.step:][:h.step]
		syndrome := parity(data) ^ code[i]
		// Of each pair of parities (bit clear, bit set) one is wrong if one bit of the data is.
		pairs := bits.Len(uint(h.step)) - 1 + 3
		switch odd := (syndrome ^ syndrome>>1) & 0x55555555 & (1<<(2*pairs) - 1); {
		case syndrome == 0:
		case bits.OnesCount32(odd) == pairs:
			place := 0
			for k := range pairs {
				place |= int(syndrome>>(2*k+1)&1) << k
			}
			data[place>>3] ^= 1 << (place & 7)
			corrected++
		case bits.OnesCount32(syndrome) == 1:
			corrected++
		default:
			lost++
		}
	}
	return corrected, lost
}

// unwritten reports whether the codes are those of an erased page, which nothing is said about.
func unwritten(code []uint32) bool {
	for _, c := range code {
		if c != 0 {
			return false
		}
	}
	return true
}

// code returns the code of each step as parity computes it: pairs of parities from the low end, 3
// for the bit within a byte, then those for the byte.
func (h *hamming) code(spare []byte) []uint32 {
	out := make([]uint32, len(h.at)/3)
	for i := range out {
		high, low, last := spare[h.at[3*i]], spare[h.at[3*i+1]], spare[h.at[3*i+2]]
		if h.swapped {
			high, low = low, high
		}
		// It is stored inverted, so that erased flash has the right code. The two bits at the low
		// end of the last byte are those of the ninth bit of the byte's number, if there is one.
		c := uint32(^last>>2) | uint32(^low)<<6 | uint32(^high)<<14
		if h.step == 512 {
			c |= uint32(^last&3) << 22
		}
		out[i] = c
	}
	return out
}

// parity computes the code of a step.
func parity(b []byte) uint32 {
	var all byte      // xor of all bytes
	var set uint      // xor of the numbers of the bytes with odd parity
	var odd, c uint32 // their number modulo 2, and the code
	for i, x := range b {
		all ^= x
		p := uint(bits.OnesCount8(x)) & 1
		set ^= uint(i) & -p
		odd ^= uint32(p)
	}
	pair := func(k int, one uint32) { c |= (odd^one)<<(2*k) | one<<(2*k+1) }
	for k, mask := range []byte{0xaa, 0xcc, 0xf0} {
		pair(k, uint32(bits.OnesCount8(all&mask))&1)
	}
	for k := 0; 1<<k < len(b); k++ {
		pair(3+k, uint32(set>>k)&1)
	}
	return c
}
