package codec

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
)

// sample returns n bytes that compress like a mix of code, text and noise.
func sample(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 0, n+64)
	words := []string{"camera", "firmware", "\x00\x00\xa0\xe1", "\x04\xe0\x2d\xe5", "onvif", "/usr/lib/", "rtsp://", "\n"}
	for len(b) < n {
		switch r.IntN(8) {
		case 0:
			for range r.IntN(20) {
				b = append(b, byte(r.Uint32()))
			}
		case 1:
			if len(b) > 400 {
				at := r.IntN(len(b) - 300)
				b = append(b, b[at:at+r.IntN(300)]...)
			}
		default:
			b = append(b, words[r.IntN(len(words))]...)
		}
	}
	return b[:n]
}

// elfSample returns some machine code: a part of the test itself.
func elfSample(t testing.TB) []byte {
	f, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 120_000)
	if _, err := f.ReadAt(b, 1<<20); err != nil {
		t.Fatal(err)
	}
	return b
}

// run pipes in through a command-line tool and skips the test if there is none.
func run(t testing.TB, in []byte, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip(err)
	}
	c := exec.Command(name, args...)
	c.Stdin = bytes.NewReader(in)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return out
}

// checkBlock tests the contract of [Block] with src, which decodes to want.
func checkBlock(t *testing.T, f Block, src, want []byte) {
	t.Helper()
	dst := make([]byte, len(want)+100)
	if n, err := f(dst, src); err != nil || !bytes.Equal(dst[:n], want) {
		t.Fatalf("roomy dst: %d bytes, %v; want %d", n, err, len(want))
	}
	dst = make([]byte, len(want))
	if n, err := f(dst, src); err != nil || !bytes.Equal(dst[:n], want) {
		t.Fatalf("exact dst: %d bytes, %v; want %d", n, err, len(want))
	}
	if len(want) > 0 {
		dst = make([]byte, len(want))
		if n, err := f(dst[:len(dst)-1], src); !errors.Is(err, ErrTooLong) || dst[len(dst)-1] != 0 {
			t.Fatalf("short dst: %d bytes, %v, byte behind %#x; want ErrTooLong", n, err, dst[len(dst)-1])
		}
	}
	for _, cut := range []int{0, 1, 2, len(src) / 2, len(src) - 1} {
		if cut >= len(src) {
			continue
		}
		clear(dst)
		n, err := f(dst, src[:cut])
		if err == nil && len(want) > 0 && n == len(want) && cut < len(src)/2 {
			t.Fatalf("cut to %d of %d: no error", cut, len(src))
		}
		if !bytes.Equal(dst[:n], want[:n]) {
			t.Fatalf("cut to %d of %d: wrong bytes among %d", cut, len(src), n)
		}
	}
}
