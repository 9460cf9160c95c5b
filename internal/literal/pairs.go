package literal

// pairs finds patterns shorter than a gram: a bitmap of their first two bytes is asked at each offset.
type pairs struct {
	patterns []Pattern
	bits     [1 << 16 / 64]uint64
	byPair   map[uint16][]int // patterns that may begin so
}

func newPairs(patterns []Pattern, which []int) *pairs {
	f := &pairs{patterns: patterns, byPair: map[uint16][]int{}}
	for _, i := range which {
		p := patterns[i]
		for _, c0 := range p.cases(0) {
			for _, c1 := range p.cases(1) {
				k := uint16(c0) | uint16(c1)<<8
				f.bits[k>>6] |= 1 << (k & 63)
				f.byPair[k] = append(f.byPair[k], i)
			}
		}
	}
	return f
}

// cases returns the bytes that the byte at i of p stands for.
func (p *Pattern) cases(i int) []byte {
	c := p.Bytes[i]
	if l := lower(c); p.Fold && 'a' <= l && l <= 'z' {
		return []byte{l, l - 'a' + 'A'}
	}
	return []byte{c}
}

func (f *pairs) find(hits []occurrence, b []byte, lo, hi int) []occurrence {
	if hi = min(hi, len(b)-1); lo >= hi {
		return hits
	}
	k := uint16(b[lo]) << 8
	for off, c := range b[lo+1 : hi+1] {
		k = k>>8 | uint16(c)<<8
		if f.bits[k>>6]>>(k&63)&1 == 0 {
			continue
		}
		for _, i := range f.byPair[k] {
			if f.patterns[i].matches(b[lo+off:]) {
				hits = append(hits, occurrence{lo + off, i})
			}
		}
	}
	return hits
}
