package report

import (
	"fmt"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/fingerprint"
)

// Learnt says which packs an image was compared with, pinned by their digests, and what they found.
type Learnt struct {
	Packs      []PackUse              `json:"packs"`
	Background *artifact.Digest       `json:"background,omitempty"`
	Likenesses []fingerprint.Likeness `json:"likenesses"`
}

// PackUse is one pack that was used.
type PackUse struct {
	Digest     artifact.Digest `json:"sha256"`
	SignedBy   []string        `json:"signed_by"` // ids of keys; empty if no given key has signed it
	Components []string        `json:"components"`
}

// PackOf describes a pack.
func PackOf(p *fingerprint.Pack) PackUse {
	u := PackUse{Digest: p.Digest, SignedBy: append([]string{}, p.SignedBy...), Components: []string{}}
	for i := range p.Components {
		u.Components = append(u.Components, p.Components[i].ID())
	}
	u.Components = slices.Compact(u.Components) // one for all of its parts
	return u
}

// learnt writes the packs, the unsigned ones by name, and why contents are alike. What is enough
// for a lead stands beside the findings as well.
func (t *text) learnt(l *Learnt) {
	t.head("Compared with what was learnt")
	for _, p := range l.Packs {
		by := "NOT SIGNED"
		if len(p.SignedBy) > 0 {
			by = "signed by " + strings.Join(p.SignedBy, ", ")
		}
		t.line("  pack %s (%s), %s", p.Digest, Printable(strings.Join(p.Components, ", ")), by)
	}
	if len(l.Likenesses) == 0 {
		t.line("  nothing in the image is like it")
	}
	for i, x := range l.Likenesses {
		if i == textMarks {
			t.line("  and %d more (see -o json)", len(l.Likenesses)-i)
			break
		}
		what := "like"
		switch {
		case x.Identical:
			what = "identical to a file of"
		case x.Island:
			what = "no lead, since it has one part of one learnt file only: like"
		}
		t.line("  %s: %s %s/%s %s, nearest %s", Printable(x.Name), what, Printable(x.Family), Printable(x.Component), Printable(x.Version), Printable(x.Nearest))
		var hits []string
		for _, h := range x.Classes {
			hits = append(hits, fmt.Sprintf("%s %d of %d", h.Class, h.Hits, h.Of))
		}
		if len(hits) > 0 {
			t.line("    %s; LLR %.1f; the nearest of others in the tests had %d hits in one class", strings.Join(hits, ", "), x.LLR, x.InnocentHits)
		}
	}
}
