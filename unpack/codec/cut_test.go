package codec

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/ulikunitz/xz"
)

// TestXZCutAnywhere cuts streams at every byte. One in some hundred chunks ends with a byte that
// only brings the range decoder to rest; cut there, all output is done and the end is missing.
func TestXZCutAnywhere(t *testing.T) {
	for n := 200; n < 600; n += 2 {
		want := sample(n)
		var b bytes.Buffer
		w, err := xz.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(want)
		w.Close()
		for cut := b.Len() - 60; cut < b.Len(); cut++ {
			src := b.Bytes()[:cut]
			s, err := NewXZ(bytes.NewReader(src), int64(cut), 1<<20)
			if err != nil {
				continue
			}
			got, err := io.ReadAll(s)
			if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(want, got) {
				t.Fatalf("%d bytes, stream cut to %d of %d: %d bytes, %v", n, cut, b.Len(), len(got), err)
			}
		}
	}
}
