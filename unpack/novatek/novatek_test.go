package novatek

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
		want string
	}{
		{4, ""}, {14, ""}, {16, ""}, // version, upper half of the checksum, header size
		{0x50, "problem checksum: novatek: checksum: words and indices add up to 0x1, want 0"},
		{0x17, "problem truncated: novatek: payload at 0x40"},
	} {
		b, err := os.ReadFile("../../testdata/novatek/text/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off]++
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("byte %#x changed: %v\n%s\nlacks %q", tt.off, l.Err, l, tt.want)
		}
	}
}
