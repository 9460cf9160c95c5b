package learnt

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/internal/work"
	"hallmark/sbom"
)

// tree makes a tree of one folder of files.
func tree(t *testing.T, files ...string) (*artifact.Tree, *artifact.Store) {
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
	c := &artifact.Chunk{Format: "folder"}
	for i := 0; i < len(files); i += 2 {
		c.Nodes = append(c.Nodes, artifact.Node{Path: files[i], Digest: add(files[i+1]), Size: int64(len(files[i+1]))})
	}
	out := artifact.NewTree("tree")
	out.Add(&artifact.Content{Digest: add("the folder"), Size: 10, Extents: []artifact.Extent{{Range: artifact.Range{Len: 10}, Kind: artifact.InChunk, Chunk: c}}})
	for i := range c.Nodes {
		kind := ""
		if strings.HasPrefix(files[2*i+1], "\x7fELF") {
			kind = "elf"
		}
		out.Add(&artifact.Content{Digest: c.Nodes[i].Digest, Size: c.Nodes[i].Size, Type: kind, First: artifact.Step{Content: out.Root, Node: i}})
	}
	return out, s
}

// program is an ELF file of which all bytes are loaded, with these texts.
func program(texts ...string) string {
	head := "\x7fELF\x01\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00\x28\x00\x01\x00\x00\x00" +
		strings.Repeat("\x00", 4) + "\x34\x00\x00\x00" + strings.Repeat("\x00", 8) + "\x34\x00\x20\x00\x01\x00\x00\x00\x00\x00\x00\x00"
	body := "\x00" + strings.Join(texts, "\x00") + "\x00"
	size := len(head) + 32 + len(body)
	word := func(n int) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) }
	return head + word(1) + word(0) + word(0) + word(0) + word(size) + word(size) + word(5) + word(4) + body
}

// messages are n texts of a made-up component.
func messages(about string, n int) []string {
	words := strings.Fields("alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa")
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s cannot %s the %s of %s", about, words[i%16], words[i/2%16], words[(i*7+i/16)%16]))
	}
	return out
}

func learn(t *testing.T, b *Base, id Identity, files ...string) {
	t.Helper()
	tr, s := tree(t, files...)
	if err := b.Learn(context.Background(), work.NewPool(2), tr, s, id); err != nil {
		t.Fatal(err)
	}
}

func base(t *testing.T) *Base {
	b := &Base{}
	codec := messages("codec", 60)
	learn(t, b, Identity{"codec", "1.0", "pkg:generic/codec@1.0"}, "usr/lib/libcodec.so.1.0", program(codec...), "usr/share/doc/codec/README", "about it")
	learn(t, b, Identity{"codec", "2.0", "pkg:generic/codec@2.0"}, "usr/lib/libcodec.so.2.0", program(append(codec[10:], messages("newer codec", 30)...)...))
	learn(t, b, Identity{"server", "3.1", ""}, "usr/sbin/server", program(messages("server", 40)...), "etc/init.d/server", "#!/bin/sh\nexec server\n")
	return b
}

