// Package devicelist reads lists of approved devices and waivers, and judges firmware by them.
//
// A list names firmware by SHA-256 or by content root, which is the digest of the firmware's
// [Manifest], so that the same files in another wrapping are the same firmware and one changed
// byte is not. Lists and waivers are strict documents with a signature in a file of their own; one
// that is damaged, expired or signed by nobody known is unusable, which is never "not on the list".
package devicelist

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"hallmark/artifact"
	"hallmark/internal/strictyaml"
	"hallmark/policy"
)

// Version is what documents name as their apiVersion.
const Version = "hallmark/v1"

// Kinds of document.
const (
	KindDevices = "ApprovedDevices"
	KindWaivers = "Waivers"
)

// List is a list of approved devices.
type List struct {
	strictyaml.Pos `json:"-"`
	File           string                      `yaml:"-" json:"-"` // as it was named
	SHA256         artifact.Digest             `yaml:"-" json:"-"` // of the document
	APIVersion     string                      `yaml:"apiVersion,required" json:"apiVersion" oneof:"hallmark/v1"`
	Kind           string                      `yaml:"kind,required" json:"kind" oneof:"ApprovedDevices"`
	Header         Header                      `yaml:"list,required" json:"list"`
	Schemes        []Scheme                    `yaml:"schemes" json:"schemes,omitempty"`
	Entries        []Entry                     `yaml:"entries,required" json:"entries"`
	named          map[artifact.Digest][]place // by digest and by content root
}

// place is where a firmware stands in a list.
type place struct{ entry, firmware int }

// Header says whose list it is and how long it holds.
type Header struct {
	strictyaml.Pos `json:"-"`
	ID             string      `yaml:"id,required" json:"id"`
	Title          string      `yaml:"title,required" json:"title"`
	Issuer         string      `yaml:"issuer,required" json:"issuer"`
	Version        string      `yaml:"version,required" json:"version"`
	Issued         policy.Date `yaml:"issued,required" json:"issued"`
	Expires        policy.Date `yaml:"expires,required" json:"expires"` // the last day
	Supersedes     string      `yaml:"supersedes" json:"supersedes,omitempty"`
	Contact        string      `yaml:"contact" json:"contact,omitempty"`
	MinCoverage    *float64    `yaml:"min_coverage" json:"min_coverage,omitempty"` // percent of a firmware that must be readable; 90 if not given
}

const usualCoverage = 90

// Floor returns the percentage of bytes below which a firmware counts as not looked at.
func (h Header) Floor() float64 {
	if h.MinCoverage != nil {
		return *h.MinCoverage
	}
	return usualCoverage
}

// Scheme is what certificates are of.
type Scheme struct {
	strictyaml.Pos `json:"-"`
	ID             string      `yaml:"id,required" json:"id"`
	Title          string      `yaml:"title,required" json:"title"`
	Status         string      `yaml:"status,required" json:"status" oneof:"active suspended withdrawn"`
	ValidTo        policy.Date `yaml:"valid_to" json:"valid_to,omitempty"`
	URL            string      `yaml:"url" json:"url,omitempty"`
	Note           string      `yaml:"note" json:"note,omitempty"`
}

