package base64

import (
	"encoding/base64"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestEnd(t *testing.T) {
	line := strings.Repeat("f0VMRgEB", 8)
	lines := strings.Repeat(line+"\n", 20)
	for _, tc := range []struct {
		name, in string
		size     int // of the chunk, 0 if there is none
	}{
		{"short", line, 0},
		{"lines", lines + "\n", len(lines) - 1},
		{"a short last line", lines + "QUJD\nnext", len(lines) + 4},
		{"padding", lines + "QQ==", len(lines) + 4},
		{"half the padding", lines + "QUI=", len(lines) + 4},
		{"one digit too many", lines + "QUJDR\n", len(lines) + 4},
		{"words behind", lines + "END of it", len(lines) - 1},
		{"a longer line", lines + line + "QUJD", len(lines) - 1},
		{"one line", strings.Repeat(line, 20) + "\" more", 20 * len(line)},
		{"returns", strings.ReplaceAll(lines, "\n", "\r\n"), len(lines) + 18},
	} {
		l := formattest.List([]byte(tc.in), Format, 1<<20)
		if (l.Err != nil) != (tc.size == 0) || l.Size != int64(tc.size) {
			t.Errorf("%s: %v, size %d, want %d", tc.name, l.Err, l.Size, tc.size)
		}
	}
}

func TestMagics(t *testing.T) {
	for i, b := range known {
		if s := base64.StdEncoding.EncodeToString([]byte(b + "\xff\x00")); !strings.HasPrefix(s, Format.Magics[i].Bytes) || len(Format.Magics[i].Bytes) < 4 {
			t.Errorf("%q: %q does not begin with %q", b, s, Format.Magics[i].Bytes)
		}
	}
}
