package grainmedia

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)          { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T)      { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)            { formattest.Fuzz(f, Format) }
func TestGoldenGwell(t *testing.T)     { formattest.Golden(t, Gwell) }
func TestTruncationGwell(t *testing.T) { formattest.Truncation(t, Gwell) }
func FuzzOpenGwell(f *testing.F)       { formattest.Fuzz(f, Gwell) }

// TestDoubt: what does not add up is refused or told.
func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		file string
		f    format.Format
		off  int
		to   byte
		want string // "" if it is none any more
	}{
		{"grainmedia/kernel", Format, 3, 0, ""},
		{"grainmedia/kernel", Format, 30, '1', ""},
		{"grainmedia/kernel", Format, 16, 7, ""},
		{"grainmedia/kernel", Format, 10, 9, "problem truncated: grainmedia"},
		{"gwell/update", Gwell, 0, 1, ""},
		{"gwell/update", Gwell, 4, 1, ""},
		{"gwell/update", Gwell, 8, 1, ""},
		{"gwell/update", Gwell, 33, 0, ""},
		{"gwell/update", Gwell, 545, 0, ""},
		{"gwell/update", Gwell, 31, 13, "attr version=\"13.0.0.75\""},
	} {
		b, err := os.ReadFile("../../testdata/" + tt.file + "/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] = tt.to
		l := formattest.List(b, tt.f, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s, byte %#x changed: %v\n%s\nlacks %q", tt.file, tt.off, l.Err, l, tt.want)
		}
	}
}
