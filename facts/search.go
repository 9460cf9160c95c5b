package facts

import (
	"context"

	"hallmark/artifact"
	"hallmark/internal/literal"
)

// search is one pass over a content for the caller's patterns and for our own needles.
type search struct {
	set     *literal.Set
	callers int // patterns below it are the caller's
}

// needle is a byte string behind which, or around which, a fact stands.
type needle struct {
	bytes string
	max   int // occurrences looked at
	read  func(c *content, off int64)
}

// needles are at least eight bytes each: shorter ones would slow the pass down.
var needles = [...]needle{}

func newSearch(set *literal.Set) *search {
	var patterns []literal.Pattern
	if set != nil {
		for i := range set.Len() {
			patterns = append(patterns, set.Pattern(i))
		}
	}
	s := &search{callers: len(patterns)}
	for _, n := range needles {
		patterns = append(patterns, literal.Pattern{Bytes: n.bytes})
	}
	s.set = literal.Compile(patterns)
	return s
}

func (s *search) run(ctx context.Context, c *content) {
	count := map[int]int{}
	for _, x := range c.Extents {
		if x.Kind != artifact.Unknown {
			continue
		}
		steps := 0
		err := s.set.ScanReader(c.r, x.Off, x.Len, func(p int, off int64) bool {
			if steps++; steps%4096 == 0 && ctx.Err() != nil {
				return false
			}
			count[p]++
			switch i := p - s.callers; {
			case i >= 0 && count[p] <= needles[i].max:
				needles[i].read(c, off)
			case i < 0 && count[p] <= MaxHits:
				c.hits = append(c.hits, Hit{p, artifact.Range{Off: off, Len: int64(len(s.set.Pattern(p).Bytes))}})
			}
			return true
		})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			c.problems = append(c.problems, failure(err))
		}
	}
}
