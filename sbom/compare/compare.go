// Package compare holds what a document declares against what an image shows, and one release of
// an image against another.
//
// Names and versions of suppliers are matched with tolerance: package URLs, CPEs, a table of other
// names (aliases.json), names without their decoration, upstream versions against those of a
// distribution, and versions of which only the beginning or a lower bound was seen. That
// something is not there is claimed only if every byte was read and hallmark knows how it looks.
package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hallmark/sbom"
)

// Verdict is what comparing one component comes to.
type Verdict string

const (
	Confirmed   Verdict = "confirmed"
	Differs     Verdict = "version differs"
	NotSeen     Verdict = "declared but not seen"
	NotDeclared Verdict = "seen but not declared"
	CannotTell  Verdict = "cannot be told"
)

// verdicts in the order of the result.
var verdicts = []Verdict{Differs, NotSeen, NotDeclared, CannotTell, Confirmed}

// Result is a declaration held against what was seen.
type Result struct {
	Declared string          `json:"declared"` // name of the document
	Observed string          `json:"observed"`
	Unread   string          `json:"unread,omitempty"` // why absence proves nothing; "" if all was read
	Counts   map[Verdict]int `json:"counts"`
	Items    []Item          `json:"items"` // by verdict, then by name
}

// Item is one component with the evidence of both sides.
type Item struct {
	Verdict  Verdict   `json:"verdict"`
	Name     string    `json:"name"`
	Because  string    `json:"because"`
	Declared *Declared `json:"declared,omitempty"`
	Observed []Seen    `json:"observed,omitempty"`
}

// Declared is a component as a document names it.
type Declared struct {
	Name    string   `json:"name"`
	Version string   `json:"version,omitempty"`
	Purl    string   `json:"purl,omitempty"`
	CPE     string   `json:"cpe,omitempty"`
	At      string   `json:"at"` // in the document
	Line    int      `json:"line"`
	Type    string   `json:"type,omitempty"`
	SHA256  []string `json:"-"`
}

// Seen is a component as an image shows it.
type Seen struct {
	Name      string     `json:"name"`
	Version   string     `json:"version,omitempty"` // as far as Claim says
	Claim     sbom.Claim `json:"claim"`
	Purl      string     `json:"purl,omitempty"`
	CPE       string     `json:"cpe,omitempty"`
	Source    string     `json:"source,omitempty"` // name of the source package
	Build     string     `json:"build,omitempty"`  // SHA-256 over the digests of its files
	Citations []Citation `json:"citations"`
	Files     []File     `json:"files,omitempty"`
	recorded  bool       // by a package database
}

// Citation is a place where a component was seen.
type Citation struct {
	Place   string `json:"place"`
	Offset  *int64 `json:"offset,omitempty"`
	Context string `json:"context,omitempty"`
}

// File is a file that is a component or a part of it.
type File struct {
	Path   string `json:"path,omitempty"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size,omitempty"`
}

// Observed is the side that was looked at.
type Observed struct {
	Name       string
	Components []Seen
	Unread     string            // why absence proves nothing; "" if every byte was read
	Contents   map[string]string // places of all contents by SHA-256, if an image is at hand
	// Known are the names of components that would have been recognised, or their package URLs.
	Known []string
}

// Compare holds declared components against o.
func Compare(name string, declared []Declared, o *Observed) *Result {
	r := &Result{Declared: name, Observed: o.Name, Unread: o.Unread, Counts: map[Verdict]int{}, Items: []Item{}}
	m := newMatcher(o)
	taken := make([]bool, len(o.Components))
	named := map[string]bool{}
	for i := range declared {
		d := &declared[i]
		for _, k := range d.asked() {
			named[k] = true
		}
		item, used := m.judge(d)
		for _, j := range used {
			taken[j] = true
		}
		r.Items = append(r.Items, item)
	}
	for j := range o.Components {
		s := &o.Components[j]
		if taken[j] {
			continue
		}
		x := Item{Verdict: NotDeclared, Name: s.Name, Because: "no declared component has its name, package URL, CPE or hash", Observed: []Seen{*s}}
		if slices.ContainsFunc(keys(s.Name, s.Purl, s.CPE, s.Source), func(k string) bool { return named[k] }) {
			x.Because = "declared, but not in this version"
		}
		r.Items = append(r.Items, x)
	}
	slices.SortStableFunc(r.Items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(slices.Index(verdicts, a.Verdict), slices.Index(verdicts, b.Verdict)), cmp.Compare(a.Name, b.Name))
	})
	for _, x := range r.Items {
		r.Counts[x.Verdict]++
	}
	return r
}

// Agrees reports whether everything declared was confirmed and nothing else was seen.
func (r *Result) Agrees() bool { return r.Counts[Confirmed] == len(r.Items) }

// Contradicts reports whether anything differs, apart from what cannot be told.
func (r *Result) Contradicts() bool { return r.Counts[Confirmed]+r.Counts[CannotTell] < len(r.Items) }

