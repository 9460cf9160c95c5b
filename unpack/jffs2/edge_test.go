package jffs2

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"hallmark/unpack/format"
)

// flash builds an area node by node, little endian.
type flash struct{ bytes.Buffer }

func (f *flash) node(typ uint16, body []byte, sums func(b []byte)) *flash {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, magic)
	b = le.AppendUint16(b, typ|accurate)
	b = le.AppendUint32(b, uint32(headerSize+len(body)))
	b = le.AppendUint32(b, checksum(b))
	b = append(b, body...)
	if sums != nil {
		sums(b)
	}
	le.PutUint16(b[2:], typ)
	f.Write(b)
	for f.Len()%4 != 0 {
		f.WriteByte(0xff)
	}
	return f
}

func (f *flash) cleanmarker() *flash { return f.node(typeCleanmarker, nil, nil) }

func (f *flash) name(pino, version, ino uint32, name string) *flash {
	le := binary.LittleEndian
	b := make([]byte, direntSize-headerSize)
	le.PutUint32(b[0:], pino)
	le.PutUint32(b[4:], version)
	le.PutUint32(b[8:], ino)
	b[16] = byte(len(name))
	return f.node(typeDirent, append(b, name...), func(b []byte) {
		le.PutUint32(b[32:], checksum(b[:32]))
		le.PutUint32(b[36:], checksum(b[40:]))
	})
}

func (f *flash) file(ino, version, mode, size, at uint32, data string) *flash {
	return f.inode(typeInode, ino, version, mode, size, at, uint32(len(data)), comprNone, data)
}

func (f *flash) inode(typ uint16, ino, version, mode, size, at, dsize uint32, compr byte, data string) *flash {
	le := binary.LittleEndian
	b := make([]byte, inodeSize-headerSize)
	for i, v := range []uint32{ino, version, mode} {
		le.PutUint32(b[4*i:], v)
	}
	le.PutUint32(b[16:], size)
	le.PutUint32(b[32:], at)
	le.PutUint32(b[36:], uint32(len(data)))
	le.PutUint32(b[40:], dsize)
	b[44] = compr
	return f.node(typ, append(b, data...), func(b []byte) {
		le.PutUint32(b[60:], checksum(b[inodeSize:]))
		le.PutUint32(b[64:], checksum(b[:60]))
	})
}

// to fills up with c to offset off.
func (f *flash) to(off int, c byte) *flash {
	f.Write(bytes.Repeat([]byte{c}, off-f.Len()))
	return f
}

const regular, directory = 0o100644, 0o040755

// read lists paths and contents, problems first.
func read(t *testing.T, b []byte) (string, int64) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return list(t, r), r.Size()
}

