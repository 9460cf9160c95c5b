package fingerprint

import (
	"math"
	"slices"

	"hallmark/feature"
	"hallmark/internal/binomial"
)

// ClassHits is what a content shares with a component in one class.
type ClassHits struct {
	Class     string  `json:"class"`
	Hits      int     `json:"hits"`
	Of        int     `json:"of"`         // features that the content has
	Known     int     `json:"known"`      // features that the component has
	Share     float64 `json:"share"`      // of what the content has, estimated
	FileShare float64 `json:"file_share"` // of what is kept of the learnt file that has most of the hits
	Need      int     `json:"need"`       // hits that are enough in this class alone; 0: it never is
	Enough    bool    `json:"enough"`
	LLR       float64 `json:"llr,omitempty"` // if Enough
	entries   []int
}

// own lists, for each class, the features of a set that are no background.
type own [feature.NumClasses][]feature.Feature

func ownOf(s *feature.Set, b *Background) *own {
	var o own
	for c, list := range s.Lists {
		if b != nil {
			list = slices.DeleteFunc(slices.Clone(list), func(f feature.Feature) bool { return b.Has(feature.Class(c), f.Hash) })
		}
		o[c] = list
	}
	return &o
}

// below counts the features of a sorted list that a scale keeps.
func below(list []feature.Feature, scale uint64) int {
	bound := feature.Bound(scale)
	n, _ := slices.BinarySearchFunc(list, bound, func(f feature.Feature, b uint64) int {
		if f.Hash > b {
			return 1
		}
		return -1
	})
	return n
}

// common returns which entries of t a content has.
func (t *Trait) common(list []feature.Feature) (entries []int) {
	if len(t.entries)*8 < len(list) { // the shorter side is walked, the longer one searched
		for i, e := range t.entries {
			k, _ := slices.BinarySearchFunc(list, e.hash, func(f feature.Feature, h uint64) int {
				if f.Hash < h {
					return -1
				}
				return 1
			})
			if k < len(list) && list[k].Hash&hashBits == e.hash {
				entries = append(entries, i)
			}
		}
		return entries
	}
	i := 0
	for _, f := range list {
		h := f.Hash & hashBits
		for i < len(t.entries) && t.entries[i].hash < h {
			i++
		}
		if i < len(t.entries) && t.entries[i].hash == h {
			entries = append(entries, i)
			i++
		}
	}
	return entries
}

// share estimates which part of a content's features the component has: from the features below
// the bound, where nothing that was learnt is left out, or from all, where that says more.
func (t *Trait) share(list []feature.Feature, entries []int) float64 {
	if len(entries) == 0 {
		return 0
	}
	bound := feature.Bound(t.Scale)
	hits := 0
	for _, k := range entries {
		if t.entries[k].hash <= bound {
			hits++
		}
	}
	share := float64(len(entries)) / float64(len(list))
	if n := below(list, t.Scale); hits >= minEstimate {
		share = max(share, float64(hits)/float64(n))
	}
	return min(1, math.Round(share*1e4)/1e4)
}

// fileShare is the greatest part of the entries of one learnt file that a content has.
func (t *Trait) fileShare(entries []int) float64 {
	var all, hits [256]int
	for _, e := range t.entries {
		all[e.file]++
	}
	for _, k := range entries {
		hits[t.entries[k].file]++
	}
	best := 0.0
	for f, n := range hits {
		if n >= minEstimate {
			best = max(best, float64(n)/float64(all[f]))
		}
	}
	return math.Round(best*1e4) / 1e4
}

// minEstimate is the fewest hits that an estimate is made of.
const minEstimate = 6

const (
	minFileShare   = 0.2 // of one learnt file, where the content has much more than that file
	halfShare      = 0.5 // part of the shares asked for, for a class to count beside others
	enoughTogether = 1   // of parts of the hits asked for in classes of different groups
)

// look compares a content with a component. More is the factor by which the fewest hits are
// raised, because the image has more contents than the tests had. A content is alike if it has
// hits enough in one class, or if parts of enough in classes of two groups and more add up to it.
// Hits count only if they are a share of what the content has, or of what one learnt file has.
func (c *Component) look(o *own, more float64) (hits []ClassHits, alike bool) {
	parts := map[string]float64{}
	denied := c.deniedByText(o)
	for i := range c.Classes {
		t := &c.Classes[i]
		class := classOf(t.Class)
		entries := t.common(o[class])
		if len(entries) == 0 {
			continue
		}
		h := t.hits(o[class], entries)
		if t.MinHits > 0 && !(denied && habits[class].group == "bytes") {
			h.Need = int(math.Ceil(float64(t.MinHits) * more))
			h.Enough = h.Hits >= h.Need && t.shares(h, 1)
			if g := habits[class].group; h.Hits > max(2, t.InnocentHits) && t.shares(h, halfShare) {
				parts[g] = max(parts[g], min(1, float64(h.Hits)/float64(h.Need)))
			}
		}
		if h.Enough {
			h.LLR = t.LLR
			alike = true
		}
		hits = append(hits, h)
	}
	sum := 0.0
	for _, g := range groups {
		sum += parts[g]
	}
	return hits, alike || sum >= enoughTogether && len(parts) >= 2
}

