package unpack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/internal/cache"
)

// TestCacheChangesNothing runs fixtures without a cache, with a new one, with what that kept, and
// with what is left of it when bytes are changed.
func TestCacheChangesNothing(t *testing.T) {
	dir := t.TempDir()
	var images [][]byte
	for _, name := range []string{"squashfs", "jffs2", "ext", "tar", "zip", "cpio", "uimage", "gzip", "xz", "ubi"} {
		inputs, _ := filepath.Glob("../testdata/" + name + "/*/input")
		if len(inputs) == 0 {
			t.Fatalf("no fixtures of %s", name)
		}
		b, err := os.ReadFile(inputs[0])
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, b)
	}
	images = append(images, boxed(images...))
	formats := append(Formats(), box)
	packs := func() []string {
		names, _ := filepath.Glob(filepath.Join(dir, "*.pack"))
		return names
	}
	all := func(title string, limits Limits, silent bool) {
		for i, b := range images {
			want, _ := runBytes(t, b, Options{Formats: formats, Limits: limits})
			c, err := cache.Open(dir, 1<<30, "test")
			if err != nil {
				t.Fatal(err)
			}
			got, s := runBytes(t, b, Options{Formats: formats, Limits: limits, Cache: c})
			if d := cmp.Diff(want.Contents(), got.Contents()); d != "" {
				t.Errorf("%s: image %d differs (-without +with):\n%s", title, i, d)
			}
			for _, x := range got.Contents() {
				if !s.Has(x.Digest) {
					t.Errorf("%s: image %d: %s is not in the store", title, i, x.Digest)
				}
			}
			c.Close()
			if silent && len(c.Notes()) > 0 {
				t.Errorf("%s: %q", title, c.Notes())
			}
		}
	}
	all("new", Limits{}, true)
	n := len(packs())
	all("full", Limits{}, true)
	if m := len(packs()); m != n || n != len(images) {
		t.Errorf("%d images left %d packs, and %d when nothing was new", len(images), n, m)
	}
	all("few entries", Limits{Entries: 20}, true)
	all("few bytes", Limits{Bytes: 20000}, true)
	for i, name := range packs() {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := i; at < len(b)*3/4; at += 4001 {
			b[at] ^= 0xff
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all("damaged", Limits{}, false)
}
