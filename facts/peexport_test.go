package facts

import (
	"encoding/binary"
	"slices"
	"testing"
)

// library makes a Windows library of one section that exports names.
func library(names ...string) []byte {
	const header, address, start = 0x80, 0x1000, 0x200
	b := make([]byte, start)
	copy(b, "MZ")
	b[0x3c] = header
	copy(b[header:], "PE\x00\x00")
	le := binary.LittleEndian
	le.PutUint16(b[header+6:], 1)
	le.PutUint16(b[header+20:], 0xf0)
	le.PutUint16(b[header+24:], 0x20b)
	le.PutUint32(b[header+24+112:], address)
	section := b[header+24+0xf0:]
	le.PutUint32(section[12:], address)
	le.PutUint32(section[16:], 0x1000)
	le.PutUint32(section[20:], start)
	table := make([]byte, exportTable+4*len(names))
	le.PutUint32(table[24:], uint32(len(names)))
	le.PutUint32(table[32:], address+exportTable)
	for i, s := range names {
		le.PutUint32(table[exportTable+4*i:], uint32(address+len(table)))
		table = append(append(table, s...), 0)
	}
	return append(b, table...)
}

func TestPEExports(t *testing.T) {
	want := []string{"Lens_Close", "Lens_Open", "_ZN4Lens4tiltEv"}
	b := library(want...)
	var got []string
	for _, f := range factsOf(t, b).Named("pe.export") {
		got = append(got, f.Value)
		if s := string(b[f.At.Off:f.At.End()]); s != f.Value {
			t.Errorf("%q is cited for %q", s, f.Value)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("exports %q, want %q", got, want)
	}
	for n := range len(b) {
		factsOf(t, b[:n])
	}
	for _, at := range []int{0x80 + 6, 0x80 + 20, 0x80 + 24 + 112, 0x200 + 24, 0x200 + 32, 0x200 + 40} {
		odd := slices.Clone(b)
		copy(odd[at:], "\xff\xff\xff\xff")
		factsOf(t, odd)
	}
}
