package sunplus

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("all", 14, 1, "")
	changed("all", 21, 6, "")
	changed("all", 21, 16, "")
	changed("all", 17, 16, "problem truncated: sunplus")
	changed("all", 18, 0, "\"dram\"")
}
