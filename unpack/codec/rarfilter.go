package codec

import "encoding/binary"

// rarFilters holds what was decoded of a file of RAR until filters can be undone.
type rarFilters struct {
	queue []rarFilter
	held  []byte // made, and waiting for a filter
	at    int64  // where in the file that stands
	ready []byte // filtered
}

type rarFilter struct {
	kind     rarFilterKind
	at       int64 // in the file
	length   int
	channels int
	size     uint32 // what addresses are counted within, 0 if not
	width    int    // of a line of pixels, in bytes
	red      int    // which byte of a pixel is red
}

type rarFilterKind int

const (
	rarDelta rarFilterKind = iota
	rarE8
	rarE8E9
	rarARM
	rarItanium
	rarRGB
	rarAudio
)

const rarMaxFilters = 1 << 13

// reset begins a file.
func (o *rarFilters) reset() { o.queue, o.held, o.at = o.queue[:0], o.held[:0], 0 }

// add takes a filter of bytes that were not put out. They follow those of the last one, or stack says that they may be the same.
func (o *rarFilters) add(f rarFilter, stack bool) bool {
	free := o.at
	if n := len(o.queue); n > 0 {
		last := o.queue[n-1]
		free = last.at + int64(last.length)
		if stack && f.at == last.at && f.length == last.length {
			free = f.at
		}
	}
	if f.at < free || len(o.queue) == rarMaxFilters {
		return false
	}
	o.queue = append(o.queue, f)
	return true
}

// put takes b and returns what can be put out of it and of what was held, until the next call. ended says that nothing follows.
func (o *rarFilters) put(b []byte, ended bool) []byte {
	if len(o.queue) == 0 && len(o.held) == 0 {
		o.at += int64(len(b))
		return b
	}
	o.held = append(o.held, b...)
	o.ready = o.ready[:0]
	n := 0
	for len(o.queue) > 0 {
		f := o.queue[0]
		if skip := min(f.at-o.at, int64(len(o.held)-n)); skip > 0 {
			o.ready = append(o.ready, o.held[n:n+int(skip)]...)
			n += int(skip)
			o.at += skip
		}
		if f.at > o.at || len(o.held)-n < f.length {
			break
		}
		from := len(o.ready)
		o.ready = f.apply(o.ready, o.held[n:n+f.length])
		done := 1
		for ; done < len(o.queue) && o.queue[done].at == f.at; done++ {
			copy(o.held[n:], o.ready[from:])
			o.ready = o.queue[done].apply(o.ready[:from], o.held[n:n+f.length])
		}
		n += f.length
		o.at += int64(f.length)
		o.queue = append(o.queue[:0], o.queue[done:]...)
	}
	if len(o.queue) == 0 || ended { // of an incomplete file, or one of which filters reach beyond the end, what there is
		o.ready = append(o.ready, o.held[n:]...)
		o.at += int64(len(o.held) - n)
		n = len(o.held)
	}
	o.held = append(o.held[:0], o.held[n:]...)
	return o.ready
}

// apply appends to dst what b was before it was filtered.
func (f *rarFilter) apply(dst, b []byte) []byte {
	start := len(dst)
	dst = append(dst, b...)
	out := dst[start:]
	switch f.kind {
	case rarDelta:
		k := 0
		for c := range f.channels {
			var v byte
			for i := c; i < len(out); i += f.channels {
				v -= b[k]
				out[i] = v
				k++
			}
		}
	case rarE8, rarE8E9:
		f.calls(out)
	case rarARM:
		for i := 0; i+3 < len(out); i += 4 {
			if out[i+3] != 0xeb { // branch with link
				continue
			}
			to := binary.LittleEndian.Uint32(out[i:]) - uint32((f.at+int64(i))/4)
			binary.LittleEndian.PutUint32(out[i:], to&0xffffff|0xeb000000)
		}
	case rarItanium:
		f.bundles(out)
	case rarRGB:
		f.pixels(out, b)
	case rarAudio:
		k := 0
		for c := range f.channels {
			k += f.samples(out[min(c, len(out)):], b[k:])
		}
	}
	return dst
}

