package jffs2

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// Nobody can write the Rubin methods any more: mkfs.jffs2 never could, Linux has them switched
// off. These blocks are what the encoder of Linux makes of the texts.
func TestRubinOfLinux(t *testing.T) {
	for _, tc := range []struct{ name, want, data string }{
		{"dynamic", "the quick brown fox jumps over the lazy dog, and the dog, being lazy, lets the fox jump\n",
			"62547a6042fdc201523479b51859bde582426dee4c797a9e10be082f169cc9d435cf8903c9797a800d793fb548de3302fbf1bbbb9660e6c02b30c5b90a61ee92a68c7110422001"},
		{"MIPS", strings.Repeat("\x00\x00\x80\x27\x01\x00\x00\x04", 8),
			"004cbcf75067b8a89a54cc7c7749477a3c11003b8b3eefb67a35a4eb7e41d9aa2bb5a04b05e6d3"},
	} {
		src, err := hex.DecodeString(tc.data)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, len(tc.want))
		if n, err := rubin(dst, src); err != nil || string(dst[:n]) != tc.want {
			t.Errorf("%s: rubin = %q, %v, want %q", tc.name, dst[:n], err, tc.want)
		}
		for _, method := range []byte{comprRubinMips, comprDynRubin} {
			var f flash
			f.inode(typeInode, 2, 1, regular, uint32(len(tc.want)), 0, uint32(len(tc.want)), method, string(src)).name(1, 1, 2, "a")
			if got, _ := read(t, f.Bytes()); !strings.HasPrefix(got, "a: ") || strings.Contains(got, "jffs2:") {
				t.Errorf("%s as method %d: %s", tc.name, method, got)
			}
		}
		for n := range src {
			if _, err := rubin(dst, src[:n]); err == nil {
				t.Errorf("%s: no error for %d of %d bytes", tc.name, n, len(src))
			}
		}
	}
}

// The other direction, as Linux describes it, for contents that are at the limits.
func TestRubinEncoded(t *testing.T) {
	mips := [8]uint32{277, 249, 290, 267, 229, 341, 212, 241}
	rare := [8]uint32{1, 255, 1, 255, 128, 1, 255, 1}
	contents := [][]byte{{0}, {0xff}, make([]byte, 4096), bytes.Repeat([]byte{0xff}, 4096), bytes.Repeat([]byte("\x55\xaa\x00"), 1000)}
	for _, want := range contents {
		for _, src := range [][]byte{rubinEncode(want, nil, 1043, mips), rubinEncode(want, []byte{1, 255, 1, 255, 128, 1, 255, 1}, 256, rare)} {
			dst := make([]byte, len(want))
			if n, err := rubin(dst, src); err != nil || !bytes.Equal(dst[:n], want) {
				t.Errorf("%d bytes %#x...: rubin = %d, %v", len(want), want[0], n, err)
			}
		}
	}
}

func rubinEncode(data, head []byte, all uint32, ones [8]uint32) []byte {
	var bits []bool
	low, span := uint32(0), uint32(1<<16)
	push := func() {
		bits = append(bits, low&(1<<15) != 0)
		low = low & (1<<15 - 1) << 1
	}
	for _, b := range data {
		for i, one := range ones {
			for low >= 1<<15 || low+span <= 1<<15 {
				push()
				span <<= 1
			}
			zero := min(max((all-one)*span/all, 1), span-1)
			if b>>i&1 != 0 {
				low, span = low+zero, span-zero
			} else {
				span = zero
			}
		}
	}
	for range 16 {
		push()
	}
	out := make([]byte, (len(bits)+7)/8)
	for i, bit := range bits {
		if bit {
			out[i/8] |= 1 << (7 - i%8)
		}
	}
	return append(head, out...)
}
