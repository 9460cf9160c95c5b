package devicelist

import (
	"fmt"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/policy"
)

// Device is one firmware to be checked.
type Device struct {
	Facts    policy.Facts
	SHA256   artifact.Digest
	Manifest *Manifest
	Entry    string // id of the entry that it is meant to be; "" if not said
}

func (d *Device) root() artifact.Digest { return d.Manifest.Root() }

// Inquiry is what devices are checked against.
type Inquiry struct {
	List    *List // nil: rule packs only
	Packs   []*policy.Pack
	Waivers *Waivers // nil: none
	At      policy.Date
	// Manifests reads the manifest of a firmware of the list, or nil if there is none. It is asked
	// only for a firmware that no entry names.
	Manifests func(*Firmware) (*Manifest, error)
}

// State is how a result counts.
type State string

const (
	Pass         State = "pass"
	Fail         State = "fail"
	Waived       State = "waived" // would fail
	Warn         State = "warning"
	Inconclusive State = "inconclusive"
	Skip         State = "not applicable"
)

// Result is the answer to one rule of the list or of a pack for one device.
type Result struct {
	Rule      string            `json:"rule"`
	Title     string            `json:"title"`
	State     State             `json:"state"`
	Statement string            `json:"statement"`
	Evidence  []policy.Evidence `json:"evidence,omitempty"`
	Citation  *policy.Citation  `json:"citation,omitempty"` // of a rule of a pack
	Pack      string            `json:"pack,omitempty"`
	Waiver    string            `json:"waiver,omitempty"`   // id
	Unwaived  []string          `json:"unwaived,omitempty"` // waivers that speak of it and do not hold, and why
	Inner     string            `json:"inner,omitempty"`    // path inside the firmware
}

// Verdict is the answer for a device in few words.
type Verdict string

const (
	Approved           Verdict = "approved"
	NotListed          Verdict = "not on the list"
	ContentDiffers     Verdict = "content differs"
	Withdrawn          Verdict = "withdrawn"
	EntryExpired       Verdict = "entry expired"
	ConditionOverdue   Verdict = "condition overdue"
	CertificateExpired Verdict = "certificate expired"
	OtherContext       Verdict = "approved for another use"
	Covered            Verdict = "covered maker or component inside"
	RuleMatched        Verdict = "matches a rule"
	LetPass            Verdict = "waived"
	Unknown            Verdict = "inconclusive"
	NoMatch            Verdict = "no rule matches"
)

// Check is the answer for one device.
type Check struct {
	Name        string          `json:"name"`
	SHA256      artifact.Digest `json:"sha256"`
	Size        int64           `json:"size"`
	ContentRoot artifact.Digest `json:"content_root,omitzero"`
	Gap         string          `json:"gap,omitempty"` // why there is no content root
	Verdict     Verdict         `json:"verdict"`
	Entry       string          `json:"entry,omitempty"`
	Firmware    string          `json:"firmware_version,omitempty"` // of the entry
	Line        int             `json:"line"`                       // of the entry in the list; 1 if there is none
	BoundBy     string          `json:"bound_by,omitempty"`         // "sha256", "content root"
	Results     []Result        `json:"results"`
	Facts       policy.Facts    `json:"facts"`
}

// Count returns how many results are in a state.
func (c *Check) Count(s State) int {
	n := 0
	for _, r := range c.Results {
		if r.State == s {
			n++
		}
	}
	return n
}

// Rules of a list. They are fixed: reports and waivers name them.
const (
	RuleListed       = "list.listed"
	RuleContent      = "list.content"
	RuleStatus       = "list.status"
	RuleValidity     = "list.validity"
	RuleConditions   = "list.conditions"
	RuleCertificates = "list.certificates"
	RuleContext      = "list.context"
	RuleMakers       = "list.makers"
	RuleSilicon      = "list.silicon"
	RuleCoverage     = "list.coverage"
)

