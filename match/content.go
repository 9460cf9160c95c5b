package match

import (
	"cmp"
	"slices"

	"hallmark/artifact"
)

// Lead is a likeness that somebody else found: a content is like what was learnt of a family. Without
// an authored mark of that family in the same content it stays a lead, whatever its score.
type Lead struct {
	Content         artifact.Digest `json:"content"`
	Family          string          `json:"family"` // id of a maker, or a name of its own
	Component       string          `json:"component,omitempty"`
	Version         string          `json:"version,omitempty"` // the nearest one that was learnt
	LLR             float64         `json:"llr"`               // decimal logarithm, from the tests of the pack
	Nearest         string          `json:"nearest,omitempty"` // reference
	NearestInnocent string          `json:"nearest_innocent,omitempty"`
	Pack            artifact.Digest `json:"pack"`
	Place           string          `json:"place"` // the way to it, for people; set by [Judge]
}

// ContentVerdict is the rung that one content stands on by itself, for one maker.
type ContentVerdict struct {
	Content artifact.Digest `json:"content"`
	Place   string          `json:"place"`
	Class   Class           `json:"class"`
	Maker   string          `json:"maker"`
	Score   float64         `json:"score"`
	Marks   []string        `json:"marks"` // ids
}

// leads returns the likenesses that count, in the order of the tree, and marks what they anchor.
func (j *judge) leads(fired []Fired) (leads []Lead, demoted []Demoted) {
	order := map[artifact.Digest]int{}
	for i, c := range j.tree.Contents() {
		order[c.Digest] = i
	}
	list := slices.Clone(j.opts.Leads)
	slices.SortStableFunc(list, func(a, b Lead) int {
		return cmp.Or(cmp.Compare(order[a.Content], order[b.Content]), cmp.Compare(a.Family, b.Family), cmp.Compare(a.Component, b.Component))
	})
	for _, l := range list {
		if j.tree.Content(l.Content) == nil {
			continue
		}
		l.Place = j.tree.Locate(j.tree.FirstPlace(l.Content), artifact.Range{})
		if why := j.explained(l, fired); why != "" {
			demoted = append(demoted, Demoted{"learnt:" + l.Family + "/" + l.Component, l.Place, why, 1})
			continue
		}
		leads = append(leads, l)
		for i := range fired {
			if f := &fired[i]; f.Maker == l.Family && f.in(l.Content) {
				f.Learnt = true
			}
		}
	}
	return leads, once(demoted)
}

func (f *Fired) in(d artifact.Digest) bool {
	_, ok := f.leaves[d]
	return ok
}

// explained says why a likeness is explained by others than the family; "" if it is not.
func (j *judge) explained(l Lead, fired []Fired) string {
	if name := j.opts.ThirdParty[l.Content]; name != "" {
		return "the file is " + name + ", which others use as well"
	}
	m := j.rules.maker(l.Family)
	if m != nil && m.Class == classSilicon {
		return ""
	}
	for _, f := range fired {
		if f.Claim == Silicon && f.in(l.Content) {
			return "the file is code that the maker of the chip delivers: " + f.ID
		}
	}
	return ""
}

// contents returns what each content shows by itself, in the order of the tree.
func (d *decision) contents() []ContentVerdict {
	out := []ContentVerdict{}
	byLeaf := map[artifact.Digest][]Fired{}
	for _, m := range d.rules.makers {
		for _, f := range d.byMaker[m.ID] {
			for leaf := range f.leaves {
				byLeaf[leaf] = append(byLeaf[leaf], f)
			}
		}
	}
	leads := map[artifact.Digest][]Lead{}
	for _, l := range d.leads {
		leads[l.Content] = append(leads[l.Content], l)
	}
	for _, c := range d.tree.Contents() {
		var makers []string
		for _, f := range byLeaf[c.Digest] {
			makers = append(makers, f.Maker)
		}
		for _, l := range leads[c.Digest] {
			makers = append(makers, l.Family)
		}
		slices.Sort(makers)
		for _, id := range slices.Compact(makers) {
			of := func(f Fired) bool { return f.Maker != id }
			marks := slices.DeleteFunc(slices.Clone(byLeaf[c.Digest]), of)
			similar := slices.DeleteFunc(slices.Clone(leads[c.Digest]), func(l Lead) bool { return l.Family != id })
			class, ok := d.rules.rung(marks, len(similar) > 0)
			if !ok {
				continue
			}
			v := ContentVerdict{
				Content: c.Digest, Place: d.tree.Locate(d.tree.FirstPlace(c.Digest), artifact.Range{}),
				Class: class, Maker: id, Score: score(marks, similar), Marks: []string{},
			}
			for _, f := range marks {
				v.Marks = append(v.Marks, f.ID)
			}
			out = append(out, v)
		}
	}
	return out
}

// rung puts one content on the ladder. All its marks are one witness.
func (r *Rules) rung(marks []Fired, learnt bool) (Class, bool) {
	best, found := Replacement, false
	better := func(c Class) {
		if !found || slices.Index(ladder, c) < slices.Index(ladder, best) {
			best, found = c, true
		}
	}
	if learnt {
		better(LeadOnly)
	}
	for _, f := range marks {
		m := r.maker(f.Maker)
		switch {
		case f.Role == "list":
		case f.Claim == Component && m.Class == classFree:
			better(Replacement)
		case f.Claim == Component && m.Class == classFamily:
			better(Undetermined)
		case f.Claim == Component && f.alone():
			better(Component)
		case f.Claim == Component && f.Strength >= strong:
			better(LeadOnly)
		case f.Claim == Silicon && m.Covered != "":
			better(Covered)
		case f.Claim == Silicon:
			better(Silicon)
		case (f.Claim == SDKClient || f.Claim == Compatible) && f.Strength >= client:
			better(f.Claim)
		}
	}
	return best, found
}
