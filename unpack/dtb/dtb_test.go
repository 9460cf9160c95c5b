package dtb

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)        { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T)    { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)          { formattest.Fuzz(f, Format) }
func TestGoldenFIT(t *testing.T)     { formattest.Golden(t, FIT) }
func TestTruncationFIT(t *testing.T) { formattest.Truncation(t, FIT) }
func FuzzOpenFIT(f *testing.F)       { formattest.Fuzz(f, FIT) }

func fixture(t *testing.T, name string) []byte {
	b, err := os.ReadFile("../../testdata/" + name + "/input")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOneOwner: each blob is read by one of the two formats, whatever their order.
func TestOneOwner(t *testing.T) {
	for name, want := range map[string]format.Format{"dtb/board": Format, "dtb/version-16": Format, "fit/embedded": FIT, "fit/external": FIT} {
		b := fixture(t, name)
		for _, f := range []format.Format{Format, FIT} {
			if err := formattest.List(b, f, 1<<20).Err; (err == nil) != (f.Name == want.Name) {
				t.Errorf("%s as %s: %v", name, f.Name, err)
			}
		}
	}
}

func TestDamage(t *testing.T) {
	for _, tt := range []struct {
		file string
		f    format.Format
		do   func(b []byte) []byte
		want string
	}{
		{"fit/embedded", FIT, flip("\x1f\x8b", 30), "checksum: fit: image \"kernel-1\""},
		{"fit/embedded", FIT, flip("sha256", 0), "kernel-1 3ha256 not checked"},
		{"fit/external", FIT, func(b []byte) []byte { return b[:len(b)-100] }, "truncated: fit: image \"fdt-1\""},
		{"fit/external", FIT, func(b []byte) []byte { return b[:2000] }, "truncated: fit: image \"kernel-1\""},
		{"fit/embedded", FIT, func(b []byte) []byte { return b[:2000] }, "fit: dtb: blob of"},
		{"fit/embedded", Format, func(b []byte) []byte { return b[:2000] }, "dtb: blob of"},
		{"dtb/board", Format, func(b []byte) []byte { b[5] = 0xff; return b }, "truncated: dtb: blob of 16717398 bytes"},
		{"dtb/board", Format, flip("\x00\x00\x00\x01\x00\x00\x00\x00", 3), "dtb: structure at 0x48: token 0x41 at depth 0"},
		{"dtb/board", Format, flip("\x00\x00\x00\x09", 3), "token 0x49 at depth 0"},
	} {
		l := formattest.List(tt.do(fixture(t, tt.file)), tt.f, 1<<20)
		got := l.String()
		if l.Err != nil {
			got = l.Err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s\nlacks %q", tt.file, got, tt.want)
		}
	}
}

// flip returns a function that changes one bit skip bytes behind the first occurrence of text.
func flip(text string, skip int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[bytes.Index(b, []byte(text))+skip] ^= 0x40
		return b
	}
}
