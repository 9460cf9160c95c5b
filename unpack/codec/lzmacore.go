package codec

// lzmaCore is the decoder of LZMA symbols that all LZMA formats share. It turns bytes of one
// slice into bytes of another: who calls it sees to it that both hold what it needs, which is
// what makes it fast. The bit models and their names follow the LZMA specification,
// https://www.7-zip.org/a/lzma-specification.7z; the arithmetic without branches in the tree
// decoders pays because every second bit of a literal is a coin toss to a branch predictor.
type lzmaCore struct {
	lc             uint
	lpMask, pbMask int
	rng, code      uint64 // of the range decoder; both stay below 1<<32
	state          uint
	rep            [4]int // last distances, each less one
	rem            int    // bytes of a match that did not fit below limit
	last           int    // bytes that the last symbol wrote

	isMatch, isRep0Long              [states << posBits]uint16
	isRep, isRepG0, isRepG1, isRepG2 [states]uint16
	slots                            [4][64]uint16
	special                          [128]uint16
	align                            [16]uint16
	lens, repLens                    lengthModel
	literals                         []uint16
}

type lengthModel struct {
	choice, choice2 uint16
	low, mid        [1 << posBits][8]uint16
	high            [256]uint16
}

const (
	states  = 12
	posBits = 4

	probInit    = 1 << 10
	probBits    = 11
	probShift   = 5
	rangeTop    = 1 << 24
	literalSize = 0x300
	minMatch    = 2

	// maxSymbol is more than one symbol can take from the input. 22 modelled bits cost at most
	// log2(2048/31) each and 26 direct ones cost one: 159 bits, and up to 8 for normalising.
	maxSymbol = 24

	// toZero, added to a probability of zero bits before the shift, makes p -= p>>5 into
	// p += (2048-p)>>5: the floor of a negated quotient is 31 off.
	toZero = ^uint64(1<<probBits - 1<<probShift + 1 - 1)
)

// outcome says why [lzmaCore.decode] came back.
type outcome int

const (
	outputFull  outcome = iota // op is limit
	inputUsed                  // pos is beyond end
	endMarker                  // the marker was read, whether or not the range decoder agrees
	badDistance                // a match reaches to before base
)

// setProps takes lc, lp and pb from the byte that packs them.
func (d *lzmaCore) setProps(props byte) bool {
	if props >= 9*5*5 {
		return false
	}
	d.lc = uint(props % 9)
	d.lpMask = 1<<(props/9%5) - 1
	d.pbMask = 1<<(props/45) - 1
	n := literalSize << (d.lc + uint(props/9%5))
	if cap(d.literals) < n {
		d.literals = make([]uint16, n)
	}
	d.literals = d.literals[:n]
	return true
}

// resetState forgets what was learnt, keeping the properties.
func (d *lzmaCore) resetState() {
	d.state, d.rep, d.rem = 0, [4]int{}, 0
	for _, p := range [][]uint16{
		d.isMatch[:], d.isRep0Long[:], d.isRep[:], d.isRepG0[:], d.isRepG1[:], d.isRepG2[:],
		d.slots[0][:], d.slots[1][:], d.slots[2][:], d.slots[3][:], d.special[:], d.align[:], d.literals,
	} {
		resetModel(p)
	}
	d.lens.reset()
	d.repLens.reset()
}

func (l *lengthModel) reset() {
	l.choice, l.choice2 = probInit, probInit
	for i := range l.low {
		resetModel(l.low[i][:])
		resetModel(l.mid[i][:])
	}
	resetModel(l.high[:])
}

func resetModel(p []uint16) {
	for i := range p {
		p[i] = probInit
	}
}

// rangeInit is how many bytes start a range decoder.
const rangeInit = 5

// start takes the first bytes of a range coder. The first is 0 in everything that an encoder writes.
func (d *lzmaCore) start(b [rangeInit]byte) bool {
	d.rng, d.code = 1<<32-1, uint64(b[1])<<24|uint64(b[2])<<16|uint64(b[3])<<8|uint64(b[4])
	return b[0] == 0 && d.code < d.rng
}

// finished reports whether the range decoder stands where an encoder flushes, once normalised.
func (d *lzmaCore) finished() bool { return d.code == 0 }

