package tiandy

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
		want string // "" if it is no box any more
	}{
		{8, ""}, {32, ""}, // the two totals
		{headerSize, ""},       // no name
		{headerSize + 128, ""}, // first length
		{headerSize + entrySize + 64 + 128, "damaged: tiandy: entry \"/dev/mtdblock1\""},
		{36, "attr files=\"3\""}, // the length that some leave out
	} {
		b, err := os.ReadFile("../../testdata/tiandy/update/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] = 0
		if tt.off != headerSize {
			b[tt.off] = 0x11
		}
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("byte %#x changed: %v\n%s\nlacks %q", tt.off, l.Err, l, tt.want)
		}
	}
}
