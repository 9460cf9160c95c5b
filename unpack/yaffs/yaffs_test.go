package yaffs

import (
	"errors"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T) {
	formattest.Golden(t, Format)
	formattest.Golden(t, Flash)
}

func TestTruncation(t *testing.T) {
	formattest.Truncation(t, Format)
	formattest.Truncation(t, Flash)
}

func FuzzOpen(f *testing.F)  { formattest.Fuzz(f, Format) }
func FuzzFlash(f *testing.F) { formattest.Fuzz(f, Flash) }

// TestNot: a header's beginning alone is nothing.
func TestNot(t *testing.T) {
	for _, magic := range headers() {
		b := make([]byte, 64<<10)
		copy(b, magic.Bytes)
		copy(b[10:], "name")
		for _, f := range []format.Format{Format, Flash} {
			if l := formattest.List(b, f, 1<<20); !errors.Is(l.Err, format.ErrFormat) {
				t.Errorf("%q: accepted as %s\n%s", magic.Bytes, f.Name, l)
			}
		}
	}
}
