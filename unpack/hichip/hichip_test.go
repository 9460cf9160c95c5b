package hichip

import (
	"archive/zip"
	"bytes"
	"crypto/aes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		off  int
		want string // "" if it is no such file any more
	}{
		{4, ""}, {112, ""}, // type, a digest
		{600, "checksum: hichip: part kernel"},
		{19, "truncated: hichip: part kernel"},
	} {
		b, err := os.ReadFile("../../testdata/hichip/update/input")
		if err != nil {
			t.Fatal(err)
		}
		b[tt.off] ^= 0x41
		l := formattest.List(b, Format, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("byte %#x changed: %v\n%s\nlacks %q", tt.off, l.Err, l, tt.want)
		}
	}
}

// TestKeys hides an archive as the cameras' makers do, under made-up keys.
func TestKeys(t *testing.T) {
	keys := format.Keys{"hichip-1": []byte("made-up key no 1"), "hichip-2": []byte("made-up key no 2"), "hichip-3": []byte("made-up key no 3")}
	var plain bytes.Buffer
	w := zip.NewWriter(&plain)
	f, _ := w.CreateHeader(&zip.FileHeader{Name: "numbers", Method: zip.Store})
	for i := range 30000 {
		f.Write([]byte{byte(i), byte(i >> 8)})
	}
	w.Close()

	b := bytes.Clone(plain.Bytes())
	for altered, magic := range zipMagics {
		b = bytes.ReplaceAll(b, []byte(magic), []byte(altered))
	}
	for n, from := 0, 1024; from < len(b); n, from = n+1, from+16<<10 {
		c, err := aes.NewCipher(keys["hichip-"+string(rune('1'+n%3))])
		if err != nil {
			t.Fatal(err)
		}
		for part := b[from:min(from+1024, len(b))]; len(part) >= 16; part = part[16:] {
			for i := range 16 {
				part[i] ^= 0x3f
			}
			c.Encrypt(part, part)
		}
	}
	head := make([]byte, headerSize)
	copy(head, magic)
	binary.LittleEndian.PutUint32(head[4:], 0x1002)
	binary.LittleEndian.PutUint32(head[lengths+4*zipPart:], uint32(len(b)))
	sum := md5.Sum(append(plain.Bytes(), trailer...))
	hex.Encode(head[digests+zipPart*digestSize:], sum[:])
	image := append(head, b...)

	for _, tt := range []struct {
		keys format.Keys
		open bool
	}{{keys, true}, {nil, false}, {format.Keys{"hichip-1": keys["hichip-2"], "hichip-2": keys["hichip-1"], "hichip-3": keys["hichip-3"]}, false}} {
		u, err := open(format.Source{SectionReader: io.NewSectionReader(bytes.NewReader(image), 0, int64(len(image))), Keys: tt.keys})
		if err != nil {
			t.Fatal(err)
		}
		for e := range u.Entries() {
			if tt.open != (e.Open != nil) || tt.open != (len(e.Problems) == 0) {
				t.Fatalf("%d keys: window %v, problems %v", len(tt.keys), e.Window, e.Problems)
			}
			if !tt.open {
				continue
			}
			r, _ := e.Open()
			if got, _ := io.ReadAll(r); !bytes.Equal(got, plain.Bytes()) {
				t.Error("the archive differs from what was hidden")
			}
		}
	}
}