// Entry is one device or one firmware that is, or was, approved.
type Entry struct {
	strictyaml.Pos    `json:"-"`
	ID                string        `yaml:"id,required" json:"id"`
	Status            string        `yaml:"status,required" json:"status" oneof:"approved conditional withdrawn"`
	Withdrawn         *Withdrawal   `yaml:"withdrawn" json:"withdrawn,omitempty"`
	Conditions        []Condition   `yaml:"conditions" json:"conditions,omitempty"`
	Vendor            string        `yaml:"vendor" json:"vendor,omitempty"`
	Model             string        `yaml:"model" json:"model,omitempty"`
	Aliases           []string      `yaml:"aliases" json:"aliases,omitempty"`
	HardwareRevisions []string      `yaml:"hardware_revisions" json:"hardware_revisions,omitempty"`
	Identifiers       Identifiers   `yaml:"identifiers" json:"identifiers,omitzero"`
	Firmware          []Firmware    `yaml:"firmware" json:"firmware,omitempty"`
	DeclaredMaker     string        `yaml:"declared_maker" json:"declared_maker,omitempty"`
	PermitMakers      *[]string     `yaml:"permit_makers" json:"permit_makers,omitempty"`   // ids; nil permits all
	PermitSilicon     *[]string     `yaml:"permit_silicon" json:"permit_silicon,omitempty"` // ids; nil permits all
	Context           Context       `yaml:"context" json:"context,omitzero"`
	Certificates      []Certificate `yaml:"certificates" json:"certificates,omitempty"`
	Evidence          []Report      `yaml:"evidence" json:"evidence,omitempty"`
	ValidFrom         policy.Date   `yaml:"valid_from" json:"valid_from,omitempty"`
	ValidTo           policy.Date   `yaml:"valid_to" json:"valid_to,omitempty"` // the last day
	Notes             string        `yaml:"notes" json:"notes,omitempty"`
}

// Withdrawal says since when and why an entry holds no longer.
type Withdrawal struct {
	Date   policy.Date `yaml:"date,required" json:"date"`
	Reason string      `yaml:"reason,required" json:"reason"`
}

// Condition is what a conditional entry must meet by a day, after which it holds no longer.
type Condition struct {
	Text string      `yaml:"text,required" json:"text"`
	Due  policy.Date `yaml:"due,required" json:"due"`
	Met  bool        `yaml:"met" json:"met,omitempty"`
}

// Identifiers are names of the device in other registers.
type Identifiers struct {
	FCCID string `yaml:"fccid" json:"fccid,omitempty"`
	CPE   string `yaml:"cpe" json:"cpe,omitempty"`
	Purl  string `yaml:"purl" json:"purl,omitempty"`
	GTIN  string `yaml:"gtin" json:"gtin,omitempty"`
}

// Firmware is one firmware, bound by its bytes.
type Firmware struct {
	strictyaml.Pos `json:"-"`
	Version        string          `yaml:"version,required" json:"version"`
	SHA256         artifact.Digest `yaml:"sha256,required" json:"sha256"`
	Size           int64           `yaml:"size" json:"size,omitempty"`
	ContentRoot    artifact.Digest `yaml:"content_root" json:"content_root,omitzero"`
	Manifest       string          `yaml:"manifest" json:"manifest,omitempty"` // file of the manifest, relative to the list
	Released       policy.Date     `yaml:"released" json:"released,omitempty"`
	SBOM           artifact.Digest `yaml:"sbom_sha256" json:"sbom_sha256,omitzero"`
}

// Context says what an entry is approved for; an empty list is everything.
type Context struct {
	Purposes []string `yaml:"purposes" json:"purposes,omitempty"`
	Sites    []string `yaml:"sites" json:"sites,omitempty"`
}

// Certificate is one that the device holds.
type Certificate struct {
	strictyaml.Pos `json:"-"`
	Scheme         string      `yaml:"scheme,required" json:"scheme"`
	ID             string      `yaml:"id,required" json:"id"`
	ValidFrom      policy.Date `yaml:"valid_from" json:"valid_from,omitempty"`
	ValidTo        policy.Date `yaml:"valid_to" json:"valid_to,omitempty"` // the last day
	URL            string      `yaml:"url" json:"url,omitempty"`
	Scope          string      `yaml:"scope" json:"scope,omitempty"`
}

// Report is a report on the device that the issuer relied on.
type Report struct {
	Report string          `yaml:"report,required" json:"report"`
	SHA256 artifact.Digest `yaml:"sha256,required" json:"sha256"`
}

// Parse reads a list. Faults have file, line and column.
func Parse(file string, data []byte) (*List, error) {
	l := &List{File: file, SHA256: sha256.Sum256(data)}
	if err := strictyaml.Decode(file, data, l, strictyaml.Options{}); err != nil {
		return nil, err
	}
	c := faults{file: file}
	c.list(l)
	if len(c.found) > 0 {
		return nil, c.found
	}
	l.index()
	return l, nil
}

