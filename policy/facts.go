package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hallmark/artifact"
	"hallmark/match"
	"hallmark/sbom"
)

// Facts are what a rule may ask about one firmware, one device and the place where it stands.
// They are plain data: what the bytes show, what the seller says, what a device list says, and
// what the caller says of the place.
type Facts struct {
	Image      Image       `yaml:"image" json:"image" cel:"image"`
	Claimed    Claimed     `yaml:"claimed" json:"claimed" cel:"claimed"`
	Makers     []Maker     `yaml:"makers" json:"makers" cel:"makers"`
	Silicon    []Silicon   `yaml:"silicon" json:"silicon" cel:"silicon"`
	Components []Component `yaml:"components" json:"components" cel:"components"`
	Coverage   Coverage    `yaml:"coverage" json:"coverage" cel:"coverage"`
	Listing    *Listing    `yaml:"listing" json:"listing,omitempty" cel:"-"` // nil if no device list was asked
	Purpose    string      `yaml:"purpose" json:"purpose,omitempty" cel:"purpose"`
	Sites      []string    `yaml:"sites" json:"sites,omitempty" cel:"sites"` // classes of the site; none if not said
}

// Image is the firmware itself.
type Image struct {
	Name   string `yaml:"name" json:"name" cel:"name"`
	SHA256 string `yaml:"sha256" json:"sha256" cel:"sha256"`
	Size   int64  `yaml:"size" json:"size" cel:"size"`
}

// Claimed is what the seller or the inventory says.
type Claimed struct {
	Brand   string `yaml:"brand" json:"brand,omitempty" cel:"brand"`
	Model   string `yaml:"model" json:"model,omitempty" cel:"model"`
	Version string `yaml:"version" json:"version,omitempty" cel:"version"`
}

// Maker is one whose hand the bytes show.
type Maker struct {
	ID         string     `yaml:"id" json:"id" cel:"id"` // in package signatures
	Name       string     `yaml:"name" json:"name" cel:"name"`
	Rung       Rung       `yaml:"rung" json:"rung" cel:"rung"`
	Candidates []string   `yaml:"candidates" json:"candidates,omitempty" cel:"candidates"` // ids, if it is one of several
	Confidence string     `yaml:"confidence" json:"confidence,omitempty" cel:"confidence"`
	Evidence   []Evidence `yaml:"evidence" json:"evidence,omitempty" cel:"evidence"`
}

// Silicon is a chip whose code the bytes hold.
type Silicon struct {
	ID       string     `yaml:"id" json:"id" cel:"id"` // of its maker, in package signatures
	Name     string     `yaml:"name" json:"name" cel:"name"`
	Part     string     `yaml:"part" json:"part,omitempty" cel:"part"`
	Evidence []Evidence `yaml:"evidence" json:"evidence,omitempty" cel:"evidence"`
}

// Component is one piece of software.
type Component struct {
	Name     string     `yaml:"name" json:"name" cel:"name"`
	Version  string     `yaml:"version" json:"version,omitempty" cel:"version"`
	Type     string     `yaml:"type" json:"type,omitempty" cel:"type"` // in the words of CycloneDX
	Purl     string     `yaml:"purl" json:"purl,omitempty" cel:"purl"`
	Producer string     `yaml:"producer" json:"producer,omitempty" cel:"producer"` // who makes it, as the bill of materials says
	Evidence []Evidence `yaml:"evidence" json:"evidence,omitempty" cel:"evidence"`
}

// Evidence is a citation in words; the report of the scan has the bytes.
type Evidence struct {
	Rule  string `yaml:"rule" json:"rule" cel:"rule"`
	Place string `yaml:"place" json:"place" cel:"place"`
}

// Coverage says how much of the firmware was read. The zero value says that nothing was.
type Coverage struct {
	Percent float64  `yaml:"percent" json:"percent" cel:"percent"`
	Clear   bool     `yaml:"clear" json:"clear" cel:"clear"` // every byte was read and nothing is missing
	Unread  int64    `yaml:"unread" json:"unread" cel:"unread"`
	Regions []string `yaml:"regions" json:"regions,omitempty" cel:"regions"` // what was not read, the first of them
}

