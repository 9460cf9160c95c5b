package codec

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// contents are what the stream tests compress: empty, tiny, text and code, noise, runs.
func contents(t testing.TB) [][]byte {
	noise := make([]byte, 70_000)
	for i, x := 0, uint64(1); i < len(noise); i++ {
		x = x*6364136223846793005 + 1442695040888963407
		noise[i] = byte(x >> 56)
	}
	return [][]byte{nil, []byte("x"), []byte("hello, hello"), append(sample(100_000), elfSample(t)...), noise, make([]byte, 1_000_000)}
}

func TestDeflateStreams(t *testing.T) {
	for _, want := range contents(t) {
		for level := range 10 {
			var raw, z, g bytes.Buffer
			f, _ := flate.NewWriter(&raw, level)
			f.Write(want)
			f.Close()
			zw, _ := zlib.NewWriterLevel(&z, level)
			zw.Write(want)
			zw.Close()
			gw, _ := gzip.NewWriterLevel(&g, level)
			gw.Name, gw.Comment, gw.Extra = "name", "comment", []byte("xx")
			gw.Write(want)
			gw.Close()
			checkStream(t, NewDeflate, raw.Bytes(), want)
			checkStream(t, NewZlib, z.Bytes(), want)
			checkStream(t, NewGzip, g.Bytes(), want)
			checkWhole(t, NewGzip, append(bytes.Clone(g.Bytes()), g.Bytes()...), append(bytes.Clone(want), want...))
		}
	}
	// Ends at each bit of a byte.
	for n := range 400 {
		want := sample(n)
		var g bytes.Buffer
		gw := gzip.NewWriter(&g)
		gw.Write(want)
		gw.Close()
		checkStream(t, NewGzip, g.Bytes(), want)
	}
}

func TestBzip2(t *testing.T) {
	for _, want := range contents(t) {
		for _, level := range []string{"-1", "-9"} {
			src := run(t, want, "bzip2", level, "-c")
			checkStream(t, NewBzip2, src, want)
			if len(want) < 1<<20 {
				checkWhole(t, NewBzip2, append(bytes.Clone(src), src...), append(bytes.Clone(want), want...))
			}
		}
	}
	for n := range 60 {
		want := sample(n * 7)
		checkStream(t, NewBzip2, run(t, want, "bzip2", "-c"), want)
	}
}

func TestLZ4Stream(t *testing.T) {
	for _, want := range contents(t) {
		for _, args := range [][]string{{"-1"}, {"-9", "-B4", "-BD"}, {"-B5", "--content-size", "-BX"}, {"--no-frame-crc", "-BD", "-B7"}} {
			src := run(t, want, "lz4", append(args, "-c")...)
			checkStream(t, NewLZ4, src, want)
			checkWhole(t, NewLZ4, append(bytes.Clone(src), src...), append(bytes.Clone(want), want...))
		}
	}
	big := bytes.Repeat(sample(1<<20), 9) // more than one legacy block
	for _, want := range append(contents(t)[1:], big) {
		checkStream(t, NewLZ4Legacy, run(t, want, "lz4", "-l", "-c"), want)
	}
}

func TestZstdStream(t *testing.T) {
	for _, want := range contents(t) {
		for _, args := range [][]string{{"-1"}, {"-19", "--no-check"}, {"--long=24"}} {
			src := run(t, want, "zstd", append(args, "-q", "-c")...)
			checkStream(t, NewZstd, src, want)
			skip := append(bytes.Clone(src), "\x50\x2a\x4d\x18\x03\x00\x00\x00abc"...)
			checkWhole(t, NewZstd, append(skip, src...), append(bytes.Clone(want), want...))
		}
	}
}

func TestLzop(t *testing.T) {
	for _, want := range contents(t)[1:] {
		file := filepath.Join(t.TempDir(), "name.bin")
		if err := os.WriteFile(file, want, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"-1"}, {"-9"}, {"-6", "-F"}, {"--crc32"}} {
			src := run(t, nil, "lzop", append(args, "-c", file)...)
			checkStream(t, NewLzop, src, want)
			h, err := ParseLzopHeader(src)
			if err != nil || h.Name != "name.bin" || h.Mode&0o777 != 0o600 || h.ModTime == 0 {
				t.Errorf("header %+v, %v", h, err)
			}
		}
	}
}

