package sbom

import (
	"slices"

	"hallmark/artifact"
)

// spot is a chunk: the extent of a content.
type spot struct {
	content artifact.Digest
	extent  int
}

// plan knows the chunks of a tree that count as layers, and what stands in them.
type plan struct {
	t       *artifact.Tree
	layers  []Layer
	index   map[spot]int
	holders map[artifact.Digest][]spot   // chunks that hold a content, each once
	paths   map[artifact.Digest][]string // of the nodes that have a content, at most maxPaths
	within  map[artifact.Digest][]int    // memo of layersOf
}

const (
	maxPaths   = 16
	maxLayers  = 10_000
	maxHolders = 64
)

// newPlan finds the layers of t: chunks of several nodes, and the chunks around them.
func newPlan(t *artifact.Tree) *plan {
	p := &plan{
		t: t, index: map[spot]int{}, holders: map[artifact.Digest][]spot{},
		paths: map[artifact.Digest][]string{}, within: map[artifact.Digest][]int{},
	}
	for _, c := range t.Contents() {
		for i, x := range c.Chunks() {
			s := spot{c.Digest, i}
			for j := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[j]
				if !n.HasContent() {
					continue
				}
				if h := p.holders[n.Digest]; len(h) < maxHolders && !slices.Contains(h, s) {
					p.holders[n.Digest] = append(h, s)
				}
				if q := p.paths[n.Digest]; len(q) < maxPaths && n.Path != "" && !slices.Contains(q, n.Path) {
					p.paths[n.Digest] = append(q, n.Path)
				}
			}
			if several(x.Chunk) {
				p.layer(s)
			}
		}
	}
	return p
}

// several reports whether c can hold more than one thing, so that what it holds belongs together.
func several(c *artifact.Chunk) bool { return len(c.Nodes) > 1 }

// layer returns the index of the layer at s, which it makes if need be, after those around it;
// -1 if there are too many.
func (p *plan) layer(s spot) int {
	if i, ok := p.index[s]; ok {
		return i
	}
	c := p.t.Content(s.content)
	parent, path := -1, ""
	if up := c.First; !up.Content.IsZero() && s.content != p.t.Root {
		parent = p.layer(spot{up.Content, up.Extent})
		path = p.t.Node(up).Path
	}
	if len(p.layers) >= maxLayers {
		return -1
	}
	x := c.Extents[s.extent]
	i := len(p.layers)
	p.index[s] = i
	p.layers = append(p.layers, Layer{
		Parent: parent, Content: s.content, At: x.Range, Whole: x.Len == c.Size,
		Format: x.Chunk.Format, Path: path,
		Place: p.t.Locate(p.t.FirstPlace(s.content), x.Range), Nodes: len(x.Chunk.Nodes),
	})
	return i
}

// layersOf returns the innermost layers of several nodes in which d stands, in order; -1 is the
// image itself.
func (p *plan) layersOf(d artifact.Digest) []int {
	if l, ok := p.within[d]; ok {
		return l
	}
	p.within[d] = nil // ends a circle
	var out []int
	for _, s := range p.holders[d] {
		var inner []int
		if x := p.t.Content(s.content).Extents[s.extent]; several(x.Chunk) {
			inner = []int{p.layer(s)}
		} else {
			inner = p.layersOf(s.content)
		}
		for _, l := range inner {
			if !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	if len(out) == 0 && (d == p.t.Root || len(p.holders[d]) == 0) {
		out = []int{-1}
	}
	slices.Sort(out)
	p.within[d] = out
	return out
}
