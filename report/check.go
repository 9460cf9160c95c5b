package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/policy"
	"hallmark/policy/devicelist"
)

// Inspection is what a check of devices against a list and rule packs found.
type Inspection struct {
	AsOf     policy.Date
	Purpose  string
	Sites    []string
	List     *devicelist.List // nil if only rule packs were asked
	ListBy   []string         // ids of the keys that signed it; none if it is not signed
	Waivers  *devicelist.Waivers
	WaiverBy []string
	Packs    []*policy.Pack
	Warnings []string
	Devices  []*devicelist.Check
	Pointers []Pointer // of each device
}

// Pointer is the line of a file in the repository that results on a device point at: where it is
// named to be checked, or its entry in the list, or the firmware itself.
type Pointer struct {
	File string // relative, with slashes
	Line int
}

// CheckOutputs returns the outputs of a check; those about components need a single device.
func CheckOutputs() []Output {
	out := []Output{
		{Name: "text", Title: "for people", Write: writeCheckText},
		{Name: "json", Title: "everything, for programs; docs/check.schema.json describes it", Write: writeCheckJSON},
		{Name: "sarif", Title: "SARIF 2.1.0 for code scanning", Write: WriteSARIF},
		{Name: "junit", Title: "JUnit XML, a case for each device and rule", Write: WriteJUnit},
		{Name: "md", Title: "Markdown for the summary of a job", Write: WriteMarkdown},
	}
	for _, o := range Outputs() {
		if o.Components {
			out = append(out, o)
		}
	}
	return out
}

// Count returns how many results of all devices are in a state.
func (c *Inspection) Count(s devicelist.State) int {
	n := 0
	for _, d := range c.Devices {
		n += d.Count(s)
	}
	return n
}

// summary is the last line for people.
func (c *Inspection) summary() string {
	s := fmt.Sprintf("%d device%s: %d violation%s, %d waived, %d inconclusive, %d warning%s",
		len(c.Devices), plural(len(c.Devices)), c.Count(devicelist.Fail), plural(c.Count(devicelist.Fail)), c.Count(devicelist.Waived),
		c.Count(devicelist.Inconclusive), c.Count(devicelist.Warn), plural(c.Count(devicelist.Warn)))
	return s
}

// basis lists what the devices were checked against.
func (c *Inspection) basis() []string {
	var out []string
	signed := func(by []string) string {
		if len(by) == 0 {
			return "not signed"
		}
		return "signed by key " + short(by[0])
	}
	if l := c.List; l != nil {
		out = append(out, fmt.Sprintf("list %s, version %s, issued %s, expires %s, %s", l.Header.ID, l.Header.Version, l.Header.Issued, l.Header.Expires, signed(c.ListBy)))
	}
	for _, p := range c.Packs {
		out = append(out, fmt.Sprintf("rule pack %s, version %s, reviewed %s", p.ID, p.Version, p.Reviewed))
	}
	if w := c.Waivers; w != nil {
		out = append(out, fmt.Sprintf("waivers %s, version %s, %s", w.Header.ID, w.Header.Version, signed(c.WaiverBy)))
	}
	return out
}

func short(id string) string { return id[:min(16, len(id))] }

func (c *Inspection) place() string {
	return fmt.Sprintf("as of %s, %s", c.AsOf, placeOf(c.Purpose, c.Sites))
}

func placeOf(purpose string, sites []string) string {
	site := strings.Join(sites, ", ")
	if purpose == "" {
		purpose = "not said"
	}
	if site == "" {
		site = "not said"
	}
	return fmt.Sprintf("purpose %s, site class %s", purpose, site)
}

// about says of a device what its verdict rests on.
func about(d *devicelist.Check) string {
	switch {
	case d.BoundBy != "":
		return fmt.Sprintf("entry %s, firmware %s, by %s", d.Entry, d.Firmware, d.BoundBy)
	case d.Entry != "":
		return "compared with entry " + d.Entry
	}
	return ""
}

// states are those worth a line, gravest first.
var states = []devicelist.State{devicelist.Fail, devicelist.Inconclusive, devicelist.Waived, devicelist.Warn}

// told returns the results of d worth a line, gravest first.
func told(d *devicelist.Check) []*devicelist.Result {
	var out []*devicelist.Result
	for _, s := range states {
		for i := range d.Results {
			if d.Results[i].State == s {
				out = append(out, &d.Results[i])
			}
		}
	}
	return out
}

