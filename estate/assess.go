package estate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"hallmark/artifact"
	"hallmark/policy"
)

// Grade says on what evidence a device is held to be covered by a rule, strongest first.
type Grade string

const (
	Shown        Grade = "shown"        // the bytes of its firmware match a rule
	Labelled     Grade = "labelled"     // it is sold under the maker's own name or brand
	Indicated    Grade = "indicated"    // public sources say that the maker makes such products for the brand
	Inconclusive Grade = "inconclusive" // its firmware was looked at, and cannot tell
	Unknown      Grade = "unknown"      // nothing is known of it: upload its firmware
	NotShown     Grade = "not shown"    // its firmware was read, and matches no rule
	Outside      Grade = "outside"      // no rule is about the place where it stands, or in effect
)

// Grades are all grades, in that order.
var Grades = []Grade{Shown, Labelled, Indicated, Inconclusive, Unknown, NotShown, Outside}

// ToClear says whether devices of a grade count as those that rules ask to be cleared.
func (g Grade) ToClear() bool { return g == Shown || g == Labelled || g == Indicated }

// Firmware is what a report says of an image.
type Firmware struct {
	Facts      policy.Facts
	Conclusive bool   // nothing that is unread could change the verdict
	Statement  string // the verdict in one sentence
	Report     string // where that was read
}

// Rule is a rule that matches, with the place where it stands.
type Rule struct{ ID, Citation string }

// Knowledge is what an inventory is joined with.
type Knowledge struct {
	AsOf     time.Time // a day; what was done later has not happened
	Purpose  string    // that the devices serve, as rule packs name it; "" is not said
	Firmware map[artifact.Digest]Firmware
	Graph    *policy.Graph
	Packs    []*policy.Pack
}

// Assessment is what is held of one device.
type Assessment struct {
	*Device
	Grade   Grade
	Maker   string // of a label: id of the company or maker it stands for; "" for a firmware
	Because string // one sentence with its source
	Rules   []Rule // that match; none unless Grade.ToClear
	Cleared bool   // by AsOf
	Undated bool   // cleared at a date that nobody wrote down
}

// Result is the whole estate at one date.
type Result struct {
	AsOf    time.Time
	Devices []Assessment // in the order of the inventory
}

// Assess joins an inventory with what is known. Time is linear in the number of devices.
func Assess(inv *Inventory, k Knowledge) *Result {
	a := &assessor{k: k, labels: map[string][]label{}, answers: map[question]answer{}, same: map[product]*twin{}}
	for i := range inv.Devices {
		a.learnProduct(&inv.Devices[i])
	}
	r := &Result{AsOf: k.AsOf, Devices: make([]Assessment, len(inv.Devices))}
	for i := range inv.Devices {
		r.Devices[i] = a.assess(&inv.Devices[i])
	}
	return r
}

type assessor struct {
	k       Knowledge
	labels  map[string][]label // by brand as written
	answers map[question]answer
	same    map[product]*twin
}

// question is asked of the rules once, however many devices it is about.
type question struct {
	subject string // digest of a firmware, or id of a company or maker
	classes string
	network Network
}

type answer struct {
	rules   []Rule // that match
	because string // the first of them does
	unsure  string // why some rule cannot tell; "" if every one can
	applies bool   // some rule is about the place
}

// label is what a brand says of who made a device.
type label struct {
	maker  string // id of a company or maker
	name   string
	grade  Grade
	source string
}

// product is what devices of one kind and one firmware version have in common.
type product struct{ brand, model, version string }

// twin is the firmware of some device of a product.
type twin struct {
	sha256  artifact.Digest
	device  *Device
	differs bool // others of the same version have another firmware
}

// The kinds of relation that say the maker sells under the brand itself, and that it makes what
// another sells. All others (tenants of a cloud, users of a board) say nothing of who made a device.
var (
	ownKinds  = []string{"own brand", "own sub-brand", "own consumer brand", "owned brand", "joint company"}
	madeKinds = []string{"OEM product", "OEM partner", "relabelled product", "white-label build"}
)

