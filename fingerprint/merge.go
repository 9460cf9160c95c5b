package fingerprint

import (
	"fmt"
	"maps"
	"slices"

	"hallmark/feature"
)

// Merge makes one pack of several. Versions of one component are united, unless it was learnt in
// parts. What components of
// different families have in common is taken away from all of them, and each says what it lost.
func Merge(packs []*Pack) (*Pack, error) {
	byID := map[string]*Component{}
	for _, p := range packs {
		for _, c := range p.Components {
			c.From.MergedFrom = append(slices.Clone(c.From.MergedFrom), p.Digest.String())
			id := c.ID()
			if c.Part > 0 { // parts of two versions do not hold the same files
				id = fmt.Sprintf("%s %s %03d", id, c.Versions[0].Name, c.Part)
			}
			mine := byID[id]
			if mine == nil {
				byID[id] = &c
				continue
			}
			if err := mine.unite(&c); err != nil {
				return nil, fmt.Errorf("fingerprint: merge: %w", err)
			}
		}
	}
	var out Pack
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		out.Components = append(out.Components, *byID[id])
	}
	out.exclude()
	for i := range out.Components {
		c := &out.Components[i]
		slices.Sort(c.From.MergedFrom)
		c.From.MergedFrom = slices.Compact(c.From.MergedFrom)
		if n := c.features(); n < minOwn {
			return nil, weak("%s keeps %d features that no other family of the packs has, at least %d are needed", c.ID(), n, minOwn)
		}
		c.sample()
	}
	sortComponents(out.Components)
	b, err := out.Encode()
	if err != nil {
		return nil, err
	}
	out.Digest = digestOf(b)
	return &out, nil
}

// unite adds the versions of o to c. Where figures differ, those that claim less are kept.
func (c *Component) unite(o *Component) error {
	if c.Extractor != o.Extractor {
		return fmt.Errorf("%s: learnt with extractors %d and %d", c.ID(), c.Extractor, o.Extractor)
	}
	c.Versions = slices.Clone(c.Versions)
	bit := make([]int, len(o.Versions))    // of o's versions in c
	behind := make([]int, len(o.Versions)) // references that c had of them
	for i, v := range o.Versions {
		k := slices.IndexFunc(c.Versions, func(w Version) bool { return w.Name == v.Name })
		if k < 0 {
			k = len(c.Versions)
			c.Versions = append(c.Versions, Version{Name: v.Name})
		}
		if k >= maxVersions {
			return fmt.Errorf("%s: more than %d versions", c.ID(), maxVersions)
		}
		bit[i], behind[i] = k, len(c.Versions[k].References)
		c.Versions[k].References = append(slices.Clone(c.Versions[k].References), v.References...)
	}
	var traits []Trait
	for class := range feature.NumClasses {
		a, b := c.trait(class), o.trait(class)
		if a == nil && b == nil {
			continue
		}
		var t Trait
		if a != nil {
			t = *a
			t.entries = slices.Clone(a.entries)
		}
		if b != nil {
			t.unite(b, a == nil, bit, behind)
		}
		traits = append(traits, t)
	}
	c.Classes = traits
	c.Tests.unite(&o.Tests)
	c.From.Against = min(c.From.Against, o.From.Against)
	c.From.Subtracted = min(c.From.Subtracted, o.From.Subtracted)
	c.From.MergedFrom = append(c.From.MergedFrom, o.From.MergedFrom...)
	return nil
}

func (t *Trait) unite(b *Trait, first bool, bit, behind []int) {
	for _, e := range b.entries {
		var versions uint64
		shift := -1
		for v := range bit {
			if e.versions>>v&1 == 1 {
				versions |= 1 << bit[v]
				if shift < 0 {
					shift = behind[v]
				}
			}
		}
		e.versions, e.file = versions, e.file+byte(shift)
		t.entries = append(t.entries, e)
	}
	slices.SortStableFunc(t.entries, byHash)
	kept := t.entries[:0]
	for _, e := range t.entries {
		if n := len(kept); n > 0 && kept[n-1].hash == e.hash {
			kept[n-1].versions |= e.versions
			continue
		}
		kept = append(kept, e)
	}
	t.entries, t.Kept = kept, len(kept)
	if first {
		entries, kept := t.entries, t.Kept
		*t = *b
		t.entries, t.Kept = entries, kept
		return
	}
	t.Scale = max(t.Scale, b.Scale)
	t.Before += b.Before
	t.Own += b.Own
	t.MinShare = max(t.MinShare, b.MinShare)
	t.LLR = min(t.LLR, b.LLR)
	if t.MinHits = max(t.MinHits, b.MinHits); b.MinHits == 0 {
		t.MinHits = 0
	}
	if b.InnocentHits > t.InnocentHits {
		t.Innocent, t.InnocentHits = b.Innocent, b.InnocentHits
	}
}

func (t *Tests) unite(o *Tests) {
	t.References += o.References
	t.Itself += o.Itself
	t.Falsely = max(t.Falsely, o.Falsely)
	if o.Negatives < t.Negatives {
		t.Negatives, t.NegativeSums = o.Negatives, o.NegativeSums
	}
	disguises := []Hits{}
	for _, d := range t.Disguises { // those that both were tested with
		i := slices.IndexFunc(o.Disguises, func(h Hits) bool { return h.Name == d.Name })
		if i >= 0 {
			disguises = append(disguises, Hits{d.Name, d.Of + o.Disguises[i].Of, d.Hits + o.Disguises[i].Hits})
		}
	}
	t.Disguises = disguises
	t.LeftOut = nil // the other versions teach more now
}

// exclude takes away what components of different families share.
func (p *Pack) exclude() {
	type place struct{ component, class, entry int }
	for class := range feature.NumClasses {
		at := map[uint64][]place{}
		for i := range p.Components {
			for k := range p.Components[i].Classes {
				if t := &p.Components[i].Classes[k]; classOf(t.Class) == class {
					for n, e := range t.entries {
						at[e.hash] = append(at[e.hash], place{i, k, n})
					}
				}
			}
		}
		gone := map[[2]int][]bool{}
		lost := make([]map[string]int, len(p.Components))
		for _, places := range at {
			for _, x := range places {
				others := map[string]bool{}
				for _, y := range places {
					if f := p.Components[y.component].Family; f != p.Components[x.component].Family {
						others[f] = true
					}
				}
				if len(others) == 0 {
					continue
				}
				key := [2]int{x.component, x.class}
				if gone[key] == nil {
					gone[key] = make([]bool, len(p.Components[x.component].Classes[x.class].entries))
				}
				gone[key][x.entry] = true
				if lost[x.component] == nil {
					lost[x.component] = map[string]int{}
				}
				for f := range others {
					lost[x.component][f]++
				}
			}
		}
		for key, g := range gone {
			p.Components[key[0]].Classes[key[1]].remove(g)
		}
		for i, m := range lost {
			p.Components[i].From.lose(m)
		}
	}
}

// lose adds to what a component lost to other families.
func (o *Origin) lose(to map[string]int) {
	list := slices.Clone(o.CrossExclusion)
	for _, family := range slices.Sorted(maps.Keys(to)) {
		i := slices.IndexFunc(list, func(l Lost) bool { return l.To == family })
		if i < 0 {
			i = len(list)
			list = append(list, Lost{To: family})
		}
		list[i].Features += to[family]
	}
	o.CrossExclusion = list
}
