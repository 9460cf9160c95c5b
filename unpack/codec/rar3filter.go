package codec

import "hash/crc32"

// rar3Program is a filter that a file brought: a program for a machine of RAR's. In practice there are six.
type rar3Program struct {
	kind   rarFilterKind
	known  bool
	length int // of the bytes that it was last applied to
}

// rar3Known tells the programs that RAR's own packer writes, by length and CRC-32.
var rar3Known = [...]struct {
	length int
	crc    uint32
	kind   rarFilterKind
}{
	{29, 0x0e06077d, rarDelta},
	{53, 0xad576887, rarE8},
	{57, 0x3cd7e57e, rarE8E9},
	{120, 0x3769893f, rarItanium},
	{149, 0x1c2c5dc8, rarRGB},
	{216, 0xbc85e701, rarAudio},
}

const (
	rar3MaxFilter = 0x3c000 // bytes: what the machine has for them
	rar3MaxCode   = 1 << 16
)

// newFilter reads a filter, whose bytes next yields: flags (0-2 length of what follows, less one; 3 data, 4 registers, 5 length of what is
// filtered, 6 it is 258 bytes further on, 7 number of the program), more of the length, then numbers of 4 to 32 bits.
func (s *RAR3) newFilter(next func() int) {
	flags := next()
	size := flags&7 + 1
	switch size {
	case 7:
		size = next() + 7
	case 8:
		size = next()<<8 | next()
	}
	b := make([]byte, 0, min(size, 1<<12))
	for len(b) < size && s.bitInput.err == nil {
		b = append(b, byte(next()))
	}
	if s.bitInput.err != nil {
		return
	}
	if err := s.addFilter(flags, &rar3Bits{b: b}); err != nil {
		s.fail(err)
	}
}

func (s *RAR3) addFilter(flags int, in *rar3Bits) error {
	if flags&0x80 != 0 {
		n := int(in.number())
		if n == 0 {
			s.programs = nil
		} else {
			n--
		}
		s.program = n
	}
	if s.program > len(s.programs) || s.program >= rarMaxFilters || in.short {
		return ErrCorrupt
	}
	isNew := s.program == len(s.programs)
	if isNew {
		s.programs = append(s.programs, rar3Program{})
	}
	p := &s.programs[s.program]
	skip := int64(in.number())
	if flags&0x40 != 0 {
		skip += 258
	}
	if flags&0x20 != 0 {
		p.length = int(in.number())
	}
	var registers [7]uint32
	if flags&0x10 != 0 {
		mask := in.bits(7)
		for i := range registers {
			if mask>>i&1 != 0 {
				registers[i] = in.number()
			}
		}
	}
	if isNew {
		n := int(in.number())
		if n == 0 || n > rar3MaxCode || in.short {
			return ErrCorrupt
		}
		code := make([]byte, n)
		for i := range code {
			code[i] = byte(in.bits(8))
		}
		for _, k := range rar3Known {
			if k.length == n && k.crc == crc32.ChecksumIEEE(code) {
				p.kind, p.known = k.kind, true
			}
		}
	}
	if in.short {
		return ErrCorrupt
	}
	if !p.known {
		return ErrFilter
	}
	// bytes that this call of decode made are not counted yet
	f := rarFilter{kind: p.kind, at: s.made + int64(s.w.op-s.w.out) + skip, length: p.length}
	switch p.kind {
	case rarDelta, rarAudio:
		f.channels = int(registers[0])
		if f.channels == 0 || f.channels > 1024 {
			return ErrCorrupt
		}
	case rarRGB:
		f.width, f.red = int(registers[0])-3, int(registers[1])
		if f.width < 0 || f.width > f.length || f.red > 2 || f.length < 3 {
			return ErrCorrupt
		}
	}
	if f.length == 0 {
		return nil
	}
	if f.length < 0 || f.length > rar3MaxFilter || !s.filters.add(f, true) {
		return ErrCorrupt
	}
	return nil
}

// rar3Bits reads bits, the highest first.
type rar3Bits struct {
	b     []byte
	pos   int // in bits
	short bool
}

func (r *rar3Bits) bits(n int) (v uint32) {
	if r.pos+n > 8*len(r.b) {
		r.short = true
		return 0
	}
	for range n {
		v = v<<1 | uint32(r.b[r.pos/8]>>(7-r.pos%8)&1)
		r.pos++
	}
	return v
}

// number reads 4, 8, 16 or 32 bits. Eight that begin with four zeros are a small negative number, of 4 bits more.
func (r *rar3Bits) number() uint32 {
	switch r.bits(2) {
	case 0:
		return r.bits(4)
	case 1:
		if v := r.bits(8); v >= 16 {
			return v
		} else {
			return 0xffffff00 | v<<4 | r.bits(4)
		}
	case 2:
		return r.bits(16)
	}
	return r.bits(32)
}
