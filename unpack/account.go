package unpack

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// account is the reader that one candidate gets. It notes which bytes the format asked for: what
// it never looked at cannot be in what it yields, whatever its chunk claims.
type account struct {
	r    io.ReaderAt
	mu   sync.Mutex
	read []artifact.Range
	room int // of read, until it is put in order
}

func (a *account) ReadAt(p []byte, off int64) (int, error) {
	n, err := a.r.ReadAt(p, off)
	a.mu.Lock()
	a.note(artifact.Range{Off: off, Len: int64(n)})
	a.mu.Unlock()
	return n, err
}

func (a *account) note(r artifact.Range) {
	if n := len(a.read); n > 0 && a.read[n-1].Off <= r.Off && r.Off <= a.read[n-1].End() {
		a.read[n-1].Len = max(a.read[n-1].End(), r.End()) - a.read[n-1].Off
		return
	}
	if a.read = append(a.read, r); len(a.read) < max(a.room, minRoom) {
		return
	}
	a.read = joined(a.read, 0)
	for apart := int64(1); len(a.read) > maxRuns; apart *= 2 { // only a hostile content has so many
		a.read = joined(a.read, apart)
	}
	a.room = 2 * len(a.read)
}

const (
	minRoom = 1 << 12
	maxRuns = 1 << 18
)

// joined returns runs in order, those in one that are not more than apart bytes from each other.
func joined(runs []artifact.Range, apart int64) []artifact.Range {
	slices.SortFunc(runs, func(x, y artifact.Range) int { return cmp.Compare(x.Off, y.Off) })
	out := runs[:0]
	for _, r := range runs {
		if n := len(out); n > 0 && r.Off-out[n-1].End() <= apart {
			out[n-1].Len = max(out[n-1].End(), r.End()) - out[n-1].Off
			continue
		}
		out = append(out, r)
	}
	return out
}

const (
	// minUnread is the least that is handed out, padding not counted. A sector: what formats
	// reserve and skip in their headers is smaller, any program or packed payload is larger.
	minUnread = 512
	// A run of one value of this length divides what is handed out. Sections of a program are
	// aligned to no more than 64 KiB, so that none is torn.
	dividing = 128 << 10
	align    = 4096
	// The most that one chunk hands out. Free blocks of a disk that was long in use are in as many runs.
	maxUnread = 4096
)

// unread adds to the chunk, as nodes, what its format neither read nor handed out: free blocks
// with something in them, what stands between tables, members that are skipped. It is then
// searched as anything else. size is the chunk's.
func (d *drain) unread(opened format.Chunk, a *account, size int64) error {
	used := joined(a.read, 0)
	if s, ok := opened.(format.Skipper); ok {
		used = without(used, s.Skipped(), d.src.Before)
	}
	for _, n := range d.chunk.Nodes {
		if n.Window != nil {
			used = append(used, *n.Window)
		}
	}
	at, end := d.src.Before, d.src.Before+size
	var found []format.Entry
	for _, r := range append(joined(used, 0), artifact.Range{Off: end}) {
		for _, run := range d.islands(at, min(r.Off, end)) {
			if len(found) == maxUnread {
				d.problem(artifact.Problem{Kind: artifact.Limit, At: run.Shift(-d.src.Before), Detail: fmt.Sprintf("more than %d runs of bytes outside of what the format reads", maxUnread)})
				return d.batch(found)
			}
			w := run.Shift(-d.src.Before)
			found = append(found, format.Entry{Path: fmt.Sprintf("gap-%#x", w.Off), Size: w.Len, Window: &w})
		}
		at = max(at, r.End())
	}
	return d.batch(found)
}

// without returns runs, which are in order, without those of other, which count from base.
func without(runs, other []artifact.Range, base int64) (out []artifact.Range) {
	other = joined(slices.Clone(other), 0)
	for _, r := range runs {
		for len(other) > 0 && other[0].End()+base <= r.Off {
			other = other[1:]
		}
		for _, o := range other {
			o = o.Shift(base)
			if o.Off >= r.End() {
				break
			}
			if o.Off > r.Off {
				out = append(out, artifact.Range{Off: r.Off, Len: o.Off - r.Off})
			}
			if o.End() >= r.End() {
				r.Len = 0
				break
			}
			r = artifact.Range{Off: o.End(), Len: r.End() - o.End()}
		}
		if r.Len > 0 {
			out = append(out, r)
		}
	}
	return out
}

// islands returns what stands between off and end apart from long padding, if it is not too little.
func (d *drain) islands(off, end int64) (out []artifact.Range) {
	if end-off < minUnread {
		return nil
	}
	var plain int64 // padding between off and the end of the last run
	add := func(to int64) {
		if to-off-plain >= minUnread {
			out = append(out, artifact.Range{Off: off, Len: to - off})
		}
	}
	for _, run := range padding(d.hot, artifact.Range{Off: off, Len: end - off}) {
		if run.Len < dividing && run.Off > off && run.End() < end {
			plain += run.Len
			continue
		}
		add(run.Off)
		// What begins with zeros, as file systems do, keeps some, and its alignment.
		off = max(run.Off, (run.End()-dividing/2)&^(align-1))
		plain = run.End() - off
	}
	add(end)
	return out
}
