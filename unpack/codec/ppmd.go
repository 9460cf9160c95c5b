package codec

import (
	"encoding/binary"
	"io"
)

// ppmd is the model of PPMd variant H by Dmitry Shkarin, as 7z (PPMD7) and RAR 3 use it: contexts, the
// symbols seen in each and how often, in a memory of fixed size that is begun anew when it is full. How it
// is divided is a part of the method, because it decides when that happens. References are offsets in mem; 0 is none.
//
// The model is described by the public domain sources of 7-Zip (https://www.7-zip.org/sdk.html, C/Ppmd7.c) and
// Shkarin's paper, PPM: one step to practicality (https://doi.org/10.1109/DCC.2002.999958).
//
// A context has 12 bytes: number of symbols (2), sum of frequencies (2), its symbols (4), suffix (4). If it has
// one symbol, that takes the place of sum and reference. A symbol has 6: itself, frequency, successor (4).
type ppmd struct {
	mem         []byte
	size        uint32
	order       int
	text        uint32 // where the next byte of what was decoded is put
	unitsStart  uint32
	low, high   uint32 // between them memory never used
	free        [ppmdIndexes]uint32
	glue        int // until free blocks are joined
	min, max    uint32
	found       uint32 // symbol
	fall        int    // by how much the order is below the highest
	initEsc     int
	prevSuccess int
	highBits    int
	run         int32
	initRun     int32
	bin         [128][64]uint16
	see         [25][16]ppmdSee
	dummy       ppmdSee
	broken      bool // what cannot be

	unitsOf [ppmdIndexes]uint8
	indexOf [128]uint8
	nsIndex [256]uint8
}

// ppmdSee estimates escapes.
type ppmdSee struct {
	sum          uint16
	shift, count uint8
}

const (
	ppmdIndexes   = 38
	ppmdUnit      = 12
	ppmdStart     = ppmdUnit // of what is used in mem
	ppmdMaxFreq   = 124
	ppmdPeriod    = 7
	ppmdScale     = 1 << 14
	ppmdMinMemory = 1 << 11
	ppmdMaxMemory = 1<<32 - 1 - 3*ppmdUnit
	ppmdMaxOrder  = 64
)

var (
	ppmdInitBin = [8]uint16{0x3cdd, 0x1f3f, 0x59bf, 0x48f3, 0x64a1, 0x5abc, 0x6632, 0x6051}
	ppmdEscape  = [16]uint8{25, 14, 9, 7, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2}
)

// newPPMd makes a model of size bytes.
func newPPMd(size uint32) *ppmd {
	p := &ppmd{mem: make([]byte, ppmdStart+int(size)+ppmdUnit), size: size}
	k := 0
	for i := range p.unitsOf {
		step := 4
		if i < 12 {
			step = i>>2 + 1
		}
		for range step {
			p.indexOf[k] = uint8(i)
			k++
		}
		p.unitsOf[i] = uint8(k)
	}
	// 0, 1, 2, and then each number one time more than the one before.
	v, left := 0, 1
	for i := range p.nsIndex {
		p.nsIndex[i] = uint8(v)
		if left--; left == 0 {
			v++
			left = max(1, v-2)
		}
	}
	return p
}

func (p *ppmd) u16(at uint32) int         { return int(binary.LittleEndian.Uint16(p.mem[at:])) }
func (p *ppmd) put16(at uint32, v int)    { binary.LittleEndian.PutUint16(p.mem[at:], uint16(v)) }
func (p *ppmd) u32(at uint32) uint32      { return binary.LittleEndian.Uint32(p.mem[at:]) }
func (p *ppmd) put32(at uint32, v uint32) { binary.LittleEndian.PutUint32(p.mem[at:], v) }

