package codec

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// hwzip returns what hwzip (https://www.hanshq.net/zip.html) packs want into by method, and number and flags of that.
func hwzip(t testing.TB, method string, want []byte) (src []byte, number, flags uint16) {
	if _, err := exec.LookPath("hwzip"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), want, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("hwzip", "create", "x.zip", "-m", method, "plain")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "x.zip"))
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	return b[30+len("plain"):][:le.Uint32(b[18:])], le.Uint16(b[8:]), le.Uint16(b[6:])
}

func TestPKZIP(t *testing.T) {
	for _, want := range contents(t) {
		plain := int64(len(want))
		for _, method := range []string{"shrink", "reduce", "implode"} {
			src, number, flags := hwzip(t, method, want)
			var open func(r io.ReaderAt, size, memory int64) (Stream, error)
			switch number {
			case 0: // it would be longer
				continue
			case 1:
				open = func(r io.ReaderAt, size, _ int64) (Stream, error) { return NewShrink(r, size, plain) }
			case 6:
				open = func(r io.ReaderAt, size, _ int64) (Stream, error) {
					return NewImplode(r, size, plain, flags&2 != 0, flags&4 != 0)
				}
			default:
				open = func(r io.ReaderAt, size, _ int64) (Stream, error) { return NewReduce(r, size, plain, int(number)-1) }
			}
			checkStream(t, open, src, want)
		}
	}
}

// TestPKZIPDamage: no input may do harm.
func TestPKZIPDamage(t *testing.T) {
	src := sample(5000)
	for i := range 200 {
		b := bytes.Clone(src[i*5 : i*5+4000])
		for _, open := range []func(r io.ReaderAt) (Stream, error){
			func(r io.ReaderAt) (Stream, error) { return NewShrink(r, int64(len(b)), 1<<40) },
			func(r io.ReaderAt) (Stream, error) { return NewReduce(r, int64(len(b)), 1<<40, i%4+1) },
			func(r io.ReaderAt) (Stream, error) { return NewImplode(r, int64(len(b)), 1<<40, i%2 > 0, i%4 > 1) },
		} {
			s, err := open(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, s); err == nil {
				t.Errorf("%d bytes of nothing", n)
			}
		}
	}
}
