package fingerprint

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"

	"hallmark/artifact"
	"hallmark/feature"
	"hallmark/internal/binomial"
	"hallmark/internal/work"
)

// Spec says what shall be learnt.
type Spec struct {
	Family, Component, Version string
	References                 [][]Sample // one list for each tree or file that was given
	Disguised                  []Disguised
	Background                 *Background
	Against                    []Sample // contents of others: other families, free software
	OtherFamilies              []string // names of what Against holds, for the record
	Omitted                    []string // words that left no feature, for the record
}

// Disguised is the references once more, in disguise, in the same order.
type Disguised struct {
	Name    string
	Samples [][]Sample
}

// Disguise takes the features of the samples' contents as they are in disguise.
func Disguise(ctx context.Context, p *work.Pool, s *artifact.Store, samples []Sample, o feature.Options, apply func(name string, b []byte) ([]byte, error)) ([]Sample, error) {
	out, errs := work.MapBySize(ctx, p, samples, func(x Sample) int64 { return x.Size }, func(_ context.Context, x Sample) (Sample, error) {
		r, err := s.Open(x.Digest)
		if err != nil {
			return Sample{}, err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return Sample{}, err
		}
		if b, err = apply(x.Name, b); err != nil {
			return Sample{}, err
		}
		set, err := feature.Extract(bytes.NewReader(b), int64(len(b)), o)
		return Sample{x.Name, digestOf(b), int64(len(b)), set}, err
	})
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("fingerprint: %w", err)
	}
	return out, nil
}

// Against which figures a component is refused.
const (
	minOwn       = 64   // features of its own
	minAlone     = 32   // of one reference, to be recognised alone
	minNegatives = 60   // contents of others to test with: none false of 59 bounds the rate by 5 %
	maxFalse     = 0.05 // upper bound of the rate of innocent contents that are alike
	minRecall    = 0.8  // of the references, in the worst disguise
	maxTogether  = 16   // learnt in one part, so that each has some hundred entries
)

// ErrWeak is wrapped by the error of [Learn] when what was given does not make a fingerprint.
var ErrWeak = errors.New("too weak for a fingerprint")

func weak(format string, args ...any) error {
	return fmt.Errorf("fingerprint: %w: %s", ErrWeak, fmt.Sprintf(format, args...))
}

// Learn makes a pack of one component. The same spec gives the same pack. The contents of others
// are split by their digests: half is subtracted, a quarter sets the thresholds, a quarter tests
// them; at the end all of them are subtracted, which takes hits from innocent contents only.
//
// Of many references the component is learnt in parts, so that each of them has room. Parts that
// are too weak are left out; if all are, the error of the first is returned.
func Learn(s *Spec) (*Pack, error) {
	refs := distinct(slices.Concat(s.References...))
	if len(refs) == 0 {
		return nil, weak("the reference holds nothing that has features: programs, libraries, modules, scripts, pages")
	}
	subtract, fit, test := split(s.Against, refs)
	if len(test) < minNegatives {
		return nil, weak("%d contents of others are left to test with, at least %d are needed; give --against a folder with four times as many programs of others", len(test), minNegatives)
	}
	// A content is compared without the background, which makes what it shares a greater part of it.
	fit, test = lessBackground(fit, s.Background), lessBackground(test, s.Background)
	var p Pack
	var first error
	leftOut := 0
	parts := (len(refs) + maxTogether - 1) / maxTogether
	for i := range parts {
		c := Component{Family: s.Family, Name: s.Component, Extractor: feature.Version}
		if parts > 1 {
			c.Part = i + 1
		}
		mine := refs[len(refs)*i/parts : len(refs)*(i+1)/parts]
		switch err := c.learn(s, mine, subtract, fit, test); {
		case err == nil:
			p.Components = append(p.Components, c)
		case errors.Is(err, ErrWeak):
			leftOut += len(mine)
			first = cmp.Or(first, err)
		default:
			return nil, err
		}
	}
	if len(p.Components) == 0 {
		return nil, first
	}
	p.Components[0].From.LeftOut = leftOut
	b, err := p.Encode()
	if err != nil {
		return nil, err
	}
	p.Digest = digestOf(b)
	return &p, nil
}

