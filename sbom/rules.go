package sbom

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"

	"hallmark/artifact"
	"hallmark/internal/literal"
	"hallmark/signatures"
)

// Rules are marks of components, made ready for use. They never change and are safe for
// concurrent use.
type Rules struct {
	components []signatures.Component
	marks      []mark
	patterns   []literal.Pattern
	byLiteral  [][]int // marks that look for a pattern, in order
	always     []int   // marks that look for none, in order
	owners     owners
	digest     artifact.Digest
}

type mark struct {
	*signatures.Mark
	component               int // index in Rules.components
	literals, with, without []int
	pattern, path           *regexp.Regexp
	claim                   Claim
	confidence              float64
}

// minLiteral is the shortest literal that a mark may look for: below it the one pass over all
// bytes slows down.
const minLiteral = 8

// Load compiles the marks that are part of the program.
func Load() (*Rules, error) {
	list, err := signatures.Components()
	if err != nil {
		return nil, err
	}
	return Compile(list)
}

// Compile returns the rules of list.
func Compile(list []signatures.Component) (*Rules, error) {
	b, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	r := &Rules{components: list, digest: sha256.Sum256(b)}
	known := map[string]int{}
	for i := range list {
		for _, glob := range list[i].Own {
			if _, err := path.Match(glob, ""); err != nil {
				return nil, fmt.Errorf("sbom: %s: own %q: %w", list[i].Name, glob, err)
			}
		}
		for j := range list[i].Marks {
			m, err := r.compile(i, &list[i].Marks[j], known)
			if err != nil {
				return nil, fmt.Errorf("sbom: mark %s: %w", list[i].Marks[j].ID, err)
			}
			r.marks = append(r.marks, m)
		}
	}
	r.owners = newOwners(list)
	r.byLiteral = make([][]int, len(r.patterns))
	for i := range r.marks {
		for _, l := range r.marks[i].literals {
			r.byLiteral[l] = append(r.byLiteral[l], i)
		}
		if len(r.marks[i].literals) == 0 {
			r.always = append(r.always, i)
		}
	}
	return r, nil
}

// Patterns returns the byte strings whose hits [Identify] wants. Do not change them.
func (r *Rules) Patterns() []literal.Pattern { return r.patterns }

// confidences are those of marks that state none.
var confidences = map[Claim]float64{Exact: 0.9, Prefix: 0.8, Range: 0.7, Presence: 0.6}

func (r *Rules) compile(component int, s *signatures.Mark, known map[string]int) (mark, error) {
	m := mark{Mark: s, component: component, claim: Claim(s.Claim), confidence: s.Confidence}
	if m.claim == "" {
		m.claim = Exact
	}
	def, ok := confidences[m.claim]
	if !ok {
		return m, fmt.Errorf("claim %q: want exact, prefix, range or presence", s.Claim)
	}
	if m.confidence == 0 {
		m.confidence = def
	}
	switch s.In {
	case "", "elf", "data", "any":
	default:
		return m, fmt.Errorf("in %q: want elf, data or any", s.In)
	}
	ways := 0
	for _, has := range []bool{len(s.Literals) > 0, s.Fact != "", s.Path != ""} {
		if has {
			ways++
		}
	}
	if ways != 1 {
		return m, fmt.Errorf("want one of literals, fact and path, got %d", ways)
	}
	if m.claim != Presence && s.Pattern == "" && s.Path == "" {
		return m, fmt.Errorf("claim %s without a pattern", m.claim)
	}
	for _, set := range []struct {
		to   *[]int
		from []string
	}{{&m.literals, s.Literals}, {&m.with, s.With}, {&m.without, s.Without}} {
		for _, text := range set.from {
			if len(text) < minLiteral || len(text) > literal.MaxLen {
				return m, fmt.Errorf("literal %q: %d bytes, want %d to %d", text, len(text), minLiteral, literal.MaxLen)
			}
			if _, ok := known[text]; !ok {
				known[text] = len(r.patterns)
				r.patterns = append(r.patterns, literal.Pattern{Bytes: text})
			}
			*set.to = append(*set.to, known[text])
		}
	}
	var err error
	if m.pattern, err = expression(s.Pattern, m.claim); err != nil {
		return m, err
	}
	m.path, err = expression(s.Path, m.claim)
	return m, err
}

func expression(s string, claim Claim) (*regexp.Regexp, error) {
	if s == "" {
		return nil, nil
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, err
	}
	if claim != Presence && re.NumSubexp() == 0 {
		return nil, fmt.Errorf("expression %q has no group for the version", s)
	}
	return re, nil
}

// owners finds the components that a name belongs to.
type owners struct {
	exact map[string][]int
	globs map[string][]ownGlob // by what stands before the first special character
}

type ownGlob struct {
	pattern   string
	component int
}

func newOwners(list []signatures.Component) owners {
	o := owners{map[string][]int{}, map[string][]ownGlob{}}
	for i := range list {
		for _, glob := range list[i].Own {
			if k := strings.IndexAny(glob, `*?[\`); k >= 0 {
				o.globs[glob[:k]] = append(o.globs[glob[:k]], ownGlob{glob, i})
			} else {
				o.exact[glob] = append(o.exact[glob], i)
			}
		}
	}
	return o
}

// of calls own with each component that has name, a SONAME or a base name, among its own.
func (o *owners) of(name string, own func(component int)) {
	for _, i := range o.exact[name] {
		own(i)
	}
	for k := range len(name) + 1 {
		for _, g := range o.globs[name[:k]] {
			if ok, _ := path.Match(g.pattern, name); ok {
				own(g.component)
			}
		}
	}
}