func (a *assessor) label(brand string) []label {
	out, ok := a.labels[brand]
	if ok || brand == "" {
		return out
	}
	if e := a.k.Graph.Named(brand); e != nil {
		out = append(out, label{e.ID, e.Name, Labelled, fmt.Sprintf("the label says %s (%s, read %s)", brand, e.Source, e.Retrieved)})
	}
	for _, b := range a.k.Graph.Brands(brand) {
		grade := Unknown
		switch {
		case slices.Contains(ownKinds, b.Kind):
			grade = Labelled
		case slices.Contains(madeKinds, b.Kind) && b.Confidence != "low":
			grade = Indicated
		}
		name := b.Maker
		if e := a.k.Graph.OfMaker(b.Maker); e != nil {
			name = e.Name
		}
		source := fmt.Sprintf("the label says %s, on record as %s of %s", brand, b.Kind, name)
		if b.Scope != "" {
			source += ", " + b.Scope
		}
		source += fmt.Sprintf(" (%s, %s; confidence %s)", b.Source, b.Date, b.Confidence)
		out = append(out, label{b.Maker, name, grade, source})
	}
	a.labels[brand] = out
	return out
}

func (d *Device) product() (product, bool) {
	p := product{plain(d.Brand), plain(d.Model), d.Version}
	return p, p.brand != "" && p.model != "" && p.version != ""
}

func (a *assessor) learnProduct(d *Device) {
	p, ok := d.product()
	if _, known := a.k.Firmware[d.SHA256]; !ok || !d.HasDigest || !known {
		return
	}
	if t := a.same[p]; t == nil {
		a.same[p] = &twin{sha256: d.SHA256, device: d}
	} else if t.sha256 != d.SHA256 {
		t.differs = true
	}
}

func (a *assessor) assess(d *Device) Assessment {
	out := a.grade(d)
	out.Device = d
	if d.Status == Removed || d.Status == Replaced {
		out.Undated = d.Done.IsZero()
		out.Cleared = out.Undated || !d.Done.After(a.k.AsOf)
	} else if !d.Done.IsZero() {
		out.Cleared = !d.Done.After(a.k.AsOf)
	}
	return out
}

// grade takes the strongest evidence that there is. A firmware that was read speaks alone: a
// label does not overrule it in either direction.
func (a *assessor) grade(d *Device) Assessment {
	if !a.ask("", policy.Facts{}, d).applies {
		return Assessment{Grade: Outside, Because: "no rule is about the place where it stands, or in effect"}
	}
	image, because := d.SHA256, ""
	f, ok := a.k.Firmware[image]
	ok = ok && d.HasDigest
	if !ok && !d.HasDigest {
		if p, complete := d.product(); complete {
			if t := a.same[p]; t != nil && !t.differs {
				image = t.sha256
				f, ok = a.k.Firmware[image]
				because = fmt.Sprintf("same model and firmware version as %s of %s: ", t.device.ID, t.device.Site)
			}
		}
	}
	if ok {
		because += fmt.Sprintf("%s (%s)", f.Statement, f.Report)
		said := a.ask(string(image[:]), f.Facts, d)
		switch {
		case len(said.rules) > 0:
			return Assessment{Grade: Shown, Because: because + "; " + said.because, Rules: said.rules}
		case said.unsure != "":
			return Assessment{Grade: Inconclusive, Because: because + "; " + said.unsure}
		case !f.Conclusive:
			return Assessment{Grade: Inconclusive, Because: because}
		}
		return Assessment{Grade: NotShown, Because: because}
	}
	labels, unsure := a.label(d.Brand), ""
	for _, l := range labels {
		if !l.grade.ToClear() {
			continue
		}
		said := a.ask(l.maker, policy.Facts{
			Makers:   []policy.Maker{{ID: l.maker, Name: l.name, Rung: policy.Device}},
			Coverage: policy.Coverage{Percent: 100, Clear: true}, // the label is all there is to read
		}, d)
		if len(said.rules) > 0 {
			return Assessment{Grade: l.grade, Maker: l.maker, Because: l.source + "; if that is so: " + said.because, Rules: said.rules}
		}
		unsure = cmp.Or(unsure, said.unsure)
	}
	switch {
	case unsure != "":
		because = labels[0].source + "; " + unsure
	case d.HasDigest:
		because = "no report is on record for its firmware: upload it"
	case len(labels) > 0:
		because = labels[0].source + "; no rule follows from that: upload its firmware"
	default:
		because = "no firmware on record and no brand that is known: upload its firmware"
	}
	return Assessment{Grade: Unknown, Because: because}
}

