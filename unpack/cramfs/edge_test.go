package cramfs

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"

	"hallmark/unpack/format"
)

// image makes a little-endian version 2 image with one file "file" of size bytes; data, pointers
// included, stands at offset 96.
func image(flags uint32, size int, data []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 96, 96+len(data))
	le.PutUint32(b, magic)
	le.PutUint32(b[8:], flags)
	copy(b[16:], signature)
	node := func(off int, mode, size, name, at uint32) {
		le.PutUint32(b[off:], mode)
		le.PutUint32(b[off+4:], size)
		le.PutUint32(b[off+8:], name/4|at/4<<6)
	}
	node(64, 0o040755, 16, 0, 76)
	node(76, 0o100644, uint32(size), 4, 96)
	copy(b[88:], "file")
	b = append(b, data...)
	le.PutUint32(b[4:], uint32(len(b)))
	return b
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func content(t *testing.T, b []byte) ([]byte, error) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range r.Entries() {
		if err == nil && e.Path == "file" {
			rd, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			return io.ReadAll(rd)
		}
	}
	return nil, errors.New("no file")
}

func TestExtendedPointers(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 3*256)
	want = append(want, "the end"...)
	first, second := deflated(want[:4096]), want[4096:8192]
	le := binary.LittleEndian
	var data []byte
	data = le.AppendUint32(data, uint32(96+16+len(first))) // plain
	at := (96 + 16 + len(first) + 3) &^ 3
	data = le.AppendUint32(data, uint32(at>>2)|pointerDirect|pointerStored)
	third := deflated(want[8192:12288])
	at += 4096
	data = le.AppendUint32(data, uint32(at>>2)|pointerDirect)
	end := at + 2 + len(third) + len("the end")
	data = le.AppendUint32(data, uint32(end)|pointerStored) // begins behind the one before
	data = append(data, first...)
	data = append(data, make([]byte, -len(first)&3)...)
	data = append(data, second...)
	data = le.AppendUint16(data, uint16(len(third)))
	data = append(append(data, third...), "the end"...)
	got, err := content(t, image(flagVersion2|flagExtPointers, len(want), data))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("content = %d bytes, %v, want %d", len(got), err, len(want))
	}
}

func TestVersion1(t *testing.T) {
	b, err := os.ReadFile("../../testdata/cramfs/little/input")
	if err != nil {
		t.Fatal(err)
	}
	b[8] &^= flagVersion2
	want := int64(len(b))
	b = append(b, make([]byte, 100)...)
	for _, size := range []uint32{0, 1 << 16} {
		binary.LittleEndian.PutUint32(b[4:], size)
		r, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil || r.Size() != want {
			t.Errorf("size field %d: Size() = %d, %v, want %d", size, r.Size(), err, want)
		}
	}
}

func TestLoop(t *testing.T) {
	b := image(flagVersion2, 16, nil)
	binary.LittleEndian.PutUint32(b[76:], 0o040755)
	binary.LittleEndian.PutUint32(b[84:], 1|76/4<<6)
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	problems := 0
	for e, err := range r.Entries() {
		if err == nil {
			t.Errorf("Entries() yields %q", e.Path)
		}
		problems++
	}
	if problems != 2 { // and the checksum
		t.Errorf("Entries() yields %d problems, want 2", problems)
	}
}

func TestNotCramfs(t *testing.T) {
	noDir := image(flagVersion2, 0, nil)
	noDir[65] = 0x80
	noName := image(flagVersion2, 0, nil)
	noName[88] = 0
	for _, b := range [][]byte{nil, noDir, noName[:70], noName} {
		if _, err := NewReader(bytes.NewReader(b), int64(len(b))); !errors.Is(err, format.ErrFormat) {
			t.Errorf("NewReader(%q) = %v, want %v", b, err, format.ErrFormat)
		}
	}
}
