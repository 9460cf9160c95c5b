package codec

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// There is no free encoder: these are blocks by hand, and what is damage.
func TestRAR3(t *testing.T) {
	var w bitWriter
	w.put(0, 2) // a block of LZ77 with new codes
	for i := range 20 {
		w.put([]uint{0: 2, 1: 2, 2: 0, 18: 2, 19: 2}[i%20], 4)
	}
	lengths := func(symbol, n uint, bits uint) { w.put(symbol, 2); w.put(n, bits) }
	zeros := func(n uint) {
		for ; n >= 11; n -= min(n, 138) {
			lengths(3, min(n, 138)-11, 7)
		}
		for ; n >= 3; n -= min(n, 10) {
			lengths(2, min(n, 10)-3, 3)
		}
		for ; n > 0; n-- {
			w.put(0, 2)
		}
	}
	zeros('a')
	w.put(1, 2) // 'a' is 0
	zeros(263 - 'a' - 1)
	w.put(1, 2) // a match of two bytes from nearby is 1
	zeros(rar3Symbols - 264 + rar3Reaches + rar3Lows + rar3Repeats)
	w.put(0, 2) // "aa"
	w.put(1, 1)
	w.put(1, 2) // "aa" from two bytes back
	w.put(1, 1)
	w.put(3, 2) // "aa" from four bytes back
	w.put(1, 1)
	for _, tc := range []struct {
		in    []byte
		plain int64
		want  string
		err   error
	}{
		{w.b, 6, "aaaaaa", nil},
		{w.b, 3, "aaa", nil},
		{nil, 1, "", io.ErrUnexpectedEOF},
		{[]byte{0x80, 0, 0, 0, 0, 0}, 1, "", ErrCorrupt},      // PPMd without a model
		{[]byte{0xa5, 0xff, 0, 0, 0, 0, 0}, 1, "", ErrMemory}, // a model of 256 MiB
		{[]byte{0xa0, 0, 0, 0, 0, 0, 0}, 1, "", ErrCorrupt},   // of order 1
		{bytes.Repeat([]byte{0x11}, 99), 1, "", ErrCorrupt},   // too many short codes
	} {
		s := NewRAR3(1<<20).File(bytes.NewReader(tc.in), int64(len(tc.in)), tc.plain, false)
		got, err := io.ReadAll(s)
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%x: %q, %v; want %q, %v", tc.in, got, err, tc.want, tc.err)
		}
	}
}

func FuzzRAR3(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0x11}, 99))
	f.Add(append([]byte{0xa5, 0}, sample(400)...))
	f.Add(append([]byte{0, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0xf2}, sample(800)...))
	f.Fuzz(func(t *testing.T, src []byte) {
		s := NewRAR3(2<<20).File(bytes.NewReader(src), int64(len(src)), 1<<16, false)
		n, err := io.Copy(io.Discard, s)
		if got := s.Consumed(); got < 0 || got > int64(len(src)) || n > 1<<16 {
			t.Fatalf("%d bytes out, consumed %d of %d, %v", n, got, len(src), err)
		}
	})
}
