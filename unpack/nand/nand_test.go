package nand

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

// TestPlain: what has no spare areas is refused.
func TestPlain(t *testing.T) {
	for _, name := range []string{"ubi/plain", "ubi/subpage", "ubifs/tree", "jffs2/little", "squashfs/gzip", "squashfs/many", "uimage/kernel-gzip"} {
		b, err := os.ReadFile("../../testdata/" + name + "/input")
		if err != nil {
			t.Fatal(err)
		}
		if l := formattest.List(b, Format, 1<<20); !errors.Is(l.Err, format.ErrFormat) {
			t.Errorf("%s: accepted as\n%s", name, l)
		}
	}
}

func TestHamming(t *testing.T) {
	// Codes of the kernel's algorithm for known data.
	for _, tt := range []struct {
		data []byte
		want [3]byte // in the order of the driver
	}{
		{bytes.Repeat([]byte{0xff}, 256), [3]byte{0xff, 0xff, 0xff}},
		{append([]byte{1}, make([]byte, 255)...), [3]byte{0xaa, 0xaa, 0xab}},       // byte 0, bit 0: the even half of each pair
		{append(make([]byte, 255), 0x80), [3]byte{0x55, 0x55, 0x57}},               // byte 255, bit 7: the odd half
		{append([]byte{0, 0x10}, make([]byte, 254)...), [3]byte{0xaa, 0xa9, 0x6b}}, // byte 1, bit 4
	} {
		h := hamming{step: 256, at: []int{0, 1, 2}}
		if got, want := parity(tt.data), h.code(tt.want[:])[0]; got != want {
			t.Errorf("parity(%x...) = %#x, want %#x", tt.data[:2], got, want)
		}
	}
	for _, step := range []int{256, 512} {
		h := hamming{step: step, at: []int{0, 1, 2}}
		data := bytes.Repeat([]byte("0123456789abcdef"), step/16)
		data[0], data[100] = 'a', 'b'
		c := ^parity(data)
		spare := []byte{byte(c >> 14), byte(c >> 6), byte(c<<2) | byte(c>>22)&3}
		for bit := range 8 * step {
			b := bytes.Clone(data)
			b[bit>>3] ^= 1 << (bit & 7)
			if n, lost := h.fix(b, spare); n != 1 || lost != 0 || !bytes.Equal(b, data) {
				t.Fatalf("step %d, bit %d: %d corrected, %d lost", step, bit, n, lost)
			}
			b[7] ^= 6
			if n, lost := h.fix(b, spare); n != 0 || lost != 1 {
				t.Fatalf("two bits: %d corrected, %d lost", n, lost)
			}
		}
	}
}
