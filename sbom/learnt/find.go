package learnt

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"path"
	"slices"

	"hallmark/artifact"
	"hallmark/feature"
	"hallmark/internal/work"
	"hallmark/sbom"
)

// Finder is a [sbom.Finder] of what a base knows.
type Finder struct {
	base   *Base
	pool   *work.Pool
	digest map[digest]place
	build  map[[8]byte]place
	hashes []uint64 // features, in order
	places []place  // of the features
}

// place is a file of the base.
type place struct{ component, file int32 }

// NewFinder makes b ready to be asked. b must not change afterwards.
func NewFinder(b *Base, pool *work.Pool) *Finder {
	f := &Finder{base: b, pool: pool, digest: map[digest]place{}, build: map[[8]byte]place{}}
	type entry struct {
		hash uint64
		at   place
	}
	var all []entry
	for i := range b.components {
		for j := range b.components[i].files {
			x, at := &b.components[i].files[j], place{int32(i), int32(j)}
			f.once(f.digest, x.digest, at)
			if x.build != ([8]byte{}) {
				if _, ok := f.build[x.build]; !ok {
					f.build[x.build] = at
				}
			}
			for _, h := range x.features {
				all = append(all, entry{h, at})
			}
		}
	}
	slices.SortFunc(all, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.hash, y.hash), cmp.Compare(x.at.component, y.at.component), cmp.Compare(x.at.file, y.at.file))
	})
	for _, e := range all {
		f.hashes, f.places = append(f.hashes, e.hash), append(f.places, e.at)
	}
	return f
}

// nobody marks a digest that several components have.
var nobody = place{-1, -1}

func (f *Finder) once(m map[digest]place, d digest, at place) {
	last, ok := m[d]
	switch {
	case !ok:
		m[d] = at
	case last != nobody && f.base.components[last.component].Name != f.base.components[at.component].Name:
		m[d] = nobody
	}
}

// What it takes for a file to hold a component, measured on the packages of two releases of Debian.
const (
	minShared = 8   // features, at least
	minShare  = 0.3 // of the features that the base has of a file
	minLinked = 0.5 // of them, if the file is called otherwise: BusyBox has the texts of many programs
	sameShare = 0.5 // with it, a file of the same name is that file in another version
	perFile   = 12  // components in one file
)

// like is what one content has of one component.
type like struct {
	component int // index in the base: the version that comes nearest
	exact     bool
	evidence  sbom.Evidence
	score     float64
}

// Find returns the components in t that the base knows.
func (f *Finder) Find(ctx context.Context, t *artifact.Tree, s *artifact.Store) ([]sbom.Found, error) {
	paths := paths(t)
	list := t.Contents()
	seen, errs := work.Map(ctx, f.pool, list, func(_ context.Context, c *artifact.Content) ([]like, error) {
		return f.in(s, c, path.Base(paths[c.Digest]))
	})
	type group struct {
		name, version string // no version: known by likeness
		holder        artifact.Digest
		extent        int
	}
	groups := map[group]*sbom.Found{}
	nearest := map[group]map[int]float64{}
	for i, c := range list {
		for _, x := range seen[i] {
			id := f.base.components[x.component].Identity
			g := group{id.Name, "", c.First.Content, c.First.Extent}
			if x.exact {
				g.version = id.Version
			}
			if groups[g] == nil {
				groups[g] = found(id, x.exact)
				nearest[g] = map[int]float64{}
			}
			groups[g].Evidence = append(groups[g].Evidence, x.evidence)
			if x.evidence.Relation == sbom.Defines {
				groups[g].Files = append(groups[g].Files, c.Digest)
			}
			nearest[g][x.component] += x.score
		}
	}
	var out []sbom.Found
	for g, x := range groups {
		x.Confidence = 0
		for _, e := range x.Evidence {
			x.Confidence = max(x.Confidence, e.Confidence)
		}
		if g.version == "" {
			best := slices.MinFunc(slices.Sorted(maps.Keys(nearest[g])), func(i, j int) int {
				return cmp.Or(cmp.Compare(nearest[g][j], nearest[g][i]), cmp.Compare(i, j))
			})
			x.Properties = []sbom.Property{{Name: "hallmark:learnt:nearest", Value: f.base.components[best].Version}}
		}
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b sbom.Found) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), compare(a.Evidence[0].Content, b.Evidence[0].Content))
	})
	return out, errors.Join(errs...)
}

func compare(a, b artifact.Digest) int { return bytes.Compare(a[:], b[:]) }

func found(id Identity, exact bool) *sbom.Found {
	c := sbom.Component{Name: id.Name, Type: "library", Claim: sbom.Presence}
	if exact {
		c.Claim, c.Version, c.Purl = sbom.Exact, id.Version, id.Purl
	}
	return &sbom.Found{Component: c, Likeness: true}
}

