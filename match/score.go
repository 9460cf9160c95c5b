package match

import (
	"cmp"
	"math"
	"slices"

	"hallmark/artifact"
	"hallmark/internal/binomial"
)

// Scores are decimal logarithms of likelihood ratios of two propositions: these bytes come from
// the maker's source, or they do not. They are no probability of guilt. A score is never more
// than the tests that were run allow: it divides the least rate at which a mark is found where it
// belongs by the greatest at which it is found where it does not, each the one-sided bound of
// confidence 95 % after Clopper and Pearson (Biometrika 26, 1934).
const (
	mostOfClass = 2.5 // of one class of evidence, whatever its tests would allow
	moreOfFile  = 0.5 // what all further marks of one file add to its best: they fail together
)

// score adds what groups of marks that do not depend on each other say. Within a group its best
// file counts; several files of one set of modules are one witness.
func score(marks []Fired, leads []Lead) float64 {
	type where struct {
		group string
		leaf  artifact.Digest
	}
	files := map[where][]float64{}
	groupOf := map[artifact.Digest]string{}
	for _, f := range marks {
		for leaf, group := range f.leaves {
			files[where{group, leaf}] = append(files[where{group, leaf}], f.Score)
			if old, ok := groupOf[leaf]; !ok || group < old {
				groupOf[leaf] = group
			}
		}
	}
	for _, l := range leads {
		w := where{groupOf[l.Content], l.Content}
		files[w] = append(files[w], min(l.LLR, mostOfClass))
	}
	best := map[string]float64{}
	for w, list := range files {
		slices.SortFunc(list, func(a, b float64) int { return cmp.Compare(b, a) })
		sum, more := list[0], 0.0
		for _, x := range list[1:] {
			more += max(x, 0)
		}
		best[w.group] = max(best[w.group], min(sum+min(more, moreOfFile), mostOfClass+moreOfFile))
	}
	var groups []string
	for g := range best {
		groups = append(groups, g)
	}
	slices.Sort(groups) // so that rounding is the same in every run
	total := 0.0
	for _, g := range groups {
		total += best[g]
	}
	return round(total)
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// support puts a score in the words of the ENFSI guideline for evaluative reporting in forensic
// science (2015, table of the appendix).
func support(score float64) string {
	for _, w := range []struct {
		from  float64
		words string
	}{
		{6, "extremely strong support"},
		{4, "very strong support"},
		{3, "strong support"},
		{2, "moderately strong support"},
		{1, "moderate support"},
		{math.Log10(2), "weak support"},
	} {
		if score >= w.from {
			return w.words
		}
	}
	return "no support by tests"
}

// ratio is the score of a mark that was found in seen of `of` places where it belongs, and in
// wrong of innocent contents in which it was looked for.
func ratio(seen, of, wrong, innocent int) float64 {
	return round(min(mostOfClass, max(0, math.Log10(lower(seen, of)/binomial.Upper(wrong, innocent)))))
}

// lower is the lower bound of a rate after k of n trials.
func lower(k, n int) float64 {
	if n <= 0 || k <= 0 {
		return binomial.Unlikely // of a mark seen once, in one trial
	}
	return binomial.Lower(k, n)
}