// Titles says what the rules of a list ask, in the order in which they are asked.
func Titles() [][2]string {
	return [][2]string{
		{RuleListed, "The firmware is on the list"},
		{RuleContent, "The content is that of the entry"},
		{RuleStatus, "The entry is not withdrawn"},
		{RuleValidity, "The entry holds on the day"},
		{RuleConditions, "No condition of the entry is overdue"},
		{RuleCertificates, "The certificates of the entry hold on the day"},
		{RuleContext, "The entry is for this purpose and site"},
		{RuleMakers, "No maker inside that the entry does not permit"},
		{RuleSilicon, "No chip inside that the entry does not permit"},
		{RuleCoverage, "Enough of the firmware could be read"},
	}
}

// verdicts says what a failed rule makes of a device, the gravest first.
var verdicts = []struct {
	rule    string
	verdict Verdict
}{
	{RuleMakers, Covered}, {RuleSilicon, Covered}, {RuleContent, ContentDiffers}, {RuleListed, NotListed},
	{RuleStatus, Withdrawn}, {RuleValidity, EntryExpired}, {RuleConditions, ConditionOverdue},
	{RuleCertificates, CertificateExpired}, {RuleContext, OtherContext},
}

// Check answers for one device. The error is that of [Inquiry.Manifests].
func (q *Inquiry) Check(d *Device) (*Check, error) {
	c := &Check{Name: d.Facts.Image.Name, SHA256: d.SHA256, Size: d.Facts.Image.Size, ContentRoot: d.root(), Gap: d.Manifest.Gap, Line: 1, Results: []Result{}}
	var entry *Entry
	if q.List != nil {
		var err error
		if entry, err = q.list(d, c); err != nil {
			return nil, err
		}
	}
	q.coverage(d, c)
	for _, p := range q.Packs {
		for _, v := range p.Judge(&d.Facts, q.At) {
			c.Results = append(c.Results, fromVerdict(v))
		}
	}
	c.Facts = d.Facts
	q.waive(d, c, entry)
	c.Verdict = q.verdict(c)
	return c, nil
}

func fromVerdict(v policy.Verdict) Result {
	r := Result{Rule: v.Rule, Title: v.Title, Pack: v.Pack, Statement: v.Statement, Evidence: v.Evidence, Citation: &v.Citation, State: Pass}
	switch v.Outcome {
	case policy.NotApplicable:
		r.State = Skip
	case policy.Inconclusive:
		r.State = Inconclusive
	case policy.Matches:
		r.State = Fail
	}
	if v.Level != "violation" && (r.State == Fail || r.State == Inconclusive) {
		r.State = Warn
	}
	if len(v.Evidence) > 0 {
		r.Inner = v.Evidence[0].Place
	}
	return r
}

// list asks the rules of the list and says in the facts what the list says. Of several entries
// that name the firmware, the first of which everything holds counts, else the first.
func (q *Inquiry) list(d *Device, c *Check) (*Entry, error) {
	d.Facts.Listing = &policy.Listing{}
	places := q.List.find(d.SHA256, d.root())
	var meant *Entry
	if d.Entry != "" {
		if meant = q.List.Entry(d.Entry); meant == nil {
			return nil, fmt.Errorf("%s: no entry %q", q.List.File, d.Entry)
		}
		places = slices.DeleteFunc(places, func(p place) bool { return &q.List.Entries[p.entry] != meant })
	}
	if len(places) == 0 {
		return meant, q.unlisted(d, c, meant)
	}
	best := places[0]
	for _, p := range places {
		trial := Check{}
		q.entry(d, &trial, &q.List.Entries[p.entry])
		if trial.Count(Fail)+trial.Count(Inconclusive) == 0 {
			best = p
			break
		}
	}
	e := &q.List.Entries[best.entry]
	f := &e.Firmware[best.firmware]
	c.Entry, c.Firmware, c.Line, c.BoundBy = e.ID, f.Version, f.Line, "sha256"
	if f.SHA256 != d.SHA256 {
		c.BoundBy = "content root"
	}
	c.add(RuleListed, Pass, "entry %s (%s, firmware %s) names exactly this firmware by %s", e.ID, e.Name(), f.Version, c.BoundBy)
	q.entry(d, c, e)
	return e, nil
}