// Fields of contexts and symbols.
func (p *ppmd) count(c uint32) int        { return p.u16(c) }
func (p *ppmd) setCount(c uint32, n int)  { p.put16(c, n) }
func (p *ppmd) sum(c uint32) int          { return p.u16(c + 2) }
func (p *ppmd) setSum(c uint32, n int)    { p.put16(c+2, n) }
func (p *ppmd) stats(c uint32) uint32     { return p.u32(c + 4) }
func (p *ppmd) setStats(c, s uint32)      { p.put32(c+4, s) }
func (p *ppmd) suffix(c uint32) uint32    { return p.u32(c + 8) }
func (p *ppmd) setSuffix(c, s uint32)     { p.put32(c+8, s) }
func (p *ppmd) symbol(s uint32) byte      { return p.mem[s] }
func (p *ppmd) freq(s uint32) int         { return int(p.mem[s+1]) }
func (p *ppmd) setFreq(s uint32, n int)   { p.mem[s+1] = byte(n) }
func (p *ppmd) successor(s uint32) uint32 { return p.u32(s + 2) }
func (p *ppmd) setSuccessor(s, v uint32)  { p.put32(s+2, v) }
func one(c uint32) uint32                 { return c + 2 }

const stateLen = 6

type ppmdState [stateLen]byte

func (p *ppmd) state(s uint32) ppmdState       { return ppmdState(p.mem[s : s+stateLen]) }
func (p *ppmd) setState(s uint32, v ppmdState) { copy(p.mem[s:s+stateLen], v[:]) }

func (p *ppmd) swap(a, b uint32) {
	v := p.state(a)
	p.setState(a, p.state(b))
	p.setState(b, v)
}

// find returns the symbol of context c that is sym. A context has all symbols of those whose suffix it is.
func (p *ppmd) find(c uint32, sym byte) uint32 {
	if p.count(c) == 1 {
		return one(c)
	}
	s := p.stats(c)
	for range p.count(c) {
		if p.mem[s] == sym {
			return s
		}
		s += stateLen
	}
	p.broken = true
	return p.stats(c)
}

// Memory.

func (p *ppmd) index(units int) int { return int(p.indexOf[units-1]) }
func (p *ppmd) units(i int) int     { return int(p.unitsOf[i]) }

func (p *ppmd) insert(at uint32, i int) {
	p.put32(at, p.free[i])
	p.free[i] = at
}

func (p *ppmd) remove(i int) uint32 {
	at := p.free[i]
	p.free[i] = p.u32(at)
	return at
}

// insertUnits makes a block of up to 128 units at at free, as two if there is no list for that number.
func (p *ppmd) insertUnits(at uint32, n int) {
	i := p.index(n)
	if p.units(i) != n {
		i--
		k := p.units(i)
		p.insert(at+uint32(k)*ppmdUnit, n-k-1)
	}
	p.insert(at, i)
}

func (p *ppmd) split(at uint32, from, to int) {
	p.insertUnits(at+uint32(p.units(to))*ppmdUnit, p.units(from)-p.units(to))
}

// join puts free blocks that stand side by side together. Meanwhile a free block is
// 0 (2), units (2), next (4), previous (4): what is used does not begin with 0.
func (p *ppmd) join() {
	head := ppmdStart + p.size
	next, prev := func(n uint32) uint32 { return p.u32(n + 4) }, func(n uint32) uint32 { return p.u32(n + 8) }
	n := head
	p.glue = 255
	for i := range p.free {
		at := p.free[i]
		p.free[i] = 0
		for at != 0 {
			following := p.u32(at)
			p.put32(at+4, n)
			p.put32(n+8, at)
			n = at
			p.put16(at, 0)
			p.put16(at+2, p.units(i))
			at = following
		}
	}
	p.put16(head, 1)
	p.put32(head+4, n)
	p.put32(n+8, head)
	if p.low != p.high {
		p.put16(p.low, 1)
	}
	for ; n != head; n = next(n) {
		units := p.u16(n + 2)
		for {
			other := n + uint32(units)*ppmdUnit
			if p.u16(other) != 0 {
				break
			}
			if units += p.u16(other + 2); units >= 1<<16 {
				break
			}
			p.put32(prev(other)+4, next(other))
			p.put32(next(other)+8, prev(other))
			p.put16(n+2, units)
		}
	}
	for n = next(head); n != head; {
		at, units := n, p.u16(n+2)
		n = next(n)
		for ; units > 128; units -= 128 {
			p.insert(at, ppmdIndexes-1)
			at += 128 * ppmdUnit
		}
		p.insertUnits(at, units)
	}
}