func writeCheckText(w io.Writer, r *Result, s Style) error {
	c := r.Check
	t := &text{Writer: bufio.NewWriter(w), Style: s, r: r}
	for _, line := range c.basis() {
		t.line("%s", Printable(line))
	}
	t.line("%s", Printable(c.place()))
	for _, x := range c.Warnings {
		t.line("%s %s", t.paint("33", "warning:"), Printable(x))
	}
	for _, d := range c.Devices {
		color := "1;31"
		switch d.Verdict {
		case devicelist.Approved, devicelist.NoMatch:
			color = "1;32"
		case devicelist.Unknown, devicelist.LetPass:
			color = "1;33"
		}
		t.line("\n%s  sha256 %s", t.bold(Printable(d.Name)), d.SHA256)
		verdict := t.paint(color, string(d.Verdict))
		if a := about(d); a != "" {
			verdict += " (" + Printable(a) + ")"
		}
		t.line("%s %s", t.bold("Verdict:"), verdict)
		if f := d.Facts; f.Purpose != c.Purpose || !slices.Equal(f.Sites, c.Sites) {
			t.line("  %s", Printable(placeOf(f.Purpose, f.Sites)))
		}
		for _, x := range told(d) {
			t.wrap("  ", Printable(fmt.Sprintf("%s %s: %s", strings.ToUpper(string(x.State)), x.Rule, x.Statement)))
			t.details(x, c)
		}
		if n, skipped := d.Count(devicelist.Pass), d.Count(devicelist.Skip); n+skipped > 0 {
			t.line("  %d rule%s passed, %d not applicable", n, plural(n), skipped)
		}
	}
	t.line("\n%s", c.summary())
	return t.Flush()
}

func (t *text) details(x *devicelist.Result, c *Inspection) {
	for _, e := range x.Evidence {
		t.line("      %s at %s", Printable(e.Rule), Printable(e.Place))
	}
	if x.Waiver != "" {
		t.wrap("      ", Printable(waived(x, c)))
	}
	for _, why := range x.Unwaived {
		t.wrap("      ", Printable(why))
	}
}

// waived says by whom and until when a result was let pass.
func waived(x *devicelist.Result, c *Inspection) string {
	i := slices.IndexFunc(c.Waivers.Entries, func(w devicelist.Waiver) bool { return w.ID == x.Waiver })
	w := &c.Waivers.Entries[i]
	var who []string
	for _, a := range w.Approvers {
		who = append(who, a.Name+" ("+a.Role+")")
	}
	return fmt.Sprintf("waiver %s until %s, approved by %s: %s", w.ID, w.Expires, strings.Join(who, ", "), w.Reason)
}

// checkDoc is the JSON document of a check.
type checkDoc struct {
	Hallmark string              `json:"hallmark"`
	Schema   int                 `json:"schema"`
	AsOf     policy.Date         `json:"as_of"`
	Purpose  string              `json:"purpose,omitempty"`
	Sites    []string            `json:"sites,omitempty"`
	List     *basisDoc           `json:"list,omitempty"`
	Waivers  *basisDoc           `json:"waivers,omitempty"`
	Packs    []packDoc           `json:"packs"`
	Warnings []string            `json:"warnings"`
	Counts   map[string]int      `json:"counts"`
	Devices  []*devicelist.Check `json:"devices"`
}

type basisDoc struct {
	File     string          `json:"file"`
	SHA256   artifact.Digest `json:"sha256"`
	ID       string          `json:"id"`
	Version  string          `json:"version"`
	Expires  policy.Date     `json:"expires"`
	SignedBy []string        `json:"signed_by"`
}

type packDoc struct {
	ID       string      `json:"id"`
	Version  string      `json:"version"`
	Reviewed policy.Date `json:"reviewed"`
	ReviewBy policy.Date `json:"review_by"`
}

// checkSchema is raised when a field of the check's document changes its meaning.
const checkSchema = 1

func writeCheckJSON(w io.Writer, r *Result, _ Style) error {
	c := r.Check
	d := checkDoc{Hallmark: r.Version, Schema: checkSchema, AsOf: c.AsOf, Purpose: c.Purpose, Sites: c.Sites, Packs: []packDoc{}, Warnings: append([]string{}, c.Warnings...), Counts: map[string]int{}, Devices: c.Devices}
	if l := c.List; l != nil {
		d.List = &basisDoc{text8(l.File), l.SHA256, l.Header.ID, l.Header.Version, l.Header.Expires, append([]string{}, c.ListBy...)}
	}
	if x := c.Waivers; x != nil {
		d.Waivers = &basisDoc{text8(x.File), x.SHA256, x.Header.ID, x.Header.Version, x.Header.Expires, append([]string{}, c.WaiverBy...)}
	}
	for _, p := range c.Packs {
		d.Packs = append(d.Packs, packDoc{p.ID, p.Version, p.Reviewed, p.ReviewBy})
	}
	for _, s := range append(states, devicelist.Pass, devicelist.Skip) {
		d.Counts[string(s)] = c.Count(s)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(d)
}
