package codec

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"testing"
)

// rar3Writer writes blocks of LZ77 with codes of nine bits for all symbols, of six and five for the rest.
type rar3Writer struct{ bitWriter }

func (w *rar3Writer) codes() {
	w.put(0, 2)
	for range 20 {
		w.put(5, 4)
	}
	for i := range rar3Symbols + rar3Reaches + rar3Lows + rar3Repeats {
		switch {
		case i < rar3Symbols:
			w.put(9, 5)
		case i < rar3Symbols+rar3Reaches:
			w.put(6, 5)
		default:
			w.put(5, 5)
		}
	}
}

func (w *rar3Writer) bytes(b []byte) {
	for _, c := range b {
		w.put(uint(c), 9)
	}
}

// number writes what [rar3Bits] reads.
func (w *rar3Writer) number(v uint32) {
	switch {
	case v < 16:
		w.put(0, 2)
		w.put(uint(v), 4)
	case v < 256:
		w.put(1, 2)
		w.put(uint(v), 8)
	default:
		w.put(3, 2)
		w.put(uint(v>>16), 16)
		w.put(uint(v&0xffff), 16)
	}
}

// program returns n bytes whose CRC-32 is sum.
func program(n int, sum uint32) []byte {
	b := bytes.Repeat([]byte{0xd5}, n-4)
	var index [4]byte
	want := ^sum
	for i := 3; i >= 0; i-- {
		for k, v := range crc32.IEEETable {
			if v>>24 == want>>24 {
				index[i], want = byte(k), (want^v)<<8
				break
			}
		}
	}
	have := ^crc32.ChecksumIEEE(b)
	for _, k := range index {
		c := byte(have) ^ k
		b = append(b, c)
		have = crc32.IEEETable[k] ^ have>>8
	}
	return b
}

// filter writes a filter of length bytes, skip bytes on, by a new program.
func (w *rar3Writer) filter(number, skip, length uint32, code []byte, registers map[int]uint32) {
	var f rar3Writer
	f.number(number + 1)
	f.number(skip)
	f.number(length)
	var mask uint
	for i := range registers {
		mask |= 1 << i
	}
	f.put(mask, 7)
	for i := range 7 {
		if v, ok := registers[i]; ok {
			f.number(v)
		}
	}
	if code != nil {
		f.number(uint32(len(code)))
		for _, c := range code {
			f.put(uint(c), 8)
		}
	}
	for range 7 {
		f.put(0, 1)
	}
	w.put(257, 9)
	w.put(0x80|0x20|0x10|7, 8) // the length follows in two bytes
	w.put(uint(len(f.b)>>8), 8)
	w.put(uint(len(f.b)&0xff), 8)
	for _, c := range f.b {
		w.put(uint(c), 8)
	}
}

func TestRAR3Filters(t *testing.T) {
	call := []byte{0xe8, 0x45, 0x03, 0, 0, 0x90}   // at 100 of the file
	undone := []byte{0xe8, 0xe0, 0x02, 0, 0, 0x90} // less 101
	jump := append([]byte{0xe9}, call[1:]...)
	bundle, near := make([]byte, 32), make([]byte, 32)
	bundle[0], near[0] = 0x12, 0x12       // a template with branches in the second and third slot
	copy(bundle[12:], "\x50\x34\x12\x50") // a branch in the third, to 0x12345
	copy(near[12:], "\xf0\x33\x12\x50")   // less 100 / 16
	for _, tc := range []struct {
		name      string
		known     int
		registers map[int]uint32
		in, want  []byte
	}{
		{"delta", 0, map[int]uint32{0: 2}, []byte{255, 255, 255, 0, 1, 2}, []byte{1, 0, 2, 255, 3, 253}},
		{"calls", 1, nil, append(call, jump...), append(undone, jump...)},
		{"calls and jumps", 2, nil, append([]byte{0xe9}, call[1:]...), append([]byte{0xe9}, undone[1:]...)},
		{"bundles", 3, nil, bundle, near},
		{"pixels", 4, map[int]uint32{0: 9, 1: 0}, bytes.Repeat([]byte{255}, 18), []byte{
			2, 1, 2, 4, 2, 4, 6, 3, 6, 8, 4, 8, 10, 5, 10, 12, 6, 12}},
		{"sound", 5, map[int]uint32{0: 1}, []byte{255, 255, 0, 1}, []byte{1, 2, 2, 1}},
	} {
		k := rar3Known[tc.known]
		code := program(k.length, k.crc)
		if got := crc32.ChecksumIEEE(code); got != k.crc || len(code) != k.length {
			t.Fatalf("%s: CRC-32 %08x of %d bytes", tc.name, got, len(code))
		}
		plain := bytes.Repeat([]byte("x"), 100)
		var w rar3Writer
		w.codes()
		w.filter(0, 100, uint32(len(tc.in)), code, tc.registers)
		w.bytes(plain)
		w.bytes(tc.in)
		w.bytes([]byte("behind"))
		want := append(append(bytes.Clone(plain), tc.want...), "behind"...)
		s := NewRAR3(4<<20).File(bytes.NewReader(w.b), int64(len(w.b)), int64(len(want)), false)
		got, err := io.ReadAll(s)
		if !bytes.Equal(got, want) || err != nil {
			t.Errorf("%s: %v, %v; want %v", tc.name, got[min(len(got), 100):], err, want[100:])
		}
	}
}

