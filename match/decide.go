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
	"": Component, "made-by": Component, "bundles-sdk": SDKClient, "talks-to": Compatible, "silicon": Silicon,
}

// ladder is the order of classes, strongest first; those behind LeadOnly stand apart from it.
var ladder = []Class{Rebadged, Component, Undetermined, SDKClient, Compatible, LeadOnly, Converted, Covered, Silicon, Replacement}

// The strengths that the rules of decision ask for.
const (
	decisive = 5 // alone
	strong   = 4 // with another of another kind, in another file, or with learnt features in its own
	client   = 3 // for a client, a bundled library
	shared   = 2 // between the makers of a family, or by everybody who uses a chip
)

// decide applies the rules of decision to the marks that fired.
func (j *judge) decide(fired []Fired, demoted []Demoted) *Result {
	leads, ruledOut := j.leads(fired)
	d := decision{judge: j, byMaker: map[string][]Fired{}, leads: leads}
	for _, f := range fired {
		d.byMaker[f.Maker] = append(d.byMaker[f.Maker], f)
	}
	d.makers()
	d.strangers()
	d.families()
	d.free()
	d.others()
	d.compete()
	d.sort()
	coverage := j.tree.Coverage()
	res := &Result{
		Makers: []string{}, Findings: append([]Finding{}, d.findings...), Contents: d.contents(),
		Marks: append([]Fired{}, fired...), Demoted: append(demoted, ruledOut...),
		Brand: j.opts.ClaimedBrand, Model: j.opts.ClaimedModel, Coverage: coverage.Percent(),
	}
	res.Looked = map[string]int{}
	for i, m := range j.rules.marks {
		res.Looked[m.ID] = j.tried[i]
	}
	res.conclude(coverage)
	res.WhiteLabel = j.rules.whiteLabel(res)
	return res
}

type decision struct {
	*judge
	byMaker  map[string][]Fired
	leads    []Lead
	findings []Finding
}

// own returns the marks that say who made the thing itself: only those of a device or of its
// build do, whatever else a maker's name stands in.
func (d *decision) own(id string) []Fired {
	return slices.DeleteFunc(slices.Clone(d.byMaker[id]), func(f Fired) bool {
		return f.Claim != Component || f.Role != "device" && f.Role != "build"
	})
}

func (d *decision) leadsOf(id string) []Lead {
	return slices.DeleteFunc(slices.Clone(d.leads), func(l Lead) bool { return l.Family != id })
}

// alone reports whether a mark is enough by itself: it decides, and in an image of this size less
// than one false one is to be expected; or what was learnt of its maker stands in the same file.
func (f *Fired) alone() bool {
	return f.Strength >= decisive && f.Expected < 1 || f.Strength >= strong && f.Learnt
}

