package devicelist

import (
	"crypto/sha256"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/internal/strictyaml"
	"hallmark/policy"
)

// Waivers is a document of waivers: who let which finding pass, for how long and why.
type Waivers struct {
	strictyaml.Pos `json:"-"`
	File           string          `yaml:"-" json:"-"`
	SHA256         artifact.Digest `yaml:"-" json:"-"` // of the document
	APIVersion     string          `yaml:"apiVersion,required" json:"apiVersion" oneof:"hallmark/v1"`
	Kind           string          `yaml:"kind,required" json:"kind" oneof:"Waivers"`
	Header         WaiversHeader   `yaml:"waivers,required" json:"waivers"`
	Entries        []Waiver        `yaml:"entries,required" json:"entries"`
}

// WaiversHeader says whose waivers they are and how long the document holds.
type WaiversHeader struct {
	strictyaml.Pos `json:"-"`
	ID             string      `yaml:"id,required" json:"id"`
	Title          string      `yaml:"title,required" json:"title"`
	Issuer         string      `yaml:"issuer,required" json:"issuer"`
	Version        string      `yaml:"version,required" json:"version"`
	Issued         policy.Date `yaml:"issued,required" json:"issued"`
	Expires        policy.Date `yaml:"expires,required" json:"expires"`   // the last day
	MaxDays        int         `yaml:"max_days,required" json:"max_days"` // longest waiver
}

// Waiver lets a finding of one rule pass for one subject.
type Waiver struct {
	strictyaml.Pos `json:"-"`
	ID             string      `yaml:"id,required" json:"id"`
	Subject        Subject     `yaml:"subject,required" json:"subject"`
	Rule           string      `yaml:"rule,required" json:"rule"`
	Scope          Context     `yaml:"scope" json:"scope,omitzero"`
	Reason         string      `yaml:"reason,required" json:"reason"`
	Measures       []string    `yaml:"compensating_measures" json:"compensating_measures,omitempty"`
	RequestedBy    string      `yaml:"requested_by,required" json:"requested_by"`
	Approvers      []Approver  `yaml:"approvers,required" json:"approvers"`
	MinApprovers   int         `yaml:"min_approvers,required" json:"min_approvers"`
	Issued         policy.Date `yaml:"issued,required" json:"issued"`
	Expires        policy.Date `yaml:"expires,required" json:"expires"` // the last day
	Ticket         string      `yaml:"ticket" json:"ticket,omitempty"`
}

// Subject is what a waiver is about; one of its keys is set.
type Subject struct {
	SHA256      artifact.Digest `yaml:"sha256" json:"sha256,omitzero"`
	ContentRoot artifact.Digest `yaml:"content_root" json:"content_root,omitzero"`
	Entry       string          `yaml:"entry" json:"entry,omitempty"`
}

// Approver is one who let it pass.
type Approver struct {
	Name string      `yaml:"name,required" json:"name"`
	Role string      `yaml:"role,required" json:"role"`
	Date policy.Date `yaml:"date,required" json:"date"`
}

// ParseWaivers reads waivers. Faults have file, line and column.
func ParseWaivers(file string, data []byte) (*Waivers, error) {
	w := &Waivers{File: file, SHA256: sha256.Sum256(data)}
	if err := strictyaml.Decode(file, data, w, strictyaml.Options{}); err != nil {
		return nil, err
	}
	c := faults{file: file}
	if w.Header.Expires < w.Header.Issued {
		c.fail(w.Header.Pos, "the waivers expire on %s, before they are issued on %s", w.Header.Expires, w.Header.Issued)
	}
	if w.Header.MaxDays < 1 {
		c.fail(w.Header.Pos, "max_days is %d; a waiver needs an end that is near", w.Header.MaxDays)
	}
	ids := map[string]int{}
	for i := range w.Entries {
		x := &w.Entries[i]
		if line, ok := ids[x.ID]; ok {
			c.fail(x.Pos, "waiver %q is there twice; the first is in line %d", x.ID, line)
		}
		ids[x.ID] = x.Line
		c.waiver(x, w.Header.MaxDays)
	}
	if len(c.found) > 0 {
		return nil, c.found
	}
	return w, nil
}

