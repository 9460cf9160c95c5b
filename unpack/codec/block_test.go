package codec

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"io"
	"testing"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"
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
	want := append(sample(100_000), elfSample(t)...)
	for _, args := range [][]string{{"-6"}, {"-0"}, {"--lzma1=lc=4,lp=0,pb=0"}, {"--lzma1=lc=0,lp=4,pb=4"}, {"--lzma1=lc=1,lp=2,pb=3,dict=4096"}} {
		src := run(t, want, "xz", append(args, "--format=lzma", "-c")...)
		checkBlock(t, LZMA, src, want)
		checkStream(t, NewLZMA, src, want)
		if !bytes.Equal(src[5:13], bytes.Repeat([]byte{0xff}, 8)) {
			t.Fatal("xz is expected to write an end marker")
		}
		sized := bytes.Clone(src)
		binary.LittleEndian.PutUint64(sized[5:], uint64(len(want)))
		checkBlock(t, LZMA, sized, want) // size and end marker
		checkStream(t, NewLZMA, sized, want)
		var b bytes.Buffer
		w, err := lzma.WriterConfig{SizeInHeader: true, Size: int64(len(want)), Properties: lzmaProps(src[0]), DictCap: 1 << 16}.NewWriter(&b)
		if err != nil {
			continue // lc + lp > 4 or the like
		}
		w.Write(want)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		checkBlock(t, LZMA, b.Bytes(), want) // size alone
		checkStream(t, NewLZMA, b.Bytes(), want)
		raw := b.Bytes()[lzmaHeader:]
		dst := make([]byte, len(want))
		if n, err := LZMARaw(src[0])(dst, raw); n != len(want) || err != nil || !bytes.Equal(dst, want) {
			t.Fatalf("LZMARaw: %d, %v", n, err)
		}
		noDict := bytes.Clone(b.Bytes())
		clear(noDict[1:5])
		checkBlock(t, LZMA, noDict, want)
	}
	checkStream(t, NewLZMA, run(t, nil, "xz", "--format=lzma", "-c"), nil)
}

func lzmaProps(b byte) *lzma.Properties {
	return &lzma.Properties{LC: int(b % 9), LP: int(b / 9 % 5), PB: int(b / 45)}
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
