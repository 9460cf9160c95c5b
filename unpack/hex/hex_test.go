package hex

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T) {
	formattest.Golden(t, Intel)
	formattest.Golden(t, Motorola)
}

func TestTruncation(t *testing.T) {
	formattest.Truncation(t, Intel)
	formattest.Truncation(t, Motorola)
}

func FuzzIntel(f *testing.F)    { formattest.Fuzz(f, Intel) }
func FuzzMotorola(f *testing.F) { formattest.Fuzz(f, Motorola) }

func TestDamage(t *testing.T) {
	const lines = ":0400000001020304F2\n:0400040001020304EE\n:0400080001020304EA\n"
	for _, tc := range []struct {
		name, in string
		size     int64 // of the chunk, 0 if there is none
	}{
		{"bad checksum at once", ":0400000001020304F3\n" + lines + ":00000001FF\n", 0},
		{"binary behind a line", lines[:20] + "\x00\x01\x02", 0},
		{"too few lines", lines[:20], 0},
		{"no data", ":00000001FF\n", 0},
		{"no last line end", lines + ":00000001FF", 71},
		{"something behind", lines + ":00000001FF\n\n\x00more", 72},
		{"bad checksum later", lines + ":0400000001020304F3\n:00000001FF\n", 60},
		{"cut off", lines + ":0400", 60},
		{"no last record", lines, 60},
	} {
		l := formattest.List([]byte(tc.in), Intel, 1<<20)
		if (l.Err != nil) != (tc.size == 0) || l.Size != tc.size {
			t.Errorf("%s: %v, size %d, want %d\n%v", tc.name, l.Err, l.Size, tc.size, l)
		}
	}
}

func TestCounted(t *testing.T) {
	const record, count = "S3100000000048656C6C6F20576F726C64D3\n", "S5030001FB\n"
	for _, tc := range []struct {
		in   string
		size int64 // of the chunk, 0 if there is none
	}{{record + count, 48}, {record, 0}, {record + "S5030002FA\n", 0}} {
		if l := formattest.List([]byte(tc.in), Motorola, 1<<20); l.Size != tc.size || (l.Err != nil) != (tc.size == 0) {
			t.Errorf("%q: %v, size %d, want %d", tc.in, l.Err, l.Size, tc.size)
		}
	}
}