func (c *Check) add(rule string, s State, format string, args ...any) *Result {
	title := ""
	for _, t := range Titles() {
		if t[0] == rule {
			title = t[1]
		}
	}
	c.Results = append(c.Results, Result{Rule: rule, Title: title, State: s, Statement: fmt.Sprintf(format, args...)})
	return &c.Results[len(c.Results)-1]
}

const maxDifferences = 10

// unlisted tells a firmware that is unlike every entry from one that differs from the entry which
// it is meant to be, or which it shares the most with.
func (q *Inquiry) unlisted(d *Device, c *Check, meant *Entry) error {
	e, f, m, err := q.nearest(d, meant)
	if err != nil {
		return err
	}
	if e != nil {
		c.Entry, c.Line = e.ID, e.Line
		d.Facts.Listing.Entry = e.ID
	}
	cov := d.Facts.Coverage
	switch {
	case m != nil && d.Manifest.Gap == "":
		c.Firmware, c.Line = f.Version, f.Line
		diff := m.Difference(d.Manifest, maxDifferences)
		c.add(RuleContent, Fail, "the content is not that of entry %s (%s, firmware %s): %s", e.ID, e.Name(), f.Version, strings.Join(diff, "; ")).Inner = strings.TrimPrefix(diff[0], "changed ")
	case d.Manifest.Gap != "" || cov.Percent < q.List.Header.Floor():
		c.add(RuleListed, Inconclusive, "no entry names the digest of the image, and the content cannot be compared: %s", unreadable(d))
	case meant != nil:
		c.add(RuleContent, Fail, "the firmware is none of entry %s (%s), which has no manifest to compare with", meant.ID, meant.Name())
	default:
		c.add(RuleListed, Fail, "no entry of %s (version %s) names this firmware, neither by SHA-256 nor by content root", q.List.Header.ID, q.List.Header.Version)
	}
	return nil
}

// unreadable says how much was read, and where it was not.
func unreadable(d *Device) string {
	s := fmt.Sprintf("%g %% of the bytes were read%s", d.Facts.Coverage.Percent, d.Facts.Coverage.Unseen())
	if d.Manifest.Gap != "" {
		s = d.Manifest.Gap + "; " + s
	}
	return s
}

// nearest returns the firmware of the list that shares at least half of its lines with d: of the
// entry that is meant, or of any.
func (q *Inquiry) nearest(d *Device, meant *Entry) (*Entry, *Firmware, *Manifest, error) {
	if q.Manifests == nil || d.Manifest.Gap != "" {
		return meant, nil, nil, nil
	}
	var entry *Entry
	var firmware *Firmware
	var best *Manifest
	most := 0
	for i := range q.List.Entries {
		e := &q.List.Entries[i]
		if meant != nil && e != meant {
			continue
		}
		for j := range e.Firmware {
			f := &e.Firmware[j]
			if f.Manifest == "" {
				continue
			}
			m, err := q.Manifests(f)
			if err != nil {
				return nil, nil, nil, err
			}
			n := m.common(d.Manifest)
			if n > most && 2*n >= len(m.Lines) || meant != nil && best == nil {
				entry, firmware, best, most = e, f, m, n
			}
		}
	}
	if entry == nil {
		entry = meant
	}
	return entry, firmware, best, nil
}

