package codec

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// Encoders of LHA and ARJ are not at hand here: their fixtures test the decoder where the
// formats are. This is one block by hand: symbols of one code each, which take no bits.
func TestLZH(t *testing.T) {
	// 3 symbols; lengths: none, one of 0; symbols: none but 'x'; positions: none but 0.
	var w bitWriter
	w.put(3, 16)
	w.put(0, 5)
	w.put(0, 5)
	w.put(0, 9)
	w.put('x', 9)
	w.put(0, 4)
	w.put(0, 4)
	for _, tc := range []struct {
		in    []byte
		plain int64
		want  string
		err   error
	}{
		{w.b, 3, "xxx", nil},
		{w.b, 4, "xxx", io.ErrUnexpectedEOF},
		{w.b[:3], 3, "", io.ErrUnexpectedEOF},
		{bytes.Repeat([]byte{0xff}, 9), 3, "", ErrCorrupt},
		{nil, 0, "", nil},
	} {
		s, err := NewLZH(bytes.NewReader(tc.in), int64(len(tc.in)), 14, tc.plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s)
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%x: %q, %v; want %q, %v", tc.in, got, err, tc.want, tc.err)
		}
		if n := s.Consumed(); n < 0 || n > int64(len(tc.in)) {
			t.Errorf("%x: %d bytes consumed", tc.in, n)
		}
	}
}

type bitWriter struct {
	b    []byte
	used uint
}

func (w *bitWriter) put(v, n uint) {
	for n > 0 {
		if w.used%8 == 0 {
			w.b = append(w.b, 0)
		}
		n--
		w.b[len(w.b)-1] |= byte(v>>n&1) << (7 - w.used%8)
		w.used++
	}
}
