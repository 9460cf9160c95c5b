package romfs

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// The magic alone occurs in every kernel that has the driver.
func TestNotRomfs(t *testing.T) {
	b, err := os.ReadFile("../../testdata/romfs/tree/input")
	if err != nil {
		t.Fatal(err)
	}
	noRoot := bytes.Clone(b)
	copy(noRoot[16:], bytes.Repeat([]byte{0}, 32))
	for _, b := range [][]byte{nil, []byte(magic), append([]byte(magic), bytes.Repeat([]byte("text"), 400)...), noRoot} {
		if _, err := NewReader(bytes.NewReader(b), int64(len(b))); !errors.Is(err, format.ErrFormat) {
			t.Errorf("NewReader(%.40q) = %v, want %v", b, err, format.ErrFormat)
		}
	}
}
