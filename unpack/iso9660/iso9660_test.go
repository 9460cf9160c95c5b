package iso9660

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestDates(t *testing.T) {
	for _, tt := range []struct {
		got, want int64
	}{
		{shortDate([]byte{124, 2, 29, 12, 34, 57, 0}), 1709210097},
		{shortDate([]byte{124, 2, 29, 14, 34, 57, 8}), 1709210097},
		{longDate([]byte("2024022912345700\x00")), 1709210097},
		{shortDate(make([]byte, 7)), 0},
		{longDate([]byte("0000000000000000\x00")), 0},
		{longDate(make([]byte, 17)), 0},
	} {
		if tt.got != tt.want {
			t.Errorf("got %d, want %d", tt.got, tt.want)
		}
	}
}
