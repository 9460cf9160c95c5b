package ubootenv

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func build(vars string, size int, behind byte) []byte {
	b := append([]byte("\x00\x00\x00\x00"), vars...)
	b = append(b, bytes.Repeat([]byte{behind}, size-len(b))...)
	binary.LittleEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	return append(b, "next"...)
}

func TestEdges(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		want string // "" if it is no environment
	}{
		{"stale bytes behind the end", build("a=1\x00\x00", 0x4000, 'x'), "size 16384"},
		{"largest", build("a=1\x00\x00", maxSize, 0), "size 262144"},
		{"too large", build("a=1\x00\x00", maxSize+sizeStep, 0), ""},
		{"no end", build("a=1\x00", 0x1000, 'x'), ""},
		{"no variable", build("hello\x00\x00", 0x1000, 0), ""},
		{"binary value", build("a=\x01\x02\x00\x00", 0x1000, 0), ""},
		{"name with dots", build("x.y_z-1=v=w\x00\x00", 0x1000, 0), `attr x.y_z-1="v=w" @0xc+3`},
		{"long first variable", build("a="+strings.Repeat("b", 3000)+"\x00\x00", 0x1000, 0), "size 4096"},
	} {
		l := formattest.List(tt.b, Format, 1)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s: %v\n%.300s\nlacks %q", tt.name, l.Err, l, tt.want)
		}
	}
}
