package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/signatures"
)

// Classes of maker, as the data write them.
const (
	classCamera  = "camera"
	classSilicon = "silicon"
	classFree    = "free"
	classFamily  = "family"
)

func isCamera(m *signatures.Maker) bool { return m.Class == "" || m.Class == classCamera }

// classes are the claims of marks, as the data write them.
var classes = map[string]Class{
	"": MadeBy, "made-by": MadeBy, "bundles-sdk": BundlesSDK, "talks-to": TalksTo, "silicon": Silicon,
}

// ladder is the order of classes, strongest first.
var ladder = []Class{MadeBy, Undetermined, Converted, BundlesSDK, TalksTo, Silicon, Replacement, Lead}

// The strengths that the rules of decision ask for.
const (
	decisive = 5 // alone
	strong   = 4 // with another of another kind, in another file
	client   = 3 // for a client, a bundled library
	shared   = 2 // between the makers of a family, or by everybody who uses a chip
)

// decide applies the rules of decision to the marks that fired.
func (j *judge) decide(fired []Fired, demoted []Demoted) *Result {
	d := decision{rules: j.rules, byMaker: map[string][]Fired{}}
	for _, f := range fired {
		d.byMaker[f.Maker] = append(d.byMaker[f.Maker], f)
	}
	d.makers()
	d.families()
	d.free()
	d.others()
	d.compete()
	d.sort()
	coverage := j.tree.Coverage()
	res := &Result{Makers: []string{}, Findings: append([]Finding{}, d.findings...), Marks: append([]Fired{}, fired...), Demoted: demoted, Brand: j.opts.ClaimedBrand, Coverage: coverage.Percent()}
	res.conclude(j.rules, coverage)
	res.WhiteLabel = j.rules.whiteLabel(res)
	return res
}

type decision struct {
	rules    *Rules
	byMaker  map[string][]Fired
	findings []Finding
}

// own returns the marks that say who made the thing itself: only those of a device or of its
// build do, whatever else a maker's name stands in.
func (d *decision) own(id string) []Fired {
	return slices.DeleteFunc(slices.Clone(d.byMaker[id]), func(f Fired) bool {
		return f.Claim != MadeBy || f.Role != "device" && f.Role != "build"
	})
}

// enough reports whether marks prove a maker, and by which rule.
func enough(marks []Fired) (string, bool) {
	for _, f := range marks {
		if f.Strength >= decisive {
			return fmt.Sprintf("one decisive mark of the %s itself: %s (%s)", f.Role, f.ID, f.Kind), true
		}
	}
	for i, a := range marks {
		for _, b := range marks[i+1:] {
			if a.Strength >= strong && b.Strength >= strong && independent(a, b) {
				return fmt.Sprintf("two strong marks of different kinds in different files: %s (%s) and %s (%s)", a.ID, a.Kind, b.ID, b.Kind), true
			}
		}
	}
	return "", false
}

// independent reports whether two marks are of different kinds and stand in different files, so
// that they are two witnesses.
func independent(a, b Fired) bool {
	if a.Kind == b.Kind {
		return false
	}
	for x := range a.leaves {
		for y := range b.leaves {
			if x != y {
				return true
			}
		}
	}
	return false
}

// makers names those whose own marks are enough, and lists what is not enough as leads.
func (d *decision) makers() {
	for _, m := range d.rules.makers {
		marks := d.own(m.ID)
		if !slices.ContainsFunc(marks, isStrong) || !isCamera(m.Maker) && m.Class != classFree {
			continue // weak marks only raise confidence
		}
		f := d.finding(MadeBy, m.Maker, marks)
		because, ok := enough(marks)
		switch {
		case ok && m.Class == classFree:
			f.Class, f.Because = Replacement, because
			f.WouldChange = "nothing that a maker left: such firmware is put on devices of many makers"
		case ok:
			f.Because = because
			f.WouldChange = "proof that these bytes were carried over from elsewhere: a converted device, or a file that " + m.Name + " made and others bundle"
		default:
			f.Class, f.Confidence = Lead, Low
			f.Because = fmt.Sprintf("not enough: a maker is named by one mark of strength %d, or by two of strength %d of different kinds in different files", decisive, strong)
			f.WouldChange = "one more strong mark of another kind, in another file"
		}
		d.findings = append(d.findings, f)
	}
}

