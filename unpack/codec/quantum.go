package codec

// Quantum decodes what cabinets hold by that name: LZ77 whose every symbol is coded arithmetically, by models that learn.
// It comes in frames of 32 KiB, which are what a cabinet's data blocks hold; window and models go on from frame to frame.
// The format was never published. https://github.com/kyz/libmspack/blob/master/libmspack/mspack/qtmd.c and
// http://www.russotto.net/quantumcomp.html describe it.
type Quantum struct {
	bitInput
	src       input
	w         *window
	size      int // of the window
	low, high uint16
	code      uint16
	selectors quantumModel
	literals  [4]quantumModel // by the upper two bits of the byte
	slots     [3]quantumModel // of distances, of matches of 3, of 4 and of more bytes
	lengths   quantumModel    // of matches of more
}

const (
	quantumFrame     = 1 << 15
	quantumMatch     = 4 // selector from which on a match follows
	quantumStep      = 8 // by which a symbol gains
	quantumMost      = 3800
	quantumFirst     = 4 // halvings until a model is sorted first
	quantumHalvings  = 50
	quantumShortest  = 3
	quantumLengths   = 27
	quantumMinBits   = 10
	quantumMaxBits   = 21
	quantumThreeMost = 24 // slots
	quantumFourMost  = 36
)

// NewQuantum begins a stream whose window has 2^bits bytes, 10 to 21.
func NewQuantum(bits int) (*Quantum, error) {
	if bits < quantumMinBits || bits > quantumMaxBits {
		return nil, ErrHeader
	}
	s := &Quantum{w: newWindow(1<<bits, 2<<bits), size: 1 << bits}
	s.selectors.begin(0, 7)
	for i := range s.literals {
		s.literals[i].begin(64*i, 64)
	}
	s.slots[0].begin(0, min(2*bits, quantumThreeMost))
	s.slots[1].begin(0, min(2*bits, quantumFourMost))
	s.slots[2].begin(0, 2*bits)
	s.lengths.begin(0, quantumLengths)
	return s, nil
}

// Frame decodes the next frame, src, to len(dst) bytes of at most 32 KiB. On damage it returns how many came
// out before; the stream cannot go on then.
func (s *Quantum) Frame(dst, src []byte) (int, error) {
	if len(dst) > quantumFrame {
		return 0, ErrTooLong
	}
	if s.err != nil {
		return 0, s.err
	}
	s.src = input{buf: src}
	s.in, s.acc, s.have, s.missing = &s.src, 0, 0, 0
	s.low, s.high, s.code = 0, 1<<16-1, uint16(s.bits(16))
	for len(s.w.buf)-s.w.op < len(dst) {
		s.w.grow()
	}
	from := s.w.op
	for end := from + len(dst); s.w.op < end && s.err == nil; {
		s.step(end)
	}
	n := copy(dst, s.w.buf[from:s.w.op])
	s.w.out = s.w.op
	return n, s.err
}

func (s *Quantum) step(end int) {
	selector := s.symbol(&s.selectors)
	if selector < quantumMatch {
		c := s.symbol(&s.literals[selector])
		if s.err == nil {
			s.w.buf[s.w.op] = byte(c)
			s.w.op++
		}
		return
	}
	n := selector - quantumMatch + quantumShortest
	if selector == quantumMatch+2 {
		n += s.length()
	}
	distance := s.distance(s.symbol(&s.slots[selector-quantumMatch]))
	if s.err == nil && (n > end-s.w.op || distance > s.size || distance > s.w.op-s.w.base) {
		s.err = ErrCorrupt
	}
	if s.err == nil {
		s.w.repeat(distance, n)
	}
}

// length is by how much a match is longer than the shortest of its kind. Of four slots, each has the same number of bits more.
func (s *Quantum) length() int {
	slot := s.symbol(&s.lengths)
	switch {
	case slot < 6:
		return slot
	case slot == quantumLengths-1:
		return 254
	}
	extra := uint(slot-2) / 4
	return (4+(slot-2)%4)<<extra - 2 + s.bits(extra)
}

// distance is what slot and the bits behind it say. Of two slots, each has the same number of bits more.
func (s *Quantum) distance(slot int) int {
	if slot < 2 {
		return slot + 1
	}
	extra := uint(slot/2 - 1)
	d := (2+slot%2)<<extra + 1
	if extra > 16 {
		return d + s.bits(extra-16)<<16 + s.bits(16)
	}
	return d + s.bits(extra)
}

// symbol takes the next symbol of m.
func (s *Quantum) symbol(m *quantumModel) int {
	span, total := int(s.high-s.low)+1, int(m.sums[0])
	at := (int(s.code-s.low)+1)*total - 1
	at = at / span & 0xffff
	i := 1
	for i < m.n && int(m.sums[i]) > at {
		i++
	}
	c := int(m.symbols[i-1])
	s.high = s.low + uint16(int(m.sums[i-1])*span/total-1)
	s.low += uint16(int(m.sums[i]) * span / total)
	m.gain(i)
	for {
		if s.low^s.high >= 1<<15 {
			if s.low&(1<<14) == 0 || s.high&(1<<14) != 0 {
				break
			}
			// They draw near the middle: the second bit goes.
			s.code ^= 1 << 14
			s.low &= 1<<14 - 1
			s.high |= 1 << 14
		}
		s.low, s.high = s.low<<1, s.high<<1|1
		s.code = s.code<<1 | uint16(s.bits(1))
		if s.err != nil {
			break
		}
	}
	return c
}

// quantumModel is symbols, the more frequent first, each with the sum of its frequency and of those behind.
type quantumModel struct {
	n       int
	left    int // halvings until it is sorted
	symbols [65]uint8
	sums    [65]uint16
}

// begin makes m a model of n symbols from first.
func (m *quantumModel) begin(first, n int) {
	m.n, m.left = n, quantumFirst
	for i := range n {
		m.symbols[i] = uint8(first + i)
		m.sums[i] = uint16(n - i)
	}
}

// gain makes the symbol before i more frequent.
func (m *quantumModel) gain(i int) {
	for k := range i {
		m.sums[k] += quantumStep
	}
	if m.sums[0] <= quantumMost {
		return
	}
	if m.left--; m.left > 0 {
		for k := m.n - 1; k >= 0; k-- {
			m.sums[k] = max(m.sums[k]>>1, m.sums[k+1]+1)
		}
		return
	}
	m.left = quantumHalvings
	for k := range m.n {
		m.sums[k] = (m.sums[k] - m.sums[k+1] + 1) >> 1
	}
	// What is equal is ordered as this way of sorting leaves it.
	for k := range m.n - 1 {
		for j := k + 1; j < m.n; j++ {
			if m.sums[k] < m.sums[j] {
				m.sums[k], m.sums[j] = m.sums[j], m.sums[k]
				m.symbols[k], m.symbols[j] = m.symbols[j], m.symbols[k]
			}
		}
	}
	for k := m.n - 1; k >= 0; k-- {
		m.sums[k] += m.sums[k+1]
	}
}
