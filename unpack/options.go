package unpack

import (
	"time"

	"hallmark/internal/cache"
	"hallmark/unpack/format"
)

// Options control a run. The zero value works: one worker for each processor and the default limits.
type Options struct {
	Workers  int
	Limits   Limits
	Keys     format.Keys
	Recover  bool            // also what filesystems hold but no longer refer to: deleted files, older versions
	Formats  []format.Format // nil means Formats()
	Cache    *cache.Cache    // what earlier runs found; nil is none
	Progress func(Progress)  // called from any goroutine, not at the same time
	Explain  func(Candidate) // called for every candidate, in no fixed order, from any goroutine
}

// Limits bound what a run may spend. A zero field means its default. What a limit cuts off is
// recorded as a problem of kind limit; what was read before is kept.
type Limits struct {
	Bytes   int64         // bytes read out of chunks, in all; 16 GiB
	Ratio   int64         // bytes out of one content for each of its own bytes, beyond the first 64 MiB; 100
	Entries int           // nodes in all; 200,000
	Depth   int           // chunks within chunks; 128
	Memory  int64         // bytes that one decoder may hold; 256 MiB
	Time    time.Duration // of the whole run; none
}

const ratioFloor = 64 << 20

func (l Limits) withDefaults() Limits {
	def := func(p *int64, d int64) {
		if *p <= 0 {
			*p = d
		}
	}
	def(&l.Bytes, 16<<30)
	def(&l.Ratio, 100)
	def(&l.Memory, 256<<20)
	if l.Entries <= 0 {
		l.Entries = 200_000
	}
	if l.Depth <= 0 {
		l.Depth = 128
	}
	return l
}

// perContent is how many bytes may come out of a content of size bytes.
func (l Limits) perContent(size int64) int64 {
	if size > l.Bytes/l.Ratio {
		return l.Bytes
	}
	return min(l.Bytes, max(ratioFloor, l.Ratio*size))
}

// Progress says how far a run has come.
type Progress struct {
	Depth          int   // level at work, 0 for the image itself
	Contents, Done int   // of this level
	Bytes          int64 // of contents searched so far
}

// Candidate is the verdict on one offset that looked like a format's start.
type Candidate struct {
	Content string // digest
	Offset  int64
	Format  string
	Err     error // nil if the format opened it
}
