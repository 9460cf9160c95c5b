package zip

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
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

// TestLies: a method that is nobody's does not hide the members behind it, and a size that cannot be does not hide the content.
func TestLies(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateRaw(&zip.FileHeader{Name: "strange", Method: 200, CompressedSize64: 5, UncompressedSize64: 5})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "12345")
	var packed bytes.Buffer
	d, _ := flate.NewWriter(&packed, 9)
	io.WriteString(d, "hello")
	d.Close()
	f, err = w.CreateRaw(&zip.FileHeader{Name: "second", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE([]byte("hello")), CompressedSize64: uint64(packed.Len()), UncompressedSize64: 1 << 33})
	if err != nil {
		t.Fatal(err)
	}
	f.Write(packed.Bytes())
	l := formattest.List(finish(t, w, &b, ""), Format, 1<<20)
	if want := `"second" 5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824`; l.Err != nil || !strings.Contains(l.String(), want) || !strings.Contains(l.String(), "method 200") {
		t.Errorf("%v, not %s:\n%s", l.Err, want, l)
	}
}
