package ubi

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestSize(t *testing.T) {
	plain, err := os.ReadFile("../../testdata/ubi/plain/input")
	if err != nil {
		t.Fatal(err)
	}
	subpage, err := os.ReadFile("../../testdata/ubi/subpage/input")
	if err != nil {
		t.Fatal(err)
	}
	gap := bytes.Repeat([]byte{0xff}, 5*4096)
	tests := []struct {
		name   string
		behind []byte
	}{
		{"nothing behind", nil},
		{"erased flash behind", gap},
		{"another area behind", subpage},
		{"the same image behind", plain},
		{"other data behind", bytes.Repeat([]byte("data"), 20*1024)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := append(bytes.Clone(plain), test.behind...)
			r, err := NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil || r.Size() != int64(len(plain)) {
				t.Errorf("Size() = %v, %v, want %d", r, err, len(plain))
			}
		})
	}
}

func TestNotUBI(t *testing.T) {
	b, err := os.ReadFile("../../testdata/ubi/plain/input")
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(b)
	bad[15]++
	for _, b := range [][]byte{nil, b[:4096], bad} {
		if _, err := NewReader(bytes.NewReader(b), int64(len(b))); !errors.Is(err, format.ErrFormat) {
			t.Errorf("NewReader(%d bytes) = %v, want %v", len(b), err, format.ErrFormat)
		}
	}
}
