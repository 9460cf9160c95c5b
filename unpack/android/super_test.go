package android

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestSuperGolden(t *testing.T)     { formattest.Golden(t, Super) }
func TestSuperTruncation(t *testing.T) { formattest.Truncation(t, Super) }
func FuzzSuper(f *testing.F)           { formattest.Fuzz(f, Super) }

func TestSuperDamage(t *testing.T) {
	// Where things are in the case "slots": in the four copies of the metadata, header, 4 partitions, 6 extents.
	const copies, room, header, partition, extents = 4, 2048, 256, 52, 256 + 4*52
	le := binary.LittleEndian
	for _, tc := range []struct {
		name string
		edit func(b []byte) // of each copy
		want string
	}{
		{"second device", func(m []byte) { le.PutUint32(m[extents+20:], 1) }, `partition "system_a": extent on device 1`},
		{"unknown kind", func(m []byte) { le.PutUint32(m[extents+8:], 7) }, `partition "system_a": extent of kind 7`},
		{"outside", func(m []byte) { le.PutUint64(m[extents+12:], 1<<40) }, `partition "system_a": 8 sectors at 1099511627776`},
		{"larger than all", func(m []byte) { le.PutUint64(m[extents:], 1<<60) }, `partition "system_a": 1152921504606846976 sectors`},
		{"an extent for two", func(m []byte) { le.PutUint32(m[header+3*partition+44:], 3) }, `partition "product_a": extents 4+3 of 6`},
		{"all extents for each", func(m []byte) {
			for i := range 4 {
				le.PutUint32(m[header+i*partition+40:], 0)
				le.PutUint32(m[header+i*partition+44:], 6)
			}
		}, `partition "vendor_a": extents 0+6 of 6, 0 without a partition`},
		{"table outside", func(m []byte) { le.PutUint32(m[92+4:], 1<<31) }, "table of 2147483648 entries"},
		{"no device", func(m []byte) { le.PutUint32(m[116+4:], 0) }, "no device"},
		{"zeros without an end", func(m []byte) {
			le.PutUint32(m[extents+8:], 1)
			le.PutUint64(m[extents:], 1<<40)
			le.PutUint64(m[extents+6*24+48+16:], 1<<61)
		}, `partition "system_a": 562949953421312 bytes of zeros`},
	} {
		b, err := os.ReadFile("../../testdata/android-super/slots/input")
		if err != nil {
			t.Fatal(err)
		}
		for i := range copies {
			m := b[metadataOff+i*room:][:room]
			tc.edit(m)
			sum := sha256.Sum256(m[header : header+le.Uint32(m[44:])])
			copy(m[48:80], sum[:])
			clear(m[12:44])
			sum = sha256.Sum256(m[:header])
			copy(m[12:44], sum[:])
		}
		l := formattest.List(b, Super, 1<<20)
		got := l.String()
		if l.Err != nil {
			got = l.Err.Error()
		}
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s: no %q in\n%s", tc.name, tc.want, got)
		}
	}
}

// A copy that ends within a partition has what is there of it, be it in one piece or not.
func TestSuperCut(t *testing.T) {
	b, err := os.ReadFile("../../testdata/android-super/slots/input")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int][]string{
		68*512 + 100: {`4608 "vendor_a" 4608`, `2048 "product_a" 1124`, `"product_a": 2048 bytes at 0x8400, 1124 left`},
		61*512 + 10:  {`4608 "vendor_a" 522`, `"vendor_a": 1024 bytes at 0x7800, 522 left`, `2048 "product_a" 0`},
		50 * 512:     {`4096 "system_a" 1024`, `4608 "vendor_a" 0`},
	} {
		got := formattest.List(b[:n], Super, 1<<20).String()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%d bytes: no %q in\n%s", n, w, got)
			}
		}
	}
}
