package hikvision

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// TestMask checks the masked magics, as they stand in genuine files.
func TestMask(t *testing.T) {
	for magic, want := range map[string]string{packageMagic: "e99af7b6", wrapperMagic: "8afff7b6", sealedMagic: "8afef7b6"} {
		b := []byte(magic)
		if unmask(b, 0); hex.EncodeToString(b) != want {
			t.Errorf("%s masked = %x, want %s", magic, b, want)
		}
	}
}

func TestVersionAndDate(t *testing.T) {
	// Published headers: build 170312, V5.4.41; a recorder of 2015.
	if got := decimalDate(0x29948); got != "2017-03-12" {
		t.Errorf("decimalDate(0x29948) = %q", got)
	}
	if got := bcdDate(0x20150315); got != "2015-03-15" {
		t.Errorf("bcdDate(0x20150315) = %q", got)
	}
	for _, v := range []uint32{0, 0xffffffff, 0x20151315, 0x2015031a} {
		if d, b := decimalDate(v), bcdDate(v); d != "" || b != "" {
			t.Errorf("%#x is read as %q, %q", v, d, b)
		}
	}
}

// TestDoubt changes one byte of a container: what the header says of itself must decide.
func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		file string
		off  int
		want string // "" if it is no container any more
	}{
		{"camera", 0x30, "problem checksum: hikvision: header sum at 0x4"}, // device code: offsets still chain
		{"camera", 0x0c, ""},              // number of members
		{"camera", 0x40 + 32, ""},         // first offset
		{"camera", 0x08, ""},              // header size
		{"access-control", 0x40 + 32, ""}, // no sum, and no chain
		{"access-control", 0x40 + 40, "checksum: hikvision: sum of member \"member0\""}, // a member's sum
		{"wrapper", 0x0c, ""}, // a field that is always 0
		{"sealed", 0x08, ""},  // header size for 55 files
	} {
		b, err := os.ReadFile("../../testdata/hikvision/" + tt.file + "/input")
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.Clone(b)
		b[tt.off] ^= 1
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil {
			t.Errorf("%s, byte %#x changed: accepted as\n%s", tt.file, tt.off, l)
		} else if tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s, byte %#x changed: %v\n%s\nlacks %q", tt.file, tt.off, l.Err, l, tt.want)
		}
	}
}
