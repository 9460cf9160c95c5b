package novatek

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestGoldenPack(t *testing.T)     { formattest.Golden(t, Pack) }
func TestTruncationPack(t *testing.T) { formattest.Truncation(t, Pack) }
func FuzzOpenPack(f *testing.F)       { formattest.Fuzz(f, Pack) }
func TestGoldenBCL(t *testing.T)      { formattest.Golden(t, BCL) }
func TestTruncationBCL(t *testing.T)  { formattest.Truncation(t, BCL) }
func FuzzOpenBCL(f *testing.F)        { formattest.Fuzz(f, BCL) }

// TestDoubtElsewhere: what does not add up is no BCL1, and a pack is told to be damaged.
func TestDoubtElsewhere(t *testing.T) {
	for _, tt := range []struct {
		file string
		off  int
		f    format.Format
		want string // "" if it is none any more
	}{
		{"novatek-bcl/lz77", 5, BCL, "attr checksum=\"off by "},
		{"novatek-bcl/lz77", 7, BCL, ""},
		{"novatek-bcl/lz77", 11, BCL, ""},
		{"novatek-bcl/lz77", 16, BCL, ""},
		{"novatek-bcl/zlib", 60, BCL, ""},
		{"novatek-pack/three", 16, Pack, ""},
		{"novatek-pack/three", 0x60, Pack, "problem checksum: novatek: checksum: words and indices add up to 0x1, want 0"},
		{"novatek-pack/three", 0x2b, Pack, ""},
	} {
		b, err := os.ReadFile("../../testdata/" + tt.file + "/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off]++
		l := formattest.List(b, tt.f, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s, byte %#x changed: %v\n%s\nlacks %q", tt.file, tt.off, l.Err, l, tt.want)
		}
	}
}

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