// pack writes b and reads it again.
func pack(t *testing.T, b *Base) (*Base, []byte) {
	t.Helper()
	var w bytes.Buffer
	if err := b.Write(&w); err != nil {
		t.Fatal(err)
	}
	out, err := Read(bytes.NewReader(w.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return out, w.Bytes()
}

func TestFind(t *testing.T) {
	b, _ := pack(t, base(t))
	codec := messages("codec", 60)
	own := messages("the program's own part", 80)
	tr, s := tree(t,
		"lib/libcodec.so", program(codec...), // as learnt
		"lib2/libcodec.so.1.5", program(codec[5:]...), // another version
		"bin/app", program(append(own, codec...)...), // linked in
		"bin/other", program(own...),
		"etc/init.d/S50server", "#!/bin/sh\nexec server\n", // may be of any version
	)
	list, err := NewFinder(b, work.NewPool(2)).Find(context.Background(), tr, s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range list {
		for _, e := range f.Evidence {
			place := tr.Node(tr.Content(e.Content).First).Path
			got = append(got, fmt.Sprintf("%s %s %s: %s %s %s", f.Name, f.Version, f.Claim, place, e.Relation, e.Rule))
			if err := s.Check(e.Evidence); err != nil {
				t.Error(err)
			}
		}
		for _, p := range f.Properties {
			got = append(got, p.Name+"="+p.Value)
		}
	}
	want := []string{
		"codec  presence: lib2/libcodec.so.1.5 defines learnt.texts",
		"codec  presence: bin/app embeds learnt.texts",
		"hallmark:learnt:nearest=1.0",
		"codec 1.0 exact: lib/libcodec.so defines learnt.digest",
		"server  presence: etc/init.d/S50server defines learnt.digest",
		"hallmark:learnt:nearest=3.1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Find: -want +got\n%s", d)
	}
}

// TestWrite wants the same bytes in whatever order components came, and none of their texts.
func TestWrite(t *testing.T) {
	_, first := pack(t, base(t))
	b := &Base{}
	learn(t, b, Identity{"server", "3.1", ""}, "etc/init.d/server", "#!/bin/sh\nexec server\n")
	codec := messages("codec", 60)
	learn(t, b, Identity{"codec", "2.0", "pkg:generic/codec@2.0"}, "usr/lib/libcodec.so.2.0", program(append(codec[10:], messages("newer codec", 30)...)...))
	learn(t, b, Identity{"server", "3.1", ""}, "usr/sbin/server", program(messages("server", 40)...))
	learn(t, b, Identity{"codec", "1.0", "pkg:generic/codec@1.0"}, "usr/lib/libcodec.so.1.0", program(codec...))
	if _, second := pack(t, b); !bytes.Equal(first, second) {
		t.Error("the order of learning shows in the base")
	}
	again, _ := pack(t, base(t))
	if _, third := pack(t, again); !bytes.Equal(first, third) {
		t.Error("a base changes by being read and written")
	}
	if bytes.Contains(first, []byte("alpha")) {
		t.Error("the base holds text")
	}
}

func TestPackage(t *testing.T) {
	for _, c := range []struct {
		control string
		want    Identity
	}{
		{"Package: libz1\nSource: zlib (1:1.2.13.dfsg-1)\nVersion: 1:1.2.13.dfsg-1+b1\n", Identity{"zlib", "1.2.13.dfsg-1", "pkg:deb/debian/zlib@1.2.13.dfsg-1?arch=source"}},
		{"Package: python3.11-minimal\nSource: python3.11\nVersion: 3.11.2-6\n", Identity{"python", "3.11.2-6", "pkg:deb/debian/python3.11@3.11.2-6?arch=source"}},
		{"Package: glib\nSource: glib2.0\nVersion: 2.74.6-2\n", Identity{"glib2.0", "2.74.6-2", "pkg:deb/debian/glib2.0@2.74.6-2?arch=source"}},
		{"Package: libustream\nSourceName: ustream-ssl\nSource: package/libs/ustream-ssl\nVersion: 2022-01\n", Identity{"ustream-ssl", "2022-01", "pkg:opkg/ustream-ssl@2022-01?arch=source"}},
	} {
		tr, s := tree(t, "control", c.control)
		got, err := Package(tr, s)
		if err != nil || got != c.want {
			t.Errorf("Package(%q) = %+v, %v, want %+v", c.control, got, err, c.want)
		}
	}
	tr, s := tree(t, "readme", "no package")
	if _, err := Package(tr, s); err == nil {
		t.Error("Package of no package: no error")
	}
}

func FuzzRead(f *testing.F) {
	var w bytes.Buffer
	b := &Base{}
	b.add(component{Identity{"a", "1", ""}, []file{{total: 2, features: []uint64{1, 2}}}})
	if err := b.Write(&w); err != nil {
		f.Fatal(err)
	}
	f.Add(w.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Read(bytes.NewReader(data))
		if err == nil {
			NewFinder(b, nil)
			b.Write(io.Discard)
		}
	})
}

var _ sbom.Finder = (*Finder)(nil)
