package sevenzip

import (
	"bufio"
	"encoding/binary"
	"io"
)

// bcj2 undoes BCJ2, which moves the targets of x86 calls and jumps to streams of their own, as
// absolute addresses. A range coder tells of each CALL (E8), JMP (E9) and Jcc (0F 80 to 0F 8F)
// whether its target was moved. Bcj2.c of the LZMA SDK describes it.
type bcj2 struct {
	main       *bufio.Reader
	call, jump *bufio.Reader
	code       *bufio.Reader
	rng, value uint32
	probs      [2 + 256]uint16
	before     byte   // what came before prev
	prev       byte   // last byte put out
	opcode     bool   // prev ends an opcode, so the code stream says whether its target was moved
	pos        uint32 // in the output
	target     [4]byte
	left       int // bytes of target not handed out
	begun      bool
	err        error
}

func newBCJ2(ins []side) *bcj2 {
	d := &bcj2{main: bufio.NewReader(ins[0]), call: bufio.NewReader(ins[1]), jump: bufio.NewReader(ins[2]), code: bufio.NewReader(ins[3])}
	for i := range d.probs {
		d.probs[i] = 1 << 10
	}
	return d
}

func (d *bcj2) Read(p []byte) (int, error) {
	if !d.begun {
		d.begun, d.rng = true, 0xffffffff
		var b [5]byte
		if _, d.err = io.ReadFull(d.code, b[:]); d.err == io.EOF {
			d.err = io.ErrUnexpectedEOF
		}
		d.value = binary.BigEndian.Uint32(b[1:])
	}
	n := 0
	for n < len(p) {
		if d.left > 0 {
			k := copy(p[n:], d.target[4-d.left:])
			d.left, n = d.left-k, n+k
			continue
		}
		if d.err != nil {
			break
		}
		if d.opcode {
			d.opcode = false
			d.move()
			continue
		}
		var b byte
		if b, d.err = d.main.ReadByte(); d.err != nil {
			break
		}
		p[n] = b
		n++
		d.pos++
		d.opcode = b&0xfe == 0xe8 || d.prev == 0x0f && b&0xf0 == 0x80
		d.before, d.prev = d.prev, b
	}
	if n > 0 {
		return n, nil
	}
	return 0, d.err
}

// move takes the target of the opcode just put out if it was moved.
func (d *bcj2) move() {
	var prob *uint16
	from := d.jump
	switch d.prev {
	case 0xe8:
		prob, from = &d.probs[2+int(d.before)], d.call
	case 0xe9:
		prob = &d.probs[1]
	default:
		prob = &d.probs[0]
	}
	if !d.bit(prob) {
		return
	}
	var b [4]byte
	if _, err := io.ReadFull(from, b[:]); err != nil {
		d.err = io.ErrUnexpectedEOF
		return
	}
	d.pos += 4
	to := binary.BigEndian.Uint32(b[:]) - d.pos
	binary.LittleEndian.PutUint32(d.target[:], to)
	d.left, d.prev = 4, byte(to>>24)
}

func (d *bcj2) bit(p *uint16) bool {
	if d.rng < 1<<24 {
		b, err := d.code.ReadByte()
		if err != nil {
			d.err = io.ErrUnexpectedEOF
			return false
		}
		d.rng, d.value = d.rng<<8, d.value<<8|uint32(b)
	}
	bound := d.rng >> 11 * uint32(*p)
	if d.value < bound {
		d.rng = bound
		*p += (1<<11 - *p) >> 5
		return false
	}
	d.rng, d.value = d.rng-bound, d.value-bound
	*p -= *p >> 5
	return true
}
