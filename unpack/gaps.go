package unpack

import (
	"io"

	"hallmark/artifact"
)

// fillGaps turns what no format claims into padding and unknown extents, so that every byte of
// the content is in exactly one.
func (o *opening) fillGaps() {
	var out []artifact.Extent
	at := int64(0)
	for _, x := range o.out.Extents {
		out = append(out, unclaimed(o.src, artifact.Range{Off: at, Len: x.Off - at}, o.out.Type)...)
		out = append(out, x)
		at = x.End()
	}
	o.out.Extents = append(out, unclaimed(o.src, artifact.Range{Off: at, Len: o.src.Size() - at}, o.out.Type)...)
}

const (
	minPadding = 256      // shorter runs of one value are part of what surrounds them
	grain      = 32 << 10 // unknown bytes are classed in steps of this size, then joined
)

// unclaimed divides the range at into runs of one byte value and unknown rest.
func unclaimed(r io.ReaderAt, at artifact.Range, typ string) []artifact.Extent {
	if at.Len == 0 {
		return nil
	}
	if media[typ] || at.Len < minPadding {
		return unknown(r, at, typ)
	}
	var out []artifact.Extent
	runs(r, at, func(run artifact.Range, value byte) {
		last := at.Off
		if n := len(out); n > 0 {
			last = out[n-1].End()
		}
		out = append(out, unknown(r, artifact.Range{Off: last, Len: run.Off - last}, typ)...)
		out = append(out, artifact.Extent{Range: run, Kind: artifact.Padding, Fill: value})
	})
	last := at.Off
	if n := len(out); n > 0 {
		last = out[n-1].End()
	}
	return append(out, unknown(r, artifact.Range{Off: last, Len: at.End() - last}, typ)...)
}

// runs calls found for each run of at least minPadding equal bytes (all of them, if they fill at).
func runs(r io.ReaderAt, at artifact.Range, found func(artifact.Range, byte)) {
	buf := make([]byte, min(searchBlock, at.Len))
	start, value := at.Off, -1 // of the run at hand
	flush := func(end int64) {
		if value >= 0 && end-start >= minPadding {
			found(artifact.Range{Off: start, Len: end - start}, byte(value))
		}
	}
	for off := at.Off; off < at.End(); {
		b := buf[:min(int64(len(buf)), at.End()-off)]
		n, _ := r.ReadAt(b, off)
		if n == 0 {
			break
		}
		for i, c := range b[:n] {
			if int(c) != value {
				flush(off + int64(i))
				start, value = off+int64(i), int(c)
			}
		}
		off += int64(n)
	}
	flush(at.End())
}

// unknown classes the range at, joining neighbours that are alike in being readable or not.
func unknown(r io.ReaderAt, at artifact.Range, typ string) []artifact.Extent {
	if at.Len == 0 {
		return nil
	}
	var out []artifact.Extent
	var joined artifact.Meter
	buf := make([]byte, min(grain, at.Len))
	opaque := false
	figures := func(m *artifact.Meter) artifact.Figures {
		if typ == "" {
			return m.Figures()
		}
		f := m.FiguresIn()
		if media[typ] {
			f.Class = artifact.ClassMedia
		}
		return f
	}
	for off := at.Off; off < at.End(); {
		b := buf[:min(grain, at.End()-off)]
		n, _ := r.ReadAt(b, off)
		if n == 0 {
			n = len(b) // unreadable: the run reports it elsewhere
			clear(b)
		}
		var m artifact.Meter
		m.Write(b[:n])
		here := figures(&m).Class.Opaque()
		if len(out) == 0 || here != opaque && n >= grain/2 {
			if len(out) > 0 {
				out[len(out)-1].Figures = figures(&joined)
			}
			joined = artifact.Meter{}
			opaque = here
			out = append(out, artifact.Extent{Range: artifact.Range{Off: off}, Kind: artifact.Unknown})
		}
		joined.Write(b[:n])
		out[len(out)-1].Len += int64(n)
		off += int64(n)
	}
	out[len(out)-1].Figures = figures(&joined)
	return out
}
