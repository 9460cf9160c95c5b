package codec

import "encoding/binary"

// LZX decodes what cabinets hold by that name: LZ77 with three distances that are remembered,
// and Huffman codes whose lengths are sent as differences to those of the block before. It comes in frames of
// 32 KiB, which are what a cabinet's data blocks hold. Blocks go on from frame to frame. Specification:
// [MS-PATCH] (https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-patch/), whose LZX DELTA is an
// extension of it; https://github.com/kyz/libmspack/blob/master/libmspack/mspack/lzxd.c tells where other descriptions err.
type LZX struct {
	bitInput
	src      input
	w        *window
	size     int // of the window
	slots    int // of distances
	begun    bool
	e8Size   int32 // what calls are translated for, 0 if they are not
	frame    int
	kind     lzxBlock
	left     int  // bytes of the block
	pad      bool // a byte follows the block
	recent   [3]int
	main     huffman
	lengths  huffman
	aligned  huffman
	mainLen  [lzxMain]uint8
	lengthsL [lzxLengths]uint8
}

type lzxBlock int

const (
	lzxVerbatim lzxBlock = 1 + iota
	lzxAligned
	lzxStored
)

const (
	lzxMain      = 256 + 50*8
	lzxLengths   = 249
	lzxPre       = 20
	lzxMaxFrames = 1 << 15 // in which calls are translated
	lzxFrame     = 1 << 15
)

// lzxSlots is how many slots of distances the windows from 2^15 to 2^21 bytes have.
var lzxSlots = [...]int{30, 32, 34, 36, 38, 42, 50}

// NewLZX begins a stream whose window has 2^bits bytes, 15 to 21.
func NewLZX(bits int) (*LZX, error) {
	if bits < 15 || bits > 21 {
		return nil, ErrHeader
	}
	s := &LZX{w: newWindow(1<<bits, 2<<bits), size: 1 << bits, slots: lzxSlots[bits-15], recent: [3]int{1, 1, 1}}
	s.bitInput.words = true
	return s, nil
}

// Frame decodes the next frame, src, to len(dst) bytes of at most 32 KiB. On damage it returns how many came
// out before; the stream cannot go on then.
func (s *LZX) Frame(dst, src []byte) (int, error) {
	if len(dst) > lzxFrame {
		return 0, ErrTooLong
	}
	if s.err != nil {
		return 0, s.err
	}
	s.src = input{buf: src}
	s.in, s.acc, s.have, s.missing = &s.src, 0, 0, 0
	if !s.begun {
		s.begun = true
		if s.bits(1) == 1 {
			s.e8Size = int32(s.bits(16)<<16 | s.bits(16))
		}
	}
	for len(s.w.buf)-s.w.op < len(dst) {
		s.w.grow()
	}
	from := s.w.op
	for end := from + len(dst); s.w.op < end && s.err == nil; {
		if s.left == 0 {
			s.header()
			continue
		}
		s.run(min(end, s.w.op+s.left))
	}
	if s.left == 0 && s.pad && s.in.need(1) {
		s.pad = false // no matter in which frame the byte stands
	}
	n := copy(dst, s.w.buf[from:s.w.op])
	s.w.out = s.w.op
	if s.e8Size != 0 && s.frame < lzxMaxFrames {
		s.calls(dst[:n], int32(s.frame)*lzxFrame)
	}
	s.frame++
	return n, s.err
}

// header reads what a block begins with: its kind (3 bits), its length (24) and its codes, or distances.
func (s *LZX) header() {
	if s.pad {
		s.in.take(1)
		s.pad = false
	}
	s.kind = lzxBlock(s.bits(3))
	s.left = s.bits(8)<<16 | s.bits(16)
	if s.err != nil {
		return
	}
	switch s.kind {
	case lzxStored:
		s.pad = s.left%2 == 1
		s.peek(1)
		s.drop((s.have-1)%16 + 1) // to the next 16 bits, from 1 to 16
		s.unread()
		b := s.in.take(12)
		if b == nil {
			s.err = s.in.cut()
			return
		}
		for i := range s.recent {
			s.recent[i] = int(min(binary.LittleEndian.Uint32(b[4*i:]), 1<<30))
		}
		return
	case lzxAligned:
		var l [8]uint8
		for i := range l {
			l[i] = uint8(s.bits(3))
		}
		s.build(&s.aligned, l[:])
	case lzxVerbatim:
	default:
		s.err = ErrCorrupt
		return
	}
	s.differences(s.mainLen[:256])
	s.differences(s.mainLen[256 : 256+8*s.slots])
	s.build(&s.main, s.mainLen[:256+8*s.slots])
	s.differences(s.lengthsL[:])
	s.build(&s.lengths, s.lengthsL[:])
}