// entry asks what holds of the entry that names the firmware.
func (q *Inquiry) entry(d *Device, c *Check, e *Entry) {
	d.Facts.Listing = &policy.Listing{Entry: e.ID, Bound: true}
	for _, x := range e.Certificates {
		s := q.List.Scheme(x.Scheme)
		if s.Status == "active" && (s.ValidTo == "" || q.At <= s.ValidTo) {
			d.Facts.Listing.Certificates = append(d.Facts.Listing.Certificates, policy.Certificate{Scheme: x.Scheme, ID: x.ID, ValidFrom: x.ValidFrom, ValidTo: x.ValidTo})
		}
	}
	if e.Status == "withdrawn" && q.At >= e.Withdrawn.Date {
		c.add(RuleStatus, Fail, "entry %s was withdrawn on %s: %s", e.ID, e.Withdrawn.Date, e.Withdrawn.Reason)
	} else {
		c.add(RuleStatus, Pass, "entry %s is %s", e.ID, e.Status)
	}
	switch {
	case e.ValidTo != "" && q.At > e.ValidTo:
		c.add(RuleValidity, Fail, "entry %s held to %s", e.ID, e.ValidTo)
	case q.At < e.ValidFrom:
		c.add(RuleValidity, Fail, "entry %s holds from %s", e.ID, e.ValidFrom)
	default:
		c.add(RuleValidity, Pass, "entry %s holds on %s", e.ID, q.At)
	}
	q.conditions(c, e)
	q.certificates(c, e)
	q.context(d, c, e)
	q.makers(d, c, e)
}

func (q *Inquiry) conditions(c *Check, e *Entry) {
	var late []string
	for _, k := range e.Conditions {
		if !k.Met && k.Due < q.At {
			late = append(late, fmt.Sprintf("%q was due on %s", k.Text, k.Due))
		}
	}
	if len(late) > 0 {
		c.add(RuleConditions, Fail, "entry %s: %s", e.ID, strings.Join(late, "; "))
	} else if len(e.Conditions) > 0 {
		c.add(RuleConditions, Pass, "no condition of entry %s is overdue", e.ID)
	}
}

func (q *Inquiry) certificates(c *Check, e *Entry) {
	var bad []string
	for _, x := range e.Certificates {
		if why := q.List.lapsed(x, q.At); why != "" {
			bad = append(bad, why)
		}
	}
	if len(bad) > 0 {
		c.add(RuleCertificates, Fail, "entry %s: %s", e.ID, strings.Join(bad, "; "))
	} else if len(e.Certificates) > 0 {
		c.add(RuleCertificates, Pass, "all certificates of entry %s hold on %s", e.ID, q.At)
	}
}

func (q *Inquiry) context(d *Device, c *Check, e *Entry) {
	f := d.Facts
	s, why := Pass, "entry "+e.ID+" is for this use"
	weigh := func(state State, reason string) {
		if s != Fail {
			s, why = state, reason
		}
	}
	if want := e.Context.Purposes; len(want) > 0 && !slices.Contains(want, f.Purpose) {
		if f.Purpose == "" {
			weigh(Inconclusive, "entry "+e.ID+" is for the purposes "+strings.Join(want, ", ")+", and no purpose was given")
		} else {
			weigh(Fail, "entry "+e.ID+" is for the purposes "+strings.Join(want, ", ")+", and the purpose is "+f.Purpose)
		}
	}
	if want := e.Context.Sites; len(want) > 0 && !within(f.Sites, want) {
		if len(f.Sites) == 0 {
			weigh(Inconclusive, "entry "+e.ID+" is for sites of class "+strings.Join(want, ", ")+", and no class was given")
		} else {
			weigh(Fail, "entry "+e.ID+" is for sites of class "+strings.Join(want, ", ")+", and the site is "+strings.Join(f.Sites, ", "))
		}
	}
	if len(e.Context.Purposes)+len(e.Context.Sites) > 0 {
		c.add(RuleContext, s, "%s", why)
	}
}

// makers compares what is inside with what the entry permits.
func (q *Inquiry) makers(d *Device, c *Check, e *Entry) {
	if e.PermitMakers != nil {
		var bad []string
		var cited []policy.Evidence
		for _, m := range d.Facts.Makers {
			if m.Rung.AtLeast(policy.InDevice) && !permits(*e.PermitMakers, m) {
				bad = append(bad, m.Name)
				cited = append(cited, m.Evidence...)
			}
		}
		c.permit(RuleMakers, d, q.List, bad, cited, fmt.Sprintf("entry %s permits makers %s", e.ID, orNobody(*e.PermitMakers)))
	}
	if e.PermitSilicon != nil {
		var bad []string
		var cited []policy.Evidence
		for _, s := range d.Facts.Silicon {
			if !slices.Contains(*e.PermitSilicon, s.ID) {
				bad = append(bad, s.Name)
				cited = append(cited, s.Evidence...)
			}
		}
		c.permit(RuleSilicon, d, q.List, bad, cited, fmt.Sprintf("entry %s permits chips of %s", e.ID, orNobody(*e.PermitSilicon)))
	}
}

