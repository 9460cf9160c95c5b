package udf

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// TestChanged damages single bytes: what does not add up is refused or told.
func TestChanged(t *testing.T) {
	check := formattest.Changed(t, Format)
	check("plain", 0x8801, 'X', "")   // NSR02
	check("plain", 0x80000, 9, "")    // the anchor's kind
	check("plain", 0x80014, 0xff, "") // where it leads
}