func (d *decision) finding(class Class, m *signatures.Maker, marks []Fired) Finding {
	marks = slices.Clone(marks)
	slices.SortStableFunc(marks, func(a, b Fired) int { return cmp.Compare(b.Strength, a.Strength) })
	f := Finding{Class: class, Maker: m.ID, Name: m.Name, Marks: marks}
	for _, k := range marks {
		if !slices.Contains(f.Kinds, k.Kind) {
			f.Kinds = append(f.Kinds, k.Kind)
		}
	}
	switch {
	case len(f.Kinds) >= 3:
		f.Confidence = High
	case len(f.Kinds) == 2 && marks[0].Strength >= decisive:
		f.Confidence = High
	case len(f.Kinds) == 2 || marks[0].Strength >= decisive:
		f.Confidence = Medium
	default:
		f.Confidence = Low
	}
	return f
}

func (d *decision) of(class Class, id string) *Finding {
	i := slices.IndexFunc(d.findings, func(f Finding) bool { return f.Class == class && f.Maker == id })
	if i < 0 {
		return nil
	}
	return &d.findings[i]
}

// families settles what makers share. If one member is proved alone, shared marks support it. If
// several are, or none and the shared marks are of two kinds, no member is named.
func (d *decision) families() {
	for _, m := range d.rules.makers {
		if m.Class != classFamily {
			continue
		}
		common := d.own(m.ID)
		var proved []string
		var pool []Fired
		for _, id := range m.Members {
			pool = append(pool, d.own(id)...)
			if d.of(MadeBy, id) != nil {
				proved = append(proved, id)
			}
		}
		switch {
		case len(proved) == 1:
			d.support(proved[0], common)
		case len(proved) > 1:
			d.undetermined(m.Maker, append(pool, common...), "own marks of more than one member are proved: "+strings.Join(proved, ", "))
		case sharedEnough(common, pool):
			d.undetermined(m.Maker, append(pool, common...), "marks of two kinds that the members share, and none that is enough for one of them")
		}
	}
}

// support adds marks to the finding of a maker; they raise its confidence only.
func (d *decision) support(id string, marks []Fired) {
	f := d.of(MadeBy, id)
	r := d.finding(MadeBy, d.rules.maker(id), append(slices.Clone(f.Marks), marks...))
	r.Because, r.WouldChange = f.Because, f.WouldChange
	*f = r
}

func sharedEnough(common, pool []Fired) bool {
	for i, a := range common {
		for _, b := range append(common[i+1:len(common):len(common)], pool...) {
			if a.Strength >= shared && b.Strength >= shared && independent(a, b) {
				return true
			}
		}
	}
	return false
}

// undetermined replaces the findings of the members of a family by one about all of them.
func (d *decision) undetermined(m *signatures.Maker, marks []Fired, because string) {
	d.findings = slices.DeleteFunc(d.findings, func(f Finding) bool {
		return (f.Class == MadeBy || f.Class == Lead) && slices.Contains(m.Members, f.Maker)
	})
	f := d.finding(Undetermined, m, marks)
	f.Candidates = m.Members
	f.Because = because
	f.WouldChange = "marks that only one of " + strings.Join(m.Members, ", ") + " leaves, without any of the others"
	d.findings = append(d.findings, f)
}

// free applies the check for replacement firmware: where it runs, what stands around it shows
// whose device or container it is, unless a mark of the maker's own build is there as well.
func (d *decision) free() {
	i := slices.IndexFunc(d.findings, func(f Finding) bool { return f.Class == Replacement })
	if i < 0 {
		return
	}
	name := d.findings[i].Name
	for k := range d.findings {
		f := &d.findings[k]
		if f.Class != MadeBy && f.Class != Undetermined || slices.ContainsFunc(f.Marks, builtBy) {
			continue
		}
		f.Class = Converted
		f.Because = fmt.Sprintf("%s is present, and of %s only the container or the device around it: %s", name, f.Name, f.Because)
		f.WouldChange = "a decisive mark of " + f.Name + "'s own build, such as a kernel, a module or a program"
	}
}

func isStrong(f Fired) bool { return f.Strength >= strong }

func builtBy(f Fired) bool { return f.Role == "build" && f.Strength >= decisive }

