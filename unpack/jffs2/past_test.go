package jffs2

import (
	"bytes"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

// recovering is Format as the unpacker opens it when it is asked to recover.
func recovering() format.Format {
	f := Format
	f.Name = "jffs2-past"
	f.Open = func(src format.Source) (format.Chunk, error) {
		src.Recover = true
		return Format.Open(src)
	}
	return f
}

func TestPastGolden(t *testing.T)     { formattest.Golden(t, recovering()) }
func TestPastTruncation(t *testing.T) { formattest.Truncation(t, recovering()) }
func FuzzPast(f *testing.F)           { formattest.Fuzz(f, recovering()) }

func TestPast(t *testing.T) {
	dead := func(f *flash, ino, version, size, at uint32, data string) {
		f.inode(typeInode&^accurate, ino, version, regular, size, at, uint32(len(data)), comprNone, data)
	}
	for _, tt := range []struct {
		name  string
		build func(f *flash)
		want  string // paths and contents below lost+found/versions
	}{
		{"nothing lost", func(f *flash) {
			f.file(2, 1, regular, 2, 0, "ab").file(2, 2, regular, 4, 2, "cd").file(2, 3, regular, 4, 0, "abcd").name(1, 1, 2, "a")
		}, ""},
		{"hole, then written", func(f *flash) {
			f.file(2, 1, regular, 2, 0, "ab").inode(typeInode, 2, 2, regular, 6, 2, 4, comprZero, "").file(2, 3, regular, 6, 4, "ef").name(1, 1, 2, "a")
		}, "a~v2: \"ab\\x00\\x00\\x00\\x00\"\n"},
		{"moved", func(f *flash) {
			f.file(2, 1, regular, 1, 0, "x").name(1, 1, 2, "a").name(1, 2, 2, "b").name(1, 3, 0, "a").file(2, 2, regular, 1, 0, "y")
		}, "b~v1: \"x\"\n"},
		{"copied by the garbage collector", func(f *flash) {
			dead(f, 2, 1, 1, 0, "x")
			f.file(2, 1, regular, 1, 0, "x").name(1, 1, 2, "a")
		}, ""},
		{"number given out again", func(f *flash) {
			dead(f, 2, 1, 3, 0, "old")
			f.file(2, 1, regular, 3, 0, "new").name(1, 1, 2, "a")
		}, "a~v1: \"old\"\n"},
		{"newest is obsolete", func(f *flash) {
			f.file(2, 1, regular, 3, 0, "old").name(1, 1, 2, "a")
			dead(f, 2, 2, 3, 0, "new")
		}, "a~v1: \"old\"\na~v2: \"new\"\n"},
		{"deleted, part of it erased", func(f *flash) {
			f.file(2, 4, regular, 4, 2, "cd").name(1, 1, 2, "a").name(1, 2, 0, "a")
		}, "a~v4: \"\\x00\\x00cd\" jffs2: inode 2: 3 versions before 4 are gone: some bytes may be older jffs2: file: no node for the 2 bytes at offset 0\n"},
		{"erased before it was emptied", func(f *flash) {
			f.file(2, 4, regular, 0, 0, "").file(2, 5, regular, 1, 0, "x").name(1, 1, 2, "a").name(1, 2, 0, "a")
		}, "a~v5: \"x\"\n"},
		{"directories that hold each other", func(f *flash) {
			f.name(3, 1, 4, "x").name(4, 1, 3, "y").name(3, 2, 5, "f").name(3, 3, 0, "f").file(5, 1, regular, 1, 0, "z")
		}, "#3/x/y/f~v1: \"z\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f flash
			tt.build(&f)
			r, err := newReader(bytes.NewReader(f.Bytes()), int64(f.Len()), true)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, line := range strings.SplitAfter(list(t, r), "\n") {
				if rest, ok := strings.CutPrefix(line, pastDir+"/"); ok {
					got.WriteString(rest)
				}
			}
			if got.String() != tt.want {
				t.Errorf("recovered %swant %s", got.String(), tt.want)
			}
		})
	}
}