// distinct returns each content once, in order of names, so that neighbours stand together.
func distinct(refs []Sample) []Sample {
	seen := map[artifact.Digest]bool{}
	out := slices.DeleteFunc(slices.Clone(refs), func(r Sample) bool {
		dup := seen[r.Digest]
		seen[r.Digest] = true
		return dup
	})
	slices.SortStableFunc(out, func(a, b Sample) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// learn makes one component, or part of one, of refs.
func (c *Component) learn(s *Spec, refs, subtract, fit, test []Sample) error {
	c.From = Origin{Against: len(s.Against), Subtracted: len(subtract), OtherFamilies: s.OtherFamilies, OmittedWords: s.Omitted}
	if s.Background != nil {
		d := s.Background.Digest
		c.From.Background = &d
	}
	c.Versions = []Version{{Name: s.Version, References: references(refs)}}
	c.gather(refs, s.Background, subtract)
	if n := c.features(); n < minOwn {
		return weak("%d features are its own and nobody else's, at least %d are needed", n, minOwn)
	}
	c.sample()
	c.fit(fit)
	for _, t := range test {
		if hits, alike := c.look(ownOf(t.Set, nil), 1); alike {
			c.Tests.Falsely++
			c.innocent(t, hits)
		}
	}
	c.Tests.Negatives = len(test)
	c.Tests.NegativeSums = sumOf(test)
	if up := binomial.Upper(c.Tests.Falsely, len(test)); up > maxFalse {
		return weak("%d of %d contents of others are alike, %s is one; if they are of the same family, take them out of --against; else give --background what both hold", c.Tests.Falsely, len(test), c.firstInnocent(test))
	}
	falsely := c.classTests(test)
	c.drop(fit)
	c.drop(test)
	return c.positives(s, refs, falsely)
}

// split deals the contents of others by the first byte of their digests. What is also a reference
// is nobody else's.
func split(against, refs []Sample) (subtract, fit, test []Sample) {
	seen := map[artifact.Digest]bool{}
	for _, r := range refs {
		seen[r.Digest] = true
	}
	for _, s := range against {
		switch {
		case seen[s.Digest]:
			continue
		case s.Digest[0] < 128:
			subtract = append(subtract, s)
		case s.Digest[0] < 192:
			fit = append(fit, s)
		default:
			test = append(test, s)
		}
		seen[s.Digest] = true
	}
	return subtract, fit, test
}

func lessBackground(samples []Sample, b *Background) []Sample {
	if b == nil {
		return samples
	}
	out := slices.Clone(samples)
	for i := range out {
		set := *out[i].Set
		set.Lists = *ownOf(out[i].Set, b)
		out[i].Set = &set
	}
	return out
}

func sumOf(samples []Sample) string {
	var list []artifact.Digest
	for _, s := range samples {
		list = append(list, s.Digest)
	}
	return sumDigests(sortDigests(list)).String()
}

func references(refs []Sample) []Reference {
	out := make([]Reference, len(refs))
	for i, r := range refs {
		out[i] = Reference{Name: r.Name, Digest: r.Digest, Size: r.Size}
	}
	return out
}

// gather unites the features of refs, less background and others.
func (c *Component) gather(refs []Sample, b *Background, others []Sample) {
	c.Classes = nil
	for class := range feature.NumClasses {
		t := Trait{Class: class.String(), Scale: 1}
		for _, r := range refs {
			t.Scale = max(t.Scale, r.Set.Scale[class])
		}
		t.gather(refs, class)
		if t.Before = len(t.entries); t.Before == 0 {
			continue
		}
		common := map[uint64]bool{}
		for _, r := range refs {
			for _, f := range r.Set.Lists[class] {
				if b.Has(class, f.Hash) {
					common[f.Hash&hashBits] = true
				}
			}
		}
		gone := make([]bool, len(t.entries))
		for k, e := range t.entries {
			gone[k] = common[e.hash]
		}
		t.remove(gone)
		c.Classes = append(c.Classes, t)
	}
	c.drop(others)
	for i := range c.Classes {
		c.Classes[i].Own = len(c.Classes[i].entries)
	}
}

// gather makes entries of the features that the scale keeps.
func (t *Trait) gather(refs []Sample, class feature.Class) {
	type sighting struct {
		entry
		ref int
	}
	var all []sighting
	bound := feature.Bound(t.Scale)
	for i, r := range refs {
		for _, f := range r.Set.Lists[class] {
			if f.Hash > bound {
				break
			}
			all = append(all, sighting{entry{f.Hash & hashBits, byte(i), byte(f.Off * 256 / max(1, r.Size+1)), 1}, i})
		}
	}
	slices.SortStableFunc(all, func(x, y sighting) int { return cmp.Compare(x.hash, y.hash) })
	for k, x := range all {
		if k == 0 || all[k-1].hash != x.hash {
			t.entries = append(t.entries, x.entry)
			t.in = append(t.in, nil)
		}
		last := len(t.in) - 1
		t.in[last] = append(t.in[last], x.ref)
	}
}

// drop takes away what others have.
func (c *Component) drop(others []Sample) {
	for i := range c.Classes {
		t := &c.Classes[i]
		class := classOf(t.Class)
		gone := make([]bool, len(t.entries))
		for _, o := range others {
			for _, k := range t.common(o.Set.Lists[class]) {
				gone[k] = true
			}
		}
		t.remove(gone)
	}
}

func (t *Trait) remove(gone []bool) {
	entries, in := t.entries[:0:0], t.in[:0:0]
	for k, e := range t.entries {
		if !gone[k] {
			entries = append(entries, e)
			if t.in != nil {
				in = append(in, t.in[k])
			}
		}
	}
	t.entries, t.in, t.Kept = entries, in, len(entries)
}

func (c *Component) features() int {
	n := 0
	for _, t := range c.Classes {
		n += len(t.entries)
	}
	return n
}

// sample keeps so many features of each class that the component stays small: the shares of the
// classes grow together as long as all of it fits.
func (c *Component) sample() {
	size := func(share int) int {
		n := 0
		for i := range c.Classes {
			t := &c.Classes[i]
			gone := t.beyond(habits[classOf(t.Class)].cap * share / 64)
			for k := range t.entries {
				if gone == nil || !gone[k] {
					n++
				}
			}
		}
		return n
	}
	most := c.maxEntries()
	share := sort.Search(64*64, func(share int) bool { return size(share+1) > most })
	for i := range c.Classes {
		t := &c.Classes[i]
		if gone := t.beyond(habits[classOf(t.Class)].cap * share / 64); gone != nil {
			first := t.entries[slices.Index(gone, true)].hash
			t.remove(gone)
			t.Scale = max(t.Scale, math.MaxUint64/max(1, first)+1)
		}
		t.Kept, t.in = len(t.entries), nil
	}
}

// maxEntries is how many entries fit beside the names of the references.
func (c *Component) maxEntries() int {
	names := 0
	for _, v := range c.Versions {
		for _, r := range v.References {
			names += len(r.Name) + 110
		}
	}
	size := 8
	if len(c.Versions) > 1 {
		size = 16
	}
	return max(minEntries, (maxComponent-names)/size)
}

// beyond says which entries to leave out so that at most limit are kept, nil if none. Of each file
// those with the lowest hashes are kept, as many of each: a small file among large ones is not
// lost, and what many files have counts for all of them. Below the bound of the scale nothing is left out.
func (t *Trait) beyond(limit int) []bool {
	if len(t.entries) <= limit {
		return nil
	}
	kept := func(most int) (gone []bool, n int) {
		gone = make([]bool, len(t.entries))
		seen := map[int]int{}
		for k, e := range t.entries {
			gone[k] = true
			if t.in == nil {
				seen[int(e.file)]++
				gone[k] = seen[int(e.file)] > most
			}
			for _, f := range t.inFiles(k) {
				seen[f]++
				gone[k] = gone[k] && seen[f] > most
			}
			if !gone[k] {
				n++
			}
		}
		return gone, n
	}
	most := sort.Search(limit, func(most int) bool { _, n := kept(most + 1); return n > limit })
	gone, _ := kept(most)
	return gone
}

func (t *Trait) inFiles(k int) []int {
	if t.in == nil {
		return nil
	}
	return t.in[k]
}

// fit sets the thresholds: twice what the best innocent content has, and never less than the
// class asks for. A class in which an innocent content has a quarter of what is known never is enough alone.
func (c *Component) fit(innocent []Sample) {
	for i := range c.Classes {
		t := &c.Classes[i]
		class := classOf(t.Class)
		h := habits[class]
		t.MinShare = h.share
		for _, s := range innocent {
			entries := t.common(s.Set.Lists[class])
			if n := len(entries); n > t.InnocentHits && t.shares(t.hits(s.Set.Lists[class], entries), halfShare) {
				t.Innocent, t.InnocentHits = s.Name, n
			}
		}
		t.MinHits = max(h.hits, 2*t.InnocentHits)
		if 4*t.InnocentHits > t.Kept {
			t.MinHits = 0
		}
	}
}

// innocent records a content of the tests that is alike, where it has more hits than what is recorded.
func (c *Component) innocent(s Sample, hits []ClassHits) {
	for _, h := range hits {
		if t := c.traitNamed(h.Class); h.Hits > t.InnocentHits {
			t.Innocent, t.InnocentHits = s.Name, h.Hits
		}
	}
}

func (c *Component) firstInnocent(test []Sample) string {
	for _, t := range test {
		if _, alike := c.look(ownOf(t.Set, nil), 1); alike {
			return t.Name
		}
	}
	return ""
}

// classTests returns, for each class alone, how high the rate of false matches may be.
func (c *Component) classTests(test []Sample) []float64 {
	rates := make([]float64, len(c.Classes))
	for i := range c.Classes {
		t := &c.Classes[i]
		class := classOf(t.Class)
		falsely := 0
		for _, s := range test {
			entries := t.common(s.Set.Lists[class])
			hits := t.hits(s.Set.Lists[class], entries)
			if t.MinHits > 0 && hits.Hits >= t.MinHits && t.shares(hits, 1) {
				falsely++
			}
			if n := hits.Hits; n > t.InnocentHits && t.shares(hits, halfShare) {
				t.Innocent, t.InnocentHits = s.Name, n
			}
		}
		rates[i] = binomial.Upper(falsely, len(test))
	}
	return rates
}

// positives tests that the references are recognised, as they are, in disguise, and by what the
// other references taught. With the rates of false matches this gives each class its worth.
func (c *Component) positives(s *Spec, refs []Sample, falsely []float64) error {
	strong := make([]bool, len(refs))
	for i, r := range refs {
		n := 0
		for k := range c.Classes {
			t := &c.Classes[k]
			n += len(t.common(r.Set.Lists[classOf(t.Class)]))
		}
		strong[i] = n >= minAlone
		c.Versions[0].References[i].Weak = !strong[i]
	}
	classes := make([]int, len(c.Classes)) // recognised by each, in the worst disguise
	count := func(list []Sample) Hits {
		var h Hits
		per := make([]int, len(c.Classes))
		for i, r := range list {
			if !strong[i] {
				continue
			}
			h.Of++
			hits, alike := c.look(ownOf(r.Set, s.Background), 1)
			if alike {
				h.Hits++
			}
			for _, x := range hits {
				if x.Enough {
					per[slices.IndexFunc(c.Classes, func(t Trait) bool { return t.Class == x.Class })]++
				}
			}
		}
		for k := range classes {
			classes[k] = min(classes[k], per[k])
		}
		return h
	}
	for k := range classes {
		classes[k] = len(refs)
	}
	itself := count(refs)
	c.Tests.References, c.Tests.Itself = itself.Of, itself.Hits
	if itself.Of == 0 {
		return weak("none of %d contents has %d features that are nobody else's", len(refs), minAlone)
	}
	worst := itself
	worst.Name = "itself"
	c.Tests.Disguises = []Hits{}
	original := slices.Concat(s.References...)
	for _, d := range s.Disguised {
		// The references of this part, in their order.
		all := slices.Concat(d.Samples...)
		list := make([]Sample, len(refs))
		for i, r := range refs {
			list[i] = all[slices.IndexFunc(original, func(o Sample) bool { return o.Digest == r.Digest })]
		}
		h := count(list)
		h.Name = d.Name
		c.Tests.Disguises = append(c.Tests.Disguises, h)
		if h.Hits < worst.Hits {
			worst = h
		}
	}
	if float64(worst.Hits) < minRecall*float64(worst.Of) {
		return weak("%d of %d contents are recognised (%s)", worst.Hits, worst.Of, worst.Name)
	}
	for k := range c.Classes {
		c.Classes[k].LLR = ratio(binomial.Lower(classes[k], worst.Of), falsely[k])
	}
	if len(s.References) > 1 && c.Part == 0 {
		c.Tests.LeftOut = c.leaveOut(s, refs, strong)
	}
	return nil
}

// leaveOut recognises each reference that was given by what the others taught.
func (c *Component) leaveOut(s *Spec, refs []Sample, strong []bool) *Hits {
	h := &Hits{Name: "each reference by the others"}
	for i, list := range s.References {
		others := distinct(slices.Concat(slices.Delete(slices.Clone(s.References), i, i+1)...))
		if len(others) == 0 {
			continue
		}
		other := *c
		other.gather(others, s.Background, s.Against)
		for k := range other.Classes {
			t := &other.Classes[k]
			if mine := c.trait(classOf(t.Class)); mine != nil {
				t.MinHits, t.MinShare, t.InnocentHits = mine.MinHits, mine.MinShare, mine.InnocentHits
			}
		}
		other.sample()
		for _, r := range list {
			if k := slices.IndexFunc(refs, func(x Sample) bool { return x.Digest == r.Digest }); !strong[k] {
				continue
			}
			h.Of++
			if _, alike := other.look(ownOf(r.Set, s.Background), 1); alike {
				h.Hits++
			}
		}
	}
	return h
}

func byHash(a, b entry) int { return cmp.Compare(a.hash, b.hash) }

func classOf(name string) feature.Class {
	c, _ := feature.ParseClass(name)
	return c
}