func list(t *testing.T, r *Reader) string {
	t.Helper()
	var out strings.Builder
	for e, err := range r.Entries() {
		if err != nil {
			fmt.Fprintf(&out, "! %v\n", err)
			continue
		}
		fmt.Fprintf(&out, "%s", e.Path)
		switch {
		case e.HardLink != "":
			fmt.Fprintf(&out, " = %s", e.HardLink)
		case e.Mode.IsRegular():
			rd, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(rd)
			fmt.Fprintf(&out, ": %q", b)
			for _, p := range e.Problems {
				fmt.Fprintf(&out, " %s", p.Detail)
			}
			if err != nil {
				fmt.Fprintf(&out, " %v", err)
			}
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func TestVersions(t *testing.T) {
	tests := []struct {
		name  string
		build func(f *flash)
		want  string
	}{
		{"newest version wins, in any order", func(f *flash) {
			f.file(2, 3, regular, 6, 2, "XY").file(2, 1, regular, 6, 0, "abcdef").file(2, 2, regular, 6, 1, "123").name(1, 1, 2, "a")
		}, "a: \"a1XYef\"\n"},
		{"truncated", func(f *flash) {
			f.file(2, 1, regular, 6, 0, "abcdef").file(2, 2, regular, 3, 0, "").name(1, 1, 2, "a")
		}, "a: \"abc\"\n"},
		{"hole node", func(f *flash) {
			f.file(2, 1, regular, 2, 0, "ab").inode(typeInode, 2, 2, regular, 4, 2, 2, comprZero, "").name(1, 1, 2, "a")
		}, "a: \"ab\\x00\\x00\"\n"},
		{"lost node inside", func(f *flash) {
			f.file(2, 1, regular, 6, 0, "ab").file(2, 3, regular, 6, 4, "ef").name(1, 1, 2, "a")
		}, "a: \"ab\\x00\\x00ef\" jffs2: file: no node for the 2 bytes at offset 2\n"},
		{"lost node at the end", func(f *flash) {
			f.file(2, 1, regular, 1<<31, 0, "ab").name(1, 1, 2, "a")
		}, "a: \"ab\" jffs2: file: no node for the 2147483646 bytes at offset 2\n"},
		{"name deleted, moved and linked", func(f *flash) {
			f.file(2, 1, regular, 1, 0, "x").name(1, 1, 2, "gone").name(1, 2, 2, "new").name(1, 3, 0, "gone").name(1, 4, 2, "also")
		}, "new: \"x\"\nalso = new\n"},
		{"obsolete nodes", func(f *flash) {
			f.file(2, 1, regular, 1, 0, "x").inode(typeInode&^accurate, 2, 2, regular, 1, 0, 1, comprNone, "y").name(1, 1, 2, "a")
		}, "a: \"x\"\n"},
		{"name without inode", func(f *flash) { f.name(1, 1, 7, "a") },
			"! jffs2: names without an inode: 1, first \"a\" at 0x0, inode 7\n"},
		{"directory in itself", func(f *flash) {
			f.file(2, 1, directory, 0, 0, "").name(1, 1, 2, "d").name(2, 1, 2, "e")
		}, "d\n! jffs2: directory entry at 0x70: second name \"d/e\" of directory 2\n"},
		{"unknown compression", func(f *flash) {
			f.inode(typeInode, 2, 1, regular, 4, 0, 4, 9, "ab").name(1, 1, 2, "a")
		}, "a: \"\\x00\\x00\\x00\\x00\" jffs2: node at 0x0: compression method 9\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var f flash
			test.build(&f)
			got, size := read(t, f.Bytes())
			if got != test.want || size != int64(f.Len()) {
				t.Errorf("read = %s of %d bytes, want %s of %d", got, size, test.want, f.Len())
			}
		})
	}
}

func TestBadChecksums(t *testing.T) {
	var f flash
	f.file(2, 1, regular, 4, 0, "good").name(1, 1, 2, "a")
	at := f.Len()
	f.file(2, 2, regular, 4, 0, "evil")
	tests := []struct {
		off  int
		want string
	}{
		{at + inodeSize, "inode node whose data has a bad checksum"},
		{at + 20, "inode node with a bad checksum"},
	}
	for _, test := range tests {
		b := bytes.Clone(f.Bytes())
		b[test.off] ^= 1
		got, size := read(t, b)
		want := fmt.Sprintf("! jffs2: %s, refused: 1, first at %#x\na: \"good\"\n", test.want, at)
		if got != want || size != int64(len(b)) {
			t.Errorf("byte %d changed: read = %s of %d bytes, want %s of %d", test.off, got, size, want, len(b))
		}
	}
}

func TestRegion(t *testing.T) {
	const block = 64 << 10
	one := func(f *flash, content string) {
		f.cleanmarker().file(1, 1, directory, 0, 0, "").file(2, 1, regular, 1, 0, content).name(1, 2, 2, "f"+content)
	}
	tests := []struct {
		name  string
		build func(f *flash) (size int)
		want  string
	}{
		{"erased blocks inside", func(f *flash) int {
			one(f, "a")
			f.to(9*block, 0xff).cleanmarker().file(3, 1, regular, 1, 0, "b").name(1, 3, 3, "g")
			end := f.Len()
			f.to(20*block, 0xff)
			return end
		}, "fa: \"a\"\ng: \"b\"\n"},
		{"a bad block inside", func(f *flash) int {
			one(f, "a")
			f.to(block, 0xff).to(2*block, 0x5a).cleanmarker().file(3, 1, regular, 1, 0, "b").name(1, 3, 3, "g")
			return f.Len()
		}, "! jffs2: bytes between nodes that are no nodes: 130876 in 1 places, first at 0xc4\nfa: \"a\"\ng: \"b\"\n"},
		{"other data behind", func(f *flash) int {
			one(f, "a")
			end := f.Len()
			f.to(block, 0xff).to(8*block, 0x5a).cleanmarker()
			return end
		}, "fa: \"a\"\n"},
		{"another filesystem behind", func(f *flash) int {
			one(f, "a")
			end := f.Len()
			f.to(block, 0xff)
			one(f, "b")
			return end
		}, "fa: \"a\"\n"},
		{"another filesystem whose first block contradicts nothing", func(f *flash) int {
			one(f, "a")
			f.file(3, 1, regular, 1, 0, "x").to(3*block, 0xff).cleanmarker()
			end := f.Len()
			f.to(4*block, 0xff).cleanmarker().inode(typeInode&^accurate, 3, 1, regular, 1, 0, 1, comprNone, "y")
			f.to(5*block, 0xff)
			one(f, "b")
			return end
		}, "fa: \"a\"\n"},
		{"versions not counted", func(f *flash) int {
			f.cleanmarker().name(1, 0, 2, "a").name(1, 0, 3, "b").file(2, 1, regular, 1, 0, "x").file(3, 1, regular, 1, 0, "y")
			f.to(block, 0xff).cleanmarker().name(1, 0, 4, "c").file(4, 1, regular, 1, 0, "z")
			return f.Len()
		}, "a: \"x\"\nb: \"y\"\nc: \"z\"\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var f flash
			want := test.build(&f)
			got, size := read(t, f.Bytes())
			if got != test.want || size != int64(want) {
				t.Errorf("read = %s of %d bytes, want %s of %d", got, size, test.want, want)
			}
		})
	}
}

func TestCopyBehind(t *testing.T) {
	const block = 64 << 10
	var f flash
	one := func() int {
		f.cleanmarker()
		for i := uint32(2); i < 8; i++ {
			f.file(i, 1, regular, 1, 0, "x").name(1, i, i, fmt.Sprint(i))
		}
		return f.Len()
	}
	end := one()
	f.to(block, 0xff)
	one()
	if _, size := read(t, f.Bytes()); size != int64(end) {
		t.Errorf("Size() = %d, want %d", size, end)
	}
}

func TestNotJFFS2(t *testing.T) {
	for _, b := range []string{"", "\x85\x19", "\x85\x19\x03\x20\x0c\x00\x00\x00\xb1\xb0\x1e\xe5", strings.Repeat("\x00", 40)} {
		if _, err := NewReader(strings.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), format.ErrFormat.Error()) {
			t.Errorf("NewReader(%q) = %v, want %v", b, err, format.ErrFormat)
		}
	}
}

func TestNamelessDirectory(t *testing.T) {
	var f flash
	f.file(2, 1, directory, 0, 0, "").name(2, 1, 3, "a").file(3, 1, regular, 1, 0, "x").name(1, 1, 3, "b")
	want := "b: \"x\"\nlost+found/#2\nlost+found/#2/a = b\n"
	if got, _ := read(t, f.Bytes()); got != want {
		t.Errorf("read = %s, want %s", got, want)
	}
}
