package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/match"
	"hallmark/sbom"
)

// How much the text says. Everything is in the JSON output.
const (
	textMarks      = 6
	textCitations  = 2
	textAltered    = 20
	textComponents = 60
	textRegions    = 12
	textLayers     = 40
	textNotes      = 8
)

// WriteText writes r for people: the verdict and why first, then evidence, components, what was
// not read, and the layers.
func WriteText(w io.Writer, r *Result, s Style) error {
	t := &text{Writer: bufio.NewWriter(w), Style: s, r: r}
	root := r.Tree.Content(r.Tree.Root)
	t.line("%s  %d bytes  sha256 %s", t.bold(Printable(r.Tree.Name)), root.Size, r.Tree.Root)
	if r.Match != nil {
		t.verdict()
		t.findings()
		t.contents()
	}
	if r.Learnt != nil {
		t.learnt(r.Learnt)
	}
	if r.BOM != nil {
		t.components()
	}
	t.coverage()
	t.layers()
	t.notes()
	return t.Flush()
}

// notes lists what the analysis itself could not do.
func (t *text) notes() {
	if len(t.r.Problems) == 0 {
		return
	}
	t.head("Notes")
	for i, p := range t.r.Problems {
		if i == textNotes {
			t.line("  and %d more (see -o json)", len(t.r.Problems)-i)
			break
		}
		t.line("  %s", Printable(p))
	}
}

type text struct {
	*bufio.Writer
	Style
	r *Result
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *text) paint(code, s string) string {
	if !t.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *text) bold(s string) string { return t.paint("1", s) }

func (t *text) head(s string) { t.line("\n%s", t.bold(s)) }

func (t *text) verdict() {
	m := t.r.Match
	color := "1;33"
	switch m.Verdict {
	case match.VerdictRebadged, match.VerdictComponent:
		color = "1;31"
	case match.VerdictNone:
		color = "1"
	}
	t.line("\n%s %s", t.bold("Verdict:"), t.paint(color, Printable(m.Statement)))
	if m.WhiteLabel != "" {
		t.wrap("  ", Printable(m.WhiteLabel))
	}
	if m.Unread != "" {
		t.wrap("  ", Printable(m.Unread))
	}
}

func (t *text) findings() {
	for _, f := range t.r.Match.Findings {
		t.head(fmt.Sprintf("%s: %s (%s), confidence %s", f.Class, Printable(f.Name), Printable(f.Maker), f.Confidence))
		t.wrap("  because ", Printable(f.Because))
		t.line("  score %.1f: %s", f.Score, f.Support)
		for i, m := range f.Marks {
			if i == textMarks {
				t.line("  and %d more mark%s (see -o json)", len(f.Marks)-i, plural(len(f.Marks)-i))
				break
			}
			t.mark(m)
		}
		for i, l := range f.Leads {
			if i == textMarks {
				t.line("  and %d more file%s like what was learnt (see -o json)", len(f.Leads)-i, plural(len(f.Leads)-i))
				break
			}
			t.line("  %s like %s %s, score %.1f, pack %.16s", t.paint("36", "~"), Printable(l.Component), Printable(l.Version), l.LLR, l.Pack)
			t.line("      %s", Printable(l.Place))
		}
		for _, c := range f.Competing {
			t.wrap("  or ", Printable(c))
		}
		if f.WouldChange != "" {
			t.wrap("  would change it: ", Printable(f.WouldChange))
		}
	}
}

func (t *text) mark(m match.Fired) {
	t.line("  %s %s (%s, %s), strength %d of 5, seen in %d place%s, %s", t.paint("36", "•"), m.ID, m.Kind, m.Look, m.Strength, m.Count, plural(m.Count), tested(m.Tested))
	for i, c := range m.Citations {
		if i == textCitations {
			break
		}
		t.line("      %s", Printable(c.Place))
		t.line("      %s reads %s", c.Technique, cut(Printable(c.Value), 100))
	}
}

func tested(k match.Tested) string {
	if k.Contents == 0 {
		return "not tested"
	}
	return fmt.Sprintf("false in %d of %d innocent", k.False, k.Contents)
}

func (t *text) components() {
	list := t.r.BOM.Components
	t.head(fmt.Sprintf("Components: %d", len(list)))
	for i := range list {
		if i == textComponents {
			t.line("  and %d more (see -o cyclonedx)", len(list)-i)
			break
		}
		c := &list[i]
		version := Printable(c.Version)
		switch c.Claim {
		case sbom.Prefix:
			version += ".*"
		case sbom.Range:
			version += " or later"
		case sbom.Presence:
			version = "version unknown"
		}
		where := ""
		if len(c.Evidence) > 0 {
			where = t.short(c.Evidence[0].Content)
		}
		t.line("  %-24s %-20s %s", Printable(c.Name), version, where)
	}
	t.altered()
}