// others names bundled libraries, clients and chips.
func (d *decision) others() {
	for _, m := range d.rules.makers {
		for _, c := range []struct {
			class    Class
			strength int
			because  string
			change   string
		}{
			{BundlesSDK, client, "a file that %s made, or that is built with its development kit, is part of the image", "a mark of the device or of its build would show that %s made more than this file"},
			{TalksTo, client, "software in the image speaks a protocol or names a service of %s", "a library or a mark of the device would show that code of %s is part of the image"},
			{Silicon, shared, "code that %s, maker of the chip, delivers with it", "nothing about the maker of the device: makers of many kinds use chips of %s"},
		} {
			var marks []Fired
			for _, f := range d.byMaker[m.ID] {
				if f.Claim == c.class && f.Strength >= c.strength && f.Role != "list" {
					marks = append(marks, f)
				}
			}
			if len(marks) == 0 {
				continue
			}
			f := d.finding(c.class, m.Maker, marks)
			f.Because, f.WouldChange = fmt.Sprintf(c.because, m.Name), fmt.Sprintf(c.change, m.Name)
			d.findings = append(d.findings, f)
		}
	}
}

// compete lists for each finding what else could explain its marks.
func (d *decision) compete() {
	for i := range d.findings {
		f := &d.findings[i]
		say := func(text string, args ...any) { f.Competing = append(f.Competing, fmt.Sprintf(text, args...)) }
		for k := range d.findings {
			o := &d.findings[k]
			switch {
			case k == i || !aboutMaker(f.Class):
			case f.Class != Lead && o.Class == MadeBy:
				say("%s made it: %s", o.Name, o.Because)
			case o.Class == Replacement:
				say("%s on hardware of another maker", o.Name)
			case o.Class == Lead && o.Maker != f.Maker && f.Class == Undetermined:
				say("%s: %s", o.Name, o.Because)
			}
		}
		switch f.Class {
		case Undetermined:
			for _, id := range f.Candidates {
				if own := d.own(id); len(own) > 0 {
					say("%s alone: only it leaves %s", d.rules.maker(id).Name, own[0].ID)
				} else {
					say("%s alone, with the marks that only it leaves removed", d.rules.maker(id).Name)
				}
			}
		case Converted:
			say("stock firmware of %s with free software added", f.Name)
		case BundlesSDK, TalksTo:
			if d.of(MadeBy, f.Maker) == nil {
				say("a product of another maker that is made to work with devices of %s", f.Name)
			}
		}
	}
}

func aboutMaker(c Class) bool {
	return c == MadeBy || c == Undetermined || c == Converted || c == Lead
}

func (d *decision) sort() {
	slices.SortStableFunc(d.findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(ladder, a.Class), slices.Index(ladder, b.Class))
	})
}

// conclude takes the highest rung of the ladder. Silence over unread bytes is not a finding.
func (r *Result) conclude(rules *Rules, c artifact.Coverage) {
	r.Unread = unread(c)
	r.Verdict = VerdictNothing
	if !c.Clear() {
		r.Verdict = VerdictInconclusive
	}
	if len(r.Findings) > 0 {
		if top := r.Findings[0].Class; top != Replacement && top != Lead {
			r.Verdict = Verdict(top)
		}
	}
	for _, f := range r.Findings {
		if Verdict(f.Class) == r.Verdict {
			r.Makers = append(r.Makers, f.Maker)
		}
	}
	r.Conclusive = r.Verdict == VerdictMadeBy || c.Clear()
	r.Statement = r.statement(rules)
}

// unread says what was not read and why that matters; "" if all was.
func unread(c artifact.Coverage) string {
	switch {
	case c.Clear():
		return ""
	case c.Unread > 0:
		return fmt.Sprintf("%d of %d bytes were not read, in %s: marks may stand there", c.Unread, c.Total, places(len(c.Regions)))
	case len(c.Regions) > 0:
		return fmt.Sprintf("parts are missing or were not read, in %s (first: %s): marks may stand there", places(len(c.Regions)), c.Regions[0].Why)
	}
	return "parts are missing or were not read: marks may stand there"
}

func places(n int) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprint(n, " places")
}

func (r *Result) statement(rules *Rules) string {
	var names []string
	for _, id := range r.Makers {
		names = append(names, rules.maker(id).Name)
	}
	who := strings.Join(names, " and ")
	switch r.Verdict {
	case VerdictNothing:
		return fmt.Sprintf("nothing found at %s %% coverage", r.Coverage)
	case VerdictInconclusive:
		if r.Coverage == "100" {
			return "inconclusive: nothing found, and parts are missing"
		}
		return fmt.Sprintf("inconclusive: nothing found, at %s %% coverage", r.Coverage)
	case VerdictUndetermined:
		return "family undetermined: " + who
	case VerdictConverted:
		return "converted device: " + who + " with replacement firmware"
	case VerdictBundlesSDK:
		return "bundles SDK of " + who
	case VerdictSilicon:
		return "covered silicon: " + who
	}
	return string(r.Verdict) + " " + who
}
