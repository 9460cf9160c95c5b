package minix

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../testdata/minix/" + name + "/input")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The magic is two bytes: whatever does not fit the other fields must be refused.
func TestSuperblockMustFit(t *testing.T) {
	for _, tc := range []struct {
		name  string
		off   int
		value uint16
	}{
		{"inodes", 1024, 0x4000}, {"no inode", 1024, 0}, {"zones", 1026, 3}, {"map of inodes", 1028, 2}, {"map of zones", 1030, 2},
		{"first zone", 1032, 7}, {"zone size", 1034, 1}, {"magic", 1040, 0x1380}, {"root's mode", 4096, 0o100755}, {"root's zone", 4096 + 14, 0},
		{"root's name", 2, 0x2e2e}, {"root's parent", 16, 2},
	} {
		b := fixture(t, "v1-14")
		if tc.off < 1024 {
			tc.off += 1024 * int(binary.LittleEndian.Uint16(b[4096+14:]))
		}
		binary.LittleEndian.PutUint16(b[tc.off:], tc.value)
		if _, err := NewReader(bytes.NewReader(b), int64(len(b))); !errors.Is(err, format.ErrFormat) {
			t.Errorf("%s %#x: NewReader = %v, want ErrFormat", tc.name, tc.value, err)
		}
	}
}

func TestMagicsOccurInFixtures(t *testing.T) {
	for _, dir := range formattest.Cases(t, Format) {
		b, err := os.ReadFile(dir + "/input")
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, m := range Format.Magics {
			found = found || strings.HasPrefix(string(b[m.Off:]), m.Bytes)
		}
		if !found {
			t.Errorf("%s: no magic", dir)
		}
	}
}

// A file with all levels of blocks of numbers, of which each but the last number is a hole.
func TestThirdLevel(t *testing.T) {
	b := fixture(t, "v3")
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	const per, at = 256, 20
	for i := range int64(3) { // a block of numbers whose last leads to the next
		clear(b[(at+i)*1024:][:1024])
		binary.LittleEndian.PutUint32(b[(at+i)*1024+1020:], uint32(at+i+1))
	}
	in := &inode{size: 1024 * (direct + per + per*per + per*per*per), zones: []uint32{9: at}}
	w := r.walk(in, 1<<20)
	for _, want := range []run{{0, direct + per + per*per + per*per*per - 1}, {at + 3, 1}} {
		if x, err := w.next(); x != want || err != nil {
			t.Errorf("next = %v, %v, want %v", x, err, want)
		}
	}
	if x, err := w.next(); err != io.EOF {
		t.Errorf("next = %v, %v at the end", x, err)
	}
}

func TestDamage(t *testing.T) {
	// Of version 1: inode n is at 4096+32*(n-1), inode 2 is dev, 6 etc.
	inode := func(n int) int { return 4096 + 32*(n-1) }
	for _, tc := range []struct {
		name string
		edit func(b []byte)
		want string
	}{
		{"directory in itself", func(b []byte) {
			zone := int(binary.LittleEndian.Uint16(b[inode(2)+14:]))
			binary.LittleEndian.PutUint16(b[zone*1024+3*16:], 2)
		}, `directory "dev/console": inode 2 has another name already`},
		{"zone outside", func(b []byte) { binary.LittleEndian.PutUint16(b[inode(2)+14:], 4000) }, "zone 4000, want 5 to 26"},
		{"inode outside", func(b []byte) { binary.LittleEndian.PutUint16(b[5*1024+3*16:], 999) }, "inode 999 > 32"},
		{"free inode", func(b []byte) { binary.LittleEndian.PutUint16(b[inode(2):], 0) }, "inode 2 is free"},
		{"directories that share their zones", func(b []byte) {
			binary.LittleEndian.PutUint32(b[inode(2)+4:], 500<<10)
			zone := binary.LittleEndian.Uint16(b[inode(2)+14:])
			for i := range 7 {
				binary.LittleEndian.PutUint16(b[inode(2)+14+2*i:], zone)
			}
			binary.LittleEndian.PutUint16(b[inode(2)+14+14:], 25)
			for i := range 512 {
				binary.LittleEndian.PutUint16(b[25*1024+2*i:], zone)
			}
		}, "more zones than there are"},
		{"huge file", func(b []byte) {
			for n := range 32 {
				if at := inode(n + 1); binary.LittleEndian.Uint16(b[at:])&0o170000 == 0o100000 {
					binary.LittleEndian.PutUint32(b[at+4:], 1<<31)
				}
			}
		}, "the rest is not read"},
	} {
		b := fixture(t, "v1-14")
		tc.edit(b)
		if got := formattest.List(b, Format, 1<<30).String(); !strings.Contains(got, tc.want) {
			t.Errorf("%s: no %q in\n%s", tc.name, tc.want, got)
		}
	}
}
