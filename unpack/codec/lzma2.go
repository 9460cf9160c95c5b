package codec

// lzma2 decodes the chunks of LZMA2, see https://tukaani.org/xz/xz-file-format.txt, section
// 5.3.1, for its place; its chunk header is described by the LZMA SDK only.
type lzma2 struct {
	core       *lzmaCore
	in         *input
	w          *window
	plain      int  // bytes of the chunk still to come out
	packed     int  // bytes of the chunk still to be taken, if it is not stored
	stored     bool // the chunk is not compressed
	needDict   bool // no dictionary reset was seen
	needProps  bool
	terminated bool
}

func newLZMA2(core *lzmaCore, in *input, w *window) lzma2 {
	core.rep, core.state, core.rem = [4]int{}, 0, 0
	return lzma2{core: core, in: in, w: w, needDict: true, needProps: true}
}

// step decodes to w, up to its room, and reports whether the end was reached.
func (z *lzma2) step() (bool, error) {
	limit := z.w.room()
	for !z.terminated {
		if z.plain == 0 {
			if err := z.next(); err != nil {
				return false, err
			}
			continue
		}
		if z.w.op == limit {
			return false, nil
		}
		if err := z.chunk(min(limit, z.w.op+z.plain)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// next reads a chunk's header.
func (z *lzma2) next() error {
	b := z.in.take(1)
	if b == nil {
		return z.in.cut()
	}
	control := b[0]
	switch {
	case control == 0:
		z.terminated = true
		return nil
	case control == 1 || control >= 0xe0:
		z.w.base = z.w.op
		z.needDict, z.needProps = false, true
	case z.needDict, control > 2 && control < 0x80:
		return ErrCorrupt
	}
	if z.stored = control < 0x80; z.stored {
		if b = z.in.take(2); b == nil {
			return z.in.cut()
		}
		z.plain = int(b[0])<<8 + int(b[1]) + 1
		return nil
	}
	if b = z.in.take(4); b == nil {
		return z.in.cut()
	}
	plain := int(control&0x1f)<<16 + int(b[0])<<8 + int(b[1]) + 1
	z.packed = int(b[2])<<8 + int(b[3]) + 1 - rangeInit
	if control >= 0xc0 {
		if b = z.in.take(1); b == nil {
			return z.in.cut()
		}
		if !z.core.setProps(b[0]) || z.core.lc > 4 || z.core.lpMask>>(4-z.core.lc) != 0 {
			return ErrCorrupt
		}
		z.needProps = false
	} else if z.needProps {
		return ErrCorrupt
	}
	if control >= 0xa0 {
		z.core.resetState()
	}
	if z.packed < 0 {
		return ErrCorrupt
	}
	if err := z.core.begin(z.in); err != nil {
		return err
	}
	z.plain = plain
	return nil
}

// chunk decodes up to limit, which is not beyond the chunk.
func (z *lzma2) chunk(limit int) error {
	was := z.w.op
	defer func() { z.plain -= z.w.op - was }()
	if z.stored {
		if !z.in.need(min(limit-was, inputBuffer)) && !z.in.need(1) {
			return z.in.cut()
		}
		n := copy(z.w.buf[was:limit], z.in.buf[z.in.pos:])
		z.in.pos += n
		z.w.op += n
		return nil
	}
	whole := z.in.need(z.packed+maxSymbol) || z.in.need(z.packed)
	start := z.in.pos
	end := min(start+z.packed, len(z.in.buf))
	why, err := z.core.run(z.in, z.w, limit, end)
	z.packed -= z.in.pos - start
	switch {
	case err != nil:
		return err
	case why == inputUsed && !whole:
		return z.in.cut()
	case why != outputFull:
		return ErrCorrupt
	case limit-was < z.plain:
		return nil
	}
	// The chunk's end: no match reaches over it, and the range decoder is at rest.
	if z.core.rng < rangeTop && z.packed > 0 {
		b := z.in.take(1)
		if b == nil {
			return z.in.cut()
		}
		z.core.rng, z.core.code = z.core.rng<<8, z.core.code<<8|uint64(b[0])
		z.packed--
	}
	if z.core.rem > 0 || z.packed != 0 || !z.core.finished() {
		return ErrCorrupt
	}
	return nil
}
