package match_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/match"
	"hallmark/signatures"
)

// TestNoMakerInCode holds that what is known of makers is data: no line of the program names one.
func TestNoMakerInCode(t *testing.T) {
	makers, err := signatures.Makers()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, "../signatures/makers.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range makers {
			for _, word := range append([]string{m.ID, m.Name}, m.Names...) {
				if regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(word) + `\b`).Match(text) {
					t.Errorf("%s names %s (%q)", name, m.ID, word)
				}
			}
		}
	}
}

func TestBrands(t *testing.T) {
	brands, err := signatures.Brands()
	if err != nil {
		t.Fatal(err)
	}
	date := regexp.MustCompile(`^20\d\d(-\d\d(-\d\d)?)?$`)
	for _, b := range brands {
		if b.Brand == "" || b.Source == "" || b.Kind == "" || !date.MatchString(b.Date) ||
			!slices.Contains([]string{"high", "medium", "low"}, b.Confidence) {
			t.Errorf("%q: no source, kind, date or confidence: %+v", b.Brand, b)
		}
	}
}

// TestCompileRefuses holds that data which make no sense are not taken.
func TestCompileRefuses(t *testing.T) {
	good := signatures.MakerMark{ID: "a.x", Strength: 3, Kind: "web", Look: signatures.Look{Where: []string{"text"}, Has: []string{"some text"}}}
	docs := []signatures.Context{{ID: "documentation"}}
	kinds := []signatures.Kind{{ID: "web", Group: "web"}}
	for name, change := range map[string]func(*signatures.MakerMark){
		"":                 func(*signatures.MakerMark) {},
		"begins with":      func(m *signatures.MakerMark) { m.ID = "b.x" },
		"strength 6":       func(m *signatures.MakerMark) { m.Strength = 6 },
		"kind \"\"":        func(m *signatures.MakerMark) { m.Kind = "" },
		"place":            func(m *signatures.MakerMark) { m.Place = "moon" },
		"each":             func(m *signatures.MakerMark) { m.Each = true },
		"claim":            func(m *signatures.MakerMark) { m.Claim = "guilty" },
		"role":             func(m *signatures.MakerMark) { m.Role = "owner" },
		"no context":       func(m *signatures.MakerMark) { m.Context = "moon" },
		"too short":        func(m *signatures.MakerMark) { m.Has = []string{"ab"} },
		"bound":            func(m *signatures.MakerMark) { m.Bound = "line" },
		"missing closing":  func(m *signatures.MakerMark) { m.Regexp = "(" },
		"where to look":    func(m *signatures.MakerMark) { m.Where = nil },
		"searched with":    func(m *signatures.MakerMark) { m.Has, m.Is = nil, []string{"x"} },
		"in hexadecimal":   func(m *signatures.MakerMark) { m.Hex = []string{"zz"} },
		"8 bytes or more ": func(m *signatures.MakerMark) { m.Hex = []string{"01 02"} },
	} {
		m := good
		change(&m)
		_, err := match.Compile(match.Knowledge{Makers: []signatures.Maker{{ID: "a", Marks: []signatures.MakerMark{m}}}, Contexts: docs, Kinds: kinds})
		if name == "" && err != nil || name != "" && (err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name))) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := match.Compile(match.Knowledge{Makers: []signatures.Maker{{ID: "a"}, {ID: "a"}}, Contexts: docs}); err == nil {
		t.Error("two makers of one id are taken")
	}
	if _, err := match.Compile(match.Knowledge{Contexts: docs, Brands: []signatures.Brand{{Brand: "B", Maker: "a"}}}); err == nil {
		t.Error("a brand of an unknown maker is taken")
	}
}

// TestOddFacts holds that facts which point nowhere cannot stop a run.
func TestOddFacts(t *testing.T) {
	for _, at := range []artifact.Range{{}, {Off: -5, Len: 3}, {Off: 1 << 40, Len: 8}, {Off: 2, Len: 1 << 40}, {Off: 3, Len: -1}} {
		m := newImage(t).add(t, "squashfs", nil, authored)
		m.finish(t)
		found := map[artifact.Digest]*facts.Facts{}
		for _, c := range m.tree.Contents() {
			f := &facts.Facts{Content: c.Digest, Facts: []facts.Fact{{Name: "modinfo.author-domain", Value: "dahuatech.com", At: at}}}
			for i := range rules(t).Patterns() {
				f.Hits = append(f.Hits, facts.Hit{Pattern: i, At: at})
			}
			found[c.Digest] = f
		}
		if _, err := match.Judge(t.Context(), m.tree, m.store, found, rules(t), nil, match.Options{}); err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
}

// TestDecisiveMarksAreTested holds that a mark that decides alone was looked for in innocent
// contents, and never found.
func TestDecisiveMarksAreTested(t *testing.T) {
	makers, err := signatures.Makers()
	if err != nil {
		t.Fatal(err)
	}
	tested, err := signatures.TestedMarks()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]signatures.Tested{}
	for _, x := range tested {
		byID[x.Mark] = x
	}
	for _, m := range makers {
		for _, k := range m.Marks {
			if x := byID[k.ID]; k.Strength == 5 && (x.Contents == 0 || x.False > 0) {
				t.Errorf("%s decides alone: false in %d of %d innocent contents; run bench/innocent.sh", k.ID, x.False, x.Contents)
			}
		}
	}
}