// calls undoes the filter of x86 calls.
func (f *rarFilter) calls(b []byte) {
	const size = 1 << 24
	for i := 0; i+4 < len(b); i++ {
		if b[i] != 0xe8 && (b[i] != 0xe9 || f.kind == rarE8) {
			continue
		}
		here := uint32(f.at + int64(i) + 1)
		if f.size > 0 {
			here %= f.size
		}
		to := binary.LittleEndian.Uint32(b[i+1:])
		if to < size {
			to -= here
		} else if to >= 1<<31 && to+here < 1<<31 {
			to += size
		}
		binary.LittleEndian.PutUint32(b[i+1:], to)
		i += 4
	}
}

// bundles undoes the filter of branches of Itanium, of which a bundle of 16 bytes has up to three, 41 bits each, behind 5 bits of template.
func (f *rarFilter) bundles(b []byte) {
	branches := [16]byte{4, 4, 6, 6, 0, 0, 7, 7, 4, 4, 0, 0, 4, 4, 0, 0} // by template, from 16 on
	here := uint32(f.at >> 4)
	for i := 0; i+21 < len(b); i, here = i+16, here+1 {
		template := b[i] & 0x1f
		if template < 16 {
			continue
		}
		for slot := range 3 {
			if branches[template-16]>>slot&1 == 0 {
				continue
			}
			at := slot*41 + 5
			op, distance := bitsLE(b[i:], at+37), bitsLE(b[i:], at+13)
			if op&15 != 5 {
				continue
			}
			at += 13
			p := b[i+at/8:]
			v := binary.LittleEndian.Uint32(p)
			mask := uint32(0xfffff) << (at % 8)
			binary.LittleEndian.PutUint32(p, v&^mask|(distance-here)<<(at%8)&mask)
		}
	}
}

// bitsLE returns at least 24 bits of b from bit at on.
func bitsLE(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at/8:]) >> (at % 8) }

// pixels undoes the filter of pictures of three bytes a pixel: each byte is the difference to a guess
// from those to the left and above, red and blue less green.
func (f *rarFilter) pixels(out, b []byte) {
	distance := func(x, y int) int { return max(x-y, y-x) }
	k := 0
	for c := range 3 {
		var left byte
		for i := c; i < len(out); i += 3 {
			guess := left
			if up := i - f.width; up >= 3 {
				a, u, ul := int(left), int(out[up]), int(out[up-3])
				p := a + u - ul
				switch da, du, dul := distance(p, a), distance(p, u), distance(p, ul); {
				case da <= du && da <= dul:
				case du <= dul:
					guess = byte(u)
				default:
					guess = byte(ul)
				}
			}
			left = guess - b[k]
			out[i] = left
			k++
		}
	}
	for i := f.red; i+2 < len(out); i += 3 {
		out[i] += out[i+1]
		out[i+2] += out[i+1]
	}
}

// samples undoes the filter of sound for one channel, whose samples stand together in b, and apart in out. It
// returns how many there are.
func (f *rarFilter) samples(out, b []byte) (n int) {
	var weight, delta [3]int
	var miss [7]int
	var last byte
	var change int
	for i := 0; i < len(out); i, n = i+f.channels, n+1 {
		delta[2], delta[1], delta[0] = delta[1], change-delta[0], change
		guess := 8 * int(last)
		for j, w := range weight {
			guess += w * delta[j]
		}
		v := byte(guess>>3) - b[n]
		out[i] = v
		change = int(int8(v - last))
		last = v
		d := int(int8(b[n])) << 3
		miss[0] += max(d, -d)
		for j, x := range delta {
			miss[2*j+1] += max(d-x, x-d)
			miss[2*j+2] += max(d+x, -d-x)
		}
		if n%32 > 0 {
			continue
		}
		best := 0
		for j, m := range miss {
			if m < miss[best] {
				best = j
			}
		}
		miss = [7]int{}
		if best == 0 {
			continue
		}
		if w := &weight[(best-1)/2]; best%2 == 1 && *w >= -16 {
			*w--
		} else if best%2 == 0 && *w < 16 {
			*w++
		}
	}
	return n
}
