package match

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/binomial"
)

// subject is a content to be looked at, or the nodes without content of one chunk.
type subject struct {
	content *artifact.Content
	paths   []named
	chunk   *artifact.Extent // of nodes without content
}

// way is how a content is reached: the formats around it, and every path on the way.
type way struct {
	formats []string
	path    string
	place   artifact.Place
}

// prepare lists what to look at, in the order of the tree, and how it is reached.
func (j *judge) prepare() []subject {
	paths := map[artifact.Digest][]named{}
	var bare []subject
	for _, c := range j.tree.Contents() {
		j.ways[c.Digest] = way{}.on(j.tree, j.tree.FirstPlace(c.Digest)...)
		for i, x := range c.Chunks() {
			rest := subject{content: c, chunk: x}
			for k := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[k]
				p := named{"/" + n.Path, x.Chunk.Format, artifact.Step{Content: c.Digest, Extent: i, Node: k}}
				switch {
				case len(p.path) > maxPath:
				case !n.HasContent():
					rest.paths = append(rest.paths, p)
				default:
					paths[n.Digest] = append(paths[n.Digest], p)
				}
			}
			if len(rest.paths) > 0 {
				bare = append(bare, rest)
			}
		}
	}
	var out []subject
	for _, c := range j.tree.Contents() {
		out = append(out, subject{content: c, paths: paths[c.Digest]})
	}
	return append(out, bare...)
}

func (j *judge) wayTo(d artifact.Digest) way { return j.ways[d] }

// through returns the way to the node at s.
func (j *judge) through(s artifact.Step) way { return j.wayTo(s.Content).on(j.tree, s) }

// on returns w with more steps.
func (w way) on(t *artifact.Tree, steps ...artifact.Step) way {
	w.place, w.formats = slices.Clip(w.place), slices.Clip(w.formats)
	for _, s := range steps {
		w.place = append(w.place, s)
		w.formats = append(w.formats, t.Content(s.Content).Extents[s.Extent].Chunk.Format)
		if n := t.Node(s); n != nil && n.Path != "" {
			w.path += "/" + n.Path
		}
		if over := len(w.path) - maxPath; over > 0 {
			w.path = w.path[over:]
		}
	}
	return w
}

// maxPath is the longest path that counts, in bytes: a device has none near it, and many longer
// ones are there to cost time.
const maxPath = 1 << 10

// in reports whether a content reached by w stands in context i.
func (r *Rules) in(i int, w way) bool {
	c := &r.contexts[i]
	if c.within >= 0 && !r.in(c.within, w) || c.outside >= 0 && r.in(c.outside, w) {
		return false
	}
	if len(c.Formats) > 0 && !slices.ContainsFunc(w.formats, func(f string) bool { return slices.Contains(c.Formats, f) }) {
		return false
	}
	return c.path == nil || c.path.MatchString(w.path)
}

// sighting is a mark in one content, before it is known whether it is enough.
type sighting struct {
	mark  *mark
	claim Class
	view  *view
	ways  []witness
	why   string // if it does not count: why
}

// seen is what one subject shows.
type seen struct {
	sightings []sighting
	tried     []int // indexes of the marks that could have stood in it
}

// look returns the marks that s shows.
func (j *judge) look(_ context.Context, s subject) (out seen, err error) {
	v, err := j.viewOf(s)
	if err != nil {
		return out, err
	}
	for i, m := range j.rules.marks {
		if !j.fits(m, v) {
			continue
		}
		out.tried = append(out.tried, i)
		if s, ok := j.sight(m, v); ok {
			out.sightings = append(out.sightings, s)
		}
	}
	return out, nil
}

// fits reports whether m could stand in v at all: whether it is of the kind of file that m is
// looked for in, and, for a mark that claims nothing elsewhere, whether it is in the right place.
func (j *judge) fits(m *mark, v *view) bool {
	if !m.look.fits(v) {
		return false
	}
	if m.context < 0 || m.Else != "" || v.contexts == nil {
		return true
	}
	return v.contexts[m.context]
}

func (j *judge) viewOf(s subject) (*view, error) {
	if s.chunk == nil {
		return j.see(s.content, s.paths)
	}
	r, err := j.store.Open(s.content.Digest)
	if err != nil {
		return nil, err
	}
	at := artifact.Range{Off: s.chunk.Off, Len: min(s.chunk.Len, artifact.MaxExcerpt)}
	return &view{content: s.content, at: at, r: r, paths: s.paths, way: j.wayTo(s.content.Digest)}, nil
}

func (m *mark) holds(v *view) bool {
	for i := range m.and {
		if len(m.and[i].find(v)) == 0 {
			return false
		}
	}
	for i := range m.not {
		if len(m.not[i].find(v)) > 0 {
			return false
		}
	}
	return true
}

// sight looks for m in v, and decides what it claims there.
func (j *judge) sight(m *mark, v *view) (sighting, bool) {
	s := sighting{mark: m, view: v, claim: classes[m.Claim]}
	if s.ways = m.look.find(v); len(s.ways) == 0 {
		return s, false
	}
	if m.context >= 0 && !j.within(m.context, &s) {
		if s.claim = classes[m.Else]; m.Else == "" {
			s.why = "counts only in context " + m.Context
		}
	}
	kept, why := v.keep(s.ways, s.claim)
	if len(kept) > 0 {
		s.ways = kept
	} else if s.why == "" {
		s.why = why
	}
	if len(s.ways) == 0 || len(s.ways) < m.AtLeast && s.ways[0].step == nil || !m.holds(s.view) {
		return s, false
	}
	worded := slices.ContainsFunc(s.ways, func(w witness) bool { return w.worded() })
	switch {
	case v.about && (worded || s.ways[0].step != nil):
		s.why = "stands in documentation"
	case v.list && worded:
		s.why = fmt.Sprintf("stands in a text that names %d makers or more", manyMakers)
	case worded && j.opts.ThirdParty[v.content.Digest] != "":
		s.why = "stands in " + j.opts.ThirdParty[v.content.Digest] + ", which others use as well"
	}
	return s, true
}

