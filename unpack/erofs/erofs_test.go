package erofs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// TestDamage: what is broken is told, and the rest is read.
func TestDamage(t *testing.T) {
	good, err := os.ReadFile("../../testdata/erofs/lz4-tail/input")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(b []byte)
		want   string // in the listing
	}{
		{"checksum", func(b []byte) { b[superOff+64] = 'x' }, "checksum: erofs: superblock at 0x400: checksum"},
		{"blocks", func(b []byte) { b[superOff+37]++ }, "truncated: erofs: "},
		{"directory in itself", func(b []byte) {
			root := int(binary.LittleEndian.Uint16(b[superOff+14:])) * 32
			at := root + bytes.Index(b[root:], []byte("dev")) // names stand behind the numbers
			for i := root; i+8 < at; i += 4 {
				if binary.LittleEndian.Uint16(b[i+8:]) == uint16(at-root-32) || b[i+10] == 2 {
					binary.LittleEndian.PutUint64(b[i:], uint64(root/32))
				}
			}
		}, "has another name already"},
	} {
		b := bytes.Clone(good)
		tt.change(b)
		if l := formattest.List(b, Format, 1<<20); l.Err != nil || !strings.Contains(l.String(), tt.want) {
			t.Errorf("%s: %v, listing\n%s\nwant %q", tt.name, l.Err, l, tt.want)
		}
	}
	b := bytes.Clone(good)
	b[superOff+81] |= 0x80
	if l := formattest.List(b, Format, 1<<20); l.Err == nil || errors.Is(l.Err, format.ErrFormat) {
		t.Errorf("unknown feature: %v, want a problem", l.Err)
	}
}