// unread gives whole bytes that are at hand back to the input.
func (s *LZX) unread() {
	s.src.pos -= int(max(0, int(s.have)-int(s.missing))) / 8
	s.acc, s.have, s.missing = 0, 0, 0
}

// differences brings the lengths of a code up to date.
func (s *LZX) differences(l []uint8) {
	var pre huffman
	var small [lzxPre]uint8
	for i := range small {
		small[i] = uint8(s.bits(4))
	}
	s.build(&pre, small[:])
	for i := 0; i < len(l) && s.err == nil; {
		c, n := s.decode(&pre), 1
		var v uint8
		switch c {
		case 17:
			n = 4 + s.bits(4)
		case 18:
			n = 20 + s.bits(5)
		case 19:
			n = 4 + s.bits(1)
			c = s.decode(&pre)
			fallthrough
		default:
			if c > 16 {
				s.err = ErrCorrupt
				return
			}
			v = uint8((17 + int(l[i]) - c) % 17)
		}
		if n > len(l)-i {
			s.err = ErrCorrupt
			return
		}
		for range n {
			l[i] = v
			i++
		}
	}
}

// run decodes the block on up to end.
func (s *LZX) run(end int) {
	w := s.w
	from := w.op
	defer func() { s.left -= w.op - from }()
	if s.kind == lzxStored {
		s.unread() // nothing, but at the beginning of a frame
		b, err := s.in.takeUpTo(end - w.op)
		w.op += copy(w.buf[w.op:], b)
		s.err = err
		return
	}
	for w.op < end {
		c := s.decode(&s.main)
		if s.err != nil {
			return
		}
		if c < 256 {
			w.buf[w.op] = byte(c)
			w.op++
			continue
		}
		c -= 256
		n := c & 7
		if n == 7 {
			n += s.decode(&s.lengths)
		}
		n += 2
		distance := s.distance(c >> 3)
		if s.err == nil && (n > end-w.op || distance > w.op-w.base || distance > s.size || distance <= 0) {
			s.err = ErrCorrupt
		}
		if s.err != nil {
			return
		}
		w.repeat(distance, n)
	}
}

// distance is what a slot and the bits behind the match say. The first three slots are the last distances.
func (s *LZX) distance(slot int) int {
	r := &s.recent
	if slot < 3 {
		r[0], r[slot] = r[slot], r[0]
		return r[0]
	}
	base, extra := slot, uint(0)
	switch {
	case slot >= 36:
		base, extra = (slot-34)<<17, 17
	case slot >= 4:
		extra = uint(slot)/2 - 1
		base = (2 + slot%2) << extra
	}
	v := 0
	switch {
	case s.kind == lzxAligned && extra >= 3:
		v = s.bits(extra-3) << 3
		v |= s.decode(&s.aligned)
	case extra == 17:
		v = s.bits(1) << 16
		v |= s.bits(16)
	default:
		v = s.bits(extra)
	}
	r[2], r[1], r[0] = r[1], r[0], base+v-2
	return r[0]
}

// calls makes the absolute targets of x86 calls in b relative again. at is where b stands in the stream.
func (s *LZX) calls(b []byte, at int32) {
	const behind = 10 // bytes at the end that are let be
	for i := 0; i < len(b)-behind; i++ {
		if b[i] != 0xe8 {
			continue
		}
		here := at + int32(i)
		to := int32(binary.LittleEndian.Uint32(b[i+1:]))
		if to >= -here && to < s.e8Size {
			if to >= 0 {
				to -= here
			} else {
				to += s.e8Size
			}
			binary.LittleEndian.PutUint32(b[i+1:], uint32(to))
		}
		i += 4
	}
}
