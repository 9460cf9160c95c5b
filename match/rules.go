package match

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hallmark/internal/literal"
	"hallmark/signatures"
)

// Rules are marks made ready for use. They never change and are safe for concurrent use.
type Rules struct {
	makers   []maker
	marks    []*mark
	contexts []placeContext
	brands   []signatures.Brand
	patterns []literal.Pattern
	names    map[int]string // literal -> id of the camera maker that it names

	documentation int      // index of the context of text about software
	groups        []string // independent parts of a device, in the order of the data
}

type maker struct {
	*signatures.Maker
	marks []*mark
}

type mark struct {
	*signatures.MakerMark
	maker   *signatures.Maker
	look    look
	and     []look
	not     []look
	context int // index in Rules.contexts, or -1
	group   string
	place   string
	tested  Tested
}

type look struct {
	*signatures.Look
	literals []int // of Has, in Rules.patterns, if the look is at text
	exact    []int // of Hex
	regexp   *regexp.Regexp
}

type placeContext struct {
	*signatures.Context
	within  int // index of the context around it, or -1
	outside int // index of the context that it is not in, or -1
	path    *regexp.Regexp
}

// Knowledge is what rules are made of.
type Knowledge struct {
	Makers   []signatures.Maker
	Contexts []signatures.Context
	Kinds    []signatures.Kind
	Brands   []signatures.Brand
	Tested   []signatures.Tested
}

// Load compiles the marks that are part of the program.
func Load() (*Rules, error) {
	var k Knowledge
	var errs [5]error
	k.Makers, errs[0] = signatures.Makers()
	k.Contexts, errs[1] = signatures.Contexts()
	k.Kinds, errs[2] = signatures.Kinds()
	k.Brands, errs[3] = signatures.Brands()
	k.Tested, errs[4] = signatures.TestedMarks()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return Compile(k)
}

// Compile makes rules of what is known. It refuses data that do not make sense.
func Compile(k Knowledge) (*Rules, error) {
	c := compiler{r: &Rules{brands: k.Brands, names: map[int]string{}}, literals: map[literal.Pattern]int{}, ids: map[string]bool{},
		groups: map[string]string{}, tested: map[string]Tested{}}
	for i := range k.Contexts {
		c.context(&k.Contexts[i])
	}
	for _, x := range k.Kinds {
		c.groups[x.ID] = x.Group
		if x.Group != "" && !slices.Contains(c.r.groups, x.Group) {
			c.r.groups = append(c.r.groups, x.Group)
		}
	}
	for _, x := range k.Tested {
		c.tested[x.Mark] = Tested{x.Contents, x.False}
	}
	c.r.documentation = c.contextOf("match", "documentation")
	for i := range k.Makers {
		c.maker(&k.Makers[i])
	}
	for i := range k.Makers {
		for _, id := range k.Makers[i].Members {
			c.check(c.r.maker(id) != nil, "%s: member %q is not a maker", k.Makers[i].ID, id)
		}
	}
	for _, b := range k.Brands {
		c.check(c.r.maker(b.Maker) != nil, "brand %s: %q is not a maker", b.Brand, b.Maker)
	}
	return c.r, c.err
}

// Patterns returns the byte strings that the marks look for. The caller finds them, alone or
// among others, with a [literal.Set]; see Options.FirstPattern.
func (r *Rules) Patterns() []literal.Pattern { return slices.Clone(r.patterns) }

// Source returns where the mark named id comes from.
func (r *Rules) Source(id string) ([]string, bool) {
	for _, m := range r.marks {
		if m.ID == id {
			return m.Source, true
		}
	}
	return nil, false
}

func (r *Rules) maker(id string) *signatures.Maker {
	for _, m := range r.makers {
		if m.ID == id {
			return m.Maker
		}
	}
	return nil
}

// compiler keeps the first error.
type compiler struct {
	r        *Rules
	literals map[literal.Pattern]int
	ids      map[string]bool
	groups   map[string]string // of kinds
	tested   map[string]Tested
	err      error
}

func (c *compiler) check(ok bool, text string, args ...any) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf("match: "+text, args...)
	}
}

func (c *compiler) unique(id string) {
	c.check(id != "", "an entry without id")
	c.check(!c.ids[id], "id %q is used twice", id)
	c.ids[id] = true
}

func (c *compiler) context(x *signatures.Context) {
	p := placeContext{Context: x, within: -1, outside: -1, path: c.regexp(x.ID, x.Path, false)}
	if x.Within != "" {
		p.within = c.contextOf(x.ID, x.Within)
	}
	if x.Outside != "" {
		p.outside = c.contextOf(x.ID, x.Outside)
	}
	c.r.contexts = append(c.r.contexts, p)
}

