package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"hallmark/internal/strictyaml"
)

// Cond is one condition; exactly one of its keys is set.
type Cond struct {
	strictyaml.Pos `json:"-"`
	All            []Cond         `yaml:"all" json:"all,omitempty"`
	Any            []Cond         `yaml:"any" json:"any,omitempty"`
	Not            *Cond          `yaml:"not" json:"not,omitempty"`
	Maker          *MakerCond     `yaml:"maker" json:"maker,omitempty"`
	Silicon        *SiliconCond   `yaml:"silicon" json:"silicon,omitempty"`
	Component      *ComponentCond `yaml:"component" json:"component,omitempty"`
	Claimed        *ClaimedCond   `yaml:"claimed" json:"claimed,omitempty"`
	Relabelled     *bool          `yaml:"relabelled" json:"relabelled,omitempty"` // whether the device is another's than its brand says
	Listed         *bool          `yaml:"listed" json:"listed,omitempty"`         // whether the device list names exactly this firmware
	Certificate    *CertCond      `yaml:"certificate" json:"certificate,omitempty"`
	Coverage       *float64       `yaml:"coverage" json:"coverage,omitempty"` // percent read, at least
	When           string         `yaml:"when" json:"when,omitempty"`         // CEL
	program        program
}

// MakerCond holds if a maker in a set stands on a rung or higher.
type MakerCond struct {
	In   string `yaml:"in,required" json:"in"`
	Rung Rung   `yaml:"rung,required" json:"rung"`
}

// SiliconCond holds if code of a chip by an entity in a set is inside.
type SiliconCond struct {
	In string `yaml:"in,required" json:"in"`
}

// ComponentCond holds if a component fits all that is asked.
type ComponentCond struct {
	Producer string   `yaml:"producer" json:"producer,omitempty"` // a set
	Name     string   `yaml:"name" json:"name,omitempty"`         // a pattern such as "openssl*"
	Types    []string `yaml:"types" json:"types,omitempty"`       // of CycloneDX
}

// ClaimedCond holds if the label names an entity in a set, or a brand that an entity in it is
// known to sell under; no label names nobody. Possible also takes relations of which only some products are known.
type ClaimedCond struct {
	In       string `yaml:"in,required" json:"in"`
	Possible bool   `yaml:"possible" json:"possible,omitempty"`
}

// CertCond holds if the entry that names exactly this firmware has a certificate of the scheme
// that is valid on the day.
type CertCond struct {
	Scheme string `yaml:"scheme,required" json:"scheme"`
}

// keys lists which keys of c are set.
func (c *Cond) keys() []string {
	var out []string
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"all", c.All != nil}, {"any", c.Any != nil}, {"not", c.Not != nil}, {"maker", c.Maker != nil},
		{"silicon", c.Silicon != nil}, {"component", c.Component != nil}, {"claimed", c.Claimed != nil},
		{"relabelled", c.Relabelled != nil}, {"listed", c.Listed != nil}, {"certificate", c.Certificate != nil},
		{"coverage", c.Coverage != nil}, {"when", c.When != ""},
	} {
		if k.set {
			out = append(out, k.name)
		}
	}
	return out
}

// about reports whether c, or a condition in it, asks who made something.
func (c *Cond) about() bool {
	return c.Maker != nil || c.Silicon != nil || c.Component != nil || c.Claimed != nil || c.Relabelled != nil || c.When != "" ||
		c.Not != nil && c.Not.about() ||
		slices.ContainsFunc(c.All, func(x Cond) bool { return x.about() }) || slices.ContainsFunc(c.Any, func(x Cond) bool { return x.about() })
}

// AboutMakers reports whether r asks who made a device or what is in it, and not only for papers.
func (r *Rule) AboutMakers() bool { return r.Match.about() }

func (c *checker) set(at strictyaml.Pos, id string) {
	if c.pack.Set(id) == nil {
		var names []string
		for _, s := range c.pack.Sets {
			names = append(names, s.ID)
		}
		c.fail(at, "no set %q in this pack; %s", id, strictyaml.Suggest(id, names))
	}
}

