package match

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/facts"
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
		j.ways[c.Digest] = j.trace(j.tree.FirstPlace(c.Digest))
		for i, x := range c.Chunks() {
			rest := subject{content: c, chunk: x}
			for k := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[k]
				p := named{"/" + n.Path, x.Chunk.Format, artifact.Step{Content: c.Digest, Extent: i, Node: k}}
				switch {
				case !n.HasContent():
					rest.paths = append(rest.paths, p)
				case len(paths[n.Digest]) < maxPaths:
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

func (j *judge) trace(p artifact.Place) way {
	w := way{place: p}
	var b strings.Builder
	for _, s := range p {
		w.formats = append(w.formats, j.tree.Content(s.Content).Extents[s.Extent].Chunk.Format)
		if n := j.tree.Node(s); n != nil && n.Path != "" {
			b.WriteString("/" + n.Path)
		}
	}
	w.path = b.String()
	return w
}

// through returns the way to the node at s.
func (j *judge) through(s artifact.Step) artifact.Place {
	return append(slices.Clone(j.wayTo(s.Content).place), s)
}

// in reports whether a content reached by w stands in context i.
func (r *Rules) in(i int, w way) bool {
	c := &r.contexts[i]
	if c.within >= 0 && !r.in(c.within, w) {
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

// look returns the marks that s shows.
func (j *judge) look(_ context.Context, s subject) ([]sighting, error) {
	v, err := j.viewOf(s)
	if err != nil {
		return nil, err
	}
	var out []sighting
	for _, m := range j.rules.marks {
		ways := m.look.find(v)
		if len(ways) == 0 || len(ways) < m.AtLeast && ways[0].step == nil || !m.holds(v) {
			continue
		}
		out = append(out, j.place(m, v, ways))
	}
	return out, nil
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
	return true
}

// place decides what m claims where v stands.
func (j *judge) place(m *mark, v *view, ways []witness) sighting {
	s := sighting{mark: m, view: v, ways: ways, claim: classes[m.Claim]}
	w := v.way
	if step := ways[0].step; step != nil {
		w = j.trace(j.through(*step))
	}
	if (ways[0].step != nil || ways[0].technique == "string" || worded(ways[0].technique)) && j.rules.documentation(w) {
		s.why = "stands in documentation"
	}
	if m.context >= 0 && !j.rules.in(m.context, w) {
		if s.claim = classes[m.Else]; m.Else == "" {
			s.why = "counts only in context " + m.Context
		}
	}
	return s
}

// documentation reports whether w leads into text about software.
func (r *Rules) documentation(w way) bool {
	i := slices.IndexFunc(r.contexts, func(c placeContext) bool { return c.ID == "documentation" })
	return i >= 0 && r.in(i, w)
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
			demoted = append(demoted, Demoted{s.mark.ID, j.tree.Locate(s.view.way.place, s.ways[0].at), s.why})
			continue
		}
		k := key{s.mark, s.claim}
		byKey[k] = append(byKey[k], s)
	}
	for _, m := range j.rules.marks {
		for _, claim := range ladder {
			if list := byKey[key{m, claim}]; len(list) > 0 && distinct(list) >= m.AtLeast {
				fired = append(fired, j.fire(m, claim, list))
			}
		}
	}
	return fired, demoted
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

func (j *judge) fire(m *mark, claim Class, list []sighting) Fired {
	f := Fired{ID: m.ID, Maker: m.maker.ID, Claim: claim, Role: m.role(), Kind: m.Kind, Strength: m.Strength,
		Note: m.Note, Checked: m.Checked, Source: m.Source, leaves: map[artifact.Digest]bool{}}
	for _, s := range list {
		f.leaves[s.view.content.Digest] = true
		f.Count += len(s.ways)
		for _, w := range s.ways {
			if len(f.Citations) < maxCitations {
				f.Citations = append(f.Citations, j.cite(m, s.view, w))
			}
		}
	}
	return f
}

func (j *judge) cite(m *mark, v *view, w witness) Citation {
	w.at = v.narrow(w)
	excerpt, _ := v.read(w.at.Off, w.at.Off+min(w.at.Len, artifact.MaxExcerpt))
	place := v.way.place
	if w.step != nil {
		place = j.through(*w.step)
	}
	return Citation{
		Evidence: artifact.Evidence{Content: v.content.Digest, At: w.at, Technique: w.technique, Rule: m.ID, Excerpt: string(excerpt)},
		Value:    clip(w.value),
		Place:    j.tree.Locate(place, w.at),
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
