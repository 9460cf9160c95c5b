// Package policy turns facts about a firmware into verdicts under rule packs.
//
// A rule is data: a description, where it stands in which law, when and where it applies, how
// much of the firmware must have been read before silence counts. The answer is that the facts
// match the description, do not match it, or that nobody can say: three-valued, so that what was
// not read, and what the caller did not say, never becomes a no. A verdict is no statement of law.
//
// The companies that rules speak of are a graph of their own, dated and with sources ([Graph]).
// Rules are written with typed operators ([Cond]) and, for what these do not say, in CEL
// (https://cel.dev, https://github.com/google/cel-spec).
package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Outcome is what a rule says of the facts.
type Outcome string

const (
	Matches       Outcome = "matches"        // the facts match the rule's description
	NoMatch       Outcome = "does not match" // they do not, and enough was read to say so
	Inconclusive  Outcome = "inconclusive"   // nobody can say
	NotApplicable Outcome = "not applicable" // another time, purpose or place
)

// UnmarshalText takes the four outcomes alone.
func (o *Outcome) UnmarshalText(b []byte) error {
	if !slices.Contains([]Outcome{Matches, NoMatch, Inconclusive, NotApplicable}, Outcome(b)) {
		return fmt.Errorf("%q is no outcome; want matches, does not match, inconclusive or not applicable", b)
	}
	*o = Outcome(b)
	return nil
}

// Verdict is the outcome of one rule.
type Verdict struct {
	Pack      string     `json:"pack"`
	Rule      string     `json:"rule"`
	Title     string     `json:"title"`
	Level     string     `json:"level"` // violation, warning, note
	Outcome   Outcome    `json:"outcome"`
	Statement string     `json:"statement"` // one sentence with the citation
	Reasons   []string   `json:"reasons"`
	Evidence  []Evidence `json:"evidence,omitempty"`
	Citation  Citation   `json:"citation"`
}

// Judge asks every rule of p about f on a day, in the order of the pack. f is not changed. It is
// safe for concurrent use.
func (p *Pack) Judge(f *Facts, at Date) []Verdict {
	out := make([]Verdict, len(p.Rules))
	for i := range p.Rules {
		out[i] = p.rule(&p.Rules[i], f, at)
	}
	return out
}

func (p *Pack) rule(r *Rule, f *Facts, at Date) Verdict {
	v := Verdict{Pack: p.ID, Rule: r.ID, Title: r.Title, Level: r.Level, Citation: r.Citation, Reasons: []string{}}
	if !r.Effective.Holds(at) {
		v.Outcome = NotApplicable
		v.Reasons = append(v.Reasons, fmt.Sprintf("the rule is in effect %s, and the day is %s", r.Effective, at))
		return v.state()
	}
	place, why := applies(r, f)
	if place == no {
		v.Outcome = NotApplicable
		v.Reasons = append(v.Reasons, why)
		return v.state()
	}
	q := inquiry{p, r, f, at}
	found := q.cond(&r.Match)
	v.Reasons = append(v.Reasons, found.reasons...)
	switch {
	case found.answer == no:
		v.Outcome = NoMatch
	case found.answer == unknown:
		v.Outcome = Inconclusive
	case place == unknown:
		v.Outcome = Inconclusive
		v.Reasons = append(v.Reasons, why)
	default:
		v.Outcome = Matches
	}
	if found.answer != no {
		v.Evidence = found.cited
	}
	return v.state()
}

// applies says whether the rule is about this purpose and place. Not said is not no.
func applies(r *Rule, f *Facts) (answer, string) {
	out, why := yes, ""
	if len(r.Purposes) > 0 && !slices.Contains(r.Purposes, f.Purpose) {
		if f.Purpose != "" {
			return no, fmt.Sprintf("the rule is about the purposes %s, and the purpose is %s", quoteList(r.Purposes), f.Purpose)
		}
		out, why = unknown, fmt.Sprintf("the rule is about the purposes %s, and no purpose was given", quoteList(r.Purposes))
	}
	if len(r.Sites) > 0 && !slices.ContainsFunc(f.Sites, func(s string) bool { return slices.Contains(r.Sites, s) }) {
		if len(f.Sites) > 0 {
			return no, fmt.Sprintf("the rule is about sites of class %s, and the site is %s", quoteList(r.Sites), quoteList(f.Sites))
		}
		out, why = unknown, strings.TrimPrefix(why+"; ", "; ")+fmt.Sprintf("the rule is about sites of class %s, and no class was given", quoteList(r.Sites))
	}
	return out, why
}

func (v Verdict) state() Verdict {
	where := fmt.Sprintf("rule %s (%s, %s)", v.Rule, v.Citation.Law, v.Citation.Section)
	switch v.Outcome {
	case Matches:
		v.Statement = "matches the description in " + where
	case NoMatch:
		v.Statement = "does not match the description in " + where
	case Inconclusive:
		v.Statement = "nobody can say whether it matches the description in " + where
	case NotApplicable:
		v.Statement = where + " does not apply"
	}
	v.Statement += ": " + strings.Join(v.Reasons, "; ")
	return v
}

// Test runs the cases of every rule and returns what does not come out as it should. Every rule
// needs a case that matches and one that does not.
func (p *Pack) Test() []error {
	var out []error
	for i := range p.Rules {
		r := &p.Rules[i]
		seen := map[Outcome]bool{}
		for k := range r.Cases {
			c := &r.Cases[k]
			at := c.AsOf
			if at == "" {
				at = p.Reviewed
			}
			v := p.rule(r, &c.Facts, at)
			seen[c.Want] = true
			if v.Outcome != c.Want {
				out = append(out, fmt.Errorf("%s:%d:%d: rule %s, case %q: %s, want %s (%s)", p.File, c.Line, c.Column, r.ID, c.Name, v.Outcome, c.Want, v.Statement))
			}
		}
		if !seen[Matches] || !seen[NoMatch] {
			out = append(out, fmt.Errorf("%s:%d:%d: rule %s needs a case that matches and one that does not", p.File, r.Line, r.Column, r.ID))
		}
	}
	return out
}
