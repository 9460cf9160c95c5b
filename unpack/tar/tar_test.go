package tar

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestNumeric(t *testing.T) {
	for _, x := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0000644\x00", 0o644, true}, {"   644 \x00", 0o644, true}, {"644\x00junk", 0o644, true}, {"\x00\x00\x00", 0, true},
		{"\x80\x00\x00\x00\x00\x00\x01\x00", 256, true}, {"\xff\xff\xff\xff\xff\xff\xff\xfe", -2, true},
		{"\x80\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00", 1 << 62, true},
		{"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0, false}, {"0000689\x00", 0, false}, {"-1", 0, false},
	} {
		if got, err := numeric([]byte(x.in)); got != x.want || (err == nil) != x.ok {
			t.Errorf("numeric(%q) = %d, %v, want %d", x.in, got, err, x.want)
		}
	}
}