func TestLzip(t *testing.T) {
	for _, want := range contents(t) {
		src := run(t, want, "lzip", "-c")
		checkStream(t, NewLzip, src, want)
		checkWhole(t, NewLzip, append(bytes.Clone(src), src...), append(bytes.Clone(want), want...))
	}
}

func TestCompress(t *testing.T) {
	for _, want := range contents(t)[1:] {
		for _, bits := range []string{"-b10", "-b12", "-b16"} {
			src := run(t, want, "compress", "-f", bits, "-c")
			s, err := NewCompress(bytes.NewReader(src), int64(len(src)), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(s)
			if err != nil || !bytes.Equal(got, want) || s.Consumed() != int64(len(src)) {
				t.Fatalf("%s: %d of %d bytes, consumed %d of %d, %v", bits, len(got), len(want), s.Consumed(), len(src), err)
			}
		}
	}
}

// A header that asks for a dictionary of 3 GiB gets no more memory than its content needs.
func TestDictionaryBomb(t *testing.T) {
	want := sample(1000)
	lzma := run(t, want, "xz", "--format=lzma", "-c")
	binary.LittleEndian.PutUint32(lzma[1:], 3<<30)
	big := run(t, want, "xz", "--lzma2=dict=1536MiB,mode=fast,mf=hc3,nice=4", "--memlimit-compress=0", "-c")
	zst := append([]byte("\x28\xb5\x2f\xfd\x00\x90"), 1|byte(5<<3), 0, 0, 'h', 'e', 'l', 'l', 'o') // window of 256 MiB
	for name, open := range map[string]func() (Stream, error){
		"lzma": func() (Stream, error) { return NewLZMA(bytes.NewReader(lzma), int64(len(lzma)), 64<<20) },
		"xz":   func() (Stream, error) { return NewXZ(bytes.NewReader(big), int64(len(big)), 64<<20) },
		"zstd": func() (Stream, error) { return NewZstd(bytes.NewReader(zst), int64(len(zst)), 300<<20) },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := open()
		if err == nil {
			_, err = io.Copy(io.Discard, s)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; err != nil || got > 4<<20 {
			t.Errorf("%s: %d bytes allocated, %v", name, got, err)
		}
	}
}

// A match beyond what the allowed memory can hold is a limit, not damage.
func TestMemoryLimit(t *testing.T) {
	noise := contents(t)[4]
	want := append(append(bytes.Clone(noise), make([]byte, 3<<20)...), noise...)
	src := run(t, want, "xz", "-c")
	s, err := NewXZ(bytes.NewReader(src), int64(len(src)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(s)
	if !errors.Is(err, ErrMemory) || len(got) < 3<<20 || !bytes.Equal(got, want[:len(got)]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func FuzzStreams(f *testing.F) {
	streams := []func(io.ReaderAt, int64, int64) (Stream, error){
		NewGzip, NewZlib, NewDeflate, NewXZ, NewLZMA, NewBzip2, NewLZ4, NewLZ4Legacy, NewZstd, NewLzop, NewLzip, NewCompress, NewDeflate64,
	}
	want := sample(3000)
	for i, tool := range []string{"gzip", "", "", "xz", "lzma", "bzip2", "lz4", "", "zstd", "lzop", "lzip", "compress"} {
		if tool != "" {
			f.Add(byte(i), run(f, want, tool, "-c"))
		}
	}
	f.Add(byte(12), sevenZip(f, want, "-mm=Deflate64"))
	f.Fuzz(func(t *testing.T, which byte, src []byte) {
		s, err := streams[int(which)%len(streams)](bytes.NewReader(src), int64(len(src)), 1<<20)
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, io.LimitReader(s, 1<<20))
		if got := s.Consumed(); got < 0 || got > int64(len(src)) {
			t.Fatalf("%d bytes out, consumed %d of %d, %v", n, got, len(src), err)
		}
	})
}

// TestZstdFirstBlock checks that a header before what is no block gets no decoder: megabytes of
// magics cost 40 s and more than a gigabyte when each had one.
func TestZstdFirstBlock(t *testing.T) {
	for _, src := range []string{"\x28\xb5\x2f\xfd\x00\x00\x00\x00\x28", "\x28\xb5\x2f\xfd\x00\x00\x07\x00\x00"} {
		if _, err := NewZstd(strings.NewReader(src), int64(len(src)), 300<<20); !errors.Is(err, ErrHeader) {
			t.Errorf("NewZstd(%q) = %v, want %v", src, err, ErrHeader)
		}
	}
}
