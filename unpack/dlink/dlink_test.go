package dlink

import (
	"bytes"
	"io"
	"os"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T) {
	formattest.Golden(t, MH01)
	formattest.Golden(t, Encrypted)
}

func TestTruncation(t *testing.T) {
	formattest.Truncation(t, MH01)
	formattest.Truncation(t, Encrypted)
}

func FuzzMH01(f *testing.F)      { formattest.Fuzz(f, MH01) }
func FuzzEncrypted(f *testing.F) { formattest.Fuzz(f, Encrypted) }

// The keys of the fixtures.
var keys = format.Keys{
	KeyMH01:  []byte("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"),
	KeyImage: []byte("0123456789abcdef0123456789abcdefinitial vector.."),
}

func TestKeys(t *testing.T) {
	wrong := format.Keys{KeyMH01: make([]byte, 16), KeyImage: make([]byte, 5)}
	for _, tc := range []struct {
		f    format.Format
		dir  string
		path string
		want string // what it begins with
	}{{MH01, "mh01/inner", "part2", "MH01"}, {Encrypted, "encrpted_img/image", "", ubiHeader + "content of a piece"}} {
		b, err := os.ReadFile("../../testdata/" + tc.dir + "/input")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []format.Keys{keys, wrong} {
			c, err := tc.f.Open(format.Source{SectionReader: io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), Keys: k})
			if err != nil {
				t.Fatal(err)
			}
			for e := range c.Entries() {
				if e.Path != tc.path {
					continue
				}
				if right := k[KeyMH01][1] != 0; (e.Open != nil) != right || (len(e.Problems) == 0) != right {
					t.Errorf("%s, right key %v: %+v", tc.dir, right, e)
				} else if right {
					r, _ := e.Open()
					if got, err := io.ReadAll(r); err != nil || !bytes.HasPrefix(got, []byte(tc.want)) {
						t.Errorf("%s: %q, %v, want %q", tc.dir, got[:min(len(got), 40)], err, tc.want)
					}
				}
			}
		}
	}
}
