package rockchip

import (
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)            { formattest.Golden(t, Firmware) }
func TestTruncation(t *testing.T)        { formattest.Truncation(t, Firmware) }
func FuzzOpen(f *testing.F)              { formattest.Fuzz(f, Firmware) }
func TestGoldenPackage(t *testing.T)     { formattest.Golden(t, Package) }
func TestTruncationPackage(t *testing.T) { formattest.Truncation(t, Package) }
func FuzzOpenPackage(f *testing.F)       { formattest.Fuzz(f, Package) }

func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		f    format.Format
		off  int
		want string // "" if it is no such image any more
	}{
		{Firmware, 4, ""}, {Firmware, 26, ""}, // header size, place of the loader
		{Firmware, 110, "problem checksum: rkfw: MD5"},
		{Firmware, 40, "problem truncated: rkfw"},
		{Package, 139, ""}, {Package, 140 + 99, ""}, // number of parts, place of one
		{Package, 2050, "problem checksum: rkaf: CRC"},
		{Package, 7, "problem truncated: rkaf"},
	} {
		b, err := os.ReadFile("../../testdata/" + tt.f.Name + "/update/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] ^= 0x41
		l := formattest.List(b, tt.f, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s, byte %#x changed: %v\n%s\nlacks %q", tt.f.Name, tt.off, l.Err, l, tt.want)
		}
	}
}
