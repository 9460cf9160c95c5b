package unpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
)

// program looks like a small program to nobody but a search of its bytes.
func program() []byte {
	rnd := rand.New(rand.NewPCG(5, 6))
	b := []byte("\x7fELF\x01\x01\x01")
	for len(b) < 5000 {
		b = append(b, byte(rnd.IntN(48)), 0xe5)
	}
	return b
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../testdata/" + name + "/input")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// insert returns b with what between its bytes at off.
func insert(b []byte, off int, what []byte) []byte {
	return slices.Concat(b[:off], what, b[off:])
}

// TestNothingHidesInAChunk puts a program where no file is: it must come out as bytes to be
// searched, or the image must say that something in it was not read.
func TestNothingHidesInAChunk(t *testing.T) {
	elf, le := program(), binary.LittleEndian
	tests := map[string]func(t *testing.T) []byte{
		"gzip extra field": func(t *testing.T) []byte {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			w.Extra = elf
			w.Write(bytes.Repeat([]byte("content "), 2000))
			w.Close()
			return b.Bytes()
		},
		"gzip comment of a second member": func(t *testing.T) []byte {
			var b bytes.Buffer
			for _, comment := range []string{"", "\x7fELF" + string(bytes.Repeat([]byte("comment"), 700))} {
				w := gzip.NewWriter(&b)
				w.Comment = comment
				w.Write(bytes.Repeat([]byte("content "), 2000))
				w.Close()
			}
			return b.Bytes()
		},
		"zstd skippable frame": func(t *testing.T) []byte {
			b := fixture(t, "zstd/plain")
			return append(le.AppendUint32(le.AppendUint32(b, 0x184d2a53), uint32(len(elf))), elf...)
		},
		"lz4 skippable frame": func(t *testing.T) []byte {
			b := fixture(t, "lz4/plain")
			return append(le.AppendUint32(le.AppendUint32(b, 0x184d2a53), uint32(len(elf))), elf...)
		},
		"tar directory with data": func(t *testing.T) []byte {
			return tarred(t, tar.TypeReg, func(h []byte) { h[156] = 'D' }, elf)
		},
		"tar long name": func(t *testing.T) []byte {
			return tarred(t, tar.TypeReg, func(h []byte) { h[156] = 'L' }, append([]byte("name\x00"), elf...))
		},
		"tar pax record": func(t *testing.T) []byte {
			return tarred(t, tar.TypeReg, func(h []byte) { h[156] = 'x' }, fmt.Appendf(nil, "%d key=%s\n", len(elf)+10, elf))
		},
		"tar link with data": func(t *testing.T) []byte {
			return tarred(t, tar.TypeReg, func(h []byte) { h[156] = '1' }, elf)
		},
		"cpio directory with data": func(t *testing.T) []byte {
			member := func(mode int, name string, data []byte) []byte {
				b := fmt.Appendf(nil, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
				b = append(append(b, name...), 0)
				b = append(append(b, make([]byte, -len(b)&3)...), data...)
				return append(b, make([]byte, -len(b)&3)...)
			}
			return slices.Concat(member(0o100644, "file", []byte("text")), member(0o040755, "dir", elf), member(0, "TRAILER!!!", nil))
		},
		"squashfs behind its tables": func(t *testing.T) []byte {
			b := fixture(t, "squashfs/gzip")
			used := le.Uint64(b[40:])
			le.PutUint64(b[40:], used+uint64(len(elf)))
			return insert(b, int(used), elf)
		},
		"squashfs between its tables": func(t *testing.T) []byte {
			b := fixture(t, "squashfs/lzo")
			ids := int(le.Uint64(b[48:]))
			b = insert(b, ids, elf)
			for _, off := range []int{40, 48, 56} { // bytes used, tables of ids and attributes
				if v := le.Uint64(b[off:]); v != 1<<64-1 && v >= uint64(ids) {
					le.PutUint64(b[off:], v+uint64(len(elf)))
				}
			}
			return b
		},
		"squashfs export table": func(t *testing.T) []byte {
			b := fixture(t, "squashfs/gzip")
			used := le.Uint64(b[40:])
			b = b[:used]
			b = append(le.AppendUint16(b, 0x8000|uint16(len(elf))), elf...)
			le.PutUint64(b[88:], uint64(len(b)))
			b = le.AppendUint64(b, used)
			le.PutUint64(b[40:], uint64(len(b)))
			return b
		},
		"ext free blocks":   func(t *testing.T) []byte { return inZeros(t, fixture(t, "ext/ext2"), elf, 1024) },
		"fat free clusters": func(t *testing.T) []byte { return inZeros(t, fixture(t, "fat/fat12"), elf, 512) },
		"exfat":             func(t *testing.T) []byte { return inZeros(t, fixture(t, "exfat/files"), elf, 512) },
		"iso system area":   func(t *testing.T) []byte { return inZeros(t, fixture(t, "iso9660/rock-ridge"), elf, 2048) },
		"erofs": func(t *testing.T) []byte {
			return inZeros(t, append(fixture(t, "erofs/chunks"), make([]byte, 3*4096)...), elf, 4096)
		},
		"cramfs behind its blocks": func(t *testing.T) []byte {
			b := fixture(t, "cramfs/little")
			le.PutUint32(b[4:], uint32(len(b)+len(elf)))
			return append(b, elf...)
		},
		"romfs behind its files": func(t *testing.T) []byte {
			b := fixture(t, "romfs/tree")
			b = append(b, elf...)
			binary.BigEndian.PutUint32(b[8:], uint32(len(b)))
			return b
		},
		"ubi erase block that holds no volume": func(t *testing.T) []byte {
			b := fixture(t, "ubi/plain")
			copy(b[len(b)-5100:], elf)
			return b
		},
		"jffs2 between nodes": func(t *testing.T) []byte {
			b := fixture(t, "jffs2/little")
			return slices.Concat(b, elf[:4000&^3], make([]byte, 96), b)
		},
		"jffs2 padding node": func(t *testing.T) []byte {
			b := fixture(t, "jffs2/none-nocleanmarkers")
			node := le.AppendUint32([]byte{0x85, 0x19, 0x04, 0x20}, uint32(12+len(elf)))
			node = le.AppendUint32(node, ^crc32.Update(^uint32(0), crc32.IEEETable, node))
			return slices.Concat(b, node, elf, make([]byte, -len(elf)&3))
		},
	}
	for name, build := range tests {
		t.Run(name, func(t *testing.T) {
			b := build(t)
			if !bytes.Contains(b, elf[:400]) && !bytes.Contains(b, []byte("ELFcomment")) {
				t.Fatal("nothing is hidden")
			}
			tree, store := runBytes(t, b, Options{Formats: Formats(), Workers: 2})
			checkCover(t, tree)
			if len(slices.Collect(func(yield func(int) bool) {
				for i := range tree.Contents()[0].Chunks() {
					yield(i)
				}
			})) == 0 {
				t.Fatalf("no chunk: %+v", tree.Contents()[0])
			}
			for _, c := range tree.Contents() {
				for _, x := range c.Extents {
					if x.Kind != artifact.Unknown {
						continue
					}
					r, err := store.Open(c.Digest)
					if err != nil {
						t.Fatal(err)
					}
					got, _ := io.ReadAll(io.NewSectionReader(r, x.Off, x.Len))
					if bytes.Contains(got, elf[:400]) || bytes.Contains(got, []byte("ELFcomment")) {
						return
					}
				}
			}
			if cov := tree.Coverage(); cov.Clear() {
				t.Error("what was hidden was not found, and the image is clear")
			} else {
				t.Log("not found, but told:", cov.Regions[0].Why)
			}
		})
	}
}

func tarred(t *testing.T, kind byte, change func([]byte), data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Typeflag: kind, Name: "member", Mode: 0o644, Size: int64(len(data)), Format: tar.FormatUSTAR})
	w.Write(data)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "next", Mode: 0o644, Size: 4, Format: tar.FormatUSTAR})
	w.Write([]byte("text"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	h := b.Bytes()[:512]
	change(h)
	copy(h[148:], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b.Bytes()
}

// inZeros puts what over the last zeros of b that are aligned and long enough.
func inZeros(t *testing.T, b, what []byte, align int) []byte {
	t.Helper()
	for off := len(b) &^ (align - 1); off >= 0; off -= align {
		if off+len(what) <= len(b) && len(bytes.Trim(b[off:off+len(what)], "\x00")) == 0 {
			copy(b[off:], what)
			return b
		}
	}
	t.Fatal("no room")
	return nil
}

func TestAccountOfReads(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	src := make([]byte, 1<<20)
	a := &account{r: bytes.NewReader(src)}
	read := make([]bool, len(src))
	for range 20000 {
		off, n := rnd.IntN(len(src)-64), 1+rnd.IntN(64)
		a.ReadAt(make([]byte, n), int64(off))
		for i := range n {
			read[off+i] = true
		}
	}
	got := make([]bool, len(src))
	for _, r := range joined(a.read, 0) {
		for i := r.Off; i < r.End(); i++ {
			got[i] = true
		}
	}
	if !slices.Equal(read, got) {
		t.Error("the account differs from what was read")
	}
	minus := without([]artifact.Range{{Off: 0, Len: 10}, {Off: 20, Len: 10}}, []artifact.Range{{Off: 8, Len: 15}, {Off: -3, Len: 4}, {Off: 25, Len: 1}}, 1)
	if d := cmp.Diff([]artifact.Range{{Off: 2, Len: 7}, {Off: 24, Len: 2}, {Off: 27, Len: 3}}, minus); d != "" {
		t.Error(d)
	}
}
