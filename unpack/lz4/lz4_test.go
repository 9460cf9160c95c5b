package lz4

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)           { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T)       { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)             { formattest.Fuzz(f, Format) }
func TestLegacyGolden(t *testing.T)     { formattest.Golden(t, Legacy) }
func TestLegacyTruncation(t *testing.T) { formattest.Truncation(t, Legacy) }
func FuzzLegacy(f *testing.F)           { formattest.Fuzz(f, Legacy) }
