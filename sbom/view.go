package sbom

import (
	"bytes"
	"cmp"
	"io"
	"iter"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/signatures"
)

// view is one content as marks see it.
type view struct {
	digest artifact.Digest
	data   *io.SectionReader
	elf    bool
	paths  []string // of nodes that have this content, without repeats
	facts  *facts.Facts
	first  int // pattern of facts that is the first of the rules'
}

// sighting is a component seen in one content.
type sighting struct {
	component int
	Evidence
}

// names returns what the file calls itself: its SONAME, else the base names of its nodes.
func (v *view) names() []string {
	if s := v.facts.Named("elf.soname"); len(s) > 0 {
		return []string{s[0].Value}
	}
	var names []string
	for _, p := range v.paths {
		names = append(names, path.Base(p))
	}
	return names
}

// sightings returns what the marks of r show in v, in order of the marks.
func (r *Rules) sightings(v *view) []sighting {
	own := map[int]bool{}
	for _, name := range v.names() {
		r.owners.of(name, func(i int) { own[i] = true })
	}
	var out []sighting
	for _, i := range slices.Sorted(maps.Keys(own)) {
		if c := &r.components[i]; c.Soname && v.elf {
			out = append(out, sighting{i, v.byName(c)})
		}
	}
	for _, i := range r.candidates(v) {
		m := &r.marks[i]
		if m.Owned && !own[m.component] || !v.is(m.In) {
			continue
		}
		relation := Embeds
		if own[m.component] || !v.elf || m.Fact != "" || m.Path != "" {
			relation = Defines
		}
		for _, e := range m.look(v) {
			e.Relation, e.Claim, e.Rule, e.Content = relation, m.claim, m.ID, v.digest
			if e.Confidence = m.confidence; m.claim == Presence {
				e.Version = ""
			}
			out = append(out, sighting{m.component, e})
		}
	}
	return out
}