// allocateRare takes a larger block than needed, or memory of the text's; 0 if there is none.
func (p *ppmd) allocateRare(i int) uint32 {
	if p.glue == 0 {
		p.join()
		if p.free[i] != 0 {
			return p.remove(i)
		}
	}
	for k := i + 1; k < ppmdIndexes; k++ {
		if p.free[k] != 0 {
			at := p.remove(k)
			p.split(at, k, i)
			return at
		}
	}
	p.glue--
	n := uint32(p.units(i)) * ppmdUnit
	if p.unitsStart-p.text <= n {
		return 0
	}
	p.unitsStart -= n
	return p.unitsStart
}

func (p *ppmd) allocate(i int) uint32 {
	if p.free[i] != 0 {
		return p.remove(i)
	}
	if n := uint32(p.units(i)) * ppmdUnit; n <= p.high-p.low {
		p.low += n
		return p.low - n
	}
	return p.allocateRare(i)
}

func (p *ppmd) allocateContext() uint32 {
	switch {
	case p.high != p.low:
		p.high -= ppmdUnit
		return p.high
	case p.free[0] != 0:
		return p.remove(0)
	}
	return p.allocateRare(0)
}

func (p *ppmd) shrink(at uint32, from, to int) uint32 {
	i, k := p.index(from), p.index(to)
	if i == k {
		return at
	}
	if p.free[k] != 0 {
		moved := p.remove(k)
		copy(p.mem[moved:moved+uint32(to)*ppmdUnit], p.mem[at:])
		p.insert(at, i)
		return moved
	}
	p.split(at, i, k)
	return at
}

// Model.

func (p *ppmd) reset(order int) {
	p.order = order
	p.dummy = ppmdSee{shift: ppmdPeriod, count: 64}
	p.highBits, p.initEsc, p.broken = 0, 0, false
	p.restart()
}

// restart begins the model anew with the context of no byte, in which all symbols are.
func (p *ppmd) restart() {
	clear(p.free[:])
	p.text = ppmdStart
	p.high = p.text + p.size
	p.unitsStart = p.high - p.size/8/ppmdUnit*7*ppmdUnit
	p.low = p.unitsStart
	p.glue = 0
	p.fall = p.order
	p.initRun = -int32(min(p.order, 12)) - 1
	p.run = p.initRun
	p.prevSuccess = 0
	p.high -= ppmdUnit
	p.min, p.max = p.high, p.high
	p.found = p.low
	p.low += 256 / 2 * ppmdUnit
	p.setSuffix(p.min, 0)
	p.setCount(p.min, 256)
	p.setSum(p.min, 256+1)
	p.setStats(p.min, p.found)
	for i := range uint32(256) {
		p.setState(p.found+i*stateLen, ppmdState{byte(i), 1})
	}
	for i := range p.bin {
		for k := range p.bin[i] {
			p.bin[i][k] = ppmdScale - ppmdInitBin[k%8]/uint16(i+2)
		}
	}
	for i := range p.see {
		for k := range p.see[i] {
			p.see[i][k] = ppmdSee{sum: uint16((5*i + 10) << (ppmdPeriod - 4)), shift: ppmdPeriod - 4, count: 4}
		}
	}
}

