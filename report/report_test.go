package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/literal"
	"hallmark/internal/work"
	"hallmark/match"
	"hallmark/sbom"
	"hallmark/unpack"
)

// scan runs the whole line over b, package databases aside.
// knowledge is what every scan looks for.
type knowledge struct {
	makers     *match.Rules
	components *sbom.Rules
	patterns   *literal.Set
	first      int // pattern of makers
}

var load = sync.OnceValues(func() (k knowledge, err error) {
	if k.makers, err = match.Load(); err != nil {
		return k, err
	}
	if k.components, err = sbom.Load(); err != nil {
		return k, err
	}
	first := k.components.Patterns()
	k.first = len(first)
	k.patterns = literal.Compile(append(first[:len(first):len(first)], k.makers.Patterns()...))
	return k, nil
})

func scan(t *testing.T, name string, b []byte) (*Result, *artifact.Store) {
	t.Helper()
	store := artifact.NewStore(t.TempDir())
	t.Cleanup(func() { store.Close() })
	ctx, pool := context.Background(), work.NewPool(2)
	tree, err := unpack.Run(ctx, name, bytes.NewReader(b), int64(len(b)), store, unpack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := load()
	if err != nil {
		t.Fatal(err)
	}
	found, _ := facts.Collect(ctx, tree, store, pool, k.patterns)
	r := &Result{Version: "test", Tree: tree, Coverage: tree.Coverage()}
	if r.BOM, err = sbom.Identify(ctx, tree, store, found, k.components, pool, sbom.Options{}); err != nil {
		t.Fatal(err)
	}
	if r.Match, err = match.Judge(ctx, tree, store, found, k.makers, pool, match.Options{FirstPattern: k.first}); err != nil {
		t.Fatal(err)
	}
	return r, store
}

// TestJSONFitsItsSchema writes the report of every fixture of every format and checks it.
func TestJSONFitsItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	inputs := 0
	err = filepath.WalkDir("../testdata", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "input" && filepath.Ext(file) != ".bin" {
			return err
		}
		inputs++
		b, err := os.ReadFile(file)
		if err != nil || len(b) == 0 {
			return err
		}
		r, _ := scan(t, file, b)
		var out bytes.Buffer
		if err := WriteJSON(&out, r, Style{}); err != nil {
			return err
		}
		doc, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			return err
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		return nil
	})
	if err != nil || inputs < 50 {
		t.Fatalf("%d inputs, %v", inputs, err)
	}
}

// TestCitationsAreThere reads every byte that the report of the demo cites again.
func TestCitationsAreThere(t *testing.T) {
	b, err := os.ReadFile("../testdata/demo/rebadged-camera.bin")
	if err != nil {
		t.Fatal(err)
	}
	r, store := scan(t, "demo", b)
	var out bytes.Buffer
	if err := WriteJSON(&out, r, Style{}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Match struct {
			Findings []struct {
				Marks []struct{ Citations []artifact.Evidence }
			}
		}
		Components []struct{ Evidence []artifact.Evidence }
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var all []artifact.Evidence
	for _, f := range doc.Match.Findings {
		for _, m := range f.Marks {
			all = append(all, m.Citations...)
		}
	}
	for _, c := range doc.Components {
		all = append(all, c.Evidence...)
	}
	if len(all) < 10 {
		t.Fatalf("%d citations in the demo's report, want at least 10", len(all))
	}
	for _, e := range all {
		if err := store.Check(e); err != nil {
			t.Error(err)
		}
		e.At.Off++
		if err := store.Check(e); err == nil && e.Excerpt != "" && strings.Trim(string(e.Excerpt), string(e.Excerpt[:1])) != "" {
			t.Errorf("%s: a citation moved by one byte still holds", e.Rule)
		}
	}
}

var update = flag.Bool("update", false, "write golden files anew")

// TestTextOfTheDemo holds what the first command of the README prints.
func TestTextOfTheDemo(t *testing.T) {
	b, err := os.ReadFile("../testdata/demo/rebadged-camera.bin")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := scan(t, "rebadged-camera.bin", b)
	var out bytes.Buffer
	if err := WriteText(&out, r, Style{}); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/demo.txt"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("text of the demo (-want +got):\n%s", d)
	}
}

var escape = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f]")

// TestTextIsSafe names files so that a terminal would obey, and finds none of it in the text.
func TestTextIsSafe(t *testing.T) {
	tree := artifact.NewTree("evil\x1b[2J.bin")
	k := &artifact.Chunk{Format: "box", Nodes: []artifact.Node{{Path: "a\x1b]0;owned\x07\u202egnp.exe\xff", Digest: artifact.Digest{2}, Size: 5}},
		Problems: []artifact.Problem{{Kind: artifact.Damaged, Detail: "\x1b[31m\r\n"}}}
	tree.Add(&artifact.Content{Digest: artifact.Digest{1}, Size: 9, Extents: []artifact.Extent{{Range: artifact.Range{Len: 9}, Kind: artifact.InChunk, Chunk: k}}})
	tree.Add(&artifact.Content{Digest: artifact.Digest{2}, Size: 5, First: artifact.Step{Content: artifact.Digest{1}}, Extents: []artifact.Extent{{Range: artifact.Range{Len: 5}, Kind: artifact.InChunk, Chunk: &artifact.Chunk{Format: "inner"}}}})
	var out bytes.Buffer
	if err := WriteText(&out, &Result{Tree: tree, Coverage: tree.Coverage(), Problems: []string{"\x9b31m"}}, Style{}); err != nil {
		t.Fatal(err)
	}
	if bad := escape.FindString(out.String()); bad != "" {
		t.Errorf("text holds %q:\n%q", bad, out.String())
	}
	for _, bad := range []string{"\u202e", "\u009b", "\xff"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("text holds %q:\n%q", bad, out.String())
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "naïve 摄像头": "naïve 摄像头", "\x1b[31m": `\x1b[31m`, "a\nb": `a\x0ab`,
		"\u202eexe": `\u{202e}exe`, "\xff\xfe": `\xff\xfe`, "\u200b": `\u{200b}`, "\U000e0041": `\u{e0041}`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIntegrityOfAFile(t *testing.T) {
	file := func(kinds ...artifact.ProblemKind) *artifact.Node {
		n := &artifact.Node{Digest: artifact.Digest{1}}
		for _, k := range kinds {
			n.Problems = append(n.Problems, artifact.Problem{Kind: k})
		}
		return n
	}
	tests := []struct {
		n    *artifact.Node
		want integrity
	}{
		{file(), whole},
		{file(artifact.Unsafe), whole},
		{file(artifact.Checksum), unproved},
		{file(artifact.Checksum, artifact.Truncated), partial},
		{file(artifact.Damaged, artifact.Checksum), partial},
		{file(artifact.Encrypted), encrypted},
		{file(artifact.Unsupported), undecoded},
		{&artifact.Node{}, absent},
		{&artifact.Node{HardLink: "other"}, whole},
		{&artifact.Node{Mode: fs.ModeDir}, ""},
	}
	for _, tc := range tests {
		if got := integrityOf(tc.n); got != tc.want {
			t.Errorf("integrity of %+v = %q, want %q", tc.n, got, tc.want)
		}
	}
}

func TestDocumentsNeedComponents(t *testing.T) {
	for _, o := range Outputs() {
		if !o.Components {
			continue
		}
		if err := o.Write(nil, &Result{}, Style{}); err == nil || errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s without components = %v", o.Name, err)
		}
	}
}
