package qnap

import (
	"bytes"
	"compress/gzip"
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

func TestKeys(t *testing.T) {
	b, err := os.ReadFile("../../testdata/qnap/recorder/input")
	if err != nil {
		t.Fatal(err)
	}
	for key, right := range map[string]bool{"made-up key ": true, "made-up key !": true, "made-up kex ": false, "m": false} {
		c, err := Format.Open(format.Source{SectionReader: io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), Keys: format.Keys{Key: []byte(key)}})
		if err != nil {
			t.Fatal(err)
		}
		for e := range c.Entries() {
			if (e.Open != nil) != right || (len(e.Problems) == 0) != right {
				t.Errorf("key %q: %+v", key, e)
			} else if right {
				r, _ := e.Open()
				z, err := gzip.NewReader(r)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(z); err != nil || !strings.HasPrefix(string(got), "1 recorder\n2 recorder\n") {
					t.Errorf("key %q: %q, %v", key, got[:min(len(got), 40)], err)
				}
			}
		}
	}
}

func TestDoubt(t *testing.T) {
	b, err := os.ReadFile("../../testdata/qnap/recorder/input")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(magic))
	for off, value := range map[int]byte{
		0: 'i', 6 + 2: 1, fieldsOff: 0, fieldsOff + fieldLen: 7, fieldsOff + 2*fieldLen: 'x',
	} {
		c := bytes.Clone(b)
		c[at+off] = value
		if off == 0 {
			c[at] = 'I'
		}
		if l := formattest.List(c, Format, 1<<20); l.Err == nil {
			t.Errorf("byte %d of the trailer changed: %s", off, l)
		}
	}
}
