package uimage

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

// TestVector checks the header of a genuine camera kernel, with the header CRC it was sold with.
func TestVector(t *testing.T) {
	b := header(1481273300, 0x162e60, 0x80008000, 0x80008000, 0x275d22f5, [4]byte{5, 2, 2, 0}, "Linux-3.4.35")
	if got := binary.BigEndian.Uint32(b[4:]); got != 0x713262f0 {
		t.Errorf("header CRC = %#x, want 0x713262f0", got)
	}
}

func TestMalformed(t *testing.T) {
	data := "some data, not checked"
	for _, tt := range []struct{ name, input, want string }{
		{"wrong data CRC", string(header(1, uint32(len(data)), 0, 0, 1, [4]byte{5, 2, 2, 1}, "k")) + data, "problem checksum: uimage: data CRC"},
		{"wrong data CRC, padding", string(header(1, uint32(len(data)), 0, 0, 1, [4]byte{5, 2, 2, 1}, "k")) + data + "\xff\xff", "size 86\n"},
		{"wrong data CRC, other bytes", string(header(1, uint32(len(data)), 0, 0, 1, [4]byte{5, 2, 2, 1}, "k")) + data + "hsqs", "size 64\n"},
		{"data cut off", string(header(1, 1<<31, 0, 0, 1, [4]byte{5, 2, 4, 1}, "k")) + data, "problem truncated: uimage: data at 0x40: 2147483648 bytes, 22 left"},
		{"hostile name", string(header(1, uint32(len(data)), 0, 0, crc32.ChecksumIEEE([]byte(data)), [4]byte{5, 2, 2, 1}, "../../etc/x")) + data, `".._.._etc_x"`},
		{"no name", string(header(1, uint32(len(data)), 0, 0, crc32.ChecksumIEEE([]byte(data)), [4]byte{5, 2, 3, 1}, "..")) + data, `"ramdisk"`},
		{"multi without table", string(header(1, uint32(len(data)), 0, 0, crc32.ChecksumIEEE([]byte(data)), [4]byte{5, 2, 4, 0}, "m")) + data, `22 "m"`},
		{"unknown type", string(header(1, uint32(len(data)), 0, 0, crc32.ChecksumIEEE([]byte(data)), [4]byte{5, 2, 200, 0}, "m")) + data, `type="unknown-200"`},
	} {
		if got := formattest.List([]byte(tt.input), Format, 1<<20).String(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: listing\n%s\nlacks %q", tt.name, got, tt.want)
		}
	}
}

func header(time, size, load, entry, crc uint32, kind [4]byte, name string) []byte {
	b := []byte(magic + "\x00\x00\x00\x00")
	for _, v := range []uint32{time, size, load, entry, crc} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(append(b, kind[:]...), name...)
	b = append(b, make([]byte, headerSize-len(b))...)
	binary.BigEndian.PutUint32(b[4:], crc32.ChecksumIEEE(b))
	return b
}
