package unpack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
)

// TestFormatsAreWhole holds what a format owes: a fixture folder of its name, a reference, a
// fuzz target and a truncation test.
func TestFormatsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Formats() {
		if seen[f.Name] {
			t.Errorf("two formats are named %q", f.Name)
		}
		seen[f.Name] = true
		if f.Title == "" || f.Kind == "" || len(f.Refs) == 0 {
			t.Errorf("%s: title %q, kind %q, %d references: want all three", f.Name, f.Title, f.Kind, len(f.Refs))
		}
		if len(f.Magics) == 0 && f.Align == 0 {
			t.Errorf("%s: has neither a magic nor an alignment, so it is never tried", f.Name)
		}
		for _, m := range f.Magics {
			if len(m.Bytes) < 2 {
				t.Errorf("%s: magic %q is shorter than 2 bytes", f.Name, m.Bytes)
			}
		}
		if inputs, _ := filepath.Glob("../testdata/" + f.Name + "/*/input"); len(inputs) == 0 {
			t.Errorf("%s: testdata/%s has no case", f.Name, f.Name)
		}
		if _, err := os.Stat("../testdata/" + f.Name + "/build.sh"); err != nil {
			t.Errorf("%s: nothing says how its fixtures were made: %v", f.Name, err)
		}
	}
	packages, _ := filepath.Glob("*/*_test.go")
	tests := map[string]string{}
	for _, file := range packages {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests[filepath.Dir(file)] += string(b)
	}
	dirs, _ := filepath.Glob("*/")
	for _, dir := range dirs {
		dir = filepath.Clean(dir)
		if dir == "codec" || dir == "format" {
			continue
		}
		for _, want := range []string{"formattest.Golden(", "formattest.Truncation(", "formattest.Fuzz("} {
			if !strings.Contains(tests[dir], want) {
				t.Errorf("unpack/%s: its tests do not call %s...)", dir, want)
			}
		}
	}
}

// TestFixtures runs the whole engine over every fixture, without any program at hand: covers are
// exact, the result does not depend on the workers, and the fixture's own format opens it.
func TestFixtures(t *testing.T) {
	t.Setenv("PATH", "")
	for _, f := range Formats() {
		inputs, _ := filepath.Glob("../testdata/" + f.Name + "/*/input")
		for _, input := range inputs {
			t.Run(f.Name+"/"+filepath.Base(filepath.Dir(input)), func(t *testing.T) {
				b, err := os.ReadFile(input)
				if err != nil {
					t.Fatal(err)
				}
				tree, _ := runBytes(t, b, Options{Workers: 1, Formats: Formats()})
				checkCover(t, tree)
				for _, p := range problemsOf(tree) {
					if p.Kind == artifact.Internal {
						t.Errorf("problem %s", p)
					}
				}
				opened := false
				for _, x := range tree.Contents()[0].Chunks() {
					opened = opened || x.Chunk.Format == f.Name
				}
				if !opened {
					t.Errorf("no chunk of format %s at the outermost level", f.Name)
				}
				again, _ := runBytes(t, b, Options{Workers: 8, Formats: Formats()})
				if d := cmp.Diff(tree.Contents(), again.Contents()); d != "" {
					t.Errorf("8 workers differ from 1:\n%s", d)
				}
			})
		}
	}
}

func problemsOf(tree *artifact.Tree) []artifact.Problem {
	out := tree.Problems
	for _, c := range tree.Contents() {
		out = append(out, c.Problems...)
		for _, x := range c.Chunks() {
			out = append(out, x.Chunk.Problems...)
		}
	}
	return out
}
