package allwinner

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
		{"allwinner/v300", 7, 0, ""},
		{"allwinner/v300", 28, 1, ""},
		{"allwinner/v300", 57, 0, ""},
		{"allwinner/v300", 1029, 0, ""},
		{"allwinner/v300", 2053, 0, "problem damaged: allwinner: item \"boot.fex\" at 0x800"},
		{"allwinner/v300", 26, 1, "problem truncated: allwinner"},
		{"allwinner/v300", 6144, 1, "BOOT_FEX00000000, 198 bytes\""},
		{"allwinner/v300", 1340, 'a', "22 bytes, encryption \\\"a\\\""},
		{"allwinner/encrypted", 0, 0, ""},
		{"allwinner/encrypted", 100, 0, "problem encrypted: allwinner: image encrypted with RC6"},
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
