package tenvis

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
		{"tenvis/update", 24, 0, ""},
		{"tenvis/update", 28, 0, ""},
		{"tenvis/update", 33, 0, ""},
		{"tenvis/update", 60, 0, ""},
		{"tenvis/update", 200, 0, "checksum: tenvis: section 1 at 0x43: MD5"},
		{"tenvis/update", 67, 0, "problem damaged: tenvis: section 1 at 0x43: type"},
		{"tenvis/update", 91, 255, "problem damaged: tenvis: file at 0x5b: sizes do not fit"},
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
