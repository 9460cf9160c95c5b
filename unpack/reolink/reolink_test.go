package reolink

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestGoldenPaks(t *testing.T)     { formattest.Golden(t, Paks) }
func TestTruncationPaks(t *testing.T) { formattest.Truncation(t, Paks) }
func FuzzOpenPaks(f *testing.F)       { formattest.Fuzz(f, Paks) }

func TestDoubt(t *testing.T) {
	const sections, each = 12, 64
	for _, tt := range []struct {
		off  int
		want string // "" if it is no update any more
	}{
		{sections + 56, ""}, {sections + 3*each + 56, ""}, // where the first and the last section start
		{sections + 2*each + 57, "truncated: reolink: section \"fs\""},
		{sections + 3*each + 63, "truncated: reolink: section \"app\""},
		{sections, "checksum: reolink: CRC"}, // a name
		{0x300, "checksum: reolink: CRC"},    // a byte of a section
	} {
		b, err := os.ReadFile("../../testdata/reolink/narrow/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] ^= 0x48
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("byte %#x changed: %v\n%s\nlacks %q", tt.off, l.Err, l, tt.want)
		}
	}
}