// extend makes contexts longer by one for the symbol found, in the contexts from min down; 0 if memory is short.
func (p *ppmd) extend(skip bool) uint32 {
	var waiting [ppmdMaxOrder + 1]uint32
	n := 0
	if !skip {
		waiting[n] = p.found
		n++
	}
	c, sym, up := p.min, p.symbol(p.found), p.successor(p.found)
	for p.suffix(c) != 0 && n < len(waiting) {
		c = p.suffix(c)
		s := p.find(c, sym)
		if to := p.successor(s); to != up {
			c = to
			if n == 0 {
				return c
			}
			break
		}
		waiting[n] = s
		n++
	}
	var v ppmdState
	v[0] = p.mem[up]
	binary.LittleEndian.PutUint32(v[2:], up+1)
	if p.count(c) == 1 {
		v[1] = byte(p.freq(one(c)))
	} else {
		f := p.freq(p.find(c, v[0])) - 1
		rest := p.sum(c) - p.count(c) - f
		switch {
		case 2*f > rest && rest > 0:
			v[1] = byte(1 + (2*f+3*rest-1)/(2*rest))
		case 5*f > rest:
			v[1] = 2
		default:
			v[1] = 1
		}
	}
	for n > 0 {
		c1 := p.allocateContext()
		if c1 == 0 {
			return 0
		}
		p.setCount(c1, 1)
		p.setState(one(c1), v)
		p.setSuffix(c1, c)
		n--
		p.setSuccessor(waiting[n], c1)
		c = c1
	}
	return c
}

// update goes on to the context of the symbol found, and adds it to those that did not have it.
func (p *ppmd) update() {
	if !p.learn() {
		p.restart()
	}
}

func (p *ppmd) learn() bool {
	sym, freq, to := p.symbol(p.found), p.freq(p.found), p.successor(p.found)
	if c := p.suffix(p.min); freq < ppmdMaxFreq/4 && c != 0 {
		s := p.find(c, sym)
		if p.count(c) == 1 {
			if p.freq(s) < 32 {
				p.setFreq(s, p.freq(s)+1)
			}
		} else {
			if s != p.stats(c) && p.freq(s) >= p.freq(s-stateLen) {
				p.swap(s, s-stateLen)
				s -= stateLen
			}
			if p.freq(s) < ppmdMaxFreq-9 {
				p.setFreq(s, p.freq(s)+2)
				p.setSum(c, p.sum(c)+2)
			}
		}
	}
	if p.fall == 0 {
		p.min = p.extend(true)
		p.max = p.min
		if p.min == 0 {
			return false
		}
		p.setSuccessor(p.found, p.min)
		return true
	}
	p.mem[p.text] = sym
	p.text++
	next := p.text
	if p.text >= p.unitsStart {
		return false
	}
	if to != 0 {
		if to <= next {
			if to = p.extend(false); to == 0 {
				return false
			}
		}
		if p.fall--; p.fall == 0 {
			next = to
			if p.max != p.min {
				p.text--
			}
		}
	} else {
		p.setSuccessor(p.found, next)
		to = p.min
	}
	total := p.count(p.min)
	rest := p.sum(p.min) - total - (p.freq(p.found) - 1)
	for c := p.max; c != p.min; c = p.suffix(c) {
		if c == 0 {
			p.broken = true
			return false
		}
		if !p.add(c, sym, next, total, rest) {
			return false
		}
	}
	p.min, p.max = to, to
	return true
}

