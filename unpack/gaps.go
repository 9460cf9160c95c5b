package unpack

import (
	"bytes"
	"encoding/binary"
	"sync"

	"hallmark/artifact"
)

// fillGaps turns what no format claims into padding and unknown extents, so that every byte of
// the content is in exactly one.
func (o *opening) fillGaps() {
	var out []artifact.Extent
	at := int64(0)
	for _, x := range o.out.Extents {
		out = append(out, unclaimed(o.hot, artifact.Range{Off: at, Len: x.Off - at}, o.out.Type)...)
		out = append(out, x)
		at = x.End()
	}
	o.out.Extents = append(out, unclaimed(o.hot, artifact.Range{Off: at, Len: o.src.Size() - at}, o.out.Type)...)
}

const (
	minPadding = 256      // shorter runs of one value are part of what surrounds them
	grain      = 32 << 10 // unknown bytes are classed in steps of this size, then joined
)

// unclaimed divides the range at into runs of one byte value and unknown rest.
func unclaimed(h *hot, at artifact.Range, typ string) []artifact.Extent {
	if at.Len == 0 {
		return nil
	}
	if media[typ] != nil || at.Len < minPadding {
		return unknown(h, at, typ)
	}
	runs := padding(h, at)
	if len(runs) == 0 {
		return unknown(h, at, typ)
	}
	var out []artifact.Extent
	last := at.Off
	for _, run := range runs {
		out = append(out, unknown(h, artifact.Range{Off: last, Len: run.Off - last}, typ)...)
		out = append(out, run)
		last = run.End()
	}
	return append(out, unknown(h, artifact.Range{Off: last, Len: at.End() - last}, typ)...)
}

// padding returns the runs of at least minPadding equal bytes in at.
func padding(h *hot, at artifact.Range) []artifact.Extent {
	var out []artifact.Extent
	start, value := at.Off, -1 // of the run that reaches the end of what was read, if any
	flush := func(end int64) {
		if value >= 0 && end-start >= minPadding {
			out = append(out, artifact.Extent{Range: artifact.Range{Off: start, Len: end - start}, Kind: artifact.Padding, Fill: byte(value)})
		}
		value = -1
	}
	for off := at.Off; off < at.End(); {
		b, _ := h.span(off, min(searchBlock, at.End()-off))
		if len(b) == 0 {
			break
		}
		i := 0
		if value >= 0 {
			if i = sameUntil(b, 0, byte(value)); i < len(b) {
				flush(off + int64(i))
			}
		}
		for value < 0 {
			lo, hi := nextRun(b, i)
			start, value = off+int64(lo), int(b[lo])
			if hi < len(b) {
				flush(off + int64(hi))
			}
			i = hi
		}
		off += int64(len(b))
	}
	flush(at.End())
	return out
}

// probe is a step in which a run of minPadding equal bytes cannot hide: it fills one such step.
const probe = minPadding / 2

// nextRun returns the first run of equal bytes in b[from:] that fills a step of probe bytes, or
// else the run that reaches the end of b, however short. b[from:] must not be empty.
func nextRun(b []byte, from int) (lo, hi int) {
	lo = from
	for ; lo+probe <= len(b); lo += probe {
		p := b[lo : lo+probe]
		if p[0] == p[probe/2] && p[0] == p[probe-1] && bytes.Equal(p[1:], p[:probe-1]) {
			hi = sameUntil(b, lo+probe, p[0])
			break
		}
	}
	if hi == 0 {
		lo, hi = len(b)-1, len(b)
	}
	for v := b[lo]; lo > from && b[lo-1] == v; lo-- {
	}
	return lo, hi
}

// sameUntil returns the index of the first byte of b[i:] that is not v, or len(b).
func sameUntil(b []byte, i int, v byte) int {
	for w := uint64(v) * 0x0101010101010101; i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:]) == w; i += 8 {
	}
	for ; i < len(b) && b[i] == v; i++ {
	}
	return i
}

var meters = sync.Pool{New: func() any { return new([2]artifact.Meter) }}

// unknown classes the range at, joining neighbours that are alike in being readable or not.
func unknown(h *hot, at artifact.Range, typ string) []artifact.Extent {
	if at.Len == 0 {
		return nil
	}
	pair := meters.Get().(*[2]artifact.Meter)
	defer meters.Put(pair)
	m, joined := &pair[0], &pair[1]
	joined.Reset()
	var out []artifact.Extent
	opaque := false
	for off := at.Off; off < at.End(); {
		want := min(grain, at.End()-off)
		b, _ := h.span(off, want)
		if len(b) == 0 {
			b = make([]byte, want) // unreadable: the run reports it elsewhere
		}
		m.Reset()
		m.Write(b)
		here := opaque
		if len(out) == 0 || len(b) >= grain/2 {
			here = media[typ] == nil && m.Opaque(typ != "")
		}
		if len(out) == 0 || here != opaque {
			if len(out) > 0 {
				out[len(out)-1].Figures = figures(joined, typ)
				joined.Reset()
			}
			opaque = here
			out = append(out, artifact.Extent{Range: artifact.Range{Off: off}, Kind: artifact.Unknown})
		}
		joined.Join(m)
		out[len(out)-1].Len += int64(len(b))
		off += int64(len(b))
	}
	out[len(out)-1].Figures = figures(joined, typ)
	return withoutTables(h, out, typ)
}

// withoutTables takes out of opaque extents what is known to be a table of a CRC-32.
func withoutTables(h *hot, in []artifact.Extent, typ string) []artifact.Extent {
	var out []artifact.Extent
	for _, x := range in {
		// The first entry is zero and may have been taken for the end of padding before it.
		from := max(0, x.Off-4) &^ 3
		b, _ := h.span(from, min(searchBlock, x.End()-from))
		var tables []artifact.Range
		if x.Figures.Class.Opaque() {
			tables = artifact.CRCTables(b)
		}
		last := x.Off
		for _, t := range tables {
			t = t.Shift(from)
			off := max(t.Off, x.Off)
			out = append(out, unknown(h, artifact.Range{Off: last, Len: off - last}, typ)...)
			f := x.Figures
			f.Class = artifact.ClassData
			out = append(out, artifact.Extent{Range: artifact.Range{Off: off, Len: t.End() - off}, Kind: artifact.Unknown, Figures: f})
			last = t.End()
		}
		if tables == nil {
			out = append(out, x)
		} else {
			out = append(out, unknown(h, artifact.Range{Off: last, Len: x.End() - last}, typ)...)
		}
	}
	return out
}

func figures(m *artifact.Meter, typ string) artifact.Figures {
	if typ == "" {
		return m.Guess(m.Figures())
	}
	f := m.FiguresIn()
	if media[typ] != nil {
		f.Class = artifact.ClassMedia
	}
	return f
}