// decode writes symbols to out[op:limit] until there is no room, an end marker was read, or a
// symbol began at or before in[end] and ended behind it. in holds maxSymbol bytes behind end.
// Matches reach back to base. It returns where it came to in both.
func (d *lzmaCore) decode(out []byte, op, limit, base int, in []byte, pos, end int) (int, int, outcome) {
	// The one check for all reads of in: nothing reads behind end+maxSymbol.
	in = in[: end+maxSymbol : end+maxSymbol]
	out = out[:limit:limit]
	if d.rep[0] >= op-base && (d.rem > 0 || d.state >= 7) {
		return op, pos, badDistance // the window slid, or the last call failed
	}
	if d.rem > 0 {
		n := min(d.rem, limit-op)
		op = copyMatch(out, op, op+n, d.rep[0]+1)
		d.rem -= n
	}
	rng, code, state := d.rng, d.code, d.state
	rep0 := d.rep[0]
	lc, pbMask, lpMask := d.lc&15, d.pbMask, d.lpMask
	length := 0
	why := outputFull

loop:
	for op < limit {
		if pos > end {
			why = inputUsed
			break
		}
		posState := uint((op-base)&pbMask) & (1<<posBits - 1)
		if rng < rangeTop {
			rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
		}
		prob := &d.isMatch[(state&15)<<posBits|posState]
		p := uint64(*prob)
		bound := rng >> probBits * p
		if code < bound {
			rng, *prob = bound, uint16(p+(1<<probBits-p)>>probShift)
			length = 1
			context := 0
			if op > base {
				context = ((op-base)&lpMask)<<lc | int(out[op-1])>>(8-lc)
			}
			model := (*[literalSize]uint16)(d.literals[context*literalSize:])
			m := uint64(1)
			if state >= 7 {
				match := uint64(out[op-rep0-1]) // rep0 was checked, here or at the start
				half := uint64(0x100)
				for m < 0x100 {
					if rng < rangeTop {
						rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
					}
					match <<= 1
					prob := &model[half+match&half+m]
					p := uint64(*prob)
					bound := rng >> probBits * p
					diff := code - bound
					zero := uint64(int64(diff) >> 63)
					rng -= bound
					rng += zero & (bound - rng)
					code = diff + zero&bound
					*prob = uint16(p - uint64(int64(p+zero&toZero)>>probShift))
					m = m<<1 + 1 + zero
					half &= match ^ zero
				}
			} else {
				for m < 0x100 {
					if rng < rangeTop {
						rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
					}
					p := uint64(model[m])
					bound := rng >> probBits * p
					diff := code - bound
					zero := uint64(int64(diff) >> 63)
					rng -= bound
					rng += zero & (bound - rng)
					code = diff + zero&bound
					model[m] = uint16(p - uint64(int64(p+zero&toZero)>>probShift))
					m = m<<1 + 1 + zero
				}
			}
			out[op] = byte(m)
			op++
			state = uint(afterLiteral[state&15])
			continue
		}
		rng, code, *prob = rng-bound, code-bound, uint16(p-p>>probShift)

		if rng < rangeTop {
			rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
		}
		var lens *lengthModel
		prob = &d.isRep[state&15]
		p = uint64(*prob)
		bound = rng >> probBits * p
		simple := code < bound
		if simple {
			rng, *prob = bound, uint16(p+(1<<probBits-p)>>probShift)
			lens = &d.lens
		} else {
			rng, code, *prob = rng-bound, code-bound, uint16(p-p>>probShift)
			if op == base {
				length, why = 0, badDistance
				break
			}
			lens = &d.repLens
			if rng < rangeTop {
				rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
			}
			prob = &d.isRepG0[state&15]
			p = uint64(*prob)
			bound = rng >> probBits * p
			if code < bound {
				rng, *prob = bound, uint16(p+(1<<probBits-p)>>probShift)
				if rng < rangeTop {
					rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
				}
				prob = &d.isRep0Long[(state&15)<<posBits|posState]
				p = uint64(*prob)
				bound = rng >> probBits * p
				if code < bound {
					rng, *prob = bound, uint16(p+(1<<probBits-p)>>probShift)
					if rep0 >= op-base {
						length, why = 0, badDistance
						break
					}
					out[op] = out[op-rep0-1]
					op++
					length = 1
					state = 9 + state/7*2
					continue
				}
				rng, code, *prob = rng-bound, code-bound, uint16(p-p>>probShift)
			} else {
				rng, code, *prob = rng-bound, code-bound, uint16(p-p>>probShift)
				if rng < rangeTop {
					rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
				}
				prob = &d.isRepG1[state&15]
				p = uint64(*prob)
				bound = rng >> probBits * p
				distance := d.rep[1]
				if code < bound {
					rng, *prob = bound, uint16(p+(1<<probBits-p)>>probShift)
				} else {
					rng, code, *prob = rng-bound, code-bound, uint16(p-p>>probShift)
					if rng < rangeTop {
						rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
					}
					prob = &d.isRepG2[state&15]
					p = uint64(*prob)
					bound = rng >> probBits * p
					distance = d.rep[2]
					if code < bound {
						rng, *prob = bound, uint16(p+(1<<probBits-p)>>probShift)
					} else {
						rng, code, *prob = rng-bound, code-bound, uint16(p-p>>probShift)
						distance = d.rep[3]
						d.rep[3] = d.rep[2]
					}
					d.rep[2] = d.rep[1]
				}
				d.rep[1] = rep0
				rep0 = distance
			}
			state = 8 + state/7*3
		}

		// The length: three trees, chosen by up to two bits.
		if rng < rangeTop {
			rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
		}
		var tree []uint16
		p = uint64(lens.choice)
		bound = rng >> probBits * p
		if code < bound {
			rng, lens.choice = bound, uint16(p+(1<<probBits-p)>>probShift)
			tree, length = lens.low[posState][:], minMatch-8
		} else {
			rng, code, lens.choice = rng-bound, code-bound, uint16(p-p>>probShift)
			if rng < rangeTop {
				rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
			}
			p = uint64(lens.choice2)
			bound = rng >> probBits * p
			if code < bound {
				rng, lens.choice2 = bound, uint16(p+(1<<probBits-p)>>probShift)
				tree, length = lens.mid[posState][:], minMatch+8-8
			} else {
				rng, code, lens.choice2 = rng-bound, code-bound, uint16(p-p>>probShift)
				tree, length = lens.high[:], minMatch+16-256
			}
		}
		m := uint64(1)
		for m < uint64(len(tree)) {
			if rng < rangeTop {
				rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
			}
			p := uint64(tree[m])
			bound := rng >> probBits * p
			diff := code - bound
			zero := uint64(int64(diff) >> 63)
			rng -= bound
			rng += zero & (bound - rng)
			code = diff + zero&bound
			tree[m] = uint16(p - uint64(int64(p+zero&toZero)>>probShift))
			m = m<<1 + 1 + zero
		}
		length += int(m)

		if simple {
			d.rep[3], d.rep[2], d.rep[1] = d.rep[2], d.rep[1], rep0
			state = 7 + state/7*3
			slots := &d.slots[min(length-minMatch, 3)]
			m := uint64(1)
			for m < 64 {
				if rng < rangeTop {
					rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
				}
				p := uint64(slots[m])
				bound := rng >> probBits * p
				diff := code - bound
				zero := uint64(int64(diff) >> 63)
				rng -= bound
				rng += zero & (bound - rng)
				code = diff + zero&bound
				slots[m] = uint16(p - uint64(int64(p+zero&toZero)>>probShift))
				m = m<<1 + 1 + zero
			}
			slot := m - 64
			rep0 = int(slot)
			if slot >= 4 {
				bits := slot>>1 - 1
				rep0 = int((2 | slot&1) << bits)
				tree := d.align[:]
				if slot < 14 {
					tree = d.special[uint64(rep0)-slot:] // at most 96-13, and bits <= 5
				} else {
					for ; bits > 4; bits-- {
						if rng < rangeTop {
							rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
						}
						rng >>= 1
						diff := code - rng
						zero := uint64(int64(diff) >> 63)
						code = diff + zero&rng
						rep0 += int(1+zero) << (bits - 1)
					}
				}
				m := uint64(1)
				for i := uint64(0); i < bits; i++ {
					if rng < rangeTop {
						rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
					}
					p := uint64(tree[m])
					bound := rng >> probBits * p
					diff := code - bound
					zero := uint64(int64(diff) >> 63)
					rng -= bound
					rng += zero & (bound - rng)
					code = diff + zero&bound
					tree[m] = uint16(p - uint64(int64(p+zero&toZero)>>probShift))
					m = m<<1 + 1 + zero
					rep0 += int(1+zero) << i
				}
				if rep0 == 1<<32-1 {
					length = 0
					if rng < rangeTop {
						rng, code, pos = rng<<8, code<<8|uint64(in[pos]), pos+1
					}
					why = endMarker
					break loop
				}
			}
		}

		if rep0 >= op-base {
			length, why = 0, badDistance
			break
		}
		dist := rep0 + 1
		if length > limit-op {
			d.rem = length - (limit - op)
			length = limit - op
		}
		if from := op - dist; dist >= length {
			copy(out[op:op+length], out[from:from+length])
		} else {
			copyMatch(out, op, op+length, dist)
		}
		op += length
	}
	d.rng, d.code, d.state, d.rep[0], d.last = rng, code, state, rep0, length
	return op, pos, why
}

// afterLiteral is the state that follows each state on a literal; 12 to 15 do not occur.
var afterLiteral = [16]uint8{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}