// add adds a symbol to context c.
func (p *ppmd) add(c uint32, sym byte, next uint32, total, rest int) bool {
	n := p.count(c)
	if n == 1 {
		s := p.allocate(0)
		if s == 0 {
			return false
		}
		p.setState(s, p.state(one(c)))
		p.setStats(c, s)
		f := ppmdMaxFreq - 4
		if p.freq(s) < ppmdMaxFreq/4-1 {
			f = 2 * p.freq(s)
		}
		p.setFreq(s, f)
		p.setSum(c, f+p.initEsc+truth(total > 3))
	} else {
		if n%2 == 0 {
			if i := p.index(n / 2); i != p.index(n/2+1) {
				at, old := p.allocate(i+1), p.stats(c)
				if at == 0 {
					return false
				}
				copy(p.mem[at:at+uint32(n/2)*ppmdUnit], p.mem[old:])
				p.insert(old, i)
				p.setStats(c, at)
			}
		}
		p.setSum(c, p.sum(c)+truth(2*n < total)+2*truth(4*n <= total && p.sum(c) <= 8*n))
	}
	f, sum := 2*p.freq(p.found)*(p.sum(c)+6), rest+p.sum(c)
	if f < 6*sum {
		f = 1 + truth(f > sum) + truth(f >= 4*sum)
		p.setSum(c, p.sum(c)+3)
	} else {
		f = 4 + truth(f >= 9*sum) + truth(f >= 12*sum) + truth(f >= 15*sum)
		p.setSum(c, p.sum(c)+f)
	}
	s := p.stats(c) + uint32(n)*stateLen
	p.setSuccessor(s, next)
	p.mem[s] = sym
	p.setFreq(s, f)
	p.setCount(c, n+1)
	return true
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rescale halves the frequencies of the context at hand.
func (p *ppmd) rescale() {
	c := p.min
	first := p.stats(c)
	s := p.found
	v := p.state(s)
	copy(p.mem[first+stateLen:s+stateLen], p.mem[first:s])
	p.setState(first, v)
	s = first
	escape := p.sum(c) - p.freq(s)
	adder := truth(p.fall != 0)
	p.setFreq(s, (p.freq(s)+4+adder)>>1)
	sum := p.freq(s)
	n := p.count(c)
	for range n - 1 {
		s += stateLen
		escape -= p.freq(s)
		p.setFreq(s, (p.freq(s)+adder)>>1)
		sum += p.freq(s)
		if p.freq(s) > p.freq(s-stateLen) {
			v := p.state(s)
			to := s
			for to != first && int(v[1]) > p.freq(to-stateLen) {
				to -= stateLen
			}
			copy(p.mem[to+stateLen:s+stateLen], p.mem[to:s])
			p.setState(to, v)
		}
	}
	if p.freq(s) == 0 {
		gone := 0
		for p.freq(s) == 0 && s != first {
			gone++
			s -= stateLen
		}
		escape += gone
		p.setCount(c, n-gone)
		if n-gone == 1 {
			v := p.state(first)
			for {
				v[1] -= v[1] >> 1
				if escape >>= 1; escape <= 1 {
					break
				}
			}
			p.insert(first, p.index((n+1)/2))
			p.found = one(c)
			p.setState(p.found, v)
			return
		}
		if from, to := (n+1)/2, (n-gone+1)/2; from != to {
			p.setStats(c, p.shrink(first, from, to))
		}
	}
	p.setSum(c, sum+escape-escape>>1)
	p.found = p.stats(c)
}

// highBit is 8 for symbols from 0x40 on.
func highBit(sym byte) int {
	if sym >= 0x40 {
		return 8
	}
	return 0
}

func (p *ppmd) binary() *uint16 {
	s := one(p.min)
	ns := p.count(p.suffix(p.min)) - 1
	i := 0
	switch {
	case ns >= 11:
		i = 6
	case ns >= 2:
		i = 4
	case ns == 1:
		i = 2
	}
	p.highBits = highBit(p.symbol(p.found))
	i += p.prevSuccess + p.highBits + 2*highBit(p.symbol(s)) + int(p.run>>26&0x20)
	return &p.bin[uint8(p.freq(s)-1)&127][i&63]
}

// escapes returns the estimate for escapes where masked symbols are left out.
func (p *ppmd) escapes(masked int) (*ppmdSee, int) {
	n := p.count(p.min)
	if n == 256 {
		return &p.dummy, 1
	}
	left := n - masked
	i := truth(left < p.count(p.suffix(p.min))-n) + 2*truth(p.sum(p.min) < 11*n) + 4*truth(masked > left) + p.highBits
	see := &p.see[min(p.nsIndex[uint8(left-1)], 24)][i&15]
	r := see.sum >> see.shift
	see.sum -= r
	return see, int(max(r, 1))
}

func (s *ppmdSee) update() {
	if s.shift < ppmdPeriod {
		if s.count--; s.count == 0 {
			s.sum <<= 1
			s.count = 3 << s.shift
			s.shift++
		}
	}
}

// next goes on to the context that the symbol found leads to.
func (p *ppmd) next() {
	if c := p.successor(p.found); p.fall == 0 && c > p.text {
		p.min, p.max = c, c
		return
	}
	p.update()
}

// decode returns the next byte. It returns false at the end mark, and where the model and the input do not fit.
func (p *ppmd) decode(r *ppmdRange) (byte, bool) {
	var masked [256]bool
	c := p.min
	n := p.count(c)
	if n != 1 {
		s := p.stats(c)
		at, ok := r.threshold(p.sum(c))
		if !ok {
			return 0, false
		}
		upTo := p.freq(s)
		if at < upTo {
			r.take(0, upTo)
			p.found = s
			sym := p.symbol(s)
			p.prevSuccess = truth(2*upTo > p.sum(c))
			p.run += int32(p.prevSuccess)
			p.raise()
			p.next()
			return sym, !p.broken
		}
		p.prevSuccess = 0
		for range n - 1 {
			s += stateLen
			f := p.freq(s)
			if upTo += f; upTo > at {
				r.take(upTo-f, f)
				p.found = s
				sym := p.symbol(s)
				p.setFreq(s, f+4)
				p.setSum(c, p.sum(c)+4)
				if f+4 > p.freq(s-stateLen) {
					p.swap(s, s-stateLen)
					p.found = s - stateLen
					if f+4 > ppmdMaxFreq {
						p.rescale()
					}
				}
				p.next()
				return sym, !p.broken
			}
		}
		if at >= p.sum(c) {
			return 0, false
		}
		p.highBits = highBit(p.symbol(p.found))
		r.take(upTo, p.sum(c)-upTo)
		for s, i := p.stats(c), 0; i < n; i++ {
			masked[p.mem[s]] = true
			s += stateLen
		}
	} else {
		chance := p.binary()
		v := int(*chance)
		mean := (v + 1<<(ppmdPeriod-2)) >> ppmdPeriod
		if !r.bit(v) {
			*chance = uint16(v + 1<<ppmdPeriod - mean)
			p.found = one(c)
			sym, f := p.symbol(p.found), p.freq(p.found)
			p.setFreq(p.found, f+truth(f < 128))
			p.prevSuccess = 1
			p.run++
			p.next()
			return sym, !p.broken
		}
		*chance = uint16(v - mean)
		p.initEsc = int(ppmdEscape[(v-mean)>>10&15])
		masked[p.symbol(one(c))] = true
		p.prevSuccess = 0
	}
	return p.decodeMasked(r, &masked)
}

// raise counts the symbol found.
func (p *ppmd) raise() {
	p.setSum(p.min, p.sum(p.min)+4)
	p.setFreq(p.found, p.freq(p.found)+4)
	if p.freq(p.found) > ppmdMaxFreq {
		p.rescale()
	}
}

// decodeMasked decodes a symbol that the longest context did not have.
func (p *ppmd) decodeMasked(r *ppmdRange, masked *[256]bool) (byte, bool) {
	for {
		n := p.count(p.min)
		for p.count(p.min) == n {
			p.fall++
			if p.suffix(p.min) == 0 {
				return 0, false
			}
			p.min = p.suffix(p.min)
		}
		count, sum := p.count(p.min), 0
		for s, i := p.stats(p.min), 0; i < count; i++ {
			if !masked[p.mem[s]] {
				sum += p.freq(s)
			}
			s += stateLen
		}
		see, escape := p.escapes(n)
		at, ok := r.threshold(sum + escape)
		if !ok || at >= sum+escape {
			return 0, false
		}
		if at >= sum {
			r.take(sum, escape)
			see.sum += uint16(sum + escape)
			for s, i := p.stats(p.min), 0; i < count; i++ {
				masked[p.mem[s]] = true
				s += stateLen
			}
			continue
		}
		below, s := 0, p.stats(p.min)
		for ; ; s += stateLen {
			if masked[p.mem[s]] {
				continue
			}
			if below+p.freq(s) > at {
				break
			}
			below += p.freq(s)
		}
		r.take(below, p.freq(s))
		see.update()
		p.found = s
		sym := p.symbol(s)
		p.raise()
		p.run = p.initRun
		p.update()
		return sym, !p.broken
	}
}

// ppmdRange is the range decoder, of which RAR has one with a low end and 7z one without.
type ppmdRange struct {
	in         *bitInput
	rar        bool
	code, size uint32
	low        uint32
}

const (
	ppmdTop    = 1 << 24
	ppmdBottom = 1 << 15
)

// start reads the first bytes. It returns false if they are none of a range coder's.
func (r *ppmdRange) start() bool {
	first := 0
	if !r.rar {
		first = r.in.bits(8)
	}
	r.low, r.size, r.code = 0, 1<<32-1, 0
	for range 4 {
		r.code = r.code<<8 | uint32(r.in.bits(8))
	}
	return first == 0 && r.code < 1<<32-1
}

// threshold divides the range by total and returns in which part the code is.
func (r *ppmdRange) threshold(total int) (int, bool) {
	if total <= 0 {
		return 0, false
	}
	r.size /= uint32(total)
	if r.size == 0 {
		return 0, false
	}
	return int((r.code - r.low) / r.size), true
}

func (r *ppmdRange) take(start, n int) {
	if r.rar {
		r.low += uint32(start) * r.size
	} else {
		r.code -= uint32(start) * r.size
	}
	r.size *= uint32(n)
	r.normalize()
}

func (r *ppmdRange) normalize() {
	for r.in.err == nil {
		if r.low^(r.low+r.size) >= ppmdTop {
			if !r.rar || r.size >= ppmdBottom {
				return
			}
			r.size = -r.low & (ppmdBottom - 1)
		}
		r.code = r.code<<8 | uint32(r.in.bits(8))
		r.size <<= 8
		r.low <<= 8
	}
}

// bit decodes a bit that is 0 with a chance of v in 2^14.
func (r *ppmdRange) bit(v int) bool {
	if r.rar {
		r.size >>= 14
		if int((r.code-r.low)/max(r.size, 1)) < v {
			r.take(0, v)
			return false
		}
		r.take(v, ppmdScale-v)
		return true
	}
	bound := r.size >> 14 * uint32(v)
	set := r.code >= bound
	if set {
		r.code -= bound
		r.size -= bound
	} else {
		r.size = bound
	}
	r.normalize()
	return set
}

// ppmdStream is 7z's use of it.
type ppmdStream struct {
	blockStream
	bitInput
	model *ppmd
	coder ppmdRange
	left  int64
	buf   []byte
}

// NewPPMd decodes plain bytes of PPMd variant H as 7z stores it. props are five bytes, the order and the size of the model's memory.
func NewPPMd(r io.ReaderAt, size int64, props []byte, plain, maxMemory int64) (Stream, error) {
	if len(props) != 5 {
		return nil, ErrHeader
	}
	order, memory := int(props[0]), binary.LittleEndian.Uint32(props[1:])
	if order < 2 || order > ppmdMaxOrder || memory < ppmdMinMemory || memory > ppmdMaxMemory {
		return nil, ErrHeader
	}
	if int64(memory) > maxMemory {
		return nil, ErrMemory
	}
	s := &ppmdStream{bitInput: bitInput{in: newInput(r, size)}, left: plain}
	s.coder = ppmdRange{in: &s.bitInput}
	s.blockStream.next = s.decode
	if !s.coder.start() {
		return nil, ErrHeader
	}
	s.model = newPPMd(memory)
	s.model.reset(order)
	return s, nil
}

func (s *ppmdStream) Consumed() int64 { return s.bitInput.Consumed() }

func (s *ppmdStream) decode() error {
	s.buf = resize(s.buf, int(min(s.left, 32<<10)))
	n := 0
	defer func() { s.out, s.left = s.buf[:n], s.left-int64(n) }()
	if s.left == 0 {
		return io.EOF
	}
	for n < len(s.buf) {
		b, ok := s.model.decode(&s.coder)
		switch {
		case s.bitInput.err != nil:
			return s.bitInput.err
		case !ok:
			return ErrCorrupt
		}
		s.buf[n] = b
		n++
	}
	return nil
}