func (c *faults) waiver(x *Waiver, longest int) {
	named := 0
	for _, set := range []bool{!x.Subject.SHA256.IsZero(), !x.Subject.ContentRoot.IsZero(), x.Subject.Entry != ""} {
		if set {
			named++
		}
	}
	if named != 1 {
		c.fail(x.Pos, "waiver %s: the subject has exactly one of sha256, content_root and entry", x.ID)
	}
	if !strings.Contains(x.Rule, ".") {
		c.fail(x.Pos, "waiver %s: %q is no rule; name one, such as us-889.video or list.status", x.ID, x.Rule)
	}
	switch days := x.Issued.Days(x.Expires); {
	case x.Expires < x.Issued:
		c.fail(x.Pos, "waiver %s: it expires on %s, before it is issued on %s", x.ID, x.Expires, x.Issued)
	case longest > 0 && days > longest:
		c.fail(x.Pos, "waiver %s: it lasts %d days, more than the %d of max_days", x.ID, days, longest)
	}
	if x.MinApprovers < 1 {
		c.fail(x.Pos, "waiver %s: min_approvers is %d; somebody must have let it pass", x.ID, x.MinApprovers)
	}
	who := map[string]bool{}
	for _, a := range x.Approvers {
		who[strings.ToLower(strings.TrimSpace(a.Name))] = true
		if a.Date > x.Expires {
			c.fail(x.Pos, "waiver %s: %s approved on %s, after it expired", x.ID, a.Name, a.Date)
		}
	}
	if len(who) < x.MinApprovers {
		c.fail(x.Pos, "waiver %s: %d approvers, of whom %d must be", x.ID, len(who), x.MinApprovers)
	}
	if strings.TrimSpace(x.Reason) == "" {
		c.fail(x.Pos, "waiver %s: the reason is empty", x.ID)
	}
	c.words(x.Pos, x.Scope.Purposes, policy.Purposes())
	c.words(x.Pos, x.Scope.Sites, policy.SiteClasses())
}

// Usable returns an error if the document does not hold on a day.
func (w *Waivers) Usable(at policy.Date) error {
	return usable(w.File, w.Header.Pos, "document of waivers", w.Header.Issued, w.Header.Expires, at)
}

// Lint returns waivers that hold no longer on a day.
func (w *Waivers) Lint(at policy.Date) strictyaml.Errors {
	c := faults{file: w.File}
	if err := w.Usable(at); err != nil {
		c.found = append(c.found, err.(*strictyaml.Error))
	}
	for _, x := range w.Entries {
		if x.Expires < at {
			c.fail(x.Pos, "waiver %s expired on %s", x.ID, x.Expires)
		}
	}
	return c.found
}

// about reports whether x speaks of this firmware.
func (x *Waiver) about(d *Device, entry *Entry) bool {
	switch {
	case !x.Subject.SHA256.IsZero():
		return x.Subject.SHA256 == d.SHA256
	case !x.Subject.ContentRoot.IsZero():
		return x.Subject.ContentRoot == d.root()
	}
	return entry != nil && entry.ID == x.Subject.Entry
}

// lacks says what keeps x from waiving a rule for a device there and then; "" if nothing does.
func (x *Waiver) lacks(rule *policy.Rule, f *policy.Facts, at policy.Date) string {
	switch {
	case at < x.Issued:
		return "it is issued on " + string(x.Issued)
	case at > x.Expires:
		return "it expired on " + string(x.Expires)
	case len(x.Scope.Purposes) > 0 && !slices.Contains(x.Scope.Purposes, f.Purpose):
		return "it is for the purposes " + strings.Join(x.Scope.Purposes, ", ")
	case len(x.Scope.Sites) > 0 && !within(f.Sites, x.Scope.Sites):
		return "it is for sites of class " + strings.Join(x.Scope.Sites, ", ")
	case rule == nil:
		return ""
	}
	return x.short(rule.Waiver)
}

// short says what a rule asks of a waiver that x does not have.
func (x *Waiver) short(w policy.Waiving) string {
	switch {
	case w.Impossible:
		return "the rule allows no waiver"
	case len(x.Approvers) < w.Approvers:
		return "the rule asks for more approvers"
	case w.Measures && len(x.Measures) == 0:
		return "the rule asks for compensating measures"
	case w.MaxDays > 0 && x.Issued.Days(x.Expires) > w.MaxDays:
		return "the rule allows no waiver that long"
	}
	for _, role := range w.Roles {
		if !slices.ContainsFunc(x.Approvers, func(a Approver) bool { return strings.EqualFold(a.Role, role) }) {
			return "the rule asks for approval by: " + role
		}
	}
	return ""
}

// within reports whether every one of the site's classes is among those given, and there is one.
func within(sites, among []string) bool {
	return len(sites) > 0 && !slices.ContainsFunc(sites, func(s string) bool { return !slices.Contains(among, s) })
}
