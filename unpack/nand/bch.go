package nand

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"hallmark/unpack/format"
)

// bch is a binary BCH code over the field of 2^m elements that corrects t bits in each step of the
// data, as Linux computes it (lib/bch.c) and as most controllers do: systematic, the data first,
// its bits in order from the high end of a byte or, in some controllers, from the low end.
type bch struct {
	m, t, step int
	reversed   bool
	inverted   bool  // so that erased flash has the right code
	at         []int // where the code of each step begins in the spare area
	size       int   // of the code of a step, in bits
	table      [][]uint32
	exp        []uint16 // powers of a primitive element
	log        []uint16
	erased     []byte // code of erased data
}

// bchKinds are the codes that drivers and data sheets ask for: 4 and 8 bits in 512 bytes, 8 to 24
// in 1,024.
var bchKinds = [...]struct{ step, t int }{{512, 4}, {512, 8}, {1024, 8}, {1024, 16}, {1024, 24}}

// primitive has the polynomials of lib/bch.c, by m.
var primitive = map[int]uint32{13: 0x201b, 14: 0x402b}

func (c *bch) String() string {
	order := ""
	if c.reversed {
		order = ", low bits first"
	}
	return fmt.Sprintf("BCH, %d bits in %d%s", c.t, c.step, order)
}

func newBCH(step, t int, reversed bool) *bch {
	c := &bch{m: bits.Len(uint(8 * step)), t: t, step: step, reversed: reversed}
	n := 1<<c.m - 1
	c.exp, c.log = make([]uint16, 2*n), make([]uint16, n+1)
	x := uint32(1)
	for i := range n {
		c.exp[i], c.exp[i+n], c.log[x] = uint16(x), uint16(x), uint16(i)
		if x <<= 1; x > uint32(n) {
			x ^= primitive[c.m]
		}
	}
	c.tabulate(c.generator())
	blank := make([]byte, step)
	for i := range blank {
		blank[i] = 0xff
	}
	c.erased = c.encode(blank)
	return c
}

func (c *bch) mul(a, b uint16) uint16 {
	if a == 0 || b == 0 {
		return 0
	}
	return c.exp[int(c.log[a])+int(c.log[b])]
}

// generator returns the coefficients, from the constant on, of the least polynomial that has the
// odd powers of the primitive element up to 2t-1 as roots.
func (c *bch) generator() []uint16 {
	n := 1<<c.m - 1
	root := map[int]bool{}
	g := []uint16{1}
	for i := 1; i < 2*c.t; i += 2 {
		for r := i % n; !root[r]; r = 2 * r % n {
			root[r] = true
			next := make([]uint16, len(g)+1)
			for k, v := range g {
				next[k+1] ^= v
				next[k] ^= c.mul(v, c.exp[r])
			}
			g = next
		}
	}
	return g
}

// tabulate prepares the division by g, a byte at a time. Remainders are words whose highest bit is
// that of the highest power.
func (c *bch) tabulate(g []uint16) {
	c.size = len(g) - 1
	words := (c.size + 31) / 32
	poly := make([]uint32, words)
	for i := range c.size {
		if g[c.size-1-i] != 0 {
			poly[i/32] |= 1 << (31 - i%32)
		}
	}
	c.table = make([][]uint32, 256)
	for v := range c.table {
		r := make([]uint32, words)
		r[0] = uint32(v) << 24
		for range 8 {
			high := r[0]>>31 != 0
			shift(r, 1)
			if high {
				for i := range r {
					r[i] ^= poly[i]
				}
			}
		}
		c.table[v] = r
	}
}

func shift(r []uint32, n int) {
	for i := range r {
		r[i] <<= n
		if i+1 < len(r) {
			r[i] |= r[i+1] >> (32 - n)
		}
	}
}

// bytes is how long the code of a step is.
func (c *bch) bytes() int { return (c.size + 7) / 8 }

// encode returns the code of one step, its bits in the order of the data's.
func (c *bch) encode(data []byte) []byte {
	r := make([]uint32, (c.size+31)/32)
	for _, b := range data {
		if c.reversed {
			b = bits.Reverse8(b)
		}
		t := c.table[b^byte(r[0]>>24)]
		shift(r, 8)
		for i := range r {
			r[i] ^= t[i]
		}
	}
	out := make([]byte, 4*len(r))
	for i, w := range r {
		binary.BigEndian.PutUint32(out[4*i:], w)
	}
	out = out[:c.bytes()]
	if c.reversed {
		for i := range out {
			out[i] = bits.Reverse8(out[i])
		}
	}
	return out
}

// stored returns the code of data as it stands in a spare area.
func (c *bch) stored(data []byte) []byte {
	code := c.encode(data)
	if c.inverted {
		for i := range code {
			code[i] ^= ^c.erased[i]
		}
	}
	return code
}

// fix corrects a page and returns how many bits it changed and in how many steps more are wrong
// than the code can tell.
func (c *bch) fix(page, spare []byte) (corrected, lost int) {
	if plain(page) && page[0] == 0xff && plain(spare) && spare[0] == 0xff {
		return 0, 0 // erased
	}
	for i, at := range c.at {
		data := page[i*c.step:][:c.step]
		code := c.stored(data)
		wrong := false
		for k := range code {
			code[k] ^= spare[at+k]
			if k == len(code)-1 && c.size%8 != 0 { // bits that are no code
				if c.reversed {
					code[k] &= 1<<(c.size%8) - 1
				} else {
					code[k] &^= 1<<(8-c.size%8) - 1
				}
			}
			wrong = wrong || code[k] != 0
		}
		if !wrong {
			continue
		}
		if n := c.correct(data, code); n < 0 {
			lost++
		} else {
			corrected += n
		}
	}
	return corrected, lost
}

