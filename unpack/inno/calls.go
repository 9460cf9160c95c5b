package inno

// calls turns the targets of x86 calls and jumps from absolute addresses, which compress better, back into distances.
type calls struct {
	offset uint32 // of the next byte in the file
	flip   bool   // the highest byte follows the sign, from 5.3.9 on
	old    bool   // before 5.2: all four bytes, and across blocks

	target uint32 // of the old form: of a call that is not complete
	bytes  int    // of it to come
}

func (c *calls) undo(b []byte) {
	if c.old {
		c.undoOld(b)
		return
	}
	for i := 0; i+5 <= len(b); {
		if b[i] != 0xe8 && b[i] != 0xe9 {
			i++
			continue
		}
		a := b[i+1 : i+5]
		i += 5
		if a[3] != 0 && a[3] != 0xff {
			continue
		}
		v := uint32(a[0]) | uint32(a[1])<<8 | uint32(a[2])<<16
		v -= c.offset + uint32(i)
		a[0], a[1], a[2] = byte(v), byte(v>>8), byte(v>>16)
		if c.flip && v&0x800000 != 0 {
			a[3] = ^a[3]
		}
	}
	c.offset += uint32(len(b))
}

func (c *calls) undoOld(b []byte) {
	for i := range b {
		switch {
		case c.bytes > 0:
			c.target += uint32(b[i])
			b[i] = byte(c.target)
			c.target >>= 8
			c.bytes--
		case b[i] == 0xe8 || b[i] == 0xe9:
			c.target, c.bytes = -c.offset, 4
		}
		c.offset++
	}
}
