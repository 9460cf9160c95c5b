package codec

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/anchore/go-lzo"
)

// lzoBlock returns the first block that lzop makes of b, without its header.
func lzoBlock(t testing.TB, b []byte, level string) []byte {
	src := run(t, b, "lzop", level, "-c")
	h, err := ParseLzopHeader(src)
	if err != nil {
		t.Fatal(err)
	}
	src = src[h.Size:]
	n := binary.BigEndian.Uint32(src[4:])
	return src[12 : 12+n] // behind both sizes and one checksum
}

func TestLZO(t *testing.T) {
	for _, level := range []string{"-1", "-3", "-9"} {
		for _, want := range [][]byte{sample(100), sample(200_000), elfSample(t), make([]byte, 250_000)} {
			checkBlock(t, LZO, lzoBlock(t, want, level), want)
		}
	}
}

// Whatever go-lzo decodes, LZO decodes to the same bytes.
func FuzzLZO(f *testing.F) {
	for _, level := range []string{"-1", "-9"} {
		f.Add(lzoBlock(f, sample(2000), level))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		theirs, ours := make([]byte, 1<<16), make([]byte, 1<<16)
		n, err := lzo.Decompress(src, theirs)
		m, err2 := LZO(ours, src)
		if err == nil && (err2 != nil || m != n || !bytes.Equal(ours[:m], theirs[:n])) {
			t.Fatalf("LZO = %d, %v; go-lzo %d", m, err2, n)
		}
	})
}

func BenchmarkLZO(b *testing.B) {
	want := elfData(b, 1<<20)[512<<10:][:256<<10]
	src := lzoBlock(b, want, "-9")
	dst := make([]byte, len(want))
	for name, f := range map[string]Block{"own": LZO, "go-lzo": func(dst, src []byte) (int, error) { return lzo.Decompress(src, dst) }} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				f(dst, src)
			}
		})
	}
}
