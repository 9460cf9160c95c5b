package zlib

import (
	"math/rand/v2"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// Noise behind each magic is never a stream.
func TestNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 2000)
	for i := range 20_000 {
		for j := range b[:300] {
			b[j] = byte(r.Uint32())
		}
		copy(b, Format.Magics[i%len(Format.Magics)].Bytes)
		if l := formattest.List(b, Format, 1<<20); l.Err == nil {
			t.Fatalf("% x is a stream: %v", b[:16], l)
		}
	}
}