func TestRAR3FilterEdges(t *testing.T) {
	delta := program(rar3Known[0].length, rar3Known[0].crc)
	for _, tc := range []struct {
		name  string
		write func(w *rar3Writer)
		want  string
		err   error
	}{
		{"two of the same bytes", func(w *rar3Writer) {
			w.filter(0, 0, 4, delta, map[int]uint32{0: 1})
			w.filter(0, 0, 4, nil, map[int]uint32{0: 1})
			w.bytes([]byte{1, 0, 0, 0})
		}, "\x01\x02\x03\x04", nil},
		{"another program", func(w *rar3Writer) { w.bytes([]byte("ab")); w.filter(0, 0, 4, make([]byte, 29), nil) }, "ab", ErrFilter},
		{"overlapping", func(w *rar3Writer) {
			w.filter(0, 0, 4, delta, map[int]uint32{0: 1})
			w.filter(0, 2, 4, nil, map[int]uint32{0: 1})
		}, "", ErrCorrupt},
		{"no channels", func(w *rar3Writer) { w.filter(0, 0, 4, delta, nil) }, "", ErrCorrupt},
		{"a program that is not there", func(w *rar3Writer) { w.filter(3, 0, 4, delta, nil) }, "", ErrCorrupt},
		{"reaches beyond the end", func(w *rar3Writer) { w.filter(0, 0, 9, delta, map[int]uint32{0: 1}); w.bytes([]byte("abcd")) }, "abcd", nil},
	} {
		var w rar3Writer
		w.codes()
		tc.write(&w)
		got, err := io.ReadAll(NewRAR3(4<<20).File(bytes.NewReader(w.b), int64(len(w.b)), 4, false))
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %q, %v; want %q, %v", tc.name, got, err, tc.want, tc.err)
		}
	}
}

func TestRAR3Solid(t *testing.T) {
	end := func(w *rar3Writer, newCodes uint) { w.put(256, 9); w.put(0, 1); w.put(newCodes, 1) }
	var first, second, third rar3Writer
	first.codes()
	first.bytes([]byte("abcd"))
	end(&first, 0)
	second.put(266, 9) // two bytes from 25 or more back: there are none
	third.codes()
	third.put(264, 9) // two bytes from 5 to 8 back
	third.put(1, 2)
	end(&third, 0)
	var goes rar3Writer // on with the codes of the first
	goes.put(263, 9)    // two bytes from 4 back
	goes.put(3, 2)
	end(&goes, 1)
	d := NewRAR3(4 << 20)
	for _, tc := range []struct {
		w     *rar3Writer
		plain int64
		solid bool
		want  string
		err   error
	}{
		{&first, 4, false, "abcd", nil},
		{&goes, 2, true, "ab", nil},
		{&third, 2, true, "ab", nil},
		{&second, 2, true, "", ErrCorrupt},
		{&third, 2, false, "", ErrCorrupt},
	} {
		got, err := io.ReadAll(d.File(bytes.NewReader(tc.w.b), int64(len(tc.w.b)), tc.plain, tc.solid))
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%q, %v; want %q, %v", got, err, tc.want, tc.err)
		}
	}
}
