package ambarella

import (
	"os"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)          { formattest.Golden(t, Section) }
func TestTruncation(t *testing.T)      { formattest.Truncation(t, Section) }
func FuzzOpen(f *testing.F)            { formattest.Fuzz(f, Section) }
func TestGoldenROMFS(t *testing.T)     { formattest.Golden(t, ROMFS) }
func TestTruncationROMFS(t *testing.T) { formattest.Truncation(t, ROMFS) }
func FuzzOpenROMFS(f *testing.F)       { formattest.Fuzz(f, ROMFS) }

func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		f    format.Format
		file string
		off  int
	}{
		{Section, "section", 0}, {Section, "section", 9}, {Section, "section", 15}, {Section, "section", 300}, // CRC, month, length, body
		{ROMFS, "files", 2}, {ROMFS, "files", 2048 + 124}, {ROMFS, "files", 2048 + 117}, // count, an entry's magic and place
	} {
		b, err := os.ReadFile("../../testdata/" + tt.f.Name + "/" + tt.file + "/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] ^= 0x48
		if tt.off == 2048+117 {
			b[tt.off] = 0
		}
		if l := formattest.List(b, tt.f, 1<<20); l.Err == nil {
			t.Errorf("%s, byte %#x changed: accepted as\n%s", tt.f.Name, tt.off, l)
		}
	}
}
