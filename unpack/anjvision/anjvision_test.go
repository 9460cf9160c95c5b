package anjvision

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("update", 16, 0, "")
	changed("update", 17, 1, "")
	changed("update", 25, 255, "")
	changed("update", 13, 9, "problem truncated: anjvision")
	changed("update", 24, 1, "\"kernel\" 1 ")
}
