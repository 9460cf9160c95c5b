// Package conform holds a bill of materials against the fields that rules and buyers ask for.
//
// A profile is data: which fields, whether they are required, and where the rule says so
// (profiles/*.json). Two scores are given. The score of the form counts fields; the score of
// coverage says how much of the product the document is about, which no form can make up for.
// Identifiers of licences are looked at for their syntax, not in SPDX's list.
package conform

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"hallmark/sbom/document"
)

//go:embed profiles/*.json
var files embed.FS

// Profile is the list of fields that one rule asks for.
type Profile struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Source string `json:"source"` // URL of the rule
	Fields []Rule `json:"fields"`
}

// Needs of a field.
const (
	Required = "required"
	IfKnown  = "if-known" // required if it exists, which a document cannot show
	Optional = "optional"
)

// Rule is one field.
type Rule struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Of     string `json:"of"`   // "document", "component", or "deployable": a component that is a file
	Need   string `json:"need"` // Required, IfKnown or Optional
	Test   string `json:"test"`
	Source string `json:"source"` // place in the rule
}

// Profiles returns every profile, in order of id.
var Profiles = sync.OnceValues(func() ([]Profile, error) {
	names, err := fs.Glob(files, "profiles/*.json")
	if err != nil {
		return nil, err
	}
	var out []Profile
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var p Profile
		if err := json.Unmarshal(b, &p); err != nil {
			return nil, fmt.Errorf("conform: %s: %w", name, err)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Profile) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
})

// Find returns the profile of that id.
func Find(id string) (*Profile, error) {
	all, err := Profiles()
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
		ids = append(ids, all[i].ID)
	}
	return nil, fmt.Errorf("%q is no profile; want %s", id, strings.Join(ids, ", "))
}

// Result is how a document does under a profile.
type Result struct {
	Profile  string   `json:"profile"`
	Title    string   `json:"title"`
	Source   string   `json:"source"`
	Document string   `json:"document"` // format and version
	Pass     bool     `json:"pass"`     // every required field is there
	Form     Score    `json:"form"`
	Coverage Coverage `json:"coverage"`
	Fields   []Field  `json:"fields"` // in the order of the profile
}

// Score counts required fields, once for each component that wants them.
type Score struct {
	Passed int `json:"passed"`
	Of     int `json:"of"`
}

// Percent is rounded down, so that it never says 100 when a field is missing.
func (s Score) Percent() int {
	if s.Of == 0 {
		return 0
	}
	return s.Passed * 100 / s.Of
}

// Coverage is how much of the product the document is about, by its own word.
type Coverage struct {
	Known   bool   `json:"known"`
	Percent string `json:"percent,omitempty"` // of the bytes of the image
	Why     string `json:"why"`
	At      string `json:"at,omitempty"`
}

// Field is one field of a profile and where it is, or is not.
type Field struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Need    string   `json:"need"`
	Source  string   `json:"source"`
	Passed  int      `json:"passed"`
	Of      int      `json:"of"`
	Passes  []Pass   `json:"passes"`
	Failing []Missed `json:"failing"`
}

// Pass is where a field stands.
type Pass struct {
	Component string `json:"component,omitempty"` // name and version; "" for the document
	At        string `json:"at"`                  // "" is the document as a whole
	Line      int    `json:"line,omitempty"`
}

// Missed is where a field should stand.
type Missed struct {
	Component string `json:"component,omitempty"`
	At        string `json:"at"` // of the component, or of a field that is there and wrong
	Line      int    `json:"line,omitempty"`
	Why       string `json:"why"`
}

// Check holds d against p.
func Check(d *document.Document, p *Profile) (*Result, error) {
	x := newSubject(d)
	r := &Result{
		Profile: p.ID, Title: p.Title, Source: p.Source, Pass: true, Coverage: coverage(d),
		Document: fmt.Sprintf("%s %s %s", d.Format, d.Spec.Value, d.Encoding), Fields: []Field{},
	}
	for _, rule := range p.Fields {
		test := tests[rule.Test]
		if test == nil {
			return nil, fmt.Errorf("conform: %s: %s: no test is called %q", p.ID, rule.ID, rule.Test)
		}
		f := Field{ID: rule.ID, Title: rule.Title, Need: rule.Need, Source: rule.Source, Passes: []Pass{}, Failing: []Missed{}}
		for _, i := range x.of(rule.Of) {
			at, why := test(x, i)
			f.Of++
			if why != "" {
				if at.At == "" {
					at = x.place(i)
				}
				f.Failing = append(f.Failing, Missed{x.name(i), at.At, at.Line, why})
				continue
			}
			f.Passed++
			f.Passes = append(f.Passes, Pass{x.name(i), at.At, at.Line})
		}
		if rule.Need == Required {
			r.Form.Passed += f.Passed
			r.Form.Of += f.Of
			r.Pass = r.Pass && f.Passed == f.Of
		}
		r.Fields = append(r.Fields, f)
	}
	return r, nil
}

// coverage reads what the document says of its own completeness.
func coverage(d *document.Document) Coverage {
	if d.Root < 0 {
		return Coverage{Why: "the document names no product that it is about"}
	}
	root := &d.Components[d.Root]
	if read := root.Property("hallmark:read:percent"); len(read) > 0 {
		c := Coverage{Known: true, Percent: read[0].Value, Why: "bytes of the image that were read", At: read[0].At}
		if unread := root.Property("hallmark:unread:bytes"); len(unread) > 0 {
			c.Why += "; " + unread[0].Value + " bytes stayed unread"
		}
		return c
	}
	for _, c := range d.Compositions {
		for _, ref := range c.Assemblies {
			if ref.Value == root.Ref.Value && root.Ref.Value != "" {
				return Coverage{Why: fmt.Sprintf("the document calls the product's parts %q and gives no measure", c.Aggregate.Value), At: c.Aggregate.At}
			}
		}
	}
	return Coverage{Why: "the document does not say how complete it is"}
}
