package estate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"hallmark/artifact"
	"hallmark/signatures"
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
)

// Grades are all grades, in that order.
var Grades = []Grade{Shown, Labelled, Indicated, Inconclusive, Unknown, NotShown}

// ToClear says whether devices of a grade count as those that rules ask to be cleared.
func (g Grade) ToClear() bool { return g == Shown || g == Labelled || g == Indicated }

// Firmware is what a report says of an image.
type Firmware struct {
	SHA256     artifact.Digest
	Conclusive bool
	Statement  string // the verdict in one sentence
	Report     string // where that was read
}

// Rule is a rule that matches, with the place where it stands.
type Rule struct {
	ID       string
	Citation string
}

// Answer is what the rules say of one subject at one kind of place.
type Answer struct {
	Rules  []Rule // that it matches
	Unsure string // why some rule cannot tell; "" if every one can
}

// Knowledge is what an inventory is joined with.
type Knowledge struct {
	AsOf     time.Time // a date; what was done later has not happened
	Firmware map[artifact.Digest]Firmware
	Brands   []signatures.Brand
	Makers   []signatures.Maker
	// ByFirmware says which rules an image matches on a site of some classes, and ByMaker which
	// the products of a maker do, on a network. Either is asked once for each combination.
	ByFirmware func(image artifact.Digest, classes []string, n Network) Answer
	ByMaker    func(maker string, classes []string, n Network) Answer
}

// Assessment is what is held of one device.
type Assessment struct {
	*Device
	Grade   Grade
	Maker   string // id; of a label, "" for a firmware
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
	a := &assessor{k: k, labels: map[string][]label{}, answers: map[[3]string]Answer{}, same: map[product]*twin{}}
	a.learnLabels()
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
	labels  map[string][]label // by plain name
	answers map[[3]string]Answer
	same    map[product]*twin
}

// label is what a brand says of a maker.
type label struct {
	maker  string
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

func (a *assessor) learnLabels() {
	for _, m := range a.k.Makers {
		for _, n := range append([]string{m.Name}, m.Names...) {
			a.learnLabel(n, label{m.ID, Labelled, fmt.Sprintf("%s is a name of %s itself", n, m.Name)})
		}
	}
	for _, b := range a.k.Brands {
		grade := Unknown
		switch {
		case slices.Contains(ownKinds, b.Kind):
			grade = Labelled
		case slices.Contains(madeKinds, b.Kind) && b.Confidence != "low":
			grade = Indicated
		}
		source := fmt.Sprintf("%s is on record as %s of %s", b.Brand, b.Kind, a.makerName(b.Maker))
		if b.Scope != "" {
			source += ", " + b.Scope
		}
		source += fmt.Sprintf(" (%s, %s; confidence %s)", b.Source, b.Date, b.Confidence)
		for _, n := range append([]string{b.Brand}, b.Aliases...) {
			a.learnLabel(n, label{b.Maker, grade, source})
		}
	}
}

func (a *assessor) learnLabel(name string, l label) {
	key := plain(name)
	if key != "" && !slices.ContainsFunc(a.labels[key], func(o label) bool { return o.maker == l.maker && o.grade == l.grade }) {
		a.labels[key] = append(a.labels[key], l)
	}
}

func (a *assessor) makerName(id string) string {
	for _, m := range a.k.Makers {
		if m.ID == id {
			return m.Name
		}
	}
	return id
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
		answer := a.ask("f"+string(image[:]), d, func() Answer { return a.k.ByFirmware(image, d.Classes, d.Network) })
		switch {
		case len(answer.Rules) > 0:
			return Assessment{Grade: Shown, Because: because, Rules: answer.Rules}
		case answer.Unsure != "":
			return Assessment{Grade: Inconclusive, Because: because + "; " + answer.Unsure}
		case !f.Conclusive:
			return Assessment{Grade: Inconclusive, Because: because}
		}
		return Assessment{Grade: NotShown, Because: because}
	}
	known, unsure := a.labels[plain(d.Brand)], ""
	for _, l := range known {
		if !l.grade.ToClear() {
			continue
		}
		answer := a.ask("m"+l.maker, d, func() Answer { return a.k.ByMaker(l.maker, d.Classes, d.Network) })
		if len(answer.Rules) > 0 {
			return Assessment{Grade: l.grade, Maker: l.maker, Because: l.source, Rules: answer.Rules}
		}
		unsure = cmp.Or(unsure, answer.Unsure)
	}
	switch {
	case unsure != "":
		because = known[0].source + "; " + unsure
	case d.HasDigest:
		because = "no report is on record for its firmware: upload it"
	case len(known) > 0:
		because = known[0].source + "; no rule follows from that: upload its firmware"
	default:
		because = "no firmware on record and no brand that is known: upload its firmware"
	}
	return Assessment{Grade: Unknown, Because: because}
}

// ask asks each question once.
func (a *assessor) ask(subject string, d *Device, f func() Answer) Answer {
	key := [3]string{subject, strings.Join(d.Classes, "+"), string(d.Network)}
	answer, ok := a.answers[key]
	if !ok {
		answer = f()
		a.answers[key] = answer
	}
	return answer
}

// plain compares names without case, blanks and punctuation.
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
