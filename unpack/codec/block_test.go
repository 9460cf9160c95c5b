package codec

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"testing"

	"github.com/pierrec/lz4/v4"
)

func TestDeflate(t *testing.T) {
	want := sample(100_000)
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	w.Write(want)
	w.Close()
	checkBlock(t, Deflate, b.Bytes(), want)
	b.Reset()
	z := zlib.NewWriter(&b)
	z.Write(want)
	z.Close()
	checkBlock(t, Zlib, b.Bytes(), want)
}

func TestZstd(t *testing.T) {
	want := sample(300_000)
	checkBlock(t, Zstd, run(t, want, "zstd", "-q", "-c"), want)
	checkBlock(t, Zstd, run(t, want, "zstd", "-q", "-c", "--ultra", "-22"), want)
}

func TestLZ4(t *testing.T) {
	for _, n := range []int{1, 13, 500, 300_000} {
		want := sample(n)
		b := make([]byte, lz4.CompressBlockBound(n))
		m, err := lz4.CompressBlockHC(want, b, lz4.Level9, nil, nil)
		if m == 0 || err != nil {
			continue
		}
		checkBlock(t, LZ4, b[:m], want)
	}
	if _, err := LZ4(nil, nil); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
}

func TestLZMA(t *testing.T) {
	want := sample(300_000)
	checkBlock(t, LZMA, run(t, want, "xz", "--format=lzma", "-c"), want)
	checkBlock(t, XZ, run(t, want, "xz", "-c"), want)
}

func FuzzBlocks(f *testing.F) {
	blocks := []Block{Zlib, Deflate, XZ, LZMA, LZMARaw(0x5d), LZO, LZ4, Zstd}
	f.Add(byte(0), []byte("\x78\x9c\x03\x00\x00\x00\x00\x01"))
	f.Add(byte(5), []byte("\x15abcd\x11\x00\x00"))
	f.Fuzz(func(t *testing.T, which byte, src []byte) {
		dst := make([]byte, 4096+8)
		n, err := blocks[int(which)%len(blocks)](dst[:4096:4096], src)
		if n < 0 || n > 4096 {
			t.Fatalf("%d bytes, %v", n, err)
		}
	})
}
