package policy

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"unicode"

	"hallmark/internal/strictyaml"
	"hallmark/signatures"
)

// Entity is a company, or a brand that stands for one, and what a public source says of it.
type Entity struct {
	strictyaml.Pos `json:"-"`
	ID             string       `yaml:"id,required" json:"id"`
	Name           string       `yaml:"name,required" json:"name"` // legal name
	Aliases        []string     `yaml:"aliases" json:"aliases,omitempty"`
	Makers         []string     `yaml:"makers" json:"makers,omitempty"`       // ids in package signatures whose marks are its hand
	Seat           string       `yaml:"seat" json:"seat,omitempty"`           // country, ISO 3166
	Laws           []Subjection `yaml:"laws" json:"laws,omitempty"`           // that it is subject to
	Relations      []Relation   `yaml:"relations" json:"relations,omitempty"` // to others
	Source         string       `yaml:"source,required" json:"source"`
	Retrieved      Date         `yaml:"retrieved,required" json:"retrieved"`
	Note           string       `yaml:"note" json:"note,omitempty"`
}

// Subjection says whether an entity is subject to a law.
type Subjection struct {
	Law       string `yaml:"law,required" json:"law"`
	Subject   string `yaml:"subject,required" json:"subject" oneof:"yes no unknown"`
	Because   string `yaml:"because,required" json:"because"`
	Source    string `yaml:"source,required" json:"source"`
	Retrieved Date   `yaml:"retrieved,required" json:"retrieved"`
}

// Relation ties an entity to another for a time.
type Relation struct {
	Kind       string `yaml:"kind,required" json:"kind" oneof:"subsidiary-of affiliate-of brand-of joint-venture-of successor-of"`
	Of         string `yaml:"of,required" json:"of"` // id of an [Entity]
	Span       `yaml:",inline"`
	Source     string `yaml:"source,required" json:"source"`
	Retrieved  Date   `yaml:"retrieved,required" json:"retrieved"`
	Confidence string `yaml:"confidence,required" json:"confidence" oneof:"high medium low"`
	Note       string `yaml:"note" json:"note,omitempty"`
}

// Graph knows entities by their ids, names and makers. It is safe for concurrent use.
type Graph struct {
	list    []Entity
	byID    map[string]*Entity
	byName  map[string]*Entity
	byMaker map[string]*Entity
	brands  map[string][]signatures.Brand
}

//go:embed entities/*.yaml
var entityFiles embed.FS

// Entities returns the graph that is part of the program.
var Entities = sync.OnceValues(func() (*Graph, error) {
	names, err := fs.Glob(entityFiles, "entities/*.yaml")
	if err != nil {
		return nil, err
	}
	brands, err := signatures.Brands()
	if err != nil {
		return nil, err
	}
	var all []Entity
	for _, name := range names {
		b, err := fs.ReadFile(entityFiles, name)
		if err != nil {
			return nil, err
		}
		var list []Entity
		if err := strictyaml.Decode(name, b, &list, strictyaml.Options{}); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		all = append(all, list...)
	}
	return NewGraph(all, brands)
})

// NewGraph ties entities together. Ids, names and makers must be unique, and relations must lead
// somewhere.
func NewGraph(list []Entity, brands []signatures.Brand) (*Graph, error) {
	g := &Graph{list: list, byID: map[string]*Entity{}, byName: map[string]*Entity{}, byMaker: map[string]*Entity{}, brands: map[string][]signatures.Brand{}}
	for i := range g.list {
		e := &g.list[i]
		if g.byID[e.ID] != nil {
			return nil, fmt.Errorf("policy: entity %s is there twice", e.ID)
		}
		g.byID[e.ID] = e
		for _, n := range append([]string{e.Name}, e.Aliases...) {
			if o := g.byName[fold(n)]; o != nil && o != e {
				return nil, fmt.Errorf("policy: %q names both %s and %s", n, o.ID, e.ID)
			}
			g.byName[fold(n)] = e
		}
		for _, m := range e.Makers {
			if o := g.byMaker[m]; o != nil {
				return nil, fmt.Errorf("policy: maker %s is both %s and %s", m, o.ID, e.ID)
			}
			g.byMaker[m] = e
		}
	}
	for i := range g.list {
		for _, r := range g.list[i].Relations {
			if g.byID[r.Of] == nil {
				return nil, fmt.Errorf("policy: entity %s is %s %s, which there is not", g.list[i].ID, r.Kind, r.Of)
			}
		}
	}
	for _, b := range brands {
		for _, n := range append([]string{b.Brand}, b.Aliases...) {
			g.brands[fold(n)] = append(g.brands[fold(n)], b)
		}
	}
	return g, nil
}

