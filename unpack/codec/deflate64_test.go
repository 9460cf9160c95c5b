package codec

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sevenZip returns want as 7z packs it into a ZIP with a method.
func sevenZip(t testing.TB, want []byte, args ...string) []byte {
	if _, err := exec.LookPath("7z"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), want, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("7z", append(append([]string{"a", "-tzip"}, args...), "x.zip", "plain")...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	z, err := zip.OpenReader(filepath.Join(dir, "x.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	r, err := z.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if z.File[0].Method == zip.Store && len(want) > 0 {
		return nil // 7z found nothing to compress
	}
	return b
}

func TestDeflate64(t *testing.T) {
	noise := contents(t)[4]
	far := append(append(bytes.Clone(noise[:60_000]), noise[:60_000]...), sample(300_000)...) // matches further back than deflate's
	for _, want := range append(contents(t)[1:], far, bytes.Repeat([]byte("ab"), 500_000)) {
		for _, level := range []string{"-mx1", "-mx5", "-mx9"} {
			if src := sevenZip(t, want, "-mm=Deflate64", level); src != nil {
				checkStream(t, NewDeflate64, src, want)
			}
		}
	}
}

func TestDeflate64Damage(t *testing.T) {
	for _, tc := range []struct {
		in   []byte
		want string
		err  error
	}{
		{nil, "", io.ErrUnexpectedEOF},
		{[]byte{7}, "", ErrCorrupt},                                  // block of type 3
		{[]byte{1, 2, 0, 0xfd, 0xff, 'h', 'i'}, "hi", nil},           // stored
		{[]byte{1, 2, 0, 0xfd, 0xff, 'h'}, "h", io.ErrUnexpectedEOF}, //
		{[]byte{1, 2, 0, 0xfd, 0xfe, 'h', 'i'}, "", ErrCorrupt},      // length and its complement
		{[]byte{0x4b, 0x04, 0x12, 0}, "a", ErrCorrupt},               // reaches back beyond the beginning
	} {
		s, _ := NewDeflate64(bytes.NewReader(tc.in), int64(len(tc.in)), 1<<20)
		got, err := io.ReadAll(s)
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%x: %q, %v; want %q, %v", tc.in, got, err, tc.want, tc.err)
		}
	}
}
