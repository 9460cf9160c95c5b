package grainmedia

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)          { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T)      { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)            { formattest.Fuzz(f, Format) }
func TestGoldenGwell(t *testing.T)     { formattest.Golden(t, Gwell) }
func TestTruncationGwell(t *testing.T) { formattest.Truncation(t, Gwell) }
func FuzzOpenGwell(f *testing.F)       { formattest.Fuzz(f, Gwell) }

func TestChanged(t *testing.T) {
	changed := formattest.Changed(t, Format)
	changed("kernel", 3, 0, "")
	changed("kernel", 30, '1', "")
	changed("kernel", 16, 7, "")
	changed("kernel", 10, 9, "problem truncated: grainmedia")
	changed = formattest.Changed(t, Gwell)
	changed("update", 0, 1, "")
	changed("update", 4, 1, "")
	changed("update", 8, 1, "")
	changed("update", 33, 0, "")
	changed("update", 545, 0, "")
	changed("update", 31, 13, "attr version=\"13.0.0.75\"")
}