func permits(ids []string, m policy.Maker) bool {
	if len(m.Candidates) == 0 {
		return slices.Contains(ids, m.ID)
	}
	return !slices.ContainsFunc(m.Candidates, func(id string) bool { return !slices.Contains(ids, id) })
}

func orNobody(ids []string) string {
	if len(ids) == 0 {
		return "of nobody"
	}
	return strings.Join(ids, ", ")
}

func (c *Check) permit(rule string, d *Device, l *List, bad []string, cited []policy.Evidence, terms string) {
	switch {
	case len(bad) > 0:
		r := c.add(rule, Fail, "%s, and the firmware shows %s", terms, strings.Join(bad, ", "))
		r.Evidence = cited
		if len(cited) > 0 {
			r.Inner = cited[0].Place
		}
	case d.Facts.Coverage.Percent < l.Header.Floor():
		c.add(rule, Inconclusive, "%s, and too little was read: %s", terms, unreadable(d))
	default:
		c.add(rule, Pass, "%s, and no other was found", terms)
	}
}

// coverage holds that what was hardly looked at never passes.
func (q *Inquiry) coverage(d *Device, c *Check) {
	floor := Header{}.Floor()
	if q.List != nil {
		floor = q.List.Header.Floor()
	}
	if d.Facts.Coverage.Percent < floor {
		c.add(RuleCoverage, Inconclusive, "%s; at least %g %% must be readable", unreadable(d), floor)
		return
	}
	c.add(RuleCoverage, Pass, "%g %% of the bytes were read; at least %g %% must be readable", d.Facts.Coverage.Percent, floor)
}

// waive lets failures pass for which a waiver holds. What is inconclusive stays so.
func (q *Inquiry) waive(d *Device, c *Check, entry *Entry) {
	if q.Waivers == nil {
		return
	}
	for i := range c.Results {
		r := &c.Results[i]
		if r.State != Fail {
			continue
		}
		for k := range q.Waivers.Entries {
			x := &q.Waivers.Entries[k]
			if x.Rule != r.Rule || !x.about(d, entry) {
				continue
			}
			if why := x.lacks(q.rule(r), &d.Facts, q.At); why != "" {
				r.Unwaived = append(r.Unwaived, fmt.Sprintf("waiver %s does not hold: %s", x.ID, why))
				continue
			}
			r.State, r.Waiver = Waived, x.ID
			break
		}
	}
}

func (q *Inquiry) rule(r *Result) *policy.Rule {
	for _, p := range q.Packs {
		if p.ID == r.Pack {
			return p.Rule(r.Rule)
		}
	}
	return nil
}

// verdict takes the gravest thing that was found.
func (q *Inquiry) verdict(c *Check) Verdict {
	failed := func(rule string) bool {
		return slices.ContainsFunc(c.Results, func(r Result) bool { return r.State == Fail && r.Rule == rule })
	}
	matched := false
	for i := range c.Results {
		if r := &c.Results[i]; r.State == Fail && r.Pack != "" {
			if q.rule(r).AboutMakers() {
				return Covered
			}
			matched = true
		}
	}
	for _, v := range verdicts {
		if failed(v.rule) {
			return v.verdict
		}
	}
	switch {
	case matched:
		return RuleMatched
	case c.Count(Inconclusive) > 0:
		return Unknown
	case c.Count(Waived) > 0:
		return LetPass
	case q.List == nil:
		return NoMatch
	}
	return Approved
}