// deniedByText reports whether a content has much text and next to none of it is the component's:
// then bytes of code and tables that both have come from a run-time library or a codec. A
// relative keeps text of its own, even if half of it was scrambled.
func (c *Component) deniedByText(o *own) bool {
	have := len(o[feature.Strings]) + len(o[feature.Shingles])
	if have < manyTexts {
		return false
	}
	hits := 0
	for _, class := range []feature.Class{feature.Strings, feature.Shingles} {
		if t := c.trait(class); t != nil {
			hits += len(t.common(o[class]))
		}
	}
	return hits*100 < have
}

// manyTexts is how many texts and pairs of words a content has that could speak for a relative.
const manyTexts = 100

func (t *Trait) hits(list []feature.Feature, entries []int) ClassHits {
	return ClassHits{Class: t.Class, Hits: len(entries), Of: len(list), Known: t.Kept, Share: t.share(list, entries), FileShare: t.fileShare(entries), entries: entries}
}

// shares reports whether the hits are shares enough, times a factor.
func (t *Trait) shares(h ClassHits, factor float64) bool {
	return h.Share >= t.MinShare*factor || h.FileShare >= minFileShare*factor
}

const (
	maxClassLLR = 2.5 // of one class, whatever its tests say
	moreLLR     = 0.5 // what all further classes of one file add: they fail together
)

// llrOf is the logarithm of the likelihood ratio that hits of one content support.
func (c *Component) llrOf(hits []ClassHits) float64 {
	var list []float64
	for _, h := range hits {
		if h.Enough {
			list = append(list, h.LLR)
		}
	}
	if len(list) == 0 { // two groups, each of them weak
		return c.Tests.llr()
	}
	slices.Sort(list)
	best, rest := list[len(list)-1], 0.0
	for _, v := range list[:len(list)-1] {
		rest += max(0, v)
	}
	return round(best + min(rest, moreLLR))
}

// llr is what the tests of the rule as a whole support: the worst disguise counts.
func (t *Tests) llr() float64 {
	recall := binomial.Lower(t.Itself, t.References)
	for _, d := range t.Disguises {
		recall = min(recall, binomial.Lower(d.Hits, d.Of))
	}
	return ratio(recall, binomial.Upper(t.Falsely, t.Negatives))
}

func ratio(recall, falsely float64) float64 {
	if recall <= 0 {
		return 0
	}
	return round(max(0, min(maxClassLLR, math.Log10(recall/falsely))))
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

// island reports whether hits are confined to narrow parts of learnt files: then they say that
// both hold these parts, which may be somebody else's library, and no more. Tables and code are not
// asked: relatives without text often have one table in common, and that is theirs.
func (c *Component) island(hits []ClassHits) bool {
	found := false
	for _, classes := range [][]string{{"strings", "shingles"}, {"exports", "words"}} {
		at := c.positions(hits, classes)
		total, confined := 0, 0
		for f := range at.hits {
			total += len(at.hits[f])
			if at.narrow(f) {
				confined += len(at.hits[f])
			}
		}
		if total < minIsland {
			continue
		}
		if confined*10 < total*9 {
			return false
		}
		found = true
	}
	return found
}

// positions are how far into each learnt file its entries stand, all of them and those hit.
type positions struct{ all, hits [256][]byte }

func (c *Component) positions(hits []ClassHits, classes []string) *positions {
	var p positions
	for i := range c.Classes {
		t := &c.Classes[i]
		if !slices.Contains(classes, t.Class) {
			continue
		}
		for _, e := range t.entries {
			p.all[e.file] = append(p.all[e.file], e.pos)
		}
		for _, h := range hits {
			if h.Class == t.Class {
				for _, k := range h.entries {
					e := t.entries[k]
					p.hits[e.file] = append(p.hits[e.file], e.pos)
				}
			}
		}
	}
	return &p
}

// narrow reports whether the hits of a file, but for a tenth at each end, stand where less than a
// quarter of its entries do.
func (p *positions) narrow(f int) bool {
	at := slices.Sorted(slices.Values(p.hits[f]))
	if len(at) < 2 || len(p.all[f]) < 4*minIsland {
		return false
	}
	low, high := at[len(at)/10], at[len(at)-1-len(at)/10]
	within := 0
	for _, pos := range p.all[f] {
		if pos >= low && pos <= high {
			within++
		}
	}
	return within*4 < len(p.all[f])
}

// minIsland is the fewest hits whose places say anything.
const minIsland = 8
