package xor

import (
	"bytes"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func TestNotHidden(t *testing.T) {
	for name, b := range map[string][]byte{
		"zeros": make([]byte, 8192),
		"plain": append([]byte("\x7fELF\x01\x01\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x34\x00"), make([]byte, 100)...),
		"text":  bytes.Repeat([]byte("a line of text\n"), 100),
	} {
		if l := formattest.List(b, Format, 1<<20); l.Err == nil {
			t.Errorf("%s: a program:\n%s", name, l)
		}
	}
}