func (c *checker) cond(x *Cond) {
	if k := x.keys(); len(k) != 1 {
		c.fail(x.Pos, "a condition has exactly one key, this one has %d (%s); join several with all or any", len(k), strings.Join(k, ", "))
		return
	}
	switch {
	case x.All != nil, x.Any != nil:
		if len(x.All)+len(x.Any) == 0 {
			c.fail(x.Pos, "no conditions in the list")
		}
		for i := range x.All {
			c.cond(&x.All[i])
		}
		for i := range x.Any {
			c.cond(&x.Any[i])
		}
	case x.Not != nil:
		c.cond(x.Not)
	case x.Maker != nil:
		c.set(x.Pos, x.Maker.In)
	case x.Silicon != nil:
		c.set(x.Pos, x.Silicon.In)
	case x.Claimed != nil:
		c.set(x.Pos, x.Claimed.In)
	case x.Component != nil:
		if x.Component.Producer != "" {
			c.set(x.Pos, x.Component.Producer)
		}
		if _, err := path.Match(x.Component.Name, ""); err != nil {
			c.fail(x.Pos, "component name %q: %v", x.Component.Name, err)
		}
		if x.Component.Producer == "" && x.Component.Name == "" {
			c.fail(x.Pos, "a component needs a producer or a name")
		}
	case x.When != "":
		var err error
		if x.program, err = c.env.compile(x.When); err != nil {
			c.fail(x.Pos, "when: %v", err)
		}
	}
}

// answer is one of three: what nobody has seen is neither true nor false.
type answer int

const (
	no answer = iota
	unknown
	yes
)

// finding is the answer to a condition and why.
type finding struct {
	answer  answer
	reasons []string
	cited   []Evidence
}

func because(a answer, format string, args ...any) finding {
	return finding{answer: a, reasons: []string{fmt.Sprintf(format, args...)}}
}

// inquiry evaluates the conditions of one rule.
type inquiry struct {
	pack  *Pack
	rule  *Rule
	facts *Facts
	at    Date
}

// unseen is the answer if nothing was found: no, unless too little was read to say so.
func (q *inquiry) unseen(what string) finding {
	c := q.facts.Coverage
	if c.Percent < *q.rule.Coverage || *q.rule.Coverage == 100 && !c.Clear {
		return because(unknown, "%s was not found, and %g %% of the bytes were read where the rule asks for %g %%%s", what, c.Percent, *q.rule.Coverage, c.Unseen())
	}
	return because(no, "%s was not found in the %g %% of the bytes that were read", what, c.Percent)
}

func (q *inquiry) cond(x *Cond) finding {
	switch {
	case x.All != nil:
		return q.all(x.All)
	case x.Any != nil:
		return q.any(x.Any)
	case x.Not != nil:
		f := q.cond(x.Not)
		f.answer = yes - f.answer
		return f
	case x.Maker != nil:
		return q.maker(x.Maker)
	case x.Silicon != nil:
		return q.silicon(x.Silicon)
	case x.Component != nil:
		return q.component(x.Component)
	case x.Claimed != nil:
		return q.claimed(x.Claimed)
	case x.Relabelled != nil:
		return flip(q.relabelled(), *x.Relabelled)
	case x.Listed != nil:
		return flip(q.listed(), *x.Listed)
	case x.Certificate != nil:
		return q.certificate(x.Certificate)
	case x.Coverage != nil:
		if q.facts.Coverage.Percent >= *x.Coverage {
			return because(yes, "%g %% of the bytes were read", q.facts.Coverage.Percent)
		}
		return because(no, "%g %% of the bytes were read", q.facts.Coverage.Percent)
	}
	return q.when(x)
}

func flip(f finding, want bool) finding {
	if !want {
		f.answer = yes - f.answer
	}
	return f
}

