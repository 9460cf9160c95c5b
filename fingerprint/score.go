package fingerprint

import (
	"math"
	"slices"

	"hallmark/feature"
)

// ClassHits is what a content shares with a component in one class.
type ClassHits struct {
	Class   string  `json:"class"`
	Hits    int     `json:"hits"`
	Of      int     `json:"of"`    // features that the content has
	Known   int     `json:"known"` // features that the component has
	Share   float64 `json:"share"` // Hits / Of
	Need    int     `json:"need"`  // hits that are enough in this class alone; 0: it never is
	Enough  bool    `json:"enough"`
	LLR     float64 `json:"llr,omitempty"` // if Enough
	entries []int
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
func (t *Trait) share(list []feature.Feature, entries []int) (share float64, of int) {
	if len(entries) == 0 {
		return 0, len(list)
	}
	bound := feature.Bound(t.Scale)
	hits := 0
	for _, k := range entries {
		if t.entries[k].hash <= bound {
			hits++
		}
	}
	share = float64(len(entries)) / float64(len(list))
	if n := below(list, t.Scale); hits >= minEstimate {
		share = max(share, float64(hits)/float64(n))
	}
	return min(1, math.Round(share*1e4)/1e4), len(list)
}

// minEstimate is the fewest hits below the bound that an estimate is made of.
const minEstimate = 6

// look compares a content with a component. More is the factor by which the fewest hits are
// raised, because the image has more contents than the tests had. A content is alike if it has
// hits enough in one class, or if parts of enough in classes of two groups and more add up to it.
func (c *Component) look(o *own, more float64) (hits []ClassHits, alike bool) {
	parts := map[string]float64{}
	for i := range c.Classes {
		t := &c.Classes[i]
		class := classOf(t.Class)
		entries := t.common(o[class])
		if len(entries) == 0 {
			continue
		}
		h := ClassHits{Class: t.Class, Hits: len(entries), Known: t.Kept, entries: entries}
		h.Share, h.Of = t.share(o[class], entries)
		if t.MinHits > 0 {
			h.Need = int(math.Ceil(float64(t.MinHits) * more))
			h.Enough = h.Hits >= h.Need && h.Share >= t.MinShare
			if g := habits[class].group; h.Hits > t.InnocentHits && h.Share >= t.MinShare/2 {
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
	return hits, alike || sum >= 1 && len(parts) >= 2
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
	recall := LowerBound(t.Itself, t.References)
	for _, d := range t.Disguises {
		recall = min(recall, LowerBound(d.Hits, d.Of))
	}
	return ratio(recall, UpperBound(t.Falsely, t.Negatives))
}

func ratio(recall, falsely float64) float64 {
	if recall <= 0 {
		return 0
	}
	return round(max(0, min(maxClassLLR, math.Log10(recall/falsely))))
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

// island reports whether hits are confined to one narrow part of one learnt file: then they say
// that both hold that part, which may be somebody else's library, and no more.
func (c *Component) island(hits []ClassHits) bool {
	for _, classes := range [][]string{{"strings", "shingles"}, {"data", "code"}, {"exports", "words"}} {
		var at []byte
		byFile := map[byte]int{}
		all := map[byte][]byte{}
		for i := range c.Classes {
			t := &c.Classes[i]
			if !slices.Contains(classes, t.Class) {
				continue
			}
			for _, e := range t.entries {
				all[e.file] = append(all[e.file], e.pos)
			}
			for _, h := range hits {
				if h.Class == t.Class {
					for _, k := range h.entries {
						byFile[t.entries[k].file]++
					}
				}
			}
		}
		total, best := 0, byte(0)
		for f := range 256 {
			n := byFile[byte(f)]
			total += n
			if n > byFile[best] {
				best = byte(f)
			}
		}
		if total < minIsland {
			continue
		}
		if byFile[best]*10 < total*9 || len(all[best]) < 4*minIsland {
			return false
		}
		for i := range c.Classes {
			t := &c.Classes[i]
			for _, h := range hits {
				if h.Class == t.Class && slices.Contains(classes, t.Class) {
					for _, k := range h.entries {
						if e := t.entries[k]; e.file == best {
							at = append(at, e.pos)
						}
					}
				}
			}
		}
		slices.Sort(at)
		low, high := at[len(at)/10], at[len(at)-1-len(at)/10]
		within := 0
		for _, p := range all[best] {
			if p >= low && p <= high {
				within++
			}
		}
		return within*4 < len(all[best])
	}
	return false
}

// minIsland is the fewest hits whose places say anything.
const minIsland = 8