func (l *List) index() {
	l.named = make(map[artifact.Digest][]place, 2*len(l.Entries))
	for i := range l.Entries {
		for j, f := range l.Entries[i].Firmware {
			l.named[f.SHA256] = append(l.named[f.SHA256], place{i, j})
			if !f.ContentRoot.IsZero() && f.ContentRoot != f.SHA256 {
				l.named[f.ContentRoot] = append(l.named[f.ContentRoot], place{i, j})
			}
		}
	}
}

// find returns where the firmware with a digest or a content root stands: by digest first, then in
// the order of the list.
func (l *List) find(image, root artifact.Digest) []place {
	var out []place
	for _, p := range l.named[image] {
		if l.Entries[p.entry].Firmware[p.firmware].SHA256 == image {
			out = append(out, p)
		}
	}
	if root.IsZero() {
		return out
	}
	for _, p := range l.named[root] {
		if f := l.Entries[p.entry].Firmware[p.firmware]; f.ContentRoot == root && f.SHA256 != image {
			out = append(out, p)
		}
	}
	return out
}

// Entry returns the entry with an id, or nil.
func (l *List) Entry(id string) *Entry {
	i := slices.IndexFunc(l.Entries, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &l.Entries[i]
}

// Scheme returns the scheme with an id, or nil.
func (l *List) Scheme(id string) *Scheme {
	i := slices.IndexFunc(l.Schemes, func(s Scheme) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &l.Schemes[i]
}

// Usable returns an error if the list does not hold on a day.
func (l *List) Usable(at policy.Date) error {
	return usable(l.File, l.Header.Pos, "list", l.Header.Issued, l.Header.Expires, at)
}

func usable(file string, pos strictyaml.Pos, what string, issued, expires, at policy.Date) error {
	switch {
	case at < issued:
		return &strictyaml.Error{File: file, Pos: pos, Msg: fmt.Sprintf("the %s was issued on %s and does not hold on %s", what, issued, at)}
	case at > expires:
		return &strictyaml.Error{File: file, Pos: pos, Msg: fmt.Sprintf("the %s expired on %s and does not hold on %s", what, expires, at)}
	}
	return nil
}

// faults collects what the types of a document do not say.
type faults struct {
	file  string
	found strictyaml.Errors
}

func (c *faults) fail(at strictyaml.Pos, format string, args ...any) {
	c.found = append(c.found, &strictyaml.Error{File: c.file, Pos: at, Msg: fmt.Sprintf(format, args...)})
}

func (c *faults) words(at strictyaml.Pos, words, allowed []string) {
	for _, w := range words {
		if !slices.Contains(allowed, w) {
			c.fail(at, "%q is not known here; %s", w, strictyaml.Suggest(w, allowed))
		}
	}
}

func (c *faults) list(l *List) {
	if l.Header.Expires < l.Header.Issued {
		c.fail(l.Header.Pos, "the list expires on %s, before it is issued on %s", l.Header.Expires, l.Header.Issued)
	}
	if f := l.Header.Floor(); f < 0 || f > 100 {
		c.fail(l.Header.Pos, "min_coverage is a percentage")
	}
	schemes := map[string]int{}
	for _, s := range l.Schemes {
		if line, ok := schemes[s.ID]; ok {
			c.fail(s.Pos, "scheme %q is there twice; the first is in line %d", s.ID, line)
		}
		schemes[s.ID] = s.Line
	}
	ids := make(map[string]int, len(l.Entries))
	for i := range l.Entries {
		e := &l.Entries[i]
		if line, ok := ids[e.ID]; ok {
			c.fail(e.Pos, "entry %q is there twice; the first is in line %d", e.ID, line)
		}
		ids[e.ID] = e.Line
		c.entry(e, schemes)
	}
}

func (c *faults) entry(e *Entry, schemes map[string]int) {
	if e.ID == "" {
		c.fail(e.Pos, "an entry needs an id that is not empty")
	}
	if (e.Status == "withdrawn") != (e.Withdrawn != nil) {
		c.fail(e.Pos, "entry %s: a withdrawn entry has the key withdrawn with date and reason, and no other has", e.ID)
	}
	if (e.Status == "conditional") != (len(e.Conditions) > 0) {
		c.fail(e.Pos, "entry %s: a conditional entry has conditions, and no other has", e.ID)
	}
	if e.ValidTo != "" && e.ValidTo < e.ValidFrom {
		c.fail(e.Pos, "entry %s: it ends on %s, before it begins on %s", e.ID, e.ValidTo, e.ValidFrom)
	}
	c.words(e.Pos, e.Context.Purposes, policy.Purposes())
	c.words(e.Pos, e.Context.Sites, policy.SiteClasses())
	for _, f := range e.Firmware {
		switch {
		case f.SHA256.IsZero():
			c.fail(f.Pos, "entry %s: a digest of zeros names nothing", e.ID)
		case f.Manifest != "" && f.ContentRoot.IsZero():
			c.fail(f.Pos, "entry %s: a manifest without the content_root that it must have", e.ID)
		case f.Size < 0:
			c.fail(f.Pos, "entry %s: size %d", e.ID, f.Size)
		}
	}
	for _, x := range e.Certificates {
		if _, ok := schemes[x.Scheme]; !ok {
			c.fail(x.Pos, "entry %s: no scheme %q under schemes", e.ID, x.Scheme)
		}
		if x.ValidTo != "" && x.ValidTo < x.ValidFrom {
			c.fail(x.Pos, "entry %s: certificate %s ends on %s, before it begins on %s", e.ID, x.ID, x.ValidTo, x.ValidFrom)
		}
	}
}

// Lint returns what is allowed in a list and deserves a look, in order, by a day. makers are the
// ids that permit_makers and permit_silicon may name.
func (l *List) Lint(at policy.Date, makers []string) strictyaml.Errors {
	c := faults{file: l.File}
	if err := l.Usable(at); err != nil {
		c.found = append(c.found, err.(*strictyaml.Error))
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Status == "withdrawn" {
			continue
		}
		if len(e.Firmware) == 0 {
			c.fail(e.Pos, "entry %s names no firmware and so approves nothing", e.ID)
		}
		if e.ValidTo != "" && e.ValidTo < at {
			c.fail(e.Pos, "entry %s ended on %s", e.ID, e.ValidTo)
		}
		for _, k := range e.Conditions {
			if !k.Met && k.Due < at {
				c.fail(e.Pos, "entry %s: %q was due on %s", e.ID, k.Text, k.Due)
			}
		}
		for _, x := range e.Certificates {
			if why := l.lapsed(x, at); why != "" {
				c.fail(x.Pos, "entry %s: %s", e.ID, why)
			}
		}
		for _, list := range []*[]string{e.PermitMakers, e.PermitSilicon} {
			if list != nil {
				c.words(e.Pos, *list, makers)
			}
		}
	}
	return c.found
}

// lapsed says why a certificate does not hold on a day; "" if it does.
func (l *List) lapsed(x Certificate, at policy.Date) string {
	s := l.Scheme(x.Scheme)
	switch {
	case x.ValidTo != "" && x.ValidTo < at:
		return fmt.Sprintf("certificate %s of %s was valid to %s", x.ID, x.Scheme, x.ValidTo)
	case x.ValidFrom > at:
		return fmt.Sprintf("certificate %s of %s is valid from %s", x.ID, x.Scheme, x.ValidFrom)
	case s.Status != "active":
		return fmt.Sprintf("certificate %s is of %s, a scheme that is %s", x.ID, x.Scheme, s.Status)
	case s.ValidTo != "" && s.ValidTo < at:
		return fmt.Sprintf("certificate %s is of %s, a scheme that ended on %s", x.ID, x.Scheme, s.ValidTo)
	}
	return ""
}

// Name returns an entry's vendor and model for people, or its id.
func (e *Entry) Name() string {
	if e.Vendor != "" && e.Model != "" {
		return e.Vendor + " " + e.Model
	}
	return cmp.Or(e.Model, e.Vendor, e.ID)
}
