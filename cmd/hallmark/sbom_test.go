package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSBOMDiffPatched changes some bytes of one program, and the half of another.
func TestSBOMDiffPatched(t *testing.T) {
	command := func(args ...string) string {
		t.Helper()
		var out, faults bytes.Buffer
		if code := run(context.Background(), args, strings.NewReader(""), &out, &faults); code != exitPass {
			t.Fatalf("hallmark %s ended with %d: %s", strings.Join(args, " "), code, faults.String())
		}
		return out.String()
	}
	old, fresh := filepath.Join(t.TempDir(), "old"), filepath.Join(t.TempDir(), "new")
	for _, dir := range []string{old, fresh} {
		command("unpack", "-q", "-o", dir, "../../testdata/demo/rebadged-camera.bin")
	}
	change := func(name string, edit func([]byte)) {
		err := filepath.WalkDir(fresh, func(p string, _ os.DirEntry, err error) error {
			if err != nil || filepath.Base(p) != name {
				return err
			}
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			edit(b)
			return os.WriteFile(p, b, 0o755)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change("dropbear", func(b []byte) { copy(b[0x1000:], "\x00\xf0\x20\xe3") })
	change("lighttpd", func(b []byte) {
		for i := 0x2000; i < 0x9000; i++ {
			b[i] ^= 0x55
		}
	})
	got := command("sbom", "diff", "-q", old, fresh)
	for _, want := range []string{"patched in place: 1\n  dropbear: ", " differ, the first at 0x100", "same version but rebuilt: 1\n  lighttpd: its files differ"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
