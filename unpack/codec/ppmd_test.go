package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ppmd7z returns what 7z packs want into, and the properties of that.
func ppmd7z(t testing.TB, want []byte, order int, memory uint32) (src, props []byte) {
	if _, err := exec.LookPath("7z"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), want, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("7z", "a", "-mhc=off", fmt.Sprintf("-m0=PPMd:o=%d:mem=%db", order, memory), "x.7z", "plain")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "x.7z"))
	if err != nil {
		t.Fatal(err)
	}
	return b[32:][:binary.LittleEndian.Uint64(b[12:])], binary.LittleEndian.AppendUint32([]byte{byte(order)}, memory)
}

func TestPPMd(t *testing.T) {
	for _, want := range append(contents(t)[1:], sample(600_000)) {
		for _, tc := range []struct {
			order  int
			memory uint32
		}{{2, 1 << 16}, {6, 1 << 24}, {32, 1 << 20}, {16, 70_000}} {
			src, props := ppmd7z(t, want, tc.order, tc.memory)
			open := func(r io.ReaderAt, size, memory int64) (Stream, error) {
				return NewPPMd(r, size, props, int64(len(want)), memory)
			}
			s, err := open(bytes.NewReader(src), int64(len(src)), 64<<20)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(s)
			if err != nil || !bytes.Equal(got, want) || s.Consumed() != int64(len(src)) {
				t.Fatalf("order %d, memory %d: %d of %d bytes, consumed %d of %d, %v", tc.order, tc.memory, len(got), len(want), s.Consumed(), len(src), err)
			}
			if tc.order == 6 && len(want) < 300_000 || len(want) < 20_000 { // it decodes some forty times, and slowly
				checkStream(t, open, src, want)
			}
		}
	}
}

func TestPPMdHeader(t *testing.T) {
	good := []byte{0, 0, 0, 0, 0, 0}
	for _, tc := range []struct {
		props, in []byte
		err       error
	}{
		{[]byte{6, 0, 0, 0}, good, ErrHeader},
		{[]byte{1, 0, 0, 1, 0}, good, ErrHeader},
		{[]byte{65, 0, 0, 1, 0}, good, ErrHeader},
		{[]byte{6, 0, 1, 0, 0}, good, ErrHeader},
		{[]byte{6, 0, 0, 0, 1}, good, nil},
		{[]byte{6, 1, 0, 0, 1}, good, ErrMemory},
		{[]byte{6, 0, 0, 1, 0}, []byte{1, 0, 0, 0, 0}, ErrHeader},
	} {
		if _, err := NewPPMd(bytes.NewReader(tc.in), int64(len(tc.in)), tc.props, 10, 1<<24); !errors.Is(err, tc.err) {
			t.Errorf("%x, %x: %v, want %v", tc.props, tc.in, err, tc.err)
		}
	}
}

func FuzzPPMd(f *testing.F) {
	src, _ := ppmd7z(f, sample(3000), 6, 1<<16)
	f.Add(byte(6), uint16(0xffff), src)
	f.Add(byte(2), uint16(0x800), append([]byte{0}, sample(3000)...))
	f.Add(byte(64), uint16(0x1234), append([]byte{0}, sample(3000)...))
	f.Fuzz(func(t *testing.T, order byte, memory uint16, src []byte) {
		s, err := NewPPMd(bytes.NewReader(src), int64(len(src)), []byte{order, byte(memory), byte(memory >> 8), 0, 0}, 1<<14, 1<<20)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, s); err == nil {
			return
		}
		if n := s.Consumed(); n < 0 || n > int64(len(src)) {
			t.Fatalf("consumed %d of %d", n, len(src))
		}
	})
}