// maxUnseen is how many regions a sentence names.
const maxUnseen = 5

// Unseen says for a sentence where bytes were not read: "; not read: ...", or "".
func (c Coverage) Unseen() string {
	n := len(c.Regions)
	if n == 0 {
		return ""
	}
	s := "; not read: " + strings.Join(c.Regions[:min(n, maxUnseen)], "; ")
	if n > maxUnseen {
		s += "; and more"
	}
	return s
}

// Listing is what a device list says of the firmware.
type Listing struct {
	Entry        string        `yaml:"entry" json:"entry,omitempty"` // id; "" if the firmware is in no entry
	Bound        bool          `yaml:"bound" json:"bound"`           // the digest or content root is the entry's
	Certificates []Certificate `yaml:"certificates" json:"certificates,omitempty"`
}

// Certificate is one that an entry of a device list holds.
type Certificate struct {
	Scheme    string `yaml:"scheme" json:"scheme"`
	ID        string `yaml:"id" json:"id"`
	ValidFrom Date   `yaml:"valid_from" json:"valid_from,omitempty"`
	ValidTo   Date   `yaml:"valid_to" json:"valid_to,omitempty"`
}

// Rung is how close a maker is to the device, after the verdict ladder of package match.
type Rung string

const (
	Lead       Rung = "lead"       // marks that are not enough for a claim
	Compatible Rung = "compatible" // speaks to the maker's devices or services
	SDKClient  Rung = "sdk-client" // bundles the maker's client library
	InDevice   Rung = "component"  // holds a component of the maker's devices
	Device     Rung = "device"     // is the maker's device, whatever the label says
)

// rungs are all of them, lowest first.
var rungs = []Rung{Lead, Compatible, SDKClient, InDevice, Device}

// AtLeast reports whether r is o or a higher rung.
func (r Rung) AtLeast(o Rung) bool { return slices.Index(rungs, r) >= slices.Index(rungs, o) }

// UnmarshalText takes the names of rungs alone.
func (r *Rung) UnmarshalText(b []byte) error {
	if !slices.Contains(rungs, Rung(b)) {
		return fmt.Errorf("%q is no rung; want one of lead, compatible, sdk-client, component, device", b)
	}
	*r = Rung(b)
	return nil
}

// sentence says what a maker on this rung has to do with the device.
func (r Rung) sentence(name string) string {
	switch r {
	case Device:
		return "the device is " + name + "'s"
	case InDevice:
		return "a component of " + name + "'s devices is inside"
	case SDKClient:
		return "a client library of " + name + " is inside"
	case Compatible:
		return "it speaks to devices or services of " + name
	}
	return "marks of " + name + " that are not enough for a claim"
}

// ladder says where the classes of package match stand here. A class that is not in it says
// nothing of a maker; silicon is told apart.
var ladder = map[match.Class]Rung{
	match.Rebadged: Device, match.Undetermined: Device,
	match.Converted: InDevice, match.Component: InDevice,
	match.SDKClient:  SDKClient,
	match.Compatible: Compatible,
	match.LeadOnly:   Lead,
}

// chips are the classes that name the maker of a chip.
var chips = []match.Class{match.Covered, match.Silicon}

// Bounds of what Facts repeat of a scan; the scan's own report has all.
const (
	maxEvidence = 3
	maxRegions  = 20
)

