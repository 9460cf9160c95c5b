package report

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"hallmark/artifact"
	"hallmark/estate"
)

// Estate is the state of an estate at one date, with what it was judged by.
type Estate struct {
	Version    string
	File       string
	Result     *estate.Result
	Milestones []estate.Milestone
	Packs      []string // names of the rule packs, with their dates
	Notes      []string // what the reader must know, such as columns that were not used
}

// EstateOutput is one way to write an estate.
type EstateOutput struct {
	Name, Title string
	Write       func(io.Writer, *Estate) error
}

// EstateOutputs returns every output there is.
func EstateOutputs() []EstateOutput {
	return []EstateOutput{
		{"text", "for people", WriteEstate},
		{"csv", "one line a device, with grade, rules and reason", WriteEstateCSV},
		{"json", "everything, for programs", WriteEstateJSON},
		{"svg", "how many devices were cleared up to which date, against the milestones", WriteEstateSVG},
	}
}

// shown bounds the lists of the text.
const shown = 20

// WriteEstate writes e for people.
func WriteEstate(out io.Writer, e *Estate) error {
	w := bufio.NewWriter(out)
	total := e.Result.Total()
	fmt.Fprintf(w, "%s  %s on %s, as of %s\n", Printable(e.File), count(total.Devices, "device"), count(len(e.Result.Sites()), "site"), day(e.Result.AsOf))
	fmt.Fprintf(w, "Rules: %s\n\n", strings.Join(e.Packs, ", "))
	fmt.Fprintf(w, "To clear: %s that match a rule; %d cleared (%s), %d not.\n", count(total.ToClear, "device"), total.Cleared, percent(total.Share()), total.ToClear-total.Cleared)
	if n := total.Open(); n > 0 {
		fmt.Fprintf(w, "Not known: %s more may have to be cleared; nothing on record can tell.\n", count(n, "device"))
	}
	if total.Late > 0 {
		fmt.Fprintf(w, "Late: %d still in place although planned for an earlier date.\n", total.Late)
	}
	if total.Undated > 0 {
		fmt.Fprintf(w, "Undated: %d cleared at a date that the inventory does not say, counted from the beginning.\n", total.Undated)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range estate.Grades {
		fmt.Fprintf(t, "  %s\t%d\t%s\n", g, total.Grades[g], gradeText[g])
	}
	t.Flush()
	if len(e.Milestones) > 0 {
		fmt.Fprintln(w, "\nMilestones")
		t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, m := range e.Milestones {
			kept, share := e.Result.Judge(m)
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s cleared\t%s\n", day(m.Date), percent(m.Share), kept, percent(share), Printable(m.Source))
		}
		t.Flush()
	}
	writeFirst(w, e.Result.First())
	writeUpload(w, e.Result.Upload())
	fmt.Fprintln(w, "\nSites")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  site\tdevices\tto clear\tcleared\tshare\ton core\tnot known")
	sites := e.Result.Sites()
	for i, s := range sites {
		if i == 5*shown {
			fmt.Fprintf(t, "  and %d more: -o csv and -o json have all\n", len(sites)-i)
			break
		}
		fmt.Fprintf(t, "  %s\t%d\t%d\t%d\t%s\t%d\t%d\n", Printable(s.Name), s.Devices, s.ToClear, s.Cleared, percent(s.Share()), s.Core, s.Open())
	}
	t.Flush()
	for _, n := range e.Notes {
		fmt.Fprintf(w, "\nNote: %s\n", Printable(n))
	}
	return w.Flush()
}

// gradeText says what each grade means.
var gradeText = map[estate.Grade]string{
	estate.Shown:        "the bytes of the firmware match the description in a rule",
	estate.Labelled:     "sold under the maker's own name or brand; the firmware was not looked at",
	estate.Indicated:    "sold under a brand for which a maker is on record; the firmware was not looked at",
	estate.Inconclusive: "the firmware was looked at and cannot tell",
	estate.Unknown:      "nothing is known: upload the firmware",
	estate.NotShown:     "the firmware was read and matches no rule",
	estate.Outside:      "no rule is about the place where they stand, or in effect",
}

func writeFirst(w io.Writer, first []*estate.Assessment) {
	if len(first) == 0 {
		return
	}
	fmt.Fprintf(w, "\nDisconnect first: %s that match a rule, on a core network or on one that nobody named\n", count(len(first), "device"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, d := range first {
		if i == shown {
			fmt.Fprintf(t, "  and %d more: -o csv and -o json have all\n", len(first)-i)
			break
		}
		network := string(d.Network)
		if network == "" {
			network = "network not said"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\n", Printable(d.Site), Printable(d.ID), network, Printable(d.Brand+" "+d.Model), d.Grade, ruleIDs(d.Rules))
	}
	t.Flush()
	fmt.Fprintln(w, "  because:")
	said := map[string]bool{}
	for _, d := range first {
		if !said[d.Because] && len(said) < shown {
			said[d.Because] = true
			fmt.Fprintf(w, "  • %s\n", Printable(d.Because))
		}
	}
}

func writeUpload(w io.Writer, missing []estate.Missing) {
	if len(missing) == 0 {
		return
	}
	fmt.Fprintf(w, "\nUpload: the firmware of %s would answer for all that are not known\n", count(len(missing), "product"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, m := range missing {
		if i == shown {
			fmt.Fprintf(t, "  and %d more: -o json has all\n", len(missing)-i)
			break
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%d on a core network\n", Printable(m.Brand+" "+m.Model), Printable(m.Version), count(m.Devices, "device"), m.OnCore)
	}
	t.Flush()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func ruleIDs(rules []estate.Rule) string {
	ids := make([]string, len(rules))
	for i, r := range rules {
		ids[i] = r.ID
	}
	return strings.Join(ids, " ")
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// percent never rounds up to a share that was not reached.
func percent(share float64) string {
	return strconv.FormatFloat(math.Floor(share*1000+1e-9)/10, 'f', -1, 64) + " %"
}

// WriteEstateCSV writes one line a device, in the order of the inventory.
func WriteEstateCSV(out io.Writer, e *Estate) error {
	w := csv.NewWriter(out)
	w.Write([]string{"site", "site_class", "network", "device", "brand", "model", "firmware_version", "firmware_sha256", "status", "planned", "done", "grade", "to_clear", "cleared", "maker", "rules", "because"})
	for i := range e.Result.Devices {
		d := &e.Result.Devices[i]
		digest := ""
		if d.HasDigest {
			digest = d.SHA256.String()
		}
		w.Write([]string{d.Site, strings.Join(d.Classes, "+"), string(d.Network), d.ID, d.Brand, d.Model, d.Version, digest, string(d.Status), day(d.Planned), day(d.Done),
			string(d.Grade), strconv.FormatBool(d.Grade.ToClear()), strconv.FormatBool(d.Cleared), d.Maker, ruleIDs(d.Rules), d.Because})
	}
	w.Flush()
	return w.Error()
}

type estateDoc struct {
	Hallmark   string            `json:"hallmark"`
	Schema     int               `json:"estate_schema"`
	File       string            `json:"file"`
	AsOf       string            `json:"as_of"`
	Packs      []string          `json:"packs"`
	Total      countDoc          `json:"total"`
	Milestones []milestoneDoc    `json:"milestones"`
	Sites      []siteDoc         `json:"sites"`
	First      []string          `json:"disconnect_first"` // "site/device", most certain first
	Upload     []estate.Missing  `json:"upload"`
	Rules      map[string]string `json:"rules"` // id to citation
	Done       []stepDoc         `json:"history"`
	Planned    []stepDoc         `json:"plan"`
	Devices    []deviceDoc       `json:"devices"`
	Notes      []string          `json:"notes"`
}

type countDoc struct {
	estate.Count
	Share float64 `json:"share"`
}

type siteDoc struct {
	Name string `json:"site"`
	countDoc
}

type milestoneDoc struct {
	Date   string      `json:"date"`
	Share  float64     `json:"share"`
	Kept   estate.Kept `json:"kept"`
	Actual float64     `json:"actual"`
	Source string      `json:"source"`
}

type stepDoc struct {
	Date string `json:"date"`
	N    int    `json:"devices"`
}

type deviceDoc struct {
	Line    int              `json:"line"`
	Site    string           `json:"site"`
	Device  string           `json:"device"`
	SHA256  *artifact.Digest `json:"firmware_sha256,omitempty"`
	Grade   estate.Grade     `json:"grade"`
	Cleared bool             `json:"cleared"`
	Maker   string           `json:"maker,omitempty"`
	Rules   []string         `json:"rules,omitempty"`
	Because string           `json:"because"`
}

// WriteEstateJSON writes everything.
func WriteEstateJSON(out io.Writer, e *Estate) error {
	total := e.Result.Total()
	doc := estateDoc{
		Hallmark: e.Version, Schema: 1, File: e.File, AsOf: day(e.Result.AsOf), Packs: e.Packs,
		Total: countDoc{total, total.Share()}, Milestones: []milestoneDoc{}, First: []string{},
		Upload: e.Result.Upload(), Rules: map[string]string{}, Notes: e.Notes,
	}
	for _, s := range e.Result.Sites() {
		doc.Sites = append(doc.Sites, siteDoc{s.Name, countDoc{s.Count, s.Share()}})
	}
	for _, m := range e.Milestones {
		kept, share := e.Result.Judge(m)
		doc.Milestones = append(doc.Milestones, milestoneDoc{day(m.Date), m.Share, kept, share, m.Source})
	}
	for _, d := range e.Result.First() {
		doc.First = append(doc.First, d.Site+"/"+d.ID)
	}
	done, planned := e.Result.History()
	doc.Done, doc.Planned = stepDocs(done), stepDocs(planned)
	for i := range e.Result.Devices {
		d := &e.Result.Devices[i]
		x := deviceDoc{Line: d.Line, Site: d.Site, Device: d.ID, Grade: d.Grade, Cleared: d.Cleared, Maker: d.Maker, Because: d.Because}
		if d.HasDigest {
			x.SHA256 = &d.SHA256
		}
		for _, r := range d.Rules {
			x.Rules = append(x.Rules, r.ID)
			doc.Rules[r.ID] = r.Citation
		}
		doc.Devices = append(doc.Devices, x)
	}
	w := bufio.NewWriter(out)
	j := json.NewEncoder(w)
	j.SetEscapeHTML(false)
	j.SetIndent("", " ")
	if err := j.Encode(doc); err != nil {
		return err
	}
	return w.Flush()
}

func stepDocs(steps []estate.Step) []stepDoc {
	out := []stepDoc{}
	for _, s := range steps {
		out = append(out, stepDoc{day(s.Date), s.N})
	}
	return out
}

// WriteEstateSVG draws the share of devices that were cleared over time, what is planned, and
// the milestones.
func WriteEstateSVG(out io.Writer, e *Estate) error {
	const width, height, left, top = 900, 320, 60, 50
	done, planned := e.Result.History()
	total := e.Result.Total()
	from, to := e.Result.AsOf, e.Result.AsOf
	span := func(t time.Time) {
		if t.Before(from) {
			from = t
		}
		if t.After(to) {
			to = t
		}
	}
	for _, s := range append(append([]estate.Step(nil), done...), planned...) {
		span(s.Date)
	}
	for _, m := range e.Milestones {
		span(m.Date)
	}
	from, to = from.AddDate(0, -1, 0), to.AddDate(0, 1, 0)
	x := func(t time.Time) float64 {
		return left + width*float64(t.Sub(from))/float64(to.Sub(from))
	}
	y := func(share float64) float64 { return top + height*(1-share) }
	share := func(n int) float64 { return float64(n) / float64(max(total.ToClear, 1)) }

	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n", width+2*left, height+2*top+20)
	fmt.Fprint(w, "<title>")
	xml.EscapeText(w, []byte(Printable(fmt.Sprintf("%s: %d of %d devices cleared as of %s", e.File, total.Cleared, total.ToClear, day(e.Result.AsOf)))))
	fmt.Fprint(w, "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n")
	fmt.Fprintf(w, "<text x=\"%d\" y=\"24\" font-size=\"15\">%d of %d devices cleared (%s) as of %s; %d not known</text>\n",
		left, total.Cleared, total.ToClear, percent(total.Share()), day(e.Result.AsOf), total.Open())
	for p := 0; p <= 100; p += 25 {
		fmt.Fprintf(w, "<path d=\"M%d %.1fh%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>\n", left, y(float64(p)/100), width, left-6, y(float64(p)/100)+4, p)
	}
	for t := time.Date(from.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC); t.Before(to); t = t.AddDate(1, 0, 0) {
		fmt.Fprintf(w, "<path d=\"M%.1f %dv%d\" stroke=\"#ddd\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n", x(t), top, height, x(t), top+height+18, t.Year())
	}
	end := curve(w, "#3b6ea5", "", done, from, share(total.Undated), e.Result.AsOf, x, y, share)
	curve(w, "#3b6ea5", " stroke-dasharray=\"5 4\"", planned, e.Result.AsOf, end, to, x, y, share)
	fmt.Fprintf(w, "<path d=\"M%.1f %dv%d\" stroke=\"#333\" stroke-dasharray=\"2 3\"/>\n", x(e.Result.AsOf), top, height)
	for _, m := range e.Milestones {
		kept, actual := e.Result.Judge(m)
		color := map[estate.Kept]string{estate.Met: "#2a7", estate.Ahead: "#2a7", estate.Missed: "#c33"}[kept]
		if color == "" {
			color = "#b80"
		}
		side, anchor := 8.0, "start" // on the side that the curve does not take
		if actual < m.Share {
			side, anchor = -8, "end"
		}
		fmt.Fprintf(w, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\"><title>%s: %s wanted, %s cleared: %s</title></circle><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s %s</text>\n",
			x(m.Date), y(m.Share), color, day(m.Date), percent(m.Share), percent(actual), kept, x(m.Date)+side, y(m.Share)-6, anchor, color, percent(m.Share), kept)
	}
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

// curve draws steps from one date to another and returns the share that it ends with.
func curve(w io.Writer, color, style string, steps []estate.Step, from time.Time, start float64, to time.Time, x func(time.Time) float64, y func(float64) float64, share func(int) float64) float64 {
	fmt.Fprintf(w, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s d=\"M%.1f %.1f", color, style, x(from), y(start))
	for _, s := range steps {
		start = share(s.N)
		fmt.Fprintf(w, "H%.1fV%.1f", x(s.Date), y(start))
	}
	fmt.Fprintf(w, "H%.1f\"/>\n", x(to))
	return start
}
