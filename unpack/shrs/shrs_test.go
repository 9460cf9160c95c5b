package shrs

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"
	"encoding/binary"
	"io"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestKey(t *testing.T) {
	key, want := []byte("a key of 16 byte"), bytes.Repeat([]byte("firmware"), 9001)
	padded := append(bytes.Clone(want), make([]byte, blockLen-len(want)%blockLen)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	h := make([]byte, headerLen)
	copy(h, magic)
	binary.BigEndian.PutUint32(h[4:], uint32(len(padded)))
	binary.BigEndian.PutUint32(h[8:], uint32(len(want)))
	copy(h[12:], "initial vector..")
	sealed := bytes.Clone(padded)
	cipher.NewCBCEncrypter(block, h[12:28]).CryptBlocks(sealed, sealed)
	plain, digest := sha512.Sum512(want), sha512.Sum512(sealed[:len(want)])
	copy(h[plainAt:], plain[:])
	copy(h[digestAt:], digest[:])
	b := append(h, sealed...)
	for name, tc := range map[string]struct {
		key  []byte
		open bool
	}{"right": {key, true}, "wrong": {[]byte("another key, too"), false}, "short": {key[:8], false}, "none": {nil, false}} {
		c, err := Format.Open(format.Source{SectionReader: io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), Keys: format.Keys{Key: tc.key}})
		if err != nil {
			t.Fatal(err)
		}
		for e := range c.Entries() {
			if (e.Open != nil) != tc.open || len(e.Problems) > 0 == tc.open {
				t.Fatalf("%s key: %+v", name, e)
			}
			if !tc.open {
				continue
			}
			r, _ := e.Open()
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s key: %d bytes, %v, want %d", name, len(got), err, len(want))
			}
		}
	}
}
