package codec

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// An encoder is where the fixtures of archives are made, which test the decoder. This tells what is damage.
func TestRAR5Damage(t *testing.T) {
	for _, tc := range []struct {
		in  []byte
		err error
	}{
		{nil, io.ErrUnexpectedEOF},
		{[]byte{0x40, 0x1b, 1}, ErrCorrupt},                                            // no codes
		{[]byte{0xc0, 0x9a, 1}, ErrCorrupt},                                            // checksum
		{[]byte{0xd8, 0x82, 1, 0, 0, 0}, ErrCorrupt},                                   // length of four bytes
		{[]byte{0xc0, 0x9b, 1}, io.ErrUnexpectedEOF},                                   // codes cut off
		{append([]byte{0xc0, 0x9b, 1}, bytes.Repeat([]byte{0x11}, 99)...), ErrCorrupt}, // twenty codes of one bit
	} {
		s := NewRAR5(1<<17, 1<<20).File(bytes.NewReader(tc.in), int64(len(tc.in)), 9, false)
		if got, err := io.ReadAll(s); len(got) > 0 || !errors.Is(err, tc.err) {
			t.Errorf("%x: %q, %v; want %v", tc.in, got, err, tc.err)
		}
	}
}

func TestRARFilters(t *testing.T) {
	for _, tc := range []struct {
		f        rarFilter
		in, want string
	}{
		{rarFilter{kind: rarDelta, channels: 2}, "\xff\xff\xff\x01\x01", "\x01\xff\x02\xfe\x03"},
		{rarFilter{kind: rarE8, at: 16}, "\x00\xe8\x22\x00\x00\x00\xe9\x22\x00\x00\x00", "\x00\xe8\x10\x00\x00\x00\xe9\x22\x00\x00\x00"},
		{rarFilter{kind: rarE8E9, at: 15}, "\xe9\xff\xff\xff\xff\xe8\x00\x00\x00\x01", "\xe9\xff\xff\xff\x00\xe8\x00\x00\x00\x01"},
		{rarFilter{kind: rarARM, at: 8}, "\x03\x00\x00\xeb\x01\x00\x00\xea\x00\x00\x00\xeb", "\x01\x00\x00\xeb\x01\x00\x00\xea\xfc\xff\xff\xeb"},
	} {
		if got := tc.f.apply(nil, []byte(tc.in)); string(got) != tc.want {
			t.Errorf("%+v: %x becomes %x, want %x", tc.f, tc.in, got, tc.want)
		}
	}
}

func FuzzRAR5(f *testing.F) {
	// A block whose codes all have the same length, so that what follows means something.
	b := bytes.Repeat([]byte{0x44}, 8)
	b = append(b, 0xf2)
	for range 153 {
		b = append(b, 0x99)
	}
	b = append(b, bytes.Repeat([]byte{0x66}, 200)...)
	f.Add(append([]byte{0xd0, 0x8a, 0, 2, 0}, b...), sample(400), true)
	f.Add([]byte{0xc0, 0x9b, 1}, []byte{0x40, 0x1b, 1}, false)
	f.Fuzz(func(t *testing.T, one, two []byte, solid bool) {
		d := NewRAR5(1<<17, 1<<20)
		for i, src := range [][]byte{one, two} {
			s := d.File(bytes.NewReader(src), int64(len(src)), 1<<18, solid && i > 0)
			n, err := io.Copy(io.Discard, s)
			if got := s.Consumed(); got < 0 || got > int64(len(src)) || n > 1<<18 {
				t.Fatalf("%d bytes out, consumed %d of %d, %v", n, got, len(src), err)
			}
		}
	})
}
