package sbom

import (
	"cmp"
	"context"
	"crypto/sha512"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/work"
)

// Options are what a caller may set. Its zero value works.
type Options struct {
	FirstPattern int // index of the first of [Rules.Patterns] in the set whose hits the facts hold
	Finders      []Finder
}

// Identify returns what the image is made of. found are the facts of its contents, collected
// with r.Patterns among the patterns. The result does not depend on the number of workers. An
// error means that something is missing from the BOM, which is never nil: a finder failed, or
// ctx was done.
func Identify(ctx context.Context, t *artifact.Tree, s *artifact.Store, found map[artifact.Digest]*facts.Facts, r *Rules, pool *work.Pool, opts Options) (*BOM, error) {
	p := newPlan(t)
	b := &BOM{Coverage: t.Coverage(), Rules: r.digest, Unread: []Unread{}, Limits: limits(t), Crypto: p.crypto()}
	for _, x := range b.Coverage.Regions {
		b.Unread = append(b.Unread, Unread{t.Locate(x.Place, artifact.Range{}), x.Content, x.At, x.Why, p.layerAt(x.Content, x.At)})
	}
	image, err := imageOf(t, s)
	b.Image = image
	faults := []error{err}

	seen, errs := work.Map(ctx, pool, t.Contents(), func(_ context.Context, c *artifact.Content) ([]sighting, error) {
		f := found[c.Digest]
		paths := p.paths[c.Digest]
		if f == nil && len(paths) == 0 {
			return nil, nil
		}
		data, err := s.Open(c.Digest)
		if err != nil {
			return nil, err
		}
		elf := len(f.Named("elf.machine")) > 0
		return r.sightings(&view{c.Digest, data, elf, paths, f, opts.FirstPattern}), nil
	})
	faults = append(faults, errs...)
	m := merger{plan: p, rules: r, groups: map[group][]Evidence{}, omitted: map[group]int{}}
	for _, list := range seen {
		for _, x := range list {
			m.add(x)
		}
	}
	m.conclude()

	for _, f := range opts.Finders {
		packages, err := f.Find(ctx, t, s)
		faults = append(faults, err)
		m.addPackages(packages)
	}
	l := linker{plan: p, found: found}
	starts, err := l.starts(t, s)
	faults = append(faults, err)
	b.Links = slices.Concat(l.links(t), l.modules(t), starts)
	var records [][]Recorded
	b.Components, records = m.components(b.Links)
	faults = append(faults, hashFiles(ctx, s, pool, b.Components)...)
	b.Altered, errs = altered(ctx, s, pool, records)
	faults = append(faults, errs...)
	tell(b.Components, b.Altered)
	b.Layers = append([]Layer{}, p.layers...)
	return b, errors.Join(faults...)
}

func imageOf(t *artifact.Tree, s *artifact.Store) (Image, error) {
	i := Image{Name: t.Name, SHA256: t.Root}
	r, err := s.Open(t.Root)
	if err != nil {
		return i, err
	}
	i.Size = r.Size()
	h := sha512.New()
	_, err = io.Copy(h, r)
	h.Sum(i.SHA512[:0])
	return i, err
}

// group is where evidence for one component is brought together.
type group struct{ component, layer int }

// merger makes components of sightings and of packages.
type merger struct {
	plan     *plan
	rules    *Rules
	groups   map[group][]Evidence
	omitted  map[group]int // pieces of evidence beyond maxPieces
	marked   []*item       // from marks
	packages []*item
}

// maxPieces bounds the evidence that is compared for one component in one layer.
const maxPieces = 2000

// item is a component before it has an index.
type item struct {
	Component
	files map[artifact.Digest]bool // that are the component, not ones that embed it
	needs []string

	recorded []Recorded
}

func (m *merger) add(x sighting) {
	layers := m.plan.layersOf(x.Content)
	switch m.rules.components[x.component].Type {
	case "operating-system", "firmware":
		layers = []int{-1} // modules and the kernel they belong to stand in different layers
	}
	for _, l := range layers {
		k := group{x.component, l}
		if len(m.groups[k]) >= maxPieces {
			m.omitted[k]++
			continue
		}
		m.groups[k] = append(m.groups[k], x.Evidence)
	}
}

// conclude makes components of each group: one for each version that the evidence tells apart.
func (m *merger) conclude() {
	keys := slices.SortedFunc(maps.Keys(m.groups), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.layer, b.layer))
	})
	for _, k := range keys {
		for _, e := range versions(m.groups[k]) {
			m.marked = append(m.marked, m.item(k, e))
		}
	}
}

