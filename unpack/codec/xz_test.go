package codec

import (
	"bytes"
	"io"
	"testing"
)

// checkStream tests the contract of a stream constructor with src, which decodes to want.
func checkStream(t *testing.T, open func(io.ReaderAt, int64, int64) (Stream, error), src, want []byte) {
	t.Helper()
	checkWhole(t, open, src, want)
	for _, cut := range []int{0, 1, 5, 12, 13, 20, len(src) / 3, len(src) - 30, len(src) - 9, len(src) - 1} {
		if cut < 0 || cut >= len(src) {
			continue
		}
		s, err := open(bytes.NewReader(src[:cut]), int64(cut), 64<<20)
		if err != nil {
			continue
		}
		got, err := io.ReadAll(s)
		if err == nil || len(got) > len(want) || !bytes.Equal(got, want[:len(got)]) {
			t.Fatalf("%x: cut to %d of %d: %d bytes, %v", src[:min(32, len(src))], cut, len(src), len(got), err)
		}
		if s.Consumed() > int64(cut) {
			t.Fatalf("cut to %d: Consumed() = %d", cut, s.Consumed())
		}
	}
}

// checkWhole is checkStream for streams of several members, of which a part may be a stream too.
func checkWhole(t *testing.T, open func(io.ReaderAt, int64, int64) (Stream, error), src, want []byte) {
	t.Helper()
	for _, tail := range []string{"", "\x00", "garbage that follows the stream and is longer than any slack"} {
		b := append(bytes.Clone(src), tail...)
		s, err := open(bytes.NewReader(b), int64(len(b)), 64<<20)
		if err != nil {
			t.Fatalf("tail %q: %v", tail, err)
		}
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("tail %q: %d bytes, %v; want %d", tail, len(got), err, len(want))
		}
		if s.Consumed() != int64(len(src)) {
			t.Fatalf("tail %q: Consumed() = %d, want %d", tail, s.Consumed(), len(src))
		}
		if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("Read after the end: %d, %v", n, err)
		}
	}
}

func TestXZ(t *testing.T) {
	want := append(sample(100_000), elfSample(t)...)
	for _, args := range [][]string{
		{"-6"}, {"-0", "--check=none"}, {"--check=crc32"}, {"--check=sha256"},
		{"--block-size=50000"}, {"-T2", "--block-size=70000"},
		{"--x86", "--lzma2"}, {"--powerpc", "--lzma2"}, {"--ia64", "--lzma2"}, {"--arm", "--lzma2"}, {"--armthumb", "--lzma2"},
		{"--sparc", "--lzma2"}, {"--arm64", "--lzma2"}, {"--delta=dist=4", "--lzma2"}, {"--delta=dist=256", "--x86=start=4096", "--arm", "--lzma2"},
		{"--lzma2=lc=0,lp=4,pb=0"}, {"--lzma2=lc=4,lp=0,pb=4,dict=4096"}, {"--lzma2=dict=4KiB,nice=273"},
	} {
		src := run(t, want, "xz", append(args, "-c")...)
		checkBlock(t, XZ, src, want)
		checkStream(t, NewXZ, src, want)
	}
	one := run(t, want[:1000], "xz", "-c")
	checkWhole(t, NewXZ, append(bytes.Clone(one), one...), append(bytes.Clone(want[:1000]), want[:1000]...))
	checkStream(t, NewXZ, run(t, nil, "xz", "-c"), nil)
	// Noise becomes stored chunks.
	noise := bytes.Clone(want[:150_000])
	for i, x := 0, uint64(1); i < len(noise); i++ {
		x = x*6364136223846793005 + 1442695040888963407
		noise[i] = byte(x >> 56)
	}
	noise = append(noise, want[:150_000]...)
	checkBlock(t, XZ, run(t, noise, "xz", "-c"), noise)
	checkStream(t, NewXZ, run(t, noise, "xz", "-c"), noise)
}
