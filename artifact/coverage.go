package artifact

import (
	"fmt"
	"math/bits"
)

// Coverage says how much of an image was read. Every byte of the image is in one of its counts.
type Coverage struct {
	Total   int64 // bytes of the image
	Padding int64 // repeated filler between its parts, outermost level only
	Unread  int64 // bytes that nobody could read, carried outwards through every layer
	Regions []Region
	// Incomplete says that something is known to be missing for which no bytes can be counted: a
	// file cut short, a limit reached.
	Incomplete bool
}

// Region is one run of bytes that nobody could read, or one problem that hides bytes.
type Region struct {
	Place   Place // way to the content that holds it
	Content Digest
	At      Range
	Why     string   // what the bytes look like, or the problem
	Figures *Figures // of unclaimed bytes
}

// Clear reports whether everything was read, so that finding nothing means something.
func (c Coverage) Clear() bool { return c.Unread == 0 && len(c.Regions) == 0 && !c.Incomplete }

// Percent writes the share of bytes read, rounded down to two digits so that it never says 100
// when a byte is missing.
func (c Coverage) Percent() string {
	if c.Total == 0 {
		return "0"
	}
	p := mulDiv(c.Total-c.Unread, 10000, c.Total)
	if p%100 == 0 {
		return fmt.Sprint(p / 100)
	}
	return fmt.Sprintf("%d.%02d", p/100, p%100)
}

// maxRegions bounds the regions that a coverage lists; Unread counts all.
const maxRegions = 1000

// Coverage computes how much of the image was read. Unread bytes of an inner content count for
// as many bytes of the outer one as it takes up there: exactly if it is stored as it is, in
// proportion to its size otherwise.
func (t *Tree) Coverage() Coverage {
	root := t.Content(t.Root)
	if root == nil {
		return Coverage{Incomplete: true}
	}
	m := meter{t: t, unread: map[Digest]int64{}}
	c := Coverage{Total: root.Size}
	c.Unread = m.content(root)
	c.Regions = m.regions
	c.Incomplete = m.incomplete
	for _, p := range t.Problems {
		c.Incomplete = c.Incomplete || p.Kind.Hides()
	}
	for _, x := range root.Extents {
		if x.Kind == Padding {
			c.Padding += x.Len
		}
	}
	return c
}

type meter struct {
	t          *Tree
	unread     map[Digest]int64 // of contents done or, as 0, at work
	regions    []Region
	incomplete bool
}

func (m *meter) add(c *Content, at Range, why string, f *Figures) {
	if len(m.regions) < maxRegions {
		m.regions = append(m.regions, Region{m.t.FirstPlace(c.Digest), c.Digest, at, why, f})
	}
}

// content returns how many bytes of c nobody could read.
func (m *meter) content(c *Content) int64 {
	if n, ok := m.unread[c.Digest]; ok {
		return n
	}
	m.unread[c.Digest] = 0
	var sum int64
	for i := range c.Extents {
		x := &c.Extents[i]
		switch {
		case x.Kind == Unknown && x.Figures.Class.Opaque():
			m.add(c, x.Range, string(x.Figures.Class), &x.Figures)
			sum += x.Len
		case x.Kind == InChunk:
			sum += m.chunk(c, x)
		}
	}
	m.problems(c, c.Problems)
	sum = min(sum, c.Size)
	m.unread[c.Digest] = sum
	return sum
}

// problems lists those that hide bytes.
func (m *meter) problems(c *Content, list []Problem) {
	for _, p := range list {
		if p.Kind.Hides() {
			m.add(c, p.At, p.String(), nil)
			m.incomplete = true
		}
	}
}

func (m *meter) chunk(c *Content, x *Extent) int64 {
	m.problems(c, x.Chunk.Problems)
	var windows, decoded int64
	for i := range x.Chunk.Nodes {
		switch n := &x.Chunk.Nodes[i]; {
		case n.HardLink != "" || !n.HasContent():
		case n.Window != nil:
			windows += n.Window.Len
		default:
			decoded += n.Size
		}
	}
	stored := max(0, x.Len-windows) // what the decoded nodes take up
	var sum int64
	for i := range x.Chunk.Nodes {
		n := &x.Chunk.Nodes[i]
		inner := m.t.Content(n.Digest)
		if n.HardLink != "" {
			continue
		}
		var unread int64
		if inner != nil {
			unread = m.content(inner)
		}
		for _, p := range n.Problems {
			// What was decoded and does not fit its checksum is not what was packed, from
			// somewhere on. What is stored as it is was read, whatever its checksum says.
			if !p.Kind.Hides() && !(p.Kind == Checksum && n.Window == nil) {
				continue
			}
			m.add(c, p.At, n.Path+": "+p.String(), nil)
			m.incomplete = true
			if p.Kind == Encrypted {
				unread = n.Size
			}
		}
		if n.Window == nil && unread > 0 {
			unread = max(1, mulDiv(unread, stored, decoded))
		}
		sum += unread
	}
	return min(sum, x.Len)
}

// mulDiv returns a*b/c without overflow; 0 if c is 0.
func mulDiv(a, b, c int64) int64 {
	if c <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(min(q, 1<<63-1))
}