// rank orders claims by how much they tell.
var rank = map[Claim]int{Exact: 0, Prefix: 1, Range: 2, Presence: 3}

// versions parts evidence by what it says: first what tells most. A weaker claim joins the
// version that it agrees with, the one in its own file if there are several.
func versions(all []Evidence) [][]Evidence {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Evidence) int { return cmp.Compare(rank[a.Claim], rank[b.Claim]) })
	var out [][]Evidence
	for _, e := range all {
		home := -1
		for i, list := range out {
			if !agrees(list[0], e) {
				continue
			}
			same := slices.ContainsFunc(list, func(x Evidence) bool { return x.Content == e.Content })
			if home < 0 || same {
				home = i
			}
			if same {
				break
			}
		}
		if home < 0 {
			out = append(out, []Evidence{e})
			continue
		}
		out[home] = append(out[home], e)
	}
	return out
}

// agrees reports whether e, which claims no more than best does, can be about the same version.
func agrees(best, e Evidence) bool {
	switch e.Claim {
	case Presence:
		return true
	case Prefix:
		return best.Version == e.Version || strings.HasPrefix(best.Version, e.Version+".")
	case Range:
		return best.Claim != Presence
	}
	return best.Claim == e.Claim && best.Version == e.Version
}

func (m *merger) item(k group, evidence []Evidence) *item {
	known := &m.rules.components[k.component]
	best := evidence[0]
	x := &item{files: map[artifact.Digest]bool{}}
	x.Component = Component{
		Name: known.Name, Title: known.Title, Type: known.Type,
		Version: best.Version, Claim: best.Claim,
		Supplier: known.Supplier, Website: website(known.Source), Layer: k.layer,
	}
	if known.Licence != "" {
		x.Licences = []Licence{{known.Licence, true}}
	}
	x.Purl, x.CPE = names(known.Name, known.Purl, known.CPE, x.Version, x.Claim)
	for _, e := range evidence {
		if e.Relation == Defines {
			x.files[e.Content] = true
		}
	}
	x.setEvidence(m.plan.t, evidence)
	x.Omitted += m.omitted[k]
	return x
}

// setEvidence keeps the strongest pieces and says where each stands.
func (x *item) setEvidence(t *artifact.Tree, all []Evidence) {
	slices.SortStableFunc(all, func(a, b Evidence) int {
		return cmp.Or(
			cmp.Compare(rank[a.Claim], rank[b.Claim]), cmp.Compare(b.Confidence, a.Confidence),
			cmp.Compare(a.Relation, b.Relation),             // defines, embeds, records
			cmp.Compare(min(b.At.Len, 1), min(a.At.Len, 1)), // what can be shown before a mere name
		)
	})
	x.Omitted += max(0, len(all)-MaxEvidence)
	x.Evidence = all[:min(len(all), MaxEvidence)]
	x.Confidence = 0
	for i := range x.Evidence {
		e := &x.Evidence[i]
		if e.Claim == x.Claim && e.Version == x.Version {
			x.Confidence = max(x.Confidence, e.Confidence)
		}
		e.Place = t.Locate(t.FirstPlace(e.Content), artifact.Range{})
	}
}

// components returns the finished list, with the edges between its members, and what is recorded
// of the files of each.
func (m *merger) components(links []Link) ([]Component, [][]Recorded) {
	all := append(slices.Clone(m.marked), m.packages...)
	slices.SortStableFunc(all, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Purl, b.Purl))
	})
	owners := map[artifact.Digest][]int{} // components that a file is
	named := map[library][]int{}
	for i, x := range all {
		for d := range x.files {
			owners[d] = append(owners[d], i)
		}
		named[library{x.Layer, x.Name}] = append(named[library{x.Layer, x.Name}], i)
	}
	edges := make([]map[int]bool, len(all))
	edge := func(from, to int) {
		if from == to {
			return
		}
		if edges[from] == nil {
			edges[from] = map[int]bool{}
		}
		edges[from][to] = true
	}
	for _, l := range links {
		for _, from := range owners[l.From] {
			for _, d := range l.To {
				for _, to := range owners[d] {
					if same := all[from].Layer == all[to].Layer; same || len(l.To) == 1 {
						edge(from, to)
					}
				}
			}
		}
	}
	out, records := make([]Component, len(all)), make([][]Recorded, len(all))
	for i, x := range all {
		records[i] = x.recorded
		for _, name := range x.needs {
			for _, to := range named[library{x.Layer, name}] {
				edge(i, to)
			}
		}
		out[i] = x.Component
		out[i].DependsOn = slices.Sorted(maps.Keys(edges[i]))
		out[i].Files, out[i].Build = m.plan.files(x.files)
	}
	return out, records
}