// Judge says how d stands to what o shows.
func (o *Observed) Judge(d ...Declared) []Item {
	m := newMatcher(o)
	var out []Item
	for i := range d {
		x, _ := m.judge(&d[i])
		out = append(out, x)
	}
	return out
}

type matcher struct {
	o         *Observed
	byKey     map[string][]int
	known     map[string]bool // keys of what would have been recognised
	databases map[string]bool // types of package URLs of which a database was read
}

func newMatcher(o *Observed) *matcher {
	m := &matcher{o: o, byKey: map[string][]int{}, known: map[string]bool{}, databases: map[string]bool{}}
	for j := range o.Components {
		s := &o.Components[j]
		list := keys(s.Name, s.Purl, s.CPE, s.Source) // each once
		for _, f := range s.Files {
			if k := "sha256:" + f.SHA256; !slices.Contains(list, k) {
				list = append(list, k)
			}
		}
		for _, k := range list {
			m.byKey[k] = append(m.byKey[k], j)
		}
		if s.recorded {
			m.databases[purlType(s.Purl)] = true
		}
	}
	for _, name := range o.Known {
		purl := ""
		if strings.HasPrefix(name, "pkg:") {
			name, purl = "", name
		}
		for _, k := range keys(name, purl, "", "") {
			m.known[k] = true
		}
	}
	return m
}

const (
	maxCandidates = 1000 // components of one name that one declared component is held against
	maxOwners     = 64   // components that one digest can name: one that more have names none
)

// maxShown bounds the components that are evidence for one item.
const maxShown = 8

// candidates returns the components that d can mean: those that share the strongest kind of key.
func (m *matcher) candidates(d *Declared) []int {
	for _, h := range d.SHA256 {
		if found := m.byKey["sha256:"+h]; len(found) > 0 && len(found) <= maxOwners {
			return found
		}
	}
	for _, k := range d.asked() {
		if found := m.byKey[k]; len(found) > 0 {
			return found[:min(len(found), maxCandidates)]
		}
	}
	return nil
}

// judge says how d stands to what was seen, and which of the components seen that accounts for:
// of several versions those that agree, or all if none does.
func (m *matcher) judge(d *Declared) (Item, []int) {
	x := Item{Name: d.Name, Declared: d}
	found := m.candidates(d)
	if len(found) == 0 {
		return m.absent(x, d), nil
	}
	best := otherVersion
	relations := make([]relation, len(found))
	for i, j := range found {
		relations[i] = compareVersions(d.Version, d.Purl, &m.o.Components[j])
		best = min(best, relations[i])
	}
	var used []int
	for i, j := range found {
		if relations[i] < otherVersion || best == otherVersion {
			used = append(used, j)
			if len(x.Observed) < maxShown {
				x.Observed = append(x.Observed, m.o.Components[j])
			}
		}
	}
	seen := describe(x.Observed)
	switch best {
	case sameVersion:
		x.Verdict, x.Because = Confirmed, "seen as "+seen
	case sameUpstream:
		x.Verdict, x.Because = Confirmed, "the same upstream version, seen as "+seen
	case withinClaim:
		x.Verdict, x.Because = Confirmed, "agrees with what could be seen: "+seen
	case noVersion:
		x.Verdict, x.Because = Confirmed, "declared without a version; seen as "+seen
	case notTold:
		x.Verdict, x.Because = CannotTell, "it is there, but the bytes do not tell its version"
	default:
		x.Verdict, x.Because = Differs, fmt.Sprintf("declared %s, seen as %s", d.Version, seen)
	}
	return x, used
}

func (m *matcher) absent(x Item, d *Declared) Item {
	for _, h := range d.SHA256 {
		if place := m.o.Contents[h]; place != "" {
			x.Verdict, x.Because = Confirmed, "a file with the declared SHA-256 is in the image"
			x.Observed = []Seen{{Name: d.Name, Claim: sbom.Presence, Citations: []Citation{{Place: place}}, Files: []File{{SHA256: h}}}}
			return x
		}
	}
	known := m.databases[purlType(d.Purl)] && d.Purl != ""
	for _, k := range d.asked() {
		known = known || m.known[k]
	}
	switch {
	case m.o.Unread != "":
		x.Verdict, x.Because = CannotTell, "not seen, but "+m.o.Unread
	case !known:
		x.Verdict, x.Because = CannotTell, "not seen, but it is not known how it looks in an image"
	default:
		x.Verdict, x.Because = NotSeen, "every byte was read and nothing shows it"
	}
	return x
}

// describe names what was seen, each version once.
func describe(list []Seen) string {
	var out []string
	for _, s := range list {
		text := s.Name
		switch s.Claim {
		case sbom.Exact:
			text += " " + s.Version
		case sbom.Prefix:
			text += " " + s.Version + ".*"
		case sbom.Range:
			text += " " + s.Version + " or later"
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if len(out) > 3 {
		out = append(out[:3], fmt.Sprintf("%d more", len(out)-3))
	}
	return strings.Join(out, ", ")
}
