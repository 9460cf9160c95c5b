package pe

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestEdges(t *testing.T) {
	for _, tt := range []struct {
		file string
		off  int
		b    byte
		want string // "" if it is not the format any more
	}{
		{"plain", 0x3c, 0xff, ""}, // where the header stands
		{"plain", 0x80, 'p', ""},  // its magic
		{"plain", 0x86, 200, ""},  // sections
		{"plain", 0x98, 0x0c, ""}, // magic of the optional header
		{"plain", 0x86, 0, ""},    // no section
		{"plain", 0x80 + 24 + 68, 10, `subsystem="EFI"`},
		{"plain", 0x82 + 24 + 240 + 16, 0xff, "problem truncated: pe: sections end at"},
		{"overlay", 0x85, 0x86, `machine="0x864c"`},
	} {
		b, err := os.ReadFile("../../testdata/pe/" + tt.file + "/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] = tt.b
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s, byte %#x: %v\n%s\nlacks %q", tt.file, tt.off, l.Err, l, tt.want)
		}
	}
}
