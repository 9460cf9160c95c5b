package match_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hallmark/match"
)

// folder reads the files under dir.
func folder(t testing.TB, dir string) (files []file) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(p)))
		files = append(files, file{path: p, data: string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// accused returns the findings that say more than that software talks to devices of a maker.
func accused(res *match.Result) (out []string) {
	for _, f := range res.Findings {
		if f.Class != match.Compatible && f.Class != match.Silicon && f.Class != match.Covered && f.Class != match.Replacement {
			out = append(out, string(f.Class)+" "+f.Name+": "+f.Because)
		}
	}
	return out
}

// TestInnocent judges texts that hold the words of marks and accuse nobody: where a device has
// its root, and in an archive. A false accusation is a failed test.
func TestInnocent(t *testing.T) {
	r := rules(t)
	cases, err := filepath.Glob("../testdata/match/*/tree")
	if err != nil || len(cases) < 9 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, dir := range cases {
		for _, format := range []string{"squashfs", "tar"} {
			t.Run(filepath.Base(filepath.Dir(dir))+"/"+format, func(t *testing.T) {
				res := newImage(t).add(t, format, nil, folder(t, dir)...).judge(t, r, match.Options{}, 2)
				if got := accused(res); len(got) > 0 {
					t.Errorf("accused: %q", got)
				}
				want, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "want.txt"))
				if err != nil {
					t.Fatal(err)
				}
				if res.Statement != strings.TrimSpace(string(want)) {
					t.Errorf("statement %q, want %q", res.Statement, want)
				}
			})
		}
	}
}

// TestSalted adds the names of makers to every text: names alone must change nothing for the worse.
func TestSalted(t *testing.T) {
	r := rules(t)
	cases, err := filepath.Glob("../testdata/match/*/tree")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range cases {
		for _, salt := range []string{"Hikvision", "dahua", "Uniview", "Xiongmai XMEye", "hikvision dahua"} {
			files := folder(t, dir)
			for i := range files {
				files[i].data = "# " + salt + "\n" + files[i].data + "\n" + salt + "\n"
			}
			res := newImage(t).add(t, "squashfs", nil, files...).judge(t, r, match.Options{}, 2)
			if got := accused(res); len(got) > 0 {
				t.Errorf("%s with %q: accused: %q", dir, salt, got)
			}
		}
	}
}