// in returns what the base knows of c.
func (f *Finder) in(s *artifact.Store, c *artifact.Content, name string) ([]like, error) {
	if c.Size == 0 {
		return nil, nil
	}
	if at, ok := f.digest[digest(c.Digest[:16])]; ok && at != nobody {
		x := f.exact(at, c, "digest", "learnt.digest", 1)
		if c.Type != "elf" { // a script may be the same in many versions
			x.exact, x.evidence.Claim, x.evidence.Version, x.evidence.Confidence = false, sbom.Presence, "", 0.9
		}
		return []like{x}, nil
	}
	set, e, err := read(s, c)
	if set == nil || err != nil {
		return nil, err
	}
	if id := buildID(e); id != ([8]byte{}) {
		if at, ok := f.build[id]; ok {
			x := f.exact(at, c, "elf.buildid", "learnt.build-id", 0.98)
			return []like{x}, nil
		}
	}
	return f.like(s, c, set, hashName(cmp.Or(e.Soname.Text, name)))
}

func (f *Finder) exact(at place, c *artifact.Content, technique, rule string, confidence float64) like {
	id := f.base.components[at.component].Identity
	x := like{component: int(at.component), exact: true, score: 1}
	x.evidence = sbom.Evidence{Relation: sbom.Defines, Claim: sbom.Exact, Version: id.Version, Confidence: confidence}
	x.evidence.Content, x.evidence.Technique, x.evidence.Rule = c.Digest, technique, rule
	return x
}

// like compares set with all files of the base, the likest first. What one explains is no evidence
// for the next.
func (f *Finder) like(s *artifact.Store, c *artifact.Content, set *feature.Set, name uint64) ([]like, error) {
	offsets := map[uint64]int64{}
	for _, class := range classes {
		for _, x := range set.Lists[class] {
			if h := short(x.Hash); offsets[h] == 0 {
				offsets[h] = x.Off
			}
		}
	}
	shared := map[place][]uint64{}
	for _, h := range slices.Sorted(maps.Keys(offsets)) {
		i, _ := slices.BinarySearch(f.hashes, h)
		for ; i < len(f.hashes) && f.hashes[i] == h; i++ {
			shared[f.places[i]] = append(shared[f.places[i]], h)
		}
	}
	explained := map[uint64]bool{}
	var out []like
	var names []string
	for len(out) < perFile {
		best, rank, count := nobody, 0.0, 0
		for at, hs := range shared {
			n := 0
			for _, h := range hs {
				if !explained[h] {
					n++
				}
			}
			x := f.file(at)
			share := float64(n) / float64(len(x.features))
			if n < minShared || share < minShare || x.name != name && (n < 2*minShared || share < minLinked) || slices.Contains(names, f.base.components[at.component].Name) {
				continue
			}
			r := share * math.Log2(float64(n))
			if x.name == name {
				r *= 2
			}
			if r > rank || r == rank && before(at, best) {
				best, rank, count = at, r, n
			}
		}
		if best == nobody {
			break
		}
		x := f.file(best)
		share := float64(count) / float64(len(x.features))
		l := like{component: int(best.component), score: share}
		l.evidence = sbom.Evidence{Relation: sbom.Embeds, Claim: sbom.Presence, Confidence: min(0.95, 0.5+share/2)}
		if x.name == name && share >= sameShare || share >= 0.8 && len(offsets) < 2*x.total {
			l.evidence.Relation = sbom.Defines
		}
		l.evidence.Content, l.evidence.Technique, l.evidence.Rule = c.Digest, "fingerprint", "learnt.texts"
		for _, h := range shared[best] {
			if !explained[h] && l.evidence.At.Len == 0 {
				if err := cite(s, c, offsets[h], &l.evidence); err != nil {
					return nil, err
				}
			}
		}
		// All versions of the component explain what it shares with any of them.
		component := f.base.components[best.component].Name
		names = append(names, component)
		for at, hs := range shared {
			if f.base.components[at.component].Name == component {
				for _, h := range hs {
					explained[h] = true
				}
			}
		}
		out = append(out, l)
	}
	return out, nil
}

func before(a, b place) bool {
	return b == nobody || cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.file, b.file)) < 0
}

func (f *Finder) file(at place) *file { return &f.base.components[at.component].files[at.file] }

// cite shows the text at off, up to the NUL that ends it.
func cite(s *artifact.Store, c *artifact.Content, off int64, e *sbom.Evidence) error {
	r, err := s.Open(c.Digest)
	if err != nil {
		return err
	}
	b := make([]byte, min(artifact.MaxExcerpt, c.Size-off))
	n, _ := r.ReadAt(b, off)
	b, _, _ = bytes.Cut(b[:n], []byte{0})
	e.At, e.Excerpt = artifact.Range{Off: off, Len: int64(len(b))}, artifact.Excerpt(b)
	return nil
}
