package zip

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// TestSlackIsTold: bytes that belong to no member come out as entries, so that somebody looks.
func TestSlackIsTold(t *testing.T) {
	noise := make([]byte, 5000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	member := func(name string) {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, strings.Repeat(name, 100))
		w.Flush()
	}
	member("first")
	if l := formattest.List(finish(t, w, &b, ""), Format, 1<<20); strings.Contains(l.String(), "slack") {
		t.Errorf("an archive without slack lists some:\n%s", l)
	}
	b.Reset()
	w = zip.NewWriter(&b)
	member("second")
	directory := b.Len()
	whole := finish(t, w, &b, string(noise))
	field := whole[len(whole)-len(noise)-endLen+16:] // where the directory starts
	binary.LittleEndian.PutUint32(field, uint32(directory+len(noise)))
	whole = append(whole[:directory:directory], append(noise, whole[directory:]...)...)
	l := formattest.List(whole, Format, 1<<20)
	if l.Err != nil || l.Size != int64(len(whole)) || strings.Count(l.String(), "\"slack-") != 2 {
		t.Errorf("a gap and a comment of 5000 bytes each in %d: %v\n%s", len(whole), l.Err, l)
	}
}

func finish(t *testing.T, w *zip.Writer, b *bytes.Buffer, comment string) []byte {
	t.Helper()
	if err := w.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b.Bytes())
}
