// Package literal finds many byte strings in one pass.
//
// Strings of four bytes and more are found by a filter over q-grams: the text is sampled every
// few bytes, and as the step is no longer than the shortest string minus three, each occurrence
// holds a sample at a known distance from its start. A bitmap of the grams that strings hold
// turns nearly all samples away; what is left is verified. This is the idea of Wu and Manber,
// "A fast algorithm for multi-pattern searching" (1994), turned from shifts to fixed steps.
// Strings of two and three bytes are looked up at each offset. The time is linear in the text
// plus the verified candidates; the speed grows with the length of the shortest string.
package literal

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
)

// The lengths of pattern that [Compile] takes, in bytes.
const (
	MinLen = 2
	MaxLen = 256
)

// Pattern is a byte string to be found.
type Pattern struct {
	Bytes string
	Fold  bool // ASCII letters match in either case
}

// Set is a compiled list of patterns. It never changes and is safe for concurrent use.
type Set struct {
	patterns []Pattern
	longest  int
	finders  []finder
}

// finder appends to hits every occurrence of its patterns that begins in b[lo:hi].
// It may look at all of b. Patterns occur in any order.
type finder interface {
	find(hits []occurrence, b []byte, lo, hi int) []occurrence
}

type occurrence struct {
	off     int
	pattern int
}

// Compile returns the set of patterns. A pattern is known by its index from then on; two equal
// ones are both reported. Compile panics on a pattern shorter than MinLen or longer than MaxLen:
// lists are written or checked beforehand.
func Compile(patterns []Pattern) *Set {
	s := &Set{patterns: slices.Clone(patterns)}
	var tiers [3][]int // by the speed that their shortest pattern allows
	for i, p := range s.patterns {
		switch n := len(p.Bytes); {
		case n < MinLen || n > MaxLen:
			panic(fmt.Sprintf("literal: pattern %d has %d bytes, want %d to %d", i, n, MinLen, MaxLen))
		case n < gramLen:
			tiers[0] = append(tiers[0], i)
		case n < keyLen:
			tiers[1] = append(tiers[1], i)
		default:
			tiers[2] = append(tiers[2], i)
		}
		s.longest = max(s.longest, len(p.Bytes))
	}
	if len(tiers[0]) > 0 {
		s.finders = append(s.finders, newPairs(s.patterns, tiers[0]))
	}
	for _, tier := range tiers[1:] {
		if len(tier) > 0 {
			s.finders = append(s.finders, newGrams(s.patterns, tier))
		}
	}
	return s
}

// Len returns the number of patterns.
func (s *Set) Len() int { return len(s.patterns) }

// Pattern returns the pattern that hits report as i.
func (s *Set) Pattern(i int) Pattern { return s.patterns[i] }

// Scan calls hit for every occurrence in b of every pattern, overlapping ones too, in order of
// offset and then of pattern, until hit returns false. hit is called in the caller's goroutine.
func (s *Set) Scan(b []byte, hit func(pattern, off int) bool) {
	hits := hitLists.Get().(*[]occurrence)
	defer hitLists.Put(hits)
	for lo := 0; lo < len(b); lo += block {
		if !s.scanBlock(hits, b, lo, min(lo+block, len(b)), hit) {
			return
		}
	}
}

// ScanReader is Scan over the n bytes of r from offset at, in bounded buffers. Offsets reported
// count from the start of r. It returns the first error of r other than the end of it; what was
// read before is searched.
func (s *Set) ScanReader(r io.ReaderAt, at, n int64, hit func(pattern int, off int64) bool) error {
	if s.longest == 0 {
		return nil
	}
	hits := hitLists.Get().(*[]occurrence)
	defer hitLists.Put(hits)
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for end := at + n; at < end; at += block {
		// Behind the block stands as much as a pattern that begins in it can need.
		b := (*buf)[:min(int64(block+s.longest-1), end-at)]
		got, err := r.ReadAt(b, at)
		full := got == len(b)
		goOn := s.scanBlock(hits, b[:got], 0, min(block, got), func(p, off int) bool {
			return hit(p, at+int64(off))
		})
		switch {
		case !goOn, !full && err == io.EOF:
			return nil
		case !full:
			return fmt.Errorf("literal: read at %#x: %w", at+int64(got), err)
		}
	}
	return nil
}

// block is how many offsets are searched before hits are put in order, in bytes.
const block = 64 << 10

var (
	buffers  = sync.Pool{New: func() any { b := make([]byte, block+MaxLen); return &b }}
	hitLists = sync.Pool{New: func() any { return new([]occurrence) }}
)

func (s *Set) scanBlock(list *[]occurrence, b []byte, lo, hi int, report func(pattern, off int) bool) bool {
	hits := (*list)[:0]
	for _, f := range s.finders {
		hits = f.find(hits, b, lo, hi)
	}
	*list = hits
	slices.SortFunc(hits, func(x, y occurrence) int {
		return cmp.Or(cmp.Compare(x.off, y.off), cmp.Compare(x.pattern, y.pattern))
	})
	for _, h := range hits {
		if !report(h.pattern, h.off) {
			return false
		}
	}
	return true
}

// matches reports whether p stands at the start of b.
func (p *Pattern) matches(b []byte) bool {
	if len(b) < len(p.Bytes) {
		return false
	}
	b = b[:len(p.Bytes)]
	if !p.Fold {
		return string(b) == p.Bytes
	}
	for i, c := range b {
		if lower(c) != lower(p.Bytes[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
