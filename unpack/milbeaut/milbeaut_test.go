package milbeaut

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("text", 0, 0, "")
	changed("text", 12, 255, "attr size=")
	changed("text", 15, 127, "")
	changed("text", 13, 8, "problem truncated: milbeaut: payload at 0x10")
}
