package android

import (
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestBootGolden(t *testing.T)       { formattest.Golden(t, Boot) }
func TestBootTruncation(t *testing.T)   { formattest.Truncation(t, Boot) }
func FuzzBoot(f *testing.F)             { formattest.Fuzz(f, Boot) }
func TestSparseGolden(t *testing.T)     { formattest.Golden(t, Sparse) }
func TestSparseTruncation(t *testing.T) { formattest.Truncation(t, Sparse) }
func FuzzSparse(f *testing.F)           { formattest.Fuzz(f, Sparse) }
