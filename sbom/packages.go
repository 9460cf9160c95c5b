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
		x := &item{Component: f.Component, files: map[artifact.Digest]bool{}, needs: f.Needs}
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
		var evidence []Evidence
		m.marked = slices.DeleteFunc(m.marked, func(o *item) bool {
			if !x.absorbs(o) {
				return false
			}
			evidence = append(evidence, o.Evidence...)
			x.Omitted += o.Omitted
			x.CPE = cmp.Or(x.CPE, o.CPE)
			return true
		})
		x.setEvidence(m.plan.t, append(x.Evidence, evidence...))
		m.packages = append(m.packages, x)
	}
}

// absorbs reports whether o, which marks showed, is x: it stands in x's files and nowhere else.
func (x *item) absorbs(o *item) bool {
	if o.Layer != x.Layer || len(o.files) == 0 || !upstream(x.Version, o.Version, o.Claim) {
		return false
	}
	for _, e := range o.Evidence {
		if e.Relation != Defines || !x.files[e.Content] {
			return false
		}
	}
	return true
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
