package sbom

import (
	"cmp"
	"slices"
	"strings"

	"hallmark/artifact"
)

// addPackages takes in what a finder read. A component that marks showed in the package's own
// files, in a version that agrees, becomes evidence for the package.
func (m *merger) addPackages(list []Found) {
	for i := range list {
		f := &list[i]
		if f.Likeness {
			m.addLike(f)
			continue
		}
		x := &item{Component: f.Component, files: map[artifact.Digest]bool{}, needs: f.Needs, recorded: f.Recorded}
		x.Layer = -1
		if len(f.Evidence) > 0 {
			x.Layer = m.plan.layersOf(f.Evidence[0].Content)[0]
		}
		for _, d := range f.Files {
			x.files[d] = true
		}
		for j := range x.Evidence {
			e := &x.Evidence[j]
			e.Relation, e.Claim, e.Version = Records, x.Claim, x.Version
			if e.Confidence == 0 {
				e.Confidence = 1
			}
		}
		x.takeFrom(m)
		m.packages = append(m.packages, x)
	}
}

// addLike takes in a component whose files were known again. Evidence in files of a component of
// that name goes to it; in files of a package of another name it does not count.
func (m *merger) addLike(f *Found) {
	x := &item{Component: f.Component, files: map[artifact.Digest]bool{}}
	x.Layer = m.plan.layersOf(f.Evidence[0].Content)[0]
	for _, d := range f.Files {
		x.files[d] = true
	}
	var rest []Evidence
	for _, e := range x.Evidence {
		switch o, owned := m.home(x, &e); {
		case o != nil:
			o.learn(m.plan.t, x, e)
		case !owned:
			rest = append(rest, e)
		}
	}
	if len(rest) == 0 {
		return
	}
	x.Purl, x.CPE = cmp.Or(x.Purl, "pkg:generic/"+strings.ReplaceAll(x.Name, "+", "%2B")), ""
	x.setEvidence(m.plan.t, rest)
	m.packages = append(m.packages, x)
}

// home returns the component that x's evidence e is about, and whether e's file belongs to a
// package.
func (m *merger) home(x *item, e *Evidence) (home *item, owned bool) {
	for _, o := range slices.Concat(m.marked, m.packages) {
		if o.Layer != x.Layer && o.Layer != -1 {
			continue
		}
		has := o.files[e.Content] || slices.ContainsFunc(o.Evidence, func(k Evidence) bool { return k.Content == e.Content })
		if (has && (o.related(x.Name) || x.related(o.Name)) || plain(o.Name) == plain(x.Name)) && o.agrees(e) {
			home = o
		}
		owned = owned || o.files[e.Content] && slices.ContainsFunc(o.Evidence, func(k Evidence) bool { return k.Relation == Records })
	}
	return home, owned
}

// agrees reports whether e can be about x's version.
func (x *item) agrees(e *Evidence) bool {
	return e.Claim == Presence || x.Claim == Presence || upstream(e.Version, x.Version, x.Claim) || upstream(x.Version, e.Version, e.Claim)
}

// learn adds e, of the like component o, to x, which may get its version by it.
func (x *item) learn(t *artifact.Tree, o *item, e Evidence) {
	if x.Claim != Exact && e.Claim == Exact {
		x.Claim, x.Version = Exact, e.Version
		x.Purl = cmp.Or(o.Purl, x.Purl)
	}
	if e.Relation == Defines {
		x.files[e.Content] = true
	}
	for _, p := range o.Properties {
		if x.Claim != Exact && !slices.Contains(x.Properties, p) {
			x.Properties = append(x.Properties, p)
		}
	}
	x.setEvidence(t, append(slices.Clone(x.Evidence), e))
}

// takeFrom moves to x the evidence of marks in x's own files, and with it what only marks know.
// What is left of a component stands elsewhere, in another program that embeds it.
func (x *item) takeFrom(m *merger) {
	evidence := x.Evidence
	m.marked = slices.DeleteFunc(m.marked, func(o *item) bool {
		if o.Layer != x.Layer || !x.related(o.Name) || !upstream(x.Version, o.Version, o.Claim) {
			return false
		}
		var rest []Evidence
		for _, e := range o.Evidence {
			if x.files[e.Content] {
				evidence = append(evidence, e)
			} else {
				rest = append(rest, e)
			}
		}
		if len(rest) == len(o.Evidence) {
			return false
		}
		x.CPE = cmp.Or(x.CPE, o.CPE)
		if len(rest) == 0 {
			x.Omitted += o.Omitted
			return true
		}
		for d := range x.files {
			delete(o.files, d)
		}
		if rest[0].Claim != o.Claim { // what is left says less
			o.Claim, o.Version = rest[0].Claim, rest[0].Version
		}
		o.setEvidence(m.plan.t, rest)
		return false
	})
	x.setEvidence(m.plan.t, evidence)
}

// related reports whether the package's name or that of its source is about the project of that
// name: a maker's package may hold a library of another project, which is its own component.
func (x *item) related(name string) bool {
	name = plain(name)
	about := []string{x.Name}
	for _, p := range x.Properties {
		if p.Name == SourceProperty {
			about = append(about, p.Value)
		}
	}
	return slices.ContainsFunc(about, func(s string) bool {
		s = plain(s)
		return strings.Contains(s, name) || len(s) > 2 && strings.Contains(name, s)
	})
}

// plain keeps the letters and digits of s, in lower case.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// upstream reports whether version, as a distribution writes it, can be of the project's version v.
func upstream(version, v string, claim Claim) bool {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	rest, ok := strings.CutPrefix(version, v)
	if !ok {
		return claim == Presence
	}
	return rest == "" || claim == Prefix || claim == Presence || !(rest[0] >= '0' && rest[0] <= '9')
}