func (c *compiler) contextOf(id, name string) int {
	i := slices.IndexFunc(c.r.contexts, func(p placeContext) bool { return p.ID == name })
	c.check(i >= 0, "%s: no context %q", id, name)
	return i
}

func (c *compiler) maker(m *signatures.Maker) {
	c.unique(m.ID)
	c.check(slices.Contains([]string{"", classCamera, classSilicon, classFree, classFamily}, m.Class), "%s: class %q", m.ID, m.Class)
	if isCamera(m) {
		for _, name := range m.Names {
			c.r.names[c.literal(literal.Pattern{Bytes: name, Fold: true})] = m.ID
		}
	}
	out := maker{Maker: m}
	for i := range m.Marks {
		k := c.mark(m, &m.Marks[i])
		out.marks = append(out.marks, k)
		c.r.marks = append(c.r.marks, k)
	}
	c.r.makers = append(c.r.makers, out)
}

func (c *compiler) mark(m *signatures.Maker, s *signatures.MakerMark) *mark {
	c.unique(s.ID)
	c.check(strings.HasPrefix(s.ID, m.ID+"."), "%s: the id of a mark begins with that of its maker, %s", s.ID, m.ID)
	c.check(s.Strength >= 1 && s.Strength <= 5, "%s: strength %d", s.ID, s.Strength)
	group, known := c.groups[s.Kind]
	c.check(known, "%s: kind %q", s.ID, s.Kind)
	c.check(slices.Contains([]string{"", "device", "build", "client", "list"}, s.Role), "%s: role %q", s.ID, s.Role)
	for _, claim := range []string{s.Claim, s.Else} {
		_, ok := classes[claim]
		c.check(ok, "%s: claim %q", s.ID, claim)
	}
	k := &mark{MakerMark: s, maker: m, look: c.look(s.ID, &s.Look), context: -1, group: group, tested: c.tested[s.ID]}
	if len(s.Where) > 0 {
		k.place = k.look.place()
	}
	if s.Place != "" {
		c.check(slices.Contains(ofText[:], s.Place), "%s: place %q", s.ID, s.Place)
		k.place = s.Place
	}
	if s.Context != "" {
		k.context = c.contextOf(s.ID, s.Context)
	}
	for i := range s.And {
		k.and = append(k.and, c.look(s.ID, &s.And[i]))
	}
	for i := range s.Not {
		k.not = append(k.not, c.look(s.ID, &s.Not[i]))
	}
	return k
}

func (c *compiler) look(id string, l *signatures.Look) look {
	c.check(len(l.Where) > 0, "%s: does not say where to look", id)
	out := look{Look: l, regexp: c.regexp(id, l.Regexp, l.Fold)}
	c.check(!l.Each || l.Regexp != "", "%s: each needs an expression", id)
	if !slices.Contains(l.Where, inText) {
		return out
	}
	c.check(len(l.Has)+len(l.Hex) > 0 && len(l.Is)+len(l.Begins)+len(l.Ends) == 0, "%s: text is searched with has or hex", id)
	c.check(slices.Contains([]string{"", boundWord, boundNUL, boundBegin, boundNone}, l.Bound), "%s: bound %q", id, l.Bound)
	for _, s := range l.Has {
		c.check(len(s) >= 4, "%s: %q is too short", id, s)
		out.literals = append(out.literals, c.literal(literal.Pattern{Bytes: s, Fold: l.Fold}))
	}
	for _, s := range l.Hex {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		c.check(err == nil && len(b) >= 8, "%s: %q: want 8 bytes or more in hexadecimal", id, s)
		out.exact = append(out.exact, c.literal(literal.Pattern{Bytes: string(b)}))
	}
	return out
}

func (c *compiler) regexp(id, text string, fold bool) *regexp.Regexp {
	if text == "" {
		return nil
	}
	if fold {
		text = "(?i:" + text + ")"
	}
	e, err := regexp.Compile(text)
	c.check(err == nil, "%s: %v", id, err)
	return e
}

// literal returns the index of p, which is taken in once. Nothing too short for a set gets there.
func (c *compiler) literal(p literal.Pattern) int {
	if len(p.Bytes) < literal.MinLen || len(p.Bytes) > literal.MaxLen {
		c.check(false, "%q: %d to %d bytes", p.Bytes, literal.MinLen, literal.MaxLen)
		return -1
	}
	i, ok := c.literals[p]
	if !ok {
		i = len(c.r.patterns)
		c.literals[p] = i
		c.r.patterns = append(c.r.patterns, p)
	}
	return i
}
