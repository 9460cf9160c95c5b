package nsis

import (
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestStrings(t *testing.T) {
	wide := func(s string) string {
		b := make([]byte, 0, 2*len(s))
		for _, c := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, c)
		}
		return string(b)
	}
	for _, tt := range []struct {
		s    script
		want string
	}{
		{script{strings: []byte("\x03\x95\x80\\a\x00")}, `$INSTDIR\a`},
		{script{strings: []byte("\x03\x96\x80\\a\x00")}, `OUT\a`},
		{script{strings: []byte("\x03\xa0\x80\\a\x00")}, `SAVED\a`},
		{script{strings: []byte("\x02\x26\x26\\a\x00")}, `$PROGRAMFILES\a`},
		{script{strings: []byte("\x01\x85\x80\x04\x04b\x00")}, "$(LSTR_5)\x04b"},
		{script{strings: []byte("\xfd\x95\x80\\a\x00"), old: true}, `$INSTDIR\a`},
		{script{strings: []byte("\xfe\x24\x24\\\xfc\xfd\x00"), old: true}, "$WINDIR\\ý"},
		{script{strings: []byte("\xff\x85\x80"), old: true}, "$(LSTR_5)"},
		{script{strings: []byte("caf\xe9\x00")}, "café"},
		{script{strings: []byte("\x03\x95")}, ""},
		{script{strings: []byte("a\x04")}, "a"},
		{script{strings: []byte(wide("\x03\u8095\\ü\x00b")), wide: true}, `$INSTDIR\ü`},
		{script{strings: []byte(wide("\x04\x03\x02\u0007x") + "y"), wide: true}, "\x03$SMSTARTUPx"},
	} {
		tt.s.budget = maxPaths

		if got := tt.s.expand(0, "OUT", map[uint32]string{32: "SAVED"}); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.s.strings, got, tt.want)
		}
	}
}

// TestGrowth runs a script whose folder doubles in length with each instruction.
func TestGrowth(t *testing.T) {
	s := script{strings: []byte("\x00\x03\x96\x80\x03\x96\x80x\x00f\x00"), files: map[int64][]file{}, budget: maxPaths}
	var entries []byte
	word := func(v ...uint32) {
		for _, x := range v {
			entries = binary.LittleEndian.AppendUint32(entries, x)
		}
	}
	for range 10000 {
		word(opCreateDir, 1, 1, 0, 0, 0, 0, opExtract, 0, 9, 0, 0, 0, 0)
	}
	s.run(entries)
	for _, f := range s.files[0] {
		if len(f.path) > 2*maxPath {
			t.Fatalf("a path of %d bytes", len(f.path))
		}
	}
	if len(s.files[0]) == 0 || len(s.files[0]) == 10000 {
		t.Errorf("%d files", len(s.files[0]))
	}
}
