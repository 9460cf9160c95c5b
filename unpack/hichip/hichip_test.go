package hichip

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		off  int
		want string // "" if it is no such file any more
	}{
		{4, ""}, {112, ""}, // type, a digest
		{600, "checksum: hichip: part kernel"},
		{19, "truncated: hichip: part kernel"},
	} {
		b, err := os.ReadFile("../../testdata/hichip/update/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] ^= 0x41
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("byte %#x changed: %v\n%s\nlacks %q", tt.off, l.Err, l, tt.want)
		}
	}
}