// all takes the lowest answer, and of those that share it their reasons.
func (q *inquiry) all(list []Cond) finding {
	out := finding{answer: yes}
	for i := range list {
		out = join(out, q.cond(&list[i]), func(a, b answer) bool { return a < b })
	}
	return out
}

// any takes the highest answer.
func (q *inquiry) any(list []Cond) finding {
	out := finding{answer: no}
	for i := range list {
		out = join(out, q.cond(&list[i]), func(a, b answer) bool { return a > b })
	}
	return out
}

func join(out, f finding, better func(a, b answer) bool) finding {
	switch {
	case better(f.answer, out.answer):
		return f
	case f.answer == out.answer:
		out.reasons = append(out.reasons, f.reasons...)
		out.cited = append(out.cited, f.cited...)
	}
	return out
}

// member returns why a maker, or an entity that has no marks, is in a set.
func (q *inquiry) member(maker, set string) (string, bool) {
	e := q.pack.graph.OfMaker(maker)
	if e == nil {
		e = q.pack.graph.Entity(maker)
	}
	if e == nil {
		return "", false
	}
	s := q.pack.Set(set)
	links, ok := q.pack.graph.Why(s, e, q.at)
	if !ok {
		return "", false
	}
	return q.pack.graph.explain(s, e, links), true
}

func (q *inquiry) maker(c *MakerCond) finding {
	out := q.unseen(fmt.Sprintf("a maker in %q", q.pack.Set(c.In).Title))
	for _, m := range q.facts.Makers {
		if !m.Rung.AtLeast(c.Rung) {
			continue
		}
		why, in := q.member(m.ID, c.In)
		if len(m.Candidates) > 0 {
			f := q.candidates(m, c.In)
			out = join(out, f, func(a, b answer) bool { return a > b })
			continue
		}
		if in {
			f := because(yes, "%s; %s", m.Rung.sentence(m.Name), why)
			f.cited = m.Evidence
			out = join(out, f, func(a, b answer) bool { return a > b })
		}
	}
	return out
}

// candidates judges a maker that is one of several: only if all are in the set is the answer sure.
func (q *inquiry) candidates(m Maker, set string) finding {
	in := 0
	for _, id := range m.Candidates {
		if _, ok := q.member(id, set); ok {
			in++
		}
	}
	title := q.pack.Set(set).Title
	f := because(unknown, "the device is that of one of %s, and %d of these are in %q", quoteList(m.Candidates), in, title)
	switch in {
	case 0:
		f.answer = no
	case len(m.Candidates):
		f.answer = yes
	}
	f.cited = m.Evidence
	return f
}

func (q *inquiry) silicon(c *SiliconCond) finding {
	for _, s := range q.facts.Silicon {
		if why, ok := q.member(s.ID, c.In); ok {
			f := because(yes, "code of a chip by %s is inside; %s", s.Name, why)
			f.cited = s.Evidence
			return f
		}
	}
	return q.unseen(fmt.Sprintf("a chip of %q", q.pack.Set(c.In).Title))
}

func (q *inquiry) component(c *ComponentCond) finding {
	what := "a component"
	if c.Name != "" {
		what += " " + c.Name
	}
	if c.Producer != "" {
		what += fmt.Sprintf(" by %q", q.pack.Set(c.Producer).Title)
	}
	for _, x := range q.facts.Components {
		if len(c.Types) > 0 && !slices.Contains(c.Types, x.Type) {
			continue
		}
		if c.Name != "" {
			if ok, _ := path.Match(c.Name, x.Name); !ok {
				continue
			}
		}
		f := because(yes, "component %s %s is inside", x.Name, x.Version)
		f.cited = x.Evidence
		if c.Producer == "" {
			return f
		}
		e := q.pack.graph.Named(x.Producer)
		if x.Producer == "" || e == nil {
			continue
		}
		s := q.pack.Set(c.Producer)
		if links, ok := q.pack.graph.Why(s, e, q.at); ok {
			f.reasons[0] += ", made by " + x.Producer + "; " + q.pack.graph.explain(s, e, links)
			return f
		}
	}
	return q.unseen(what)
}