// fold leaves of a name what people agree on: letters and digits, in lower case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// Entity returns the entity with an id, or nil.
func (g *Graph) Entity(id string) *Entity { return g.byID[id] }

// All returns every entity in the order of the files.
func (g *Graph) All() []Entity { return g.list }

// Named returns the entity that goes by a name, an alias or an id, or nil.
func (g *Graph) Named(name string) *Entity {
	if e := g.byName[fold(name)]; e != nil {
		return e
	}
	return g.byID[name]
}

// OfMaker returns the entity whose hand a maker of package signatures is, or nil.
func (g *Graph) OfMaker(id string) *Entity { return g.byMaker[id] }

// Brands returns what is known of who makes what is sold under a brand.
func (g *Graph) Brands(name string) []signatures.Brand { return g.brands[fold(name)] }

// Link is one step from an entity to one that it belongs to.
type Link struct {
	From     *Entity
	Relation Relation
}

// Set is a group of entities that a rule speaks of.
type Set struct {
	ID       string   `yaml:"id,required" json:"id"`
	Title    string   `yaml:"title,required" json:"title"`
	Entities []string `yaml:"entities" json:"entities,omitempty"`     // ids
	Law      string   `yaml:"subject_to" json:"subject_to,omitempty"` // and all that are subject to this law
	Seat     string   `yaml:"seat" json:"seat,omitempty"`             // and all with their seat there
	With     []string `yaml:"with" json:"with,omitempty"`             // kinds of relation that lead into the set
	Source   string   `yaml:"source,required" json:"source"`
	Note     string   `yaml:"note" json:"note,omitempty"`
}

// Why returns how e belongs to s on a day: in itself, or by the links that lead to a member, the
// shortest way. It returns false if it does not.
func (g *Graph) Why(s *Set, e *Entity, at Date) ([]Link, bool) {
	type way struct {
		e     *Entity
		links []Link
	}
	seen := map[*Entity]bool{e: true}
	for queue := []way{{e, nil}}; len(queue) > 0; queue = queue[1:] {
		w := queue[0]
		if s.holds(w.e) {
			return w.links, true
		}
		for _, r := range w.e.Relations {
			next := g.byID[r.Of]
			if !seen[next] && r.Holds(at) && slices.Contains(s.With, r.Kind) {
				seen[next] = true
				queue = append(queue, way{next, append(w.links[:len(w.links):len(w.links)], Link{w.e, r})})
			}
		}
	}
	return nil, false
}

func (s *Set) holds(e *Entity) bool {
	if slices.Contains(s.Entities, e.ID) || s.Seat != "" && e.Seat == s.Seat {
		return true
	}
	return s.Law != "" && slices.ContainsFunc(e.Laws, func(l Subjection) bool { return l.Law == s.Law && l.Subject == "yes" })
}

// explain writes how e belongs to s.
func (g *Graph) explain(s *Set, e *Entity, links []Link) string {
	if len(links) == 0 {
		return fmt.Sprintf("%s is in %q", e.Name, s.Title)
	}
	var b strings.Builder
	for i, l := range links {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s is %s %s", l.From.Name, strings.ReplaceAll(l.Relation.Kind, "-", " "), g.byID[l.Relation.Of].Name)
		if l.Relation.Span != (Span{}) {
			fmt.Fprintf(&b, " %s", l.Relation.Span)
		}
	}
	return fmt.Sprintf("%s, which is in %q", b.String(), s.Title)
}
