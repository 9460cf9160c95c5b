package bosch

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)            { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T)        { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)              { formattest.Fuzz(f, Format) }
func TestGoldenArchive(t *testing.T)     { formattest.Golden(t, Archive) }
func TestTruncationArchive(t *testing.T) { formattest.Truncation(t, Archive) }
func FuzzOpenArchive(f *testing.F)       { formattest.Fuzz(f, Archive) }

// TestDoubt: what does not add up is refused or told.
func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		file string
		f    format.Format
		off  int
		to   byte
		want string // "" if it is none any more
	}{
		{"bosch/one", Format, 3, 0, ""},
		{"bosch/one", Format, 1024, 0, ""},
		{"bosch/one", Format, 18, 127, "problem truncated: bosch: payload at 0x400"},
		{"bosch/nested", Format, 1024, 0, ""},
		{"bosch/nested", Format, 2048, 0, ""},
		{"bosch/raw", Format, 31, 0, ""},
		{"bosch-archive/files", Archive, 7, 1, ""},
		{"bosch-archive/files", Archive, 8, 0, ""},
		{"bosch-archive/files", Archive, 224, 0, "problem damaged: bosch: file \"www/index.html\" at 0xe0"},
		{"bosch-archive/files", Archive, 266, 127, "problem damaged: bosch: file"},
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
