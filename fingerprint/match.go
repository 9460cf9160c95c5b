package fingerprint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"hallmark/artifact"
	"hallmark/internal/binomial"
	"hallmark/internal/work"
)

// Likeness is one content that is like a learnt component.
type Likeness struct {
	Content   artifact.Digest `json:"content"`
	Name      string          `json:"name"` // the way to it
	Family    string          `json:"family"`
	Component string          `json:"component"`
	Version   string          `json:"version"` // the nearest one that was learnt
	Nearest   string          `json:"nearest"` // learnt content that shares most
	LLR       float64         `json:"llr"`     // decimal logarithm of the likelihood ratio that the tests support
	Classes   []ClassHits     `json:"classes"`
	Island    bool            `json:"island,omitempty"` // confined to one part of one learnt file: demoted
	Identical bool            `json:"identical,omitempty"`

	// What an innocent content comes to: the best of the pack's own tests.
	Innocent     string          `json:"nearest_innocent,omitempty"`
	InnocentHits int             `json:"nearest_innocent_hits"`
	Expected     float64         `json:"expected"` // contents of an innocent image like this one, at most, at 95 %
	Pack         artifact.Digest `json:"pack"`
}

// Matcher compares contents with packs. It is safe for concurrent use.
type Matcher struct {
	packs      []*Pack
	background *Background
	known      map[artifact.Digest][]reference
}

type reference struct{ pack, component, version int }

// NewMatcher makes a matcher. The background may be nil.
func NewMatcher(packs []*Pack, b *Background) *Matcher {
	m := &Matcher{packs: packs, background: b, known: map[artifact.Digest][]reference{}}
	for i, p := range packs {
		for k, c := range p.Components {
			for v, version := range c.Versions {
				for _, r := range version.References {
					if r.Weak {
						continue
					}
					m.known[r.Digest] = append(m.known[r.Digest], reference{i, k, v})
				}
			}
		}
	}
	return m
}

// Match returns what the contents of one image are like, in order of the samples, strongest
// first for each. Thresholds hold for the image as a whole: the more contents it has beyond those
// that the tests of a component had, the more hits each of them needs.
func (m *Matcher) Match(ctx context.Context, p *work.Pool, samples []Sample) ([]Likeness, error) {
	lists, errs := work.Map(ctx, p, samples, func(_ context.Context, s Sample) ([]Likeness, error) {
		return m.content(s, len(samples)), nil
	})
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("fingerprint: %w", err)
	}
	return append([]Likeness{}, slices.Concat(lists...)...), nil
}

// perImage is the factor by which the fewest hits grow with the contents of an image. How much
// two innocent files share has a long tail, since they share whole libraries: the tail was taken
// to fall with the square of the hits, so that the highest of n grows with the root of n.
func perImage(contents, tested int) float64 {
	return max(1, math.Sqrt(float64(contents)/float64(max(1, tested))))
}

func (m *Matcher) content(s Sample, contents int) []Likeness {
	var out []Likeness
	o := ownOf(s.Set, m.background)
	for i, p := range m.packs {
		for k := range p.Components {
			c := &p.Components[k]
			hits, alike := c.look(o, perImage(contents, c.Tests.Negatives))
			identical := slices.ContainsFunc(m.known[s.Digest], func(r reference) bool { return r.pack == i && r.component == k })
			if !alike && !identical {
				continue
			}
			l := Likeness{
				Content: s.Digest, Name: s.Name, Family: c.Family, Component: c.Name, Classes: append([]ClassHits{}, hits...),
				LLR: c.llrOf(hits), Island: !identical && c.island(hits), Identical: identical, Pack: p.Digest,
				Expected: math.Round(1e4*float64(contents)*binomial.Upper(c.Tests.Falsely, c.Tests.Negatives)) / 1e4,
			}
			l.Version, l.Nearest = c.nearest(hits)
			for _, r := range m.known[s.Digest] {
				if r.pack == i && r.component == k {
					l.Version, l.Nearest = c.Versions[r.version].Name, s.Name
				}
			}
			for _, h := range hits {
				if t := c.traitNamed(h.Class); t.InnocentHits > l.InnocentHits {
					l.Innocent, l.InnocentHits = t.Innocent, t.InnocentHits
				}
			}
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Likeness) int {
		return cmp.Or(cmp.Compare(btoi(b.Identical), btoi(a.Identical)), cmp.Compare(btoi(a.Island), btoi(b.Island)), cmp.Compare(b.LLR, a.LLR), cmp.Compare(a.Family, b.Family), cmp.Compare(a.Component, b.Component))
	})
	// Of a component learnt in parts the part that is most alike speaks.
	type part struct {
		pack              artifact.Digest
		family, component string
	}
	seen := map[part]bool{}
	return slices.DeleteFunc(out, func(l Likeness) bool {
		key := part{l.Pack, l.Family, l.Component}
		dup := seen[key]
		seen[key] = true
		return dup
	})
}

func (c *Component) traitNamed(class string) *Trait {
	i := slices.IndexFunc(c.Classes, func(t Trait) bool { return t.Class == class })
	return &c.Classes[i]
}

// nearest returns the version, and of it the learnt content, that hits speak for most: the
// version with the greatest share of its own features hit.
func (c *Component) nearest(hits []ClassHits) (version, file string) {
	got, all := make([]int, len(c.Versions)), make([]int, len(c.Versions))
	var files [256]int
	for _, h := range hits {
		t := c.traitNamed(h.Class)
		for v, n := range t.versionHits(len(c.Versions)) {
			all[v] += n
		}
		for _, k := range h.entries {
			for v := range c.Versions {
				if t.entries[k].versions>>v&1 == 1 {
					got[v]++
				}
			}
		}
	}
	best := 0
	for v := range got {
		if got[v]*max(1, all[best]) > got[best]*max(1, all[v]) {
			best = v
		}
	}
	for _, h := range hits {
		t := c.traitNamed(h.Class)
		for _, k := range h.entries {
			// The place of an entry is that in the first version that has it.
			if e := t.entries[k]; bits.TrailingZeros64(e.versions) == best {
				files[e.file]++
			}
		}
	}
	top := 0
	for f, n := range files {
		if n > files[top] {
			top = f
		}
	}
	v := c.Versions[best]
	if len(v.References) > 0 && files[top] > 0 {
		file = v.References[top%len(v.References)].Name
	}
	return v.Name, file
}
