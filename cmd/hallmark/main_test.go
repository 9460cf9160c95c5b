package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hallmark": main})
}

// TestScripts runs the command as a person would; testdata/script says what must come out.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("FIXTURES", filepath.Join(root, "testdata"))
			e.Setenv("DOCS", filepath.Join(root, "docs"))
			e.Setenv("EXAMPLES", filepath.Join(root, "examples"))
			if err := os.MkdirAll(filepath.Join(e.WorkDir, "tmp"), 0o755); err != nil {
				return err
			}
			return gitlabScript(filepath.Join(e.WorkDir, "tmp", "gitlab.sh"))
		},
	})
}