// altered lists the programs and data that are not what their package recorded. Configuration
// may change, and firmware leaves much out: both stand in the JSON alone.
func (t *text) altered() {
	var list []*sbom.Altered
	for i := range t.r.BOM.Altered {
		if a := &t.r.BOM.Altered[i]; !a.Missing && !a.Config {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return
	}
	t.head(fmt.Sprintf("Not as their package recorded them: %s", count(len(list), "file")))
	for i, a := range list {
		if i == textAltered {
			t.line("  and %d more (see -o json)", len(list)-i)
			break
		}
		t.line("  %-24s /%s: recorded %s, found %s", Printable(t.r.BOM.Components[a.Component].Name), strings.TrimPrefix(Printable(a.Path), "/"), a.Recorded, a.Found)
	}
}

// short names the first place of d by its innermost path alone.
func (t *text) short(d artifact.Digest) string {
	p := t.r.Tree.FirstPlace(d)
	if len(p) == 0 {
		return ""
	}
	return "/" + Printable(t.r.Tree.Node(p[len(p)-1]).Path)
}

func (t *text) coverage() {
	c := t.r.Coverage
	missing := ""
	if c.Incomplete {
		missing = ", and parts are missing"
	}
	t.head(fmt.Sprintf("Read: %s %% of %d bytes%s", c.Percent(), c.Total, missing))
	if c.Padding > 0 {
		t.line("  %d bytes are padding between parts", c.Padding)
	}
	if c.Clear() {
		t.line("  nothing stayed unread")
		return
	}
	t.line("  Not read:")
	for i, r := range c.Regions {
		if i == textRegions {
			t.line("    and %d more (see -o json)", len(c.Regions)-i)
			break
		}
		t.line("    %s", Printable(t.r.Tree.Locate(r.Place, r.At)))
		if f := r.Figures; f != nil {
			t.line("      looks %s: entropy %.3f bits a byte, %.0f %% left by deflate", r.Why, f.Entropy, 100*f.Deflate)
		} else {
			t.line("      %s", Printable(r.Why))
		}
	}
	for _, p := range t.r.Tree.Problems {
		t.line("    %s", Printable(p.String()))
	}
}

// layers lists the chunks, outer before inner, each content once.
func (t *text) layers() {
	root := t.r.Tree.Content(t.r.Tree.Root)
	if !slices.ContainsFunc(root.Extents, func(x artifact.Extent) bool { return x.Kind == artifact.InChunk }) {
		t.head("Layers: none; no format was recognised")
		return
	}
	t.head("Layers")
	seen := map[artifact.Digest]bool{}
	lines := 0
	var enter func(c *artifact.Content, indent string)
	enter = func(c *artifact.Content, indent string) {
		seen[c.Digest] = true
		for _, x := range c.Chunks() {
			if lines++; lines > textLayers {
				return
			}
			t.line("%s%#x %s, %d bytes%s", indent, x.Off, x.Chunk.Format, x.Len, holds(x.Chunk))
			for i := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[i]
				inner := t.r.Tree.Content(n.Digest)
				if inner == nil || inner.Type == "pem" || inner.Type == "text" {
					continue // the keys and certificates in texts are no layers
				}
				for range inner.Chunks() {
					if seen[n.Digest] {
						t.line("%s  %s (as above)", indent, cut(Printable(n.Path), 80))
						break
					}
					t.line("%s  %s", indent, cut(Printable(n.Path), 80))
					enter(inner, indent+"    ")
					break
				}
			}
		}
	}
	enter(root, "  ")
	if lines > textLayers {
		t.line("  and more (see -o json)")
	}
}

func holds(k *artifact.Chunk) string {
	files, dirs := 0, 0
	for i := range k.Nodes {
		switch n := &k.Nodes[i]; {
		case n.Mode.IsDir():
			dirs++
		case n.Mode.IsRegular():
			files++
		}
	}
	out := ""
	if files > 0 {
		out += fmt.Sprintf(", %d file%s", files, plural(files))
	}
	if dirs > 0 {
		out += fmt.Sprintf(", %d folder%s", dirs, plural(dirs))
	}
	if n := len(k.Problems); n > 0 {
		out += fmt.Sprintf(", %d problem%s: %s", n, plural(n), cut(Printable(k.Problems[0].String()), 100))
	}
	return out
}

// wrap writes s in lines of at most 96 characters behind an indent; the first carries head.
func (t *text) wrap(head, s string) {
	const width = 96
	line := head
	indent := strings.Repeat(" ", len(head)-len(strings.TrimLeft(head, " ")))
	for i, word := range strings.Fields(s) {
		if len(line)+1+len(word) > width && i > 0 {
			t.line("%s", line)
			line = indent
		}
		if line != indent && !strings.HasSuffix(line, " ") {
			line += " "
		}
		line += word
	}
	t.line("%s", line)
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