// correct sets bits of data right, given the remainder that is left. It returns how many bits of
// data and code were wrong, or -1.
func (c *bch) correct(data, rest []byte) int {
	n := 1<<c.m - 1
	syndromes := make([]uint16, 2*c.t+1)
	for i := range c.size {
		b := rest[i/8]
		if c.reversed {
			b = bits.Reverse8(b)
		}
		if b>>(7-i%8)&1 == 0 {
			continue
		}
		power := c.size - 1 - i
		for j := 1; j <= 2*c.t; j++ {
			syndromes[j] ^= c.exp[j*power%n]
		}
	}
	locator := c.locator(syndromes)
	degree := len(locator) - 1
	if degree > c.t {
		return -1
	}
	var found []int
	total := 8*len(data) + c.size
	for power := 0; power < total && len(found) < degree; power++ {
		var v uint16
		for k, a := range locator {
			if a != 0 {
				v ^= c.exp[(int(c.log[a])+(n-power%n)*k)%n]
			}
		}
		if v == 0 {
			found = append(found, power)
		}
	}
	if len(found) != degree {
		return -1
	}
	for _, power := range found {
		if bit := total - 1 - power; bit < 8*len(data) {
			mask := byte(1) << (7 - bit%8)
			if c.reversed {
				mask = bits.Reverse8(mask)
			}
			data[bit/8] ^= mask
		}
	}
	return degree
}

// locator is Berlekamp's and Massey's algorithm: the shortest polynomial whose register yields the
// syndromes, from the constant on. Its roots are the inverses of where the errors are.
func (c *bch) locator(s []uint16) []uint16 {
	n := 1<<c.m - 1
	now, before := []uint16{1}, []uint16{1}
	length, gap, last := 0, 1, uint16(1)
	for i := 1; i < len(s); i++ {
		d := s[i]
		for k := 1; k <= length && k < len(now) && k < i; k++ {
			d ^= c.mul(now[k], s[i-k])
		}
		if d == 0 {
			gap++
			continue
		}
		next := append([]uint16(nil), now...)
		factor := c.exp[(int(c.log[d])+n-int(c.log[last]))%n]
		for k, v := range before {
			for len(next) <= k+gap {
				next = append(next, 0)
			}
			next[k+gap] ^= c.mul(factor, v)
		}
		if 2*length <= i-1 {
			length, before, last, gap = i-length, now, d, 0
		}
		now, gap = next, gap+1
	}
	for len(now) > 1 && now[len(now)-1] == 0 {
		now = now[:len(now)-1]
	}
	if len(now)-1 != length {
		return make([]uint16, len(s)+1) // no such register
	}
	return now
}

// findBCH looks in the spare areas of some pages for the codes of their data. Where they stand is
// the layout, whoever's it is.
func findBCH(src format.Source, g geometry) *bch {
	const sample, most = 12, 1 << 12
	var pages [][]byte
	total := src.Size() / g.whole()
	for i, tried := int64(0), 0; i < total && len(pages) < sample && tried < most; i, tried = i+max(1, total/most), tried+1 {
		buf := make([]byte, g.whole())
		if n, _ := src.ReadAt(buf, i*g.whole()); n < len(buf) {
			break
		}
		if !plain(buf[:g.page]) && !plain(buf[g.page:]) {
			pages = append(pages, buf)
		}
	}
	const enough = 4
	if len(pages) < enough {
		return nil
	}
	for _, kind := range bchKinds {
		if int64(kind.step) > g.page {
			continue
		}
		for _, reversed := range []bool{false, true} {
			c := newBCH(kind.step, kind.t, reversed)
			if int64(c.bytes())*(g.page/int64(c.step)) > g.spare {
				continue
			}
			for _, c.inverted = range []bool{true, false} {
				if c.at = c.layout(pages, g); c.at != nil {
					return c
				}
			}
		}
	}
	return nil
}

// layout returns where the codes of most pages stand, or nil if they are not there.
func (c *bch) layout(pages [][]byte, g geometry) []int {
	whole := c.size / 8 // bytes that are all code
	var at []int
	for step := range int(g.page) / c.step {
		votes := map[int]int{}
		for _, p := range pages {
			data, spare := p[step*c.step:][:c.step], p[g.page:]
			if plain(data) {
				votes[-1]++ // fits many places
				continue
			}
			code := c.stored(data)
			for k := 0; k+c.bytes() <= len(spare); k++ {
				if string(code[:whole]) == string(spare[k:k+whole]) {
					votes[k]++
					break
				}
			}
		}
		best := -1
		for k := range int(g.spare) {
			if votes[k] > 0 && (best < 0 || votes[k] > votes[best]) {
				best = k
			}
		}
		if best < 0 || 2*votes[best] < len(pages)-votes[-1] || votes[best] < 2 {
			return nil
		}
		at = append(at, best)
	}
	return at
}
