package ubifs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func fixture(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("../../testdata/ubifs/tree/input")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t *testing.T, b []byte) *Reader {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// read maps paths to contents, with the error behind.
func read(t *testing.T, r *Reader) (files map[string]string, problems []string) {
	t.Helper()
	files = map[string]string{}
	for e, err := range r.Entries() {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		files[e.Path] = e.Mode.String()
		if e.Open != nil {
			rd, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(rd)
			files[e.Path] = string(b)
			if err != nil {
				files[e.Path] += " " + err.Error()
			}
		}
	}
	return files, problems
}

// makeNode returns a node, padded to 8 bytes with FF.
func makeNode(typ byte, seq uint64, body []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, headerSize, headerSize+len(body))
	le.PutUint32(b, nodeMagic)
	le.PutUint64(b[8:], seq)
	le.PutUint32(b[16:], uint32(headerSize+len(body)))
	b[20] = typ
	b = append(b, body...)
	le.PutUint32(b[4:], ^crc32.ChecksumIEEE(b[8:]))
	return append(b, bytes.Repeat([]byte{0xff}, -len(b)&7)...)
}

func makeKey(ino uint32, typ byte, rest uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, ino)
	b = binary.LittleEndian.AppendUint32(b, uint32(typ)<<keyTypeShift|rest)
	return append(b, make([]byte, 8)...)
}

func makeInode(seq uint64, ino, mode, links uint32, size uint64, inline string) []byte {
	b := make([]byte, inodeSize-headerSize)
	copy(b, makeKey(ino, typeInode, 0))
	binary.LittleEndian.PutUint64(b[24:], size)
	binary.LittleEndian.PutUint32(b[68:], links)
	binary.LittleEndian.PutUint32(b[80:], mode)
	binary.LittleEndian.PutUint32(b[88:], uint32(len(inline)))
	return makeNode(typeInode, seq, append(b, inline...))
}

func makeDent(typ byte, seq uint64, parent, ino uint32, name string) []byte {
	b := make([]byte, dentSize-headerSize)
	copy(b, makeKey(parent, typ, crc32.ChecksumIEEE([]byte(name))&keyRestMask))
	binary.LittleEndian.PutUint64(b[16:], uint64(ino))
	binary.LittleEndian.PutUint16(b[26:], uint16(len(name)))
	return makeNode(typ, seq, append(append(b, name...), 0))
}

func makeData(seq uint64, ino, num, size uint32, compr uint16, data string) []byte {
	b := make([]byte, dataSize-headerSize)
	copy(b, makeKey(ino, typeData, num))
	binary.LittleEndian.PutUint32(b[16:], size)
	binary.LittleEndian.PutUint16(b[20:], compr)
	return makeNode(typeData, seq, append(b, data...))
}

func makeTrunc(seq uint64, ino uint32, from, to uint64) []byte {
	b := make([]byte, truncSize-headerSize)
	binary.LittleEndian.PutUint32(b, ino)
	binary.LittleEndian.PutUint64(b[16:], from)
	binary.LittleEndian.PutUint64(b[24:], to)
	return makeNode(typeTrunc, seq, b)
}

// withJournal adds nodes to the journal: a bud in an erased block, and its reference in the log.
func withJournal(t *testing.T, b []byte, nodes ...[]byte) []byte {
	t.Helper()
	b = bytes.Clone(b)
	r := open(t, b)
	end := uint32(0)
	r.nodes(r.master.log, 0, func(_ node, at place) { end = at.off + (at.size+7)&^7 })
	bud := r.super.lebs - 1
	for ; bud > 0; bud-- {
		if data := b[int64(bud)*r.super.leb:][:r.super.leb]; len(bytes.Trim(data, "\xff")) == 0 {
			break
		}
	}
	ref := make([]byte, refSize-headerSize)
	binary.LittleEndian.PutUint32(ref, bud)
	copy(b[int64(r.master.log)*r.super.leb+int64(end):], makeNode(typeRef, 1<<40, ref))
	copy(b[int64(bud)*r.super.leb:], bytes.Join(nodes, nil))
	return b
}

func (r *Reader) lookup(parent uint32, name string) uint32 {
	for _, d := range r.children[parent] {
		if d.name == name {
			return d.ino
		}
	}
	return 0
}

