package strictyaml

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// seen is what of a node is read.
type seen struct {
	Kind         yaml.Kind
	Tag, Value   string
	Quoted       bool
	Line, Column int
	Content      []seen
}

func look(n *yaml.Node) seen {
	s := seen{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Quoted: n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0, Line: n.Line, Column: n.Column}
	for _, c := range n.Content {
		s.Content = append(s.Content, look(c))
	}
	return s
}

// same holds that the quick reader reads what the full parser does, or nothing.
func same(t *testing.T, text []byte) (was bool) {
	t.Helper()
	got := quick(text)
	if got == nil {
		return false
	}
	var want yaml.Node
	if err := yaml.Unmarshal(text, &want); err != nil {
		t.Errorf("the quick reader takes what the parser refuses with %v:\n%s", err, text)
		return true
	}
	if d := cmp.Diff(look(want.Content[0]), look(got)); d != "" {
		t.Errorf("%q (-parser +quick):\n%s", text, d)
	}
	return true
}

// TestQuick compares both on every document of the project, whole and item by item.
func TestQuick(t *testing.T) {
	taken := 0
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".yaml" {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		same(t, b)
		for _, part := range strings.Split(string(b), "\n- ") {
			if same(t, []byte("- "+part+"\n")) {
				taken++
			}
		}
		return nil
	})
	if err != nil || taken < 100 {
		t.Errorf("%d parts were taken by the quick reader, %v", taken, err)
	}
}

func TestQuickEdges(t *testing.T) {
	for text, want := range map[string]bool{
		"a: b\nc:\n  - d\n  - e: f\n    g: 'h' # i\n":           true,
		"a:\n- b\n- c\nd: [x, \"y\", {z: 1, w: [2]}]\n":         true,
		"a: 1.10\nb: 0x1f\nc: ~\nd: 2024-01-01\ne: .5\nf: <b\n": false,
		"a: 1.10\nb: 0x1f\nc: ~\nd: 2024-01-01\ne: .5\n":        true,
		"a: b#c\nd: e #f\n":      true,
		"a: é\nb: [é, x]\n":      false,
		"a: é ü # ö\n":           true,
		"a: b\n  c\n":            false,
		"a: b\n c: d\n":          false,
		"a: |\n  b\n":            false,
		"a: \"b\\n\"\n":          false,
		"a: 'it''s'\n":           false,
		"a: 'b' c\n":             false,
		"a: b: c\n":              false,
		"a:b\n":                  false,
		"a:\n":                   false,
		"- - a\n":                false,
		"-\n  a: b\n":            false,
		"a: [b,]\n":              false,
		"a: [b\n":                false,
		"a: {b}\n":               false,
		"a: {b: }\n":             false,
		"a: [b: c]\n":            false,
		"a: [,b]\n":              false,
		"? a\n":                  false,
		"a: &b c\n":              false,
		"\"a\": b\n":             false,
		"a: b\r\n":               false,
		"a:\tb\n":                false,
		"---\na: b\n":            false,
		"a: b\n...\n":            false,
		"a: -b\n":                false,
		"a: \"b\"#c\n":           false,
		"a: []\nb: {}\n":         true,
		"  a: b\n":               false,
		"a:\n    b: c\n  d: e\n": false,
	} {
		if got := same(t, []byte(text)); got != want {
			t.Errorf("quick took %q: %v, want %v", text, got, want)
		}
	}
}

func FuzzQuick(f *testing.F) {
	f.Add("a: b\nc:\n  - d\n  - e: f\n    g: 'h' # i\n")
	f.Add("a:\n- b\n- c\nd: [x, \"y\", {z: 1, w: [2]}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if p, msg := utf8Only([]byte(text)); msg == "" && p == (Pos{}) {
			same(t, []byte(text))
		}
	})
}
