package facts

import (
	"context"
	"crypto/sha256"
	"fmt"

	"hallmark/artifact"
	"hallmark/internal/literal"
)

// search is one pass over a content for the caller's patterns and for our own needles.
type search struct {
	set     *literal.Set
	callers int // patterns below it are the caller's
}

// needle is a byte string at which, or around which, a fact stands.
type needle struct {
	bytes string
	max   int                                                // occurrences looked at in one content
	read  func(c *content, off int64, within artifact.Range) // within is the run of unclaimed bytes
}

// needles are at least eight bytes each: shorter ones would slow the pass down for all.
var needles = [...]needle{
	{"Linux version ", 64, readKernelBanner},
	{"U-Boot 20", 64, readUBootBanner}, // versions are years since 2008.10
	{"U-Boot 1.", 64, readUBootBanner},
	{"U-Boot SPL 20", 64, readUBootBanner},
	{"bootcmd=", 64, readEnvironment},
	{"bootargs=", 64, readEnvironment},
	{"-----BEGIN CERTIFICATE-----", 1024, readPEM},
	{"-----BEGIN X509 CERTIFICATE-----", 1024, readPEM},
	{"-----BEGIN TRUSTED CERTIFICATE-----", 1024, readPEM},
	{"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01", 4096, readDER}, // AlgorithmIdentifier of RSA signatures
	{"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03", 4096, readDER},     // of ECDSA with SHA-2
}

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

// digest names the patterns, in order.
func (s *search) digest() []byte {
	h := sha256.New()
	for i := range s.set.Len() {
		p := s.set.Pattern(i)
		fmt.Fprintf(h, "%q %v\n", p.Bytes, p.Fold)
	}
	return h.Sum(nil)
}

func (s *search) run(ctx context.Context, c *content) {
	count := make(map[int]int)
	for _, run := range unclaimed(c.Extents) {
		err := s.set.ScanReader(reader{ctx, c.r}, run.Off, run.Len, func(p int, off int64) bool {
			count[p]++
			switch i := p - s.callers; {
			case i >= 0 && count[p] <= needles[i].max:
				needles[i].read(c, off, run)
			case i < 0 && count[p] <= MaxHits:
				c.hits = append(c.hits, Hit{p, artifact.Range{Off: off, Len: int64(len(s.set.Pattern(p).Bytes))}})
			}
			return true
		})
		if err != nil {
			c.problems = append(c.problems, failure(err))
			return
		}
	}
}

// unclaimed returns the runs of bytes that no format read. Neighbours that differ only in class
// are one: a string may reach from one into the other.
func unclaimed(extents []artifact.Extent) []artifact.Range {
	var out []artifact.Range
	for _, x := range extents {
		if x.Kind != artifact.Unknown {
			continue
		}
		if n := len(out); n > 0 && out[n-1].End() == x.Off {
			out[n-1].Len += x.Len
		} else {
			out = append(out, x.Range)
		}
	}
	return out
}