// candidates returns the marks that look for no literal and those of which one occurs, in order.
func (r *Rules) candidates(v *view) []int {
	out := slices.Clone(r.always)
	if v.facts != nil {
		last := -1
		for _, h := range v.facts.Hits {
			if p := h.Pattern - v.first; h.Pattern != last && p >= 0 && p < len(r.byLiteral) {
				out = append(out, r.byLiteral[p]...)
			}
			last = h.Pattern
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (v *view) is(kind string) bool {
	switch kind {
	case "any":
		return true
	case "data":
		return !v.elf
	}
	return v.elf
}

// byName is the evidence that a library's own name gives.
func (v *view) byName(c *signatures.Component) Evidence {
	e := Evidence{Relation: Defines, Claim: Presence, Confidence: confidences[Presence]}
	e.Content, e.Technique, e.Rule = v.digest, "filename", c.Name+".name"
	if s := v.facts.Named("elf.soname"); len(s) > 0 {
		e.Technique, e.At, e.Confidence = "elf.soname", s[0].At, 0.8
		e.Excerpt = v.excerpt(e.At)
	}
	return e
}

// maxVersions is how many versions of one component one mark may read in one content: more make
// it a list of versions, as scanners and changelogs have it.
const maxVersions = 2

// look returns what m finds in v: one piece of evidence for each version, the first of each.
func (m *mark) look(v *view) []Evidence {
	if !m.others(v) {
		return nil
	}
	var all []Evidence
	switch {
	case m.Fact != "":
		all = m.inFacts(v)
	case m.Path != "":
		all = m.inPaths(v)
	default:
		all = m.inBytes(v)
	}
	var out []Evidence
	for _, e := range all {
		if !slices.ContainsFunc(out, func(x Evidence) bool { return x.Version == e.Version }) {
			out = append(out, e)
		}
	}
	if len(out) > maxVersions {
		return nil
	}
	return out
}

// others reports whether the literals beside the mark's own are there, or absent, as it wants.
func (m *mark) others(v *view) bool {
	seen := func(i int) bool { return len(v.facts.HitsOf(v.first+i)) > 0 }
	for _, i := range m.with {
		if !seen(i) {
			return false
		}
	}
	return !slices.ContainsFunc(m.without, seen)
}

func (m *mark) inFacts(v *view) []Evidence {
	var out []Evidence
	for _, f := range v.facts.Named(m.Fact) {
		if at := m.pattern.FindStringSubmatchIndex(f.Value); at != nil {
			e := Evidence{Version: m.version(m.pattern, []byte(f.Value), at)}
			e.Technique, e.At, e.Excerpt = m.Fact, f.At, v.excerpt(f.At)
			out = append(out, e)
		}
	}
	return out
}

func (m *mark) inPaths(v *view) []Evidence {
	var out []Evidence
	for _, p := range v.paths {
		if at := m.path.FindStringSubmatchIndex(p); at != nil {
			e := Evidence{Version: m.version(m.path, []byte(p), at)}
			e.Technique = "filename"
			out = append(out, e)
		}
	}
	return out
}

// maxMatch is how far a pattern may reach before and behind its literal, in bytes, unless the
// mark allows more.
const maxMatch = 192

func (m *mark) inBytes(v *view) []Evidence {
	var out []Evidence
	for _, i := range m.literals {
		for _, hit := range v.facts.HitsOf(v.first + i) {
			if m.Head > 0 && hit.At.Off >= m.Head {
				continue
			}
			e := Evidence{}
			e.Technique, e.At = "string", hit.At
			if m.pattern != nil {
				var ok bool
				if e.At, e.Version, ok = m.near(v, hit.At); !ok {
					continue
				}
			}
			e.Excerpt = v.excerpt(e.At)
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Evidence) int { return cmp.Compare(a.At.Off, b.At.Off) })
	if m.claim == Range && len(out) > 0 {
		return []Evidence{slices.MaxFunc(out, func(a, b Evidence) int { return compareVersions(a.Version, b.Version) })}
	}
	return out
}

// near applies the pattern around the literal at hit and returns the match that covers most of
// it, or if none does and the mark allows, the one that is nearest.
func (m *mark) near(v *view, hit artifact.Range) (artifact.Range, string, bool) {
	gap := int64(m.Apart) + 1 // between the literal and the match; negative is overlap
	if m.Apart == 0 {
		gap = 0
	}
	for reach, most := int64(maxMatch), int64(max(maxMatch, m.Apart)); ; reach = min(4*reach, most) {
		if reach == most {
			return m.nearest(v, hit, reach, gap)
		}
		// What is further away could be cut by the window.
		if at, version, ok := m.nearest(v, hit, reach, min(gap, reach-maxMatch+1)); ok {
			return at, version, ok
		}
	}
}

// nearest looks reach bytes before and behind the literal for a match less than gap away from it.
func (m *mark) nearest(v *view, hit artifact.Range, reach, gap int64) (artifact.Range, string, bool) {
	lo := max(0, hit.Off-reach)
	b := make([]byte, min(hit.End()+reach, v.data.Size())-lo)
	n, _ := v.data.ReadAt(b, lo)
	b = b[:n]
	var best []int
	for at := range matches(m.pattern, b) {
		from, to := lo+int64(at[0]), lo+int64(at[1])
		if g := max(from, hit.Off) - min(to, hit.End()); g < gap {
			best, gap = at, g
		}
	}
	if best == nil {
		return artifact.Range{}, "", false
	}
	text := b[best[0]:best[1]]
	trimmed := bytes.TrimLeft(text, "\x00")
	off := lo + int64(best[0]+len(text)-len(trimmed))
	return artifact.Range{Off: off, Len: int64(len(bytes.TrimRight(trimmed, "\x00")))}, m.version(m.pattern, b, best), true
}

// matches yields the matches of re in b. They may overlap: two strings share the NUL between them.
func matches(re *regexp.Regexp, b []byte) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		for pos := 0; ; {
			at := re.FindSubmatchIndex(b[pos:])
			if at == nil {
				return
			}
			next := pos + at[0] + 1
			for i := range at {
				if at[i] >= 0 {
					at[i] += pos
				}
			}
			if !yield(at) || next > len(b) {
				return
			}
			pos = next
		}
	}
}

// version makes the version of a match of re in b.
func (m *mark) version(re *regexp.Regexp, b []byte, at []int) string {
	as := m.As
	if as == "" {
		if len(at) < 4 || at[2] < 0 {
			return ""
		}
		return string(b[at[2]:at[3]])
	}
	return string(re.Expand(nil, []byte(as), b, at))
}

// compareVersions compares what stands between dots, as numbers where both are.
func compareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX != nil || errY != nil {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(i, j)
	})
}

// excerpt returns the bytes that evidence at r shows.
func (v *view) excerpt(r artifact.Range) artifact.Excerpt {
	if !r.Within(v.data.Size()) {
		return ""
	}
	b := make([]byte, min(r.Len, artifact.MaxExcerpt))
	n, _ := v.data.ReadAt(b, r.Off)
	return artifact.Excerpt(b[:n])
}