func TestJournal(t *testing.T) {
	b := fixture(t)
	before, _ := read(t, open(t, b))
	r := open(t, b)
	etc, bin := r.lookup(rootIno, "etc"), r.lookup(rootIno, "bin")
	conf, app, empty, text := r.lookup(etc, "conf"), r.lookup(bin, "app"), r.lookup(rootIno, "empty"), r.lookup(etc, "text")
	const seq = 1<<40 + 1
	const regular = 0o100644
	// One raw block in a Zstandard frame.
	zstd := "\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"
	b = withJournal(t, b,
		makeData(seq+1, conf, 0, 3, comprNone, "new"), makeInode(seq+2, conf, regular, 2, 3, ""),
		makeDent(typeDent, seq+3, rootIno, 0, "empty"), makeInode(seq+4, empty, regular, 0, 0, ""),
		makeInode(seq+5, 5000, regular, 1, 5, ""), makeDent(typeDent, seq+6, rootIno, 5000, "added"), makeData(seq+7, 5000, 0, 5, comprZstd, zstd),
		makeTrunc(seq+8, app, uint64(len(before["bin/app"])), 4096), makeInode(seq+9, app, regular, 1, 9000, ""),
		makeData(seq, text, 0, 4, comprNone, "late"), // older than its place tells
		makeInode(seq+10, text, regular, 1, 4, ""), makeData(seq+11, text, 1, 2, comprNone, "!!"),
		makeDent(typeXent, seq+12, text, 6000, "user.origin"), makeInode(seq+13, 6000, regular, 1, 7, "made up"),
	)
	got, problems := read(t, open(t, b))
	if problems != nil {
		t.Errorf("problems = %q", problems)
	}
	want := map[string]string{
		"etc/conf": "new",
		"added":    "hello",
		"bin/app":  before["bin/app"][:4096] + string(make([]byte, 9000-4096)),
		"etc/text": "late" + string(make([]byte, 4092)) + "!!",
	}
	for path, content := range want {
		if got[path] != content {
			t.Errorf("%s = %.100q of %d bytes, want %.100q of %d", path, got[path], len(got[path]), content, len(content))
		}
	}
	for e, err := range open(t, b).Entries() {
		if err == nil && e.Path == "etc/text" && (len(e.Xattrs) != 1 || e.Xattrs[0].Name != "user.origin" || string(e.Xattrs[0].Value) != "made up") {
			t.Errorf("etc/text has attributes %q, want user.origin=made up", e.Xattrs)
		}
	}
	if _, ok := got["empty"]; ok {
		t.Errorf("empty was removed, and is listed")
	}
	if len(got) != len(before) {
		t.Errorf("%d entries, want %d", len(got), len(before))
	}
}

func TestDamage(t *testing.T) {
	b := fixture(t)
	r := open(t, b)
	before, _ := read(t, r)
	holes := r.lookup(r.lookup(rootIno, "etc"), "holes")
	unknown := fmt.Sprintf(" ubifs: inode %d: block 1: no node found and no index to tell whether there was one", holes)
	lost := "parts of the index cannot be read: 1; all nodes searched instead"
	tests := []struct {
		name    string
		at      []int64
		problem string
		changes map[string]string
	}{
		{"root of the index", []int64{r.offset(r.master.root) + 30}, lost, map[string]string{"etc/holes": before["etc/holes"] + unknown}},
		{"one master node", []int64{r.super.leb + 30}, "", nil},
		{"both master nodes", []int64{r.super.leb + 30, 2*r.super.leb + 30}, "no good master node", map[string]string{"etc/holes": before["etc/holes"] + unknown}},
		{"start of the log", []int64{3*r.super.leb + 8}, "no start of commit", nil},
		{"data", []int64{r.offset(r.blocks[holes][1].at) + 60}, "", map[string]string{
			"etc/holes": before["etc/holes"][:12288] + string(make([]byte, 100)) +
				fmt.Sprintf(" ubifs: inode %d: block 3 at %#x: no data node with a good checksum", holes, r.offset(r.blocks[holes][1].at)),
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := bytes.Clone(b)
			for _, at := range test.at {
				b[at] ^= 1
			}
			got, problems := read(t, open(t, b))
			if all := strings.Join(problems, "\n"); test.problem == "" && all != "" || !strings.Contains(all, test.problem) {
				t.Errorf("problems = %q, want %q", problems, test.problem)
			}
			for path, want := range before {
				if change, ok := test.changes[path]; ok {
					want = change
				}
				if got[path] != want {
					t.Errorf("%s = %q, want %q", path, got[path], want)
				}
			}
			if len(got) != len(before) {
				t.Errorf("%d entries, want %d", len(got), len(before))
			}
		})
	}
}

func TestNotUBIFS(t *testing.T) {
	b := fixture(t)
	bad := bytes.Clone(b)
	bad[40]++
	for _, b := range [][]byte{nil, b[:4000], bad, b[2*15360:]} {
		if _, err := NewReader(bytes.NewReader(b), int64(len(b))); !errors.Is(err, format.ErrFormat) {
			t.Errorf("NewReader(%d bytes) = %v, want %v", len(b), err, format.ErrFormat)
		}
	}
}
