package policy

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"hallmark/internal/strictyaml"
)

// Pack is a set of rules with one subject, reviewed as a whole.
type Pack struct {
	strictyaml.Pos `json:"-"`
	File           string   `yaml:"-" json:"-"` // where it was read
	ID             string   `yaml:"pack,required" json:"id"`
	Title          string   `yaml:"title,required" json:"title"`
	Version        string   `yaml:"version,required" json:"version"`
	Reviewed       Date     `yaml:"reviewed,required" json:"reviewed"`
	ReviewBy       Date     `yaml:"review_by,required" json:"review_by"`
	Scope          string   `yaml:"scope,required" json:"scope"` // whom the rules bind, and whom not
	Limits         []string `yaml:"limits" json:"limits,omitempty"`
	Sets           []Set    `yaml:"sets" json:"sets,omitempty"`
	Rules          []Rule   `yaml:"rules,required" json:"rules"`
	// Milestones are shares of an estate that were to be cleared by a day.
	Milestones []Milestone `yaml:"milestones" json:"milestones,omitempty"`
	graph      *Graph
}

// Milestone is a share of what a pack's rules describe that was to be cleared by a day.
type Milestone struct {
	By     Date    `yaml:"by,required" json:"by"`
	Share  float64 `yaml:"share,required" json:"share"` // above 0, up to 1
	Source string  `yaml:"source,required" json:"source"`
}

// Rule is one description that a device may match.
type Rule struct {
	strictyaml.Pos `json:"-"`
	ID             string   `yaml:"id,required" json:"id"`
	Title          string   `yaml:"title,required" json:"title"`
	Citation       Citation `yaml:"citation,required" json:"citation"`
	Level          string   `yaml:"level,required" json:"level" oneof:"violation warning note"`
	Effective      Span     `yaml:"effective,required" json:"effective"`
	Purposes       []string `yaml:"purposes" json:"purposes,omitempty"` // none: any
	Sites          []string `yaml:"sites" json:"sites,omitempty"`       // none: any
	Coverage       *float64 `yaml:"coverage,required" json:"coverage"`  // percent read below which silence says nothing
	Match          Cond     `yaml:"match,required" json:"match"`
	Waiver         Waiving  `yaml:"waiver" json:"waiver"`
	Note           string   `yaml:"note" json:"note,omitempty"`
	Cases          []Case   `yaml:"cases,required" json:"-"`
}

// Citation says where a rule stands.
type Citation struct {
	Law       string `yaml:"law,required" json:"law"`
	Section   string `yaml:"section,required" json:"section"`
	URL       string `yaml:"url,required" json:"url"`
	Published Date   `yaml:"published" json:"published,omitempty"`
	Read      Date   `yaml:"read,required" json:"read"`                                          // when the page was read
	Checked   string `yaml:"checked,required" json:"checked" oneof:"source secondary uncertain"` // what was read there
}

// Waiving says what a waiver of a rule must have.
type Waiving struct {
	Approvers  int      `yaml:"approvers" json:"approvers,omitempty"` // at least; 0 is what the waiver itself asks for
	Roles      []string `yaml:"roles" json:"roles,omitempty"`         // of the approvers, each
	Measures   bool     `yaml:"measures" json:"measures,omitempty"`   // compensating measures must be named
	MaxDays    int      `yaml:"max_days" json:"max_days,omitempty"`
	Impossible bool     `yaml:"impossible" json:"impossible,omitempty"`
}

// Case is made-up facts and what the rule must say of them.
type Case struct {
	strictyaml.Pos
	Name  string  `yaml:"name,required"`
	AsOf  Date    `yaml:"as_of"` // the pack's review if not given
	Facts Facts   `yaml:"facts,required"`
	Want  Outcome `yaml:"want,required"`
}

//go:embed packs/*.yaml
var packFiles embed.FS

// Names returns the packs that are part of the program.
func Names() []string {
	files, _ := fs.Glob(packFiles, "packs/*.yaml")
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "packs/"), ".yaml")
	}
	return files
}

// Builtin loads one of [Names].
func Builtin(name string, g *Graph) (*Pack, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("no rule pack %q; %s, or give a file (%s.yaml)", name, strictyaml.Suggest(name, Names()), name)
	}
	b, err := packFiles.ReadFile("packs/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	return ParsePack("packs/"+name+".yaml", b, g)
}

