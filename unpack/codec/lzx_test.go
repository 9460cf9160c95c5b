package codec

import (
	"errors"
	"io"
	"testing"
)

// An encoder of LZX is where the fixtures of cabinets are made, which test the decoder. This is an uncompressed block
// by hand, of an odd length, and what may be wrong with it.
func TestLZX(t *testing.T) {
	stored := []byte("\x00\x30\x30\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00abc\x00") // no calls, kind 3, 3 bytes, distances 1
	for _, tc := range []struct {
		in   []byte
		n    int
		want string
		err  error
	}{
		{stored, 3, "abc", nil},
		{stored, 2, "ab", nil},
		{stored, 4, "abc", io.ErrUnexpectedEOF},
		{stored[:17], 3, "a", io.ErrUnexpectedEOF},
		{stored[:9], 3, "", io.ErrUnexpectedEOF},
		{nil, 1, "", io.ErrUnexpectedEOF},
		{[]byte("\x00\x00\x00\x00"), 1, "", ErrCorrupt}, // kind 0
		{nil, 1<<15 + 1, "", ErrTooLong},
	} {
		s, err := NewLZX(15)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, tc.n)
		n, err := s.Frame(dst, tc.in)
		if string(dst[:n]) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%x: %q, %v; want %q, %v", tc.in, dst[:n], err, tc.want, tc.err)
		}
	}
	for _, bits := range []int{14, 22} {
		if _, err := NewLZX(bits); !errors.Is(err, ErrHeader) {
			t.Errorf("window of 2^%d bytes: %v", bits, err)
		}
	}
}

func FuzzLZX(f *testing.F) {
	f.Add(byte(0), []byte("\x00\x30\x30\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00abc\x00"))
	f.Add(byte(6), []byte("\x00\x10\xff\xff\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x66\x66"))
	f.Fuzz(func(t *testing.T, bits byte, src []byte) {
		s, err := NewLZX(15 + int(bits%7))
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, lzxFrame)
		for err == nil && len(src) > 0 {
			k := min(len(src), 4096)
			_, err = s.Frame(dst, src[:k])
			src = src[k:]
		}
	})
}
