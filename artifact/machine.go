package artifact

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// Machine names the processor that b, unclaimed bytes, looks like code of: "arm-le", "thumb-le",
// "arm64-le", "mips-be", "ppc-be", "x86", "riscv-le", ... It is a guess from how often the
// instructions occur with which compilers begin and end functions; "" if there are too few, or if
// two processors come close to each other.
//
// The encodings are from the architectures' manuals: return and call instructions and the
// prologues that every compiler emits.
func Machine(b []byte) string {
	score := map[string]int{}
	for i := 0; i+4 <= len(b); i += 2 {
		le, be := binary.LittleEndian.Uint32(b[i:]), binary.BigEndian.Uint32(b[i:])
		if i%4 == 0 {
			word(score, "-le", le)
			word(score, "-be", be)
		}
		half(score, i, uint16(le), uint16(le>>16))
	}
	// push rbp; mov rbp, rsp | push r15; push r14 | pop rbx; pop rbp; pop r12 | sub rsp, n | endbr64
	for _, p := range []string{"\x55\x48\x89\xe5", "\x55\x89\xe5", "\x41\x57\x41\x56", "\x5b\x5d\x41\x5c", "\x48\x83\xec", "\xf3\x0f\x1e\xfa"} {
		score["x86"] += bytes.Count(b, []byte(p))
	}
	// Each of the two is one in 256 of random halves.
	score["thumb-le"] = 2*(min(score["thumb-push"], score["thumb-pop"])-len(b)/512) + score["thumb-wide"]
	best, second, name := 0, 0, ""
	for _, m := range machines {
		switch n := score[m]; {
		case n > best:
			best, second, name = n, best, m
		case n > second:
			second = n
		}
	}
	if best < 8 || best*2048 < len(b) || best < 3*second {
		return ""
	}
	return name
}

// machines is the order in which equals are taken.
var machines = [...]string{"arm-le", "arm-be", "thumb-le", "arm64-le", "arm64-be", "mips-le", "mips-be", "ppc-le", "ppc-be", "riscv-le", "x86"}

// word counts what 32-bit instructions give away.
func word(score map[string]int, order string, w uint32) {
	switch {
	case w == 0xe12fff1e, w&0xffff4000 == 0xe92d4000, w&0xffff8000 == 0xe8bd8000: // bx lr; push {..., lr}; pop {..., pc}
		score["arm"+order]++
	case w == 0xd65f03c0, w&0xffc07fff == 0xa9807bfd: // ret; stp x29, x30, [sp, #-n]!
		score["arm64"+order]++
	case w == 0x03e00008, w&0xffff8000 == 0x27bd8000: // jr ra; addiu sp, sp, -n
		score["mips"+order]++
	case w == 0x4e800020, w&0xffff8000 == 0x94218000, w == 0x7c0802a6: // blr; stwu r1, -n(r1); mflr r0
		score["ppc"+order]++
	case w == 0x00008067 && order == "-le": // ret
		score["riscv-le"]++
	}
}

// half counts what 16-bit instructions at offset i give away, alone or in pairs. Both sets are
// little-endian wherever they were seen.
func half(score map[string]int, i int, a, b uint16) {
	switch {
	case a&0xff00 == 0xb500: // push {..., lr}
		score["thumb-push"]++
	case a == 0x4770, a&0xff00 == 0xbd00: // bx lr; pop {..., pc}
		score["thumb-pop"]++
	case i%4 == 0 && (a == 0xe92d && b&0x4000 != 0 || a == 0xe8bd && b&0x8000 != 0): // push.w {..., lr}; pop.w {..., pc}
		score["thumb-wide"] += 2 // as many at the other halves, where ARM has the same value
	case a == 0x8082, a&0xff07 == 0x1101 && b&0xff03 == 0xec02: // c.ret; c.addi sp before c.swsp ra
		score["riscv-le"]++
	}
}

// period returns the length of a key with which b looks to be XORed again and again: the
// smallest distance of at most 256 at which bytes are equal far more often than at others,
// because the key stands bare wherever the plain bytes are zero. 0 if there is none.
func period(b []byte) int {
	b = b[:min(len(b), 16<<10)]
	if len(b) < 4096 {
		return 0
	}
	var equal [257]int
	sum := 0
	for d := 1; d <= 256; d++ {
		for i, c := range b[d:] {
			if c == b[i] {
				equal[d]++
			}
		}
		sum += equal[d]
	}
	usual := sum / 256
	for d := 1; d <= 256; d++ {
		if equal[d] > 3*usual && equal[d] > len(b)/25 {
			return d
		}
	}
	return 0
}

// crcPolynomials are those whose tables programs carry to compute a CRC-32, up to eight tables to
// do so eight bytes at a time (lib/crc32.c of Linux). They are as dense as a cipher's output.
var crcPolynomials = [...]uint32{crc32.IEEE, crc32.Castagnoli}

// CRCTables returns the runs of b that are tables of a CRC-32, in order: whole tables of 256
// entries, each derived from the one before, in either byte order and bit order.
func CRCTables(b []byte) []Range {
	var out []Range
	for i := 0; i+1024 <= len(b); i += 4 {
		n := crcTable(b[i:])
		if n == 0 {
			continue
		}
		if k := len(out); k > 0 && out[k-1].End() == int64(i) {
			out[k-1].Len += n
		} else {
			out = append(out, Range{int64(i), n})
		}
		i += int(n) - 4
	}
	return out
}

// crcTable returns the length of the tables that b begins with, 0 if it begins with none.
func crcTable(b []byte) int64 {
	// Entry 0 is 0 and entry 128 is the polynomial (bits reversed or not): a cheap first look.
	if binary.LittleEndian.Uint32(b) != 0 {
		return 0
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, p := range crcPolynomials {
			if order.Uint32(b[128*4:]) == p { // reversed bits, as zlib
				return follow(b, order, crc32.MakeTable(p), func(x uint32, t *crc32.Table) uint32 { return x>>8 ^ t[byte(x)] })
			}
			if order.Uint32(b[4:]) == bits.Reverse32(p) { // plain bits, as bzip2
				return follow(b, order, plainTable(bits.Reverse32(p)), func(x uint32, t *crc32.Table) uint32 { return x<<8 ^ t[byte(x>>24)] })
			}
		}
	}
	return 0
}

// follow returns how far b agrees with table and those derived from it.
func follow(b []byte, order binary.ByteOrder, table *crc32.Table, next func(uint32, *crc32.Table) uint32) int64 {
	entries := *table
	n := 0
	for tables := 0; tables < 8 && n+1024 <= len(b); tables++ {
		for i, want := range entries {
			if order.Uint32(b[n+4*i:]) != want {
				return int64(n)
			}
			entries[i] = next(want, table)
		}
		n += 1024
	}
	return int64(n)
}

func plainTable(poly uint32) *crc32.Table {
	var t crc32.Table
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c>>31 == 1 {
				c = c<<1 ^ poly
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return &t
}
