package dahua

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
		{0, ""}, {0x18, ""}, {0x1c, "\"\\xfa"}, {0x2f, ""}, // magic, zero field, name, its padding
		{0x14, "problem checksum: dahua: body CRC"},
		{0x0b, "problem truncated: dahua: body at 0x800"},
	} {
		b, err := os.ReadFile("../../testdata/dahua/boot/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] ^= 0x8f
		l := formattest.List(b, Format, 1<<20)
		if l.Err == nil && (tt.want == "" || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("byte %#x changed: %s\nlacks %q", tt.off, l, tt.want)
		}
	}
}