// Observe makes facts of the results of a scan. Any of m and b may be nil.
func Observe(t *artifact.Tree, c artifact.Coverage, m *match.Result, b *sbom.BOM) Facts {
	root := t.Content(t.Root)
	f := Facts{Image: Image{Name: t.Name, SHA256: t.Root.String(), Size: root.Size}, Coverage: coverage(t, c)}
	if m != nil {
		f.AddFindings(m)
	}
	if b != nil {
		for i := range b.Components {
			x := &b.Components[i]
			p := Component{Name: x.Name, Version: x.Version, Type: x.Type, Purl: x.Purl, Producer: x.Supplier}
			for _, e := range x.Evidence[:min(len(x.Evidence), maxEvidence)] {
				p.Evidence = append(p.Evidence, Evidence{e.Rule, e.Place})
			}
			f.Components = append(f.Components, p)
		}
	}
	return f
}

// AddFindings adds what m says of makers and of the label.
func (f *Facts) AddFindings(m *match.Result) {
	f.Claimed.Brand = m.Brand
	for i := range m.Findings {
		f.finding(&m.Findings[i])
	}
}

func coverage(t *artifact.Tree, c artifact.Coverage) Coverage {
	out := Coverage{Clear: c.Clear(), Unread: c.Unread}
	if c.Total > 0 {
		out.Percent = float64((c.Total-c.Unread)*10000/c.Total) / 100
	}
	for _, r := range c.Regions[:min(len(c.Regions), maxRegions)] {
		out.Regions = append(out.Regions, fmt.Sprintf("%s: %s", t.Locate(r.Place, r.At), r.Why))
	}
	return out
}

func (f *Facts) finding(x *match.Finding) {
	var cited []Evidence
	for _, m := range x.Marks[:min(len(x.Marks), maxEvidence)] {
		e := Evidence{Rule: m.ID}
		if len(m.Citations) > 0 {
			e.Place = m.Citations[0].Place
		}
		cited = append(cited, e)
	}
	if slices.Contains(chips, x.Class) {
		f.Silicon = append(f.Silicon, Silicon{ID: x.Maker, Name: x.Name, Evidence: cited})
		return
	}
	if r, ok := ladder[x.Class]; ok {
		f.Makers = append(f.Makers, Maker{ID: x.Maker, Name: x.Name, Rung: r, Candidates: x.Candidates, Confidence: string(x.Confidence), Evidence: cited})
	}
}

// Date is a day in UTC as 2006-01-02; "" is none. Dates compare as texts.
type Date string

const day = "2006-01-02"

// DateOf returns the day of t.
func DateOf(t time.Time) Date { return Date(t.UTC().Format(day)) }

// ParseDate reads a day.
func ParseDate(s string) (Date, error) {
	var d Date
	return d, d.UnmarshalText([]byte(s))
}

// UnmarshalText takes days that there are.
func (d *Date) UnmarshalText(b []byte) error {
	if _, err := time.Parse(day, string(b)); err != nil {
		return fmt.Errorf("%q is no date; write it as 2027-01-31", b)
	}
	*d = Date(b)
	return nil
}

// Days returns how many days lie between d and o.
func (d Date) Days(o Date) int {
	a, _ := time.Parse(day, string(d))
	b, _ := time.Parse(day, string(o))
	return int(b.Sub(a).Hours() / 24)
}

// Span is a time from the first day on and up to, but without, the last; either may be open.
type Span struct {
	From Date `yaml:"from" json:"from,omitempty"`
	To   Date `yaml:"to" json:"to,omitempty"`
}

// Holds reports whether d lies in s.
func (s Span) Holds(d Date) bool { return s.From <= d && (s.To == "" || d < s.To) }

func (s Span) String() string {
	switch {
	case s.To == "":
		return "since " + string(s.From)
	case s.From == "":
		return "until " + string(s.To)
	}
	return fmt.Sprintf("from %s to %s", s.From, s.To)
}

// Purposes are what a device may be used for, in the words of the rules.
func Purposes() []string {
	return []string{"public-safety", "government-facility", "critical-infrastructure", "national-security", "other"}
}

// SiteClasses are kinds of place where a device may stand; a site may be of several.
func SiteClasses() []string {
	return []string{"sensitive", "core-network", "government", "critical-infrastructure", "other"}
}

func quoteList(list []string) string { return strings.Join(list, ", ") }
