package squashfs

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"testing"
)

// TestSalvage cuts images before their tables. The blocks of a file must come out as the file,
// and nothing may come out that is in no block.
func TestSalvage(t *testing.T) {
	for _, name := range []string{"gzip", "xz-bcj", "zstd"} {
		b, err := os.ReadFile("../../testdata/squashfs/" + name + "/input")
		if err != nil {
			t.Fatal(err)
		}
		whole, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var all [][]byte
		for e := range whole.Entries() {
			if e.Mode.IsRegular() && e.HardLink == "" && e.Size > 0 {
				all = append(all, content(t, e.Window != nil, e.Open, func() []byte { return b[e.Window.Off:e.Window.End()] }))
			}
		}
		cut := b[:whole.super.inodeTable]
		r, err := NewReader(bytes.NewReader(cut), int64(len(cut)))
		if err != nil {
			t.Fatal(err)
		}
		files, same := 0, 0
		for e, err := range r.Entries() {
			if err != nil {
				continue
			}
			files++
			got := content(t, false, e.Open, nil)
			if len(e.Problems) == 0 || int64(len(got)) != e.Size {
				t.Errorf("%s: %s of %d bytes, told as %d, has problems %v", name, e.Path, len(got), e.Size, e.Problems)
			}
			for _, f := range all {
				if sha256.Sum256(f) == sha256.Sum256(got) {
					same++
				}
			}
		}
		if r.Size() != int64(len(cut)) || same == 0 {
			t.Errorf("%s: %d files in %d of %d bytes, %d of them as they were", name, files, r.Size(), len(cut), same)
		}
	}
}

func content(t *testing.T, window bool, open func() (io.Reader, error), stored func() []byte) []byte {
	t.Helper()
	if window {
		return stored()
	}
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