func (q *inquiry) claimed(c *ClaimedCond) finding {
	brand := q.facts.Claimed.Brand
	s := q.pack.Set(c.In)
	if brand == "" {
		return because(no, "no brand was given")
	}
	if e := q.pack.graph.Named(brand); e != nil {
		if links, ok := q.pack.graph.Why(s, e, q.at); ok {
			return because(yes, "the label says %s; %s", brand, q.pack.graph.explain(s, e, links))
		}
	}
	for _, b := range q.pack.graph.Brands(brand) {
		why, ok := q.member(b.Maker, c.In)
		if !ok {
			continue
		}
		f := because(unknown, "products sold as %s are said to come from %s (%s, %s, confidence %s); %s", brand, b.Maker, b.Kind, b.Source, b.Confidence, why)
		if c.Possible || b.Scope == "" && b.Confidence == "high" {
			f.answer = yes
		}
		return f
	}
	return because(no, "nothing is known that ties %s to %q", brand, s.Title)
}

// relabelled holds if the device is another's than the brand on its label says.
func (q *inquiry) relabelled() finding {
	brand := q.facts.Claimed.Brand
	if brand == "" {
		return because(unknown, "it was not said under which brand the device is sold")
	}
	label := q.pack.graph.Named(brand)
	for _, m := range q.facts.Makers {
		if m.Rung != Device || len(m.Candidates) > 0 {
			continue
		}
		e := q.pack.graph.OfMaker(m.ID)
		own := e != nil && label != nil && q.within(label, e)
		if own || fold(brand) == fold(m.Name) {
			return because(no, "the label says %s, and the device is %s's", brand, m.Name)
		}
		f := because(yes, "the label says %s, and the device is %s's", brand, m.Name)
		f.cited = m.Evidence
		return f
	}
	return q.unseen("the device's maker")
}

// within reports whether a is b or belongs to it.
func (q *inquiry) within(a, b *Entity) bool {
	s := &Set{Entities: []string{b.ID}, With: []string{"subsidiary-of", "brand-of", "joint-venture-of"}}
	_, ok := q.pack.graph.Why(s, a, q.at)
	return ok
}

func (q *inquiry) listed() finding {
	switch l := q.facts.Listing; {
	case l == nil:
		return because(unknown, "no device list was asked")
	case l.Bound:
		return because(yes, "entry %s of the device list names exactly this firmware", l.Entry)
	case l.Entry != "":
		return because(no, "entry %s of the device list names another firmware", l.Entry)
	}
	return because(no, "no entry of the device list names this firmware")
}

func (q *inquiry) certificate(c *CertCond) finding {
	l := q.facts.Listing
	if f := q.listed(); f.answer != yes {
		return f
	}
	expired := ""
	for _, x := range l.Certificates {
		switch {
		case x.Scheme != c.Scheme:
		case x.ValidTo != "" && x.ValidTo < q.at:
			expired = fmt.Sprintf("certificate %s of %s was valid to %s", x.ID, x.Scheme, x.ValidTo)
		case x.ValidFrom > q.at:
			expired = fmt.Sprintf("certificate %s of %s is valid from %s", x.ID, x.Scheme, x.ValidFrom)
		default:
			return because(yes, "certificate %s of %s holds for exactly this firmware", x.ID, x.Scheme)
		}
	}
	if expired != "" {
		return because(no, "%s", expired)
	}
	return because(no, "entry %s has no certificate of %s", l.Entry, c.Scheme)
}

func (q *inquiry) when(x *Cond) finding {
	ok, err := x.program.eval(q.facts, q.at)
	switch {
	case err != nil:
		return because(unknown, "%s: %v", x.When, err)
	case ok:
		return because(yes, "%s", x.When)
	}
	return q.unseen(x.When)
}