// ParsePack reads a pack. Whatever a rule names must be there: a misspelt set, entity, site
// class or name in an expression is an error now, not silence later.
func ParsePack(file string, data []byte, g *Graph) (*Pack, error) {
	p := &Pack{File: file, graph: g}
	if err := strictyaml.Decode(file, data, p, strictyaml.Options{MaxBytes: 4 << 20}); err != nil {
		return nil, err
	}
	env, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	c := checker{pack: p, env: env}
	c.check()
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return p, nil
}

// Set returns one of p's sets, or nil.
func (p *Pack) Set(id string) *Set {
	i := slices.IndexFunc(p.Sets, func(s Set) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &p.Sets[i]
}

// Rule returns one of p's rules, or nil.
func (p *Pack) Rule(id string) *Rule {
	i := slices.IndexFunc(p.Rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &p.Rules[i]
}

// Stale warns of a pack that nobody has reviewed for too long by day at; "" if it is fresh.
func (p *Pack) Stale(at Date) string {
	if at <= p.ReviewBy {
		return ""
	}
	return fmt.Sprintf("rule pack %s was to be reviewed by %s (last review %s): rules may have changed", p.ID, p.ReviewBy, p.Reviewed)
}

// checker finds what the types of a pack do not.
type checker struct {
	pack   *Pack
	env    *environment
	faults strictyaml.Errors
}

func (c *checker) fail(at strictyaml.Pos, format string, args ...any) {
	c.faults = append(c.faults, &strictyaml.Error{File: c.pack.File, Pos: at, Msg: fmt.Sprintf(format, args...)})
}

func (c *checker) check() {
	p := c.pack
	if p.ReviewBy < p.Reviewed {
		c.fail(p.Pos, "review_by %s is before reviewed %s", p.ReviewBy, p.Reviewed)
	}
	sets := map[string]bool{}
	for _, s := range p.Sets {
		if sets[s.ID] {
			c.fail(p.Pos, "set %q is there twice", s.ID)
		}
		sets[s.ID] = true
		for _, e := range s.Entities {
			if p.graph.Entity(e) == nil {
				c.fail(p.Pos, "set %s: no entity %q", s.ID, e)
			}
		}
		for _, k := range s.With {
			c.oneOf(p.Pos, k, []string{"subsidiary-of", "affiliate-of", "brand-of", "joint-venture-of", "successor-of"})
		}
	}
	for _, m := range p.Milestones {
		if m.Share <= 0 || m.Share > 1 {
			c.fail(p.Pos, "milestone %s: share is above 0 and up to 1", m.By)
		}
	}
	rules := map[string]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		if rules[r.ID] {
			c.fail(r.Pos, "rule %q is there twice", r.ID)
		}
		rules[r.ID] = true
		c.rule(r)
	}
}

func (c *checker) oneOf(at strictyaml.Pos, word string, words []string) {
	if !slices.Contains(words, word) {
		c.fail(at, "%q is not known here; %s", word, strictyaml.Suggest(word, words))
	}
}

func (c *checker) rule(r *Rule) {
	if !strings.HasPrefix(r.ID, c.pack.ID+".") {
		c.fail(r.Pos, "rule %q does not begin with %q", r.ID, c.pack.ID+".")
	}
	if r.Effective.From == "" {
		c.fail(r.Pos, "rule %s: effective has no from", r.ID)
	}
	if r.Effective.To != "" && r.Effective.To <= r.Effective.From {
		c.fail(r.Pos, "rule %s: it ends before it begins", r.ID)
	}
	if *r.Coverage < 0 || *r.Coverage > 100 {
		c.fail(r.Pos, "rule %s: coverage is a percentage", r.ID)
	}
	for _, x := range r.Purposes {
		c.oneOf(r.Pos, x, Purposes())
	}
	for _, x := range r.Sites {
		c.oneOf(r.Pos, x, SiteClasses())
	}
	c.cond(&r.Match)
	for i := range r.Cases {
		x := &r.Cases[i]
		if x.Facts.Purpose != "" {
			c.oneOf(x.Pos, x.Facts.Purpose, Purposes())
		}
		for _, s := range x.Facts.Sites {
			c.oneOf(x.Pos, s, SiteClasses())
		}
	}
}
