package rpmdb

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/sbom"
)

const where = "var/lib/rpm/rpmdb.sqlite"

func genuine(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open("../../testdata/rpmdb/hello-cam.sqlite.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tree makes a tree of paths and contents; a content "-> x" is a link.
func tree(t testing.TB, files ...string) (*artifact.Tree, *artifact.Store) {
	t.Helper()
	s := artifact.NewStore(t.TempDir())
	t.Cleanup(func() { s.Close() })
	add := func(text string) artifact.Digest {
		d, err := s.Add(io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	c := &artifact.Chunk{Format: "squashfs"}
	for i := 0; i < len(files); i += 2 {
		n := artifact.Node{Path: files[i]}
		if link, ok := strings.CutPrefix(files[i+1], "-> "); ok {
			n.Link = link
		} else {
			n.Digest, n.Size = add(files[i+1]), int64(len(files[i+1]))
		}
		c.Nodes = append(c.Nodes, n)
	}
	out := artifact.NewTree("rootfs.bin")
	out.Add(&artifact.Content{Digest: add("root"), Size: 4, Extents: []artifact.Extent{{Range: artifact.Range{Len: 4}, Kind: artifact.InChunk, Chunk: c}}})
	return out, s
}

func TestFind(t *testing.T) {
	for _, top := range []string{"", "rootfs/"} {
		tree, store := tree(t, top+where, string(genuine(t)), top+"usr/bin/hello", "-> ../../bin/real", top+"bin", "-> /opt", top+"opt/real", "other\n")
		list, err := Finder{}.Find(context.Background(), tree, store)
		if err != nil || len(list) != 1 {
			t.Fatalf("Find = %v, %v", list, err)
		}
		f := list[0]
		if err := store.Check(f.Evidence[0].Evidence); err != nil {
			t.Error(err)
		}
		if got := string(f.Evidence[0].Excerpt); got != "hello-cam\x001.2.3\x004" {
			t.Errorf("excerpt = %q", got)
		}
		f.Evidence = nil
		other := tree.Contents()[0].Extents[0].Chunk.Nodes[3].Digest
		want := sbom.Found{
			Component: sbom.Component{
				Name: "hello-cam", Title: "made up", Type: "application", Version: "1:1.2.3-4", Claim: sbom.Exact, Supplier: "Nobody",
				Purl:       "pkg:rpm/hello-cam@1.2.3-4?arch=noarch&epoch=1&upstream=hello-cam-1.2.3-4.src.rpm",
				Licences:   []sbom.Licence{{Value: "MIT"}},
				Properties: []sbom.Property{{Name: sbom.SourceProperty, Value: "hello-cam"}, {Name: "hallmark:package:architecture", Value: "noarch"}},
			},
			Files:    []artifact.Digest{other},
			Recorded: []sbom.Recorded{{Path: "usr/bin/hello", Content: other, Algorithm: "sha256", Sum: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}},
		}
		if d := cmp.Diff(want, f); d != "" {
			t.Errorf("Find: -want +got\n%s", d)
		}
	}
}

// TestUnread tells of databases that are there and not read.
func TestUnread(t *testing.T) {
	for _, p := range []string{"usr/lib/sysimage/rpm/Packages.db", "var/lib/rpm/Packages", where} {
		tree, store := tree(t, p, "no database")
		list, err := Finder{}.Find(context.Background(), tree, store)
		if len(list) > 0 || err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: Find = %v, %v", p, list, err)
		}
	}
}

// made builds a database of pages of 512 bytes: the schema, an interior page with two leaves, of
// which the second has a header that is no header, and a chain of overflow pages.
func made() []byte {
	const page = 512
	pack := func(name string) []byte {
		store := name + "\x001\x002\x00" + strings.Repeat("s", 1000) + "\x00"
		var h []byte
		index := [][4]uint32{{tagName, typeString, 0, 1}, {tagVersion, typeString, uint32(len(name) + 1), 1}, {tagRelease, typeString, uint32(len(name) + 3), 1}}
		h = binary.BigEndian.AppendUint32(h, uint32(len(index)))
		h = binary.BigEndian.AppendUint32(h, uint32(len(store)))
		for _, x := range index {
			for _, v := range x {
				h = binary.BigEndian.AppendUint32(h, v)
			}
		}
		return append(h, store...)
	}
	number := func(v int) []byte { return []byte{0x80 | byte(v>>7), byte(v & 0x7f)} }
	row := func(blob []byte) []byte { return append(append([]byte{4, 0}, number(12+2*len(blob))...), blob...) }
	b := make([]byte, 6*page)
	copy(b, sqliteMagic)
	binary.BigEndian.PutUint16(b[16:], page)
	leaf := func(at, head int, cells ...[]byte) {
		b[at+head] = leafTable
		binary.BigEndian.PutUint16(b[at+head+3:], uint16(len(cells)))
		end := page
		for i, c := range cells {
			end -= len(c)
			copy(b[at+end:], c)
			binary.BigEndian.PutUint16(b[at+head+8+2*i:], uint16(end))
		}
	}
	schema := append([]byte{5, 13 + 2*5, 13 + 2*8, 13 + 2*8, 1}, "tablePackagesPackages\x02"...)
	leaf(0, sqliteHeader, append([]byte{byte(len(schema)), 1}, schema...))
	b[page] = interiorTable
	binary.BigEndian.PutUint16(b[page+3:], 1)
	b[page+11], b[page+12] = 4, 1 // right child; the cell's pointer
	copy(b[page+0x100:], []byte{0, 0, 0, 3, 1})
	whole := row(pack("alpha"))
	most := page - 35
	local := (page-12)*32/255 - 23
	if k := local + (len(whole)-local)%(page-4); k <= most {
		local = k
	}
	cell := append(append(number(len(whole)), 1), whole[:local]...)
	leaf(2*page, 0, append(cell, 0, 0, 0, 5))
	bad := row([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	leaf(3*page, 0, append([]byte{byte(len(bad)), 2}, bad...))
	n := copy(b[4*page+4:5*page], whole[local:])
	if n < len(whole)-local {
		b[4*page+3] = 6
		copy(b[5*page+4:], whole[local+n:])
	}
	return b
}

func read(b []byte) *builder {
	x := &builder{files: newFiles(&artifact.Chunk{}, ""), seen: map[string]bool{}}
	x.database(bytes.NewReader(b), int64(len(b)))
	return x
}

func TestPages(t *testing.T) {
	x := read(made())
	if len(x.out) != 1 || x.out[0].Purl != "pkg:rpm/alpha@1-2" || len(x.faults) != 1 {
		t.Errorf("read = %+v, %v", x.out, x.faults)
	}
	loop := made()
	loop[4*512+3] = 5 // an overflow page that is its own successor
	if x := read(loop); len(x.out) > 0 || len(x.faults) != 2 {
		t.Errorf("loop: read = %+v, %v", x.out, x.faults)
	}
	root := made()
	root[512+11] = 2 // a page that is its own child
	if x := read(root); len(x.out) != 1 || !strings.Contains(fmt.Sprint(x.faults), "twice") {
		t.Errorf("cycle: read = %+v, %v", x.out, x.faults)
	}
}

func TestLocate(t *testing.T) {
	p := &payload{make([]byte, 20), []part{{0, 100}, {10, 500}}}
	for _, c := range [][4]int64{{2, 8, 102, 6}, {8, 12, 108, 2}, {12, 14, 502, 2}} {
		if got := p.locate(int(c[0]), int(c[1])); got != (artifact.Range{Off: c[2], Len: c[3]}) {
			t.Errorf("locate(%d, %d) = %v", c[0], c[1], got)
		}
	}
}

func TestTruncation(t *testing.T) {
	b := made()
	for n := range b {
		read(b[:n])
	}
	b = genuine(t)
	for n := 0; n < len(b); n += 509 {
		read(b[:n])
	}
}

func TestMutation(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	small, big := made(), genuine(t)
	for i := range 3000 {
		b := bytes.Clone(small)
		if i%3 == 0 {
			b = bytes.Clone(big)
		}
		for range 1 + r.Intn(8) {
			at := r.Intn(len(b))
			if i%3 == 0 { // where the package is
				at = r.Intn(12 << 10)
			}
			b[at] = byte(r.Intn(256))
		}
		x := read(b)
		for _, f := range x.out {
			if e := f.Evidence[0]; !e.At.Within(int64(len(b))) || !bytes.HasPrefix(b[e.At.Off:], []byte(e.Excerpt)) {
				t.Fatalf("mutation %d: %q is not at %v", i, e.Excerpt, e.At)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(made())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, x := range read(b).out {
			if e := x.Evidence[0]; !e.At.Within(int64(len(b))) || !bytes.HasPrefix(b[e.At.Off:], []byte(e.Excerpt)) {
				t.Errorf("%q is not at %v", e.Excerpt, e.At)
			}
		}
	})
}
