package sunplus

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// TestDoubt: what does not add up is refused or told.
func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		file string
		off  int
		to   byte
		want string // "" if it is none any more
	}{
		{"sunplus/all", 14, 1, ""},
		{"sunplus/all", 21, 6, ""},
		{"sunplus/all", 21, 16, ""},
		{"sunplus/all", 17, 16, "problem truncated: sunplus"},
		{"sunplus/all", 18, 0, "\"dram\""},
	} {
		b, err := os.ReadFile("../../testdata/" + tt.file + "/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] = tt.to
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s, byte %#x changed: %v\n%s\nlacks %q", tt.file, tt.off, l.Err, l, tt.want)
		}
	}
}