// within reports whether the content of s stands in context i somewhere. Its view and ways are
// then of those places only.
func (j *judge) within(i int, s *sighting) bool {
	if len(s.view.paths) == 0 {
		return j.rules.in(i, s.view.way)
	}
	paths := j.where(s.view.paths, i, true)
	if len(paths) == 0 {
		return false
	}
	v := *s.view
	v.paths, v.way = paths, j.through(paths[0].step)
	s.view, s.ways = &v, s.mark.look.find(&v)
	return true
}

// key tells fired marks apart: one mark may claim different things in different places.
type key struct {
	mark  *mark
	claim Class
}

// collect makes one Fired of each mark and claim, in the order of the rules, and checks that
// paths occur in enough ways over the whole tree.
func (j *judge) collect(all []sighting) (fired []Fired, demoted []Demoted) {
	byKey := map[key][]sighting{}
	for _, s := range all {
		if s.why != "" {
			demoted = append(demoted, Demoted{s.mark.ID, j.tree.Locate(s.view.way.place, s.ways[0].at), s.why, 1})
			continue
		}
		k := key{s.mark, s.claim}
		byKey[k] = append(byKey[k], s)
	}
	for i, m := range j.rules.marks {
		for _, claim := range ladder {
			if list := byKey[key{m, claim}]; len(list) > 0 && distinct(list) >= m.AtLeast {
				fired = append(fired, j.fire(m, claim, list, j.tried[i]))
			}
		}
	}
	return fired, once(demoted)
}

// once keeps the first place of each mark and reason, and counts the others.
func once(list []Demoted) (out []Demoted) {
	for _, d := range list {
		i := slices.IndexFunc(out, func(o Demoted) bool { return o.Mark == d.Mark && o.Why == d.Why })
		if i < 0 {
			out = append(out, d)
			continue
		}
		out[i].Count++
	}
	return out
}

func distinct(list []sighting) int {
	ways := map[string]bool{}
	for _, s := range list {
		for _, w := range s.ways {
			ways[w.way] = true
		}
	}
	return len(ways)
}

func (j *judge) fire(m *mark, claim Class, list []sighting, tried int) Fired {
	f := Fired{ID: m.ID, Maker: m.maker.ID, Claim: claim, Role: m.role(), Kind: m.Kind, Group: m.group, Look: m.place, Ceiling: m.ceiling(claim),
		Strength: m.Strength, Tested: m.tested, Score: ratio(m.Seen.In, m.Seen.Of, m.tested.False, m.tested.Contents),
		Expected: round(binomial.Upper(m.tested.False, m.tested.Contents) * float64(tried)),
		Note:     m.Note, Checked: m.Checked, Source: m.Source, leaves: map[artifact.Digest]string{}}
	for _, s := range list {
		f.leaves[s.view.content.Digest] = j.groupOf(m, s.view)
		f.Count += len(s.ways)
		for _, w := range s.ways {
			if len(f.Citations) < maxCitations {
				f.Citations = append(f.Citations, j.cite(m, s.view, w))
			}
		}
	}
	f.Files = len(f.leaves)
	return f
}

// groupOf returns the part of a device that m shows in v: a string in a kernel module is of the
// kernel, whatever its kind.
func (j *judge) groupOf(m *mark, v *view) string {
	for i, c := range j.rules.contexts {
		if m.group != "" && c.Group != "" && v.contexts != nil && v.contexts[i] {
			return c.Group
		}
	}
	return m.group
}

func (j *judge) cite(m *mark, v *view, w witness) Citation {
	w.at = v.narrow(w)
	cited, _ := v.read(w.at.Off, w.at.End())
	place := v.way.place
	if w.step != nil {
		place = j.through(*w.step).place
	}
	return Citation{
		Evidence: artifact.Evidence{Content: v.content.Digest, At: w.at, Technique: w.technique, Rule: m.ID, Excerpt: artifact.Excerpt(cited[:min(len(cited), artifact.MaxExcerpt)])},
		Value:    clip(w.value),
		Place:    j.tree.Locate(place, w.at),
		SHA256:   sha256.Sum256(cited),
		Layers:   j.tree.Layers(place, w.at),
	}
}

// narrow returns the bytes that hold what w is about, if they stand within those that w cites as
// they are written, so that an excerpt shows it.
func (v *view) narrow(w witness) artifact.Range {
	if w.part == "" || w.part == w.value {
		return w.at
	}
	b, lo := v.read(w.at.Off, w.at.Off+min(w.at.Len, facts.MaxValue))
	if i := bytes.Index(asciiLower(b), asciiLower([]byte(w.part))); i >= 0 {
		return artifact.Range{Off: lo + int64(i), Len: int64(len(w.part))}
	}
	return w.at
}

// asciiLower returns b with letters in lower case, byte for byte.
func asciiLower(b []byte) []byte {
	out := slices.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// clip shortens a value to what a line can hold.
func clip(s string) string {
	const most = 160
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func (m *mark) role() string {
	if m.Role == "" {
		return "device"
	}
	return m.Role
}