// coreNetwork is the class of site that rules on connecting devices speak of.
const coreNetwork = "core-network"

// ask judges facts where a device stands by every rule whose breach is a violation. What stands
// on a core network stands on two sites at once, and what is not known of one says nothing of the
// other.
func (a *assessor) ask(subject string, f policy.Facts, d *Device) answer {
	q := question{subject, strings.Join(d.Classes, "+"), d.Network}
	out, ok := a.answers[q]
	if ok {
		return out
	}
	at := policy.DateOf(a.k.AsOf)
	f.Purpose = a.k.Purpose
	for _, p := range a.k.Packs {
		f.Sites = d.Classes
		verdicts := p.Judge(&f, at)
		if d.Network == Core {
			f.Sites = []string{coreNetwork}
			for i, v := range p.Judge(&f, at) {
				if v.Outcome == policy.Matches || verdicts[i].Outcome == policy.NotApplicable {
					verdicts[i] = v
				}
			}
		}
		for _, v := range verdicts {
			if v.Level != "violation" || v.Outcome == policy.NotApplicable {
				continue
			}
			out.applies = true
			switch v.Outcome {
			case policy.Matches:
				out.because = cmp.Or(out.because, strings.Join(v.Reasons, "; "))
				out.rules = append(out.rules, Rule{v.Rule, v.Citation.Law + ", " + v.Citation.Section})
			case policy.Inconclusive:
				out.unsure = cmp.Or(out.unsure, v.Statement)
			}
		}
	}
	a.answers[q] = out
	return out
}

// plain makes models equal that differ in case, blanks and punctuation alone.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r > 0x7f:
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

// First returns what is to be disconnected first: devices to clear that are still in place, on a
// core network or where nobody said on which, in the order of how little doubt there is.
func (r *Result) First() []*Assessment {
	var out []*Assessment
	for i := range r.Devices {
		d := &r.Devices[i]
		if d.Grade.ToClear() && !d.Cleared && d.Status != Disconnected && (d.Network == Core || d.Network == NoWord) {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(x, y *Assessment) int {
		return cmp.Or(cmp.Compare(unsaid(x), unsaid(y)), slices.Index(Grades, x.Grade)-slices.Index(Grades, y.Grade),
			cmp.Compare(x.Site, y.Site), cmp.Compare(x.ID, y.ID))
	})
	return out
}

func unsaid(a *Assessment) int {
	if a.Network == Core {
		return 0
	}
	return 1
}

// Upload returns the devices in place of which too little is known, each product once: one
// upload of its firmware answers for all of them. Those on a core network come first, then the
// products with most devices.
func (r *Result) Upload() []Missing {
	at := map[product]int{}
	var out []Missing
	for i := range r.Devices {
		d := &r.Devices[i]
		if d.Grade != Unknown && d.Grade != Inconclusive || d.Cleared {
			continue
		}
		p := product{plain(d.Brand), plain(d.Model), d.Version}
		n, ok := at[p]
		if !ok {
			n = len(out)
			at[p] = n
			out = append(out, Missing{Brand: d.Brand, Model: d.Model, Version: d.Version})
		}
		out[n].Devices++
		if d.Network == Core {
			out[n].OnCore++
		}
	}
	slices.SortStableFunc(out, func(x, y Missing) int {
		return cmp.Or(cmp.Compare(min(y.OnCore, 1), min(x.OnCore, 1)), cmp.Compare(y.Devices, x.Devices),
			cmp.Compare(x.Brand, y.Brand), cmp.Compare(x.Model, y.Model), cmp.Compare(x.Version, y.Version))
	})
	return out
}

// Missing is a product whose firmware is wanted.
type Missing struct {
	Brand   string `json:"brand"`
	Model   string `json:"model,omitempty"`
	Version string `json:"firmware_version,omitempty"`
	Devices int    `json:"devices"`
	OnCore  int    `json:"on_core"`
}