// enough reports whether marks prove a maker, and by which rule.
func enough(marks []Fired) (string, bool) {
	for _, f := range marks {
		if f.alone() && f.Strength >= decisive {
			return fmt.Sprintf("one decisive mark of the %s itself: %s (%s)", f.Role, f.ID, f.Kind), true
		}
	}
	for _, f := range marks {
		if f.alone() {
			return fmt.Sprintf("a strong mark of the %s itself, %s (%s), and what was learnt of its maker in the same file", f.Role, f.ID, f.Kind), true
		}
	}
	for i, a := range marks {
		for _, b := range marks[i+1:] {
			if isStrong(a) && isStrong(b) && independent(a, b) {
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

// groups returns the parts of a device in which marks are enough, in the order of the data. Parts
// that are shown by one and the same file are one: its marks come and go together.
func (d *decision) groups(marks []Fired) (out []string) {
	var single []artifact.Digest // the file that alone shows a part, if one does
	for _, g := range d.rules.groups {
		in := slices.DeleteFunc(slices.Clone(marks), func(f Fired) bool { return !f.shows(g) })
		if _, ok := enough(in); !ok {
			continue
		}
		files := map[artifact.Digest]bool{}
		for _, f := range in {
			for leaf, group := range f.leaves {
				if group == g && isStrong(f) {
					files[leaf] = true
				}
			}
		}
		if len(files) == 1 && !slices.ContainsFunc(in, inHeader) {
			for leaf := range files {
				if slices.Contains(single, leaf) {
					files = nil
				}
				single = append(single, leaf)
			}
		}
		if files != nil {
			out = append(out, g)
		}
	}
	return out
}

// inHeader reports whether f stands in the header of something within a content, such as a
// partition of a dump: others in the same content may have nothing to do with it.
func inHeader(f Fired) bool {
	return f.Look == placeHeader || f.Look == placeEnvironment || f.Look == placeDescriptor || f.Look == placeBanner
}

// shows reports whether f stands in a content of the part g.
func (f *Fired) shows(g string) bool {
	for _, in := range f.leaves {
		if in == g {
			return true
		}
	}
	return false
}

// makers names those whose own marks are enough, and lists what is not enough as leads.
func (d *decision) makers() {
	for _, m := range d.rules.makers {
		marks, leads := d.own(m.ID), d.leadsOf(m.ID)
		if !slices.ContainsFunc(marks, isStrong) && len(leads) == 0 || !isCamera(m.Maker) && m.Class != classFree {
			continue // weak marks only raise confidence
		}
		f := d.finding(Component, m.Maker, marks)
		f.Leads = leads
		because, ok := enough(marks)
		f.Groups = d.groups(marks)
		switch {
		case ok && m.Class == classFree:
			f.Class, f.Because, f.Groups = Replacement, because, nil
			f.WouldChange = "nothing that a maker left: such firmware is put on devices of many makers"
		case len(f.Groups) > 1:
			f.Class = Rebadged
			f.Because = fmt.Sprintf("parts that do not depend on each other, each enough by itself: %s; %s", strings.Join(f.Groups, ", "), because)
			f.WouldChange = "proof that all of these parts were carried over from elsewhere"
		case ok:
			f.Because = because
			f.WouldChange = "a part of another kind that is enough by itself would make it a rebadged device; proof that these bytes were carried over from elsewhere, as in a converted device, would undo it"
		default:
			f.Class, f.Confidence, f.Because = LeadOnly, Low, notEnough(marks)
			f.WouldChange = "one more strong mark of another kind, in another file"
			if len(marks) == 0 {
				f.WouldChange = "an authored mark of the maker in one of these files"
			}
		}
		d.findings = append(d.findings, f)
	}
}

func notEnough(marks []Fired) string {
	switch {
	case !slices.ContainsFunc(marks, isStrong):
		return "not enough: files are like what was learnt of this maker, and none has an authored mark: likeness alone names nobody"
	case slices.ContainsFunc(marks, func(f Fired) bool { return f.Strength >= decisive }):
		return "not enough: the mark decides, but it was tested on too few innocent files to stand alone in an image of this size"
	}
	return fmt.Sprintf("not enough: a maker is named by one mark of strength %d, or by two of strength %d of different kinds in different files", decisive, strong)
}

func (d *decision) finding(class Class, m *signatures.Maker, marks []Fired) Finding {
	marks = slices.Clone(marks)
	slices.SortStableFunc(marks, func(a, b Fired) int { return cmp.Compare(b.Strength, a.Strength) })
	f := Finding{Class: class, Maker: m.ID, Name: m.Name, Marks: marks, Kinds: []string{}}
	for _, k := range marks {
		if !slices.Contains(f.Kinds, k.Kind) {
			f.Kinds = append(f.Kinds, k.Kind)
		}
	}
	top := 0
	if len(marks) > 0 {
		top = marks[0].Strength
	}
	switch {
	case len(f.Kinds) >= 3:
		f.Confidence = High
	case len(f.Kinds) == 2 && top >= decisive:
		f.Confidence = High
	case len(f.Kinds) == 2 || top >= decisive:
		f.Confidence = Medium
	default:
		f.Confidence = Low
	}
	f.Score = score(marks, d.leadsOf(m.ID))
	f.Support = support(f.Score)
	return f
}

// strangers lists learnt families that no authored mark is known of.
func (d *decision) strangers() {
	var families []string
	for _, l := range d.leads {
		if d.rules.maker(l.Family) == nil && !slices.Contains(families, l.Family) {
			families = append(families, l.Family)
		}
	}
	slices.Sort(families)
	for _, id := range families {
		f := d.finding(LeadOnly, &signatures.Maker{ID: id, Name: id}, nil)
		f.Leads, f.Because = d.leadsOf(id), notEnough(nil)
		f.WouldChange = "authored marks of this family: none are known here"
		d.findings = append(d.findings, f)
	}
}

// proved returns the finding that names a maker of the device or of a part of it.
func (d *decision) proved(id string) *Finding {
	i := slices.IndexFunc(d.findings, func(f Finding) bool { return f.Maker == id && f.Class.names() })
	if i < 0 {
		return nil
	}
	return &d.findings[i]
}

// names reports whether a finding of class c names a maker of the device or of a part of it.
func (c Class) names() bool { return c == Rebadged || c == Component }

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
			if d.proved(id) != nil {
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
	f := d.proved(id)
	r := d.finding(f.Class, d.rules.maker(id), append(slices.Clone(f.Marks), marks...))
	r.Because, r.WouldChange, r.Groups, r.Leads = f.Because, f.WouldChange, f.Groups, f.Leads
	r.Score, r.Support = f.Score, f.Support // what makers share speaks for none of them
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
		return (f.Class.names() || f.Class == LeadOnly) && slices.Contains(m.Members, f.Maker)
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
		if !f.Class.names() && f.Class != Undetermined || slices.ContainsFunc(f.Marks, builtBy) {
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
			{SDKClient, client, "a file that %s made, or that is built with its development kit, is part of the image", "a mark of the device or of its build would show that %s made more than this file"},
			{Compatible, client, "software in the image speaks a protocol or names a service of %s", "a library or a mark of the device would show that code of %s is part of the image"},
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
			if c.class == Silicon && m.Covered != "" {
				f.Class = Covered
				f.Because += "; covered by " + m.Covered
			}
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
			case f.Class != LeadOnly && o.Class.names():
				say("%s made it: %s", o.Name, o.Because)
			case o.Class == Replacement:
				say("%s on hardware of another maker", o.Name)
			case o.Class == LeadOnly && o.Maker != f.Maker && f.Class == Undetermined:
				say("%s: %s", o.Name, o.Because)
			}
		}
		for _, l := range f.Leads {
			if l.NearestInnocent != "" {
				say("code that others use as well: the nearest innocent is %s", l.NearestInnocent)
				break
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
		case SDKClient, Compatible:
			if d.proved(f.Maker) == nil {
				say("a product of another maker that is made to work with devices of %s", f.Name)
			}
		case Component:
			say("a device of another maker that has this part of %s in it", f.Name)
		}
	}
}

func aboutMaker(c Class) bool {
	return c.names() || c == Undetermined || c == Converted || c == LeadOnly
}

func (d *decision) sort() {
	slices.SortStableFunc(d.findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(ladder, a.Class), slices.Index(ladder, b.Class))
	})
}

// conclude takes the highest rung of the ladder. Silence over unread bytes is not a finding.
func (r *Result) conclude(c artifact.Coverage) {
	r.Unread = unread(c)
	read := c.Clear() && c.Total > 0 // of nothing, nothing can be said
	r.Verdict = VerdictNone
	if !read {
		r.Verdict = VerdictInconclusive
	}
	if len(r.Findings) > 0 {
		if v, ok := verdicts[r.Findings[0].Class]; ok {
			r.Verdict = v
		}
	}
	for _, f := range r.Findings {
		if verdicts[f.Class] == r.Verdict {
			r.Makers = append(r.Makers, f.Maker)
		}
	}
	r.Conclusive = r.Verdict == VerdictRebadged || r.Verdict == VerdictComponent || read
	r.Statement = r.statement()
}

// verdicts says which rung a finding puts the image on. What stands apart from the ladder has none;
// of a converted device, nothing shows more than that somebody should look.
var verdicts = map[Class]Verdict{
	Rebadged: VerdictRebadged, Component: VerdictComponent, Undetermined: VerdictUndetermined, SDKClient: VerdictSDKClient,
	Compatible: VerdictCompatible, LeadOnly: VerdictLead, Converted: VerdictLead,
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

func (r *Result) statement() string {
	named := map[Class][]string{}
	for _, f := range r.Findings {
		named[f.Class] = append(named[f.Class], f.Name)
	}
	names := func(c Class) string { return strings.Join(named[c], " and ") }
	say := string(r.Verdict)
	switch c := Class(r.Verdict); c {
	case Rebadged:
		say += ": made by " + names(c)
	case Component, SDKClient:
		say += " of " + names(c)
	case Compatible:
		say += " devices of " + names(c)
	case Undetermined:
		say += ": " + names(c)
	case LeadOnly:
		say += ": " + strings.Join(append(named[LeadOnly], named[Converted]...), " and ")
	case Class(VerdictNone):
		say += fmt.Sprintf(" at %s %% coverage", r.Coverage)
	case Class(VerdictInconclusive):
		say += fmt.Sprintf(": no evidence in the %s %% that was read", r.Coverage)
		if r.Coverage == "100" {
			say = "inconclusive: no evidence in what was read, and parts are missing"
		}
	}
	for _, c := range []Class{Converted, Replacement, Covered} {
		if len(named[c]) > 0 {
			say += fmt.Sprintf("; %s: %s", c, names(c))
		}
	}
	return say
}
