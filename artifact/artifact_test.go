package artifact

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func random(n int) []byte {
	r := rand.New(rand.NewPCG(5, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestMeasureClasses(t *testing.T) {
	ecb := append(random(40000), bytes.Repeat(random(16), 600)...) // one block, much repeated, among others
	ramp := make([]byte, 8192)
	for i := range ramp {
		ramp[i] = byte(i)
	}
	code := make([]byte, 64<<10) // instruction-like: few values often, many rarely
	r := rand.New(rand.NewPCG(1, 1))
	for i := range code {
		code[i] = byte(r.ExpFloat64() * 25)
	}
	tests := []struct {
		name string
		in   []byte
		want Class
	}{
		{"nothing", nil, ClassData},
		{"text", []byte(strings.Repeat("the quick brown fox\n", 50)), ClassText},
		{"cipher, 64 KiB", random(64 << 10), ClassEncrypted},
		{"cipher, 2 KiB", random(2 << 10), ClassEncrypted},
		{"random, too short to tell", random(900), ClassCode},
		{"block cipher without chaining", ecb, ClassEncrypted},
		{"a table, evenly spread", ramp, ClassCode},
		{"code", code, ClassCode},
		{"sparse", bytes.Repeat([]byte{0, 0, 0, 1}, 5000), ClassData},
	}
	for _, tc := range tests {
		if f := Measure(tc.in); f.Class != tc.want {
			t.Errorf("%s: class %q, want %q (%+v)", tc.name, f.Class, tc.want, f)
		}
	}
}

// build makes a tree by hand: a root with one chunk that holds the contents given as nodes.
func build(root []byte, x Extent, inner map[string]*Content) *Tree {
	t := NewTree("image")
	t.Add(&Content{Digest: Digest{1}, Size: int64(len(root)), Extents: []Extent{x}})
	for _, c := range inner {
		t.Add(c)
	}
	return t
}

func TestCoverageCountsOutwards(t *testing.T) {
	opaque := &Content{Digest: Digest{2}, Size: 1000, First: Step{Content: Digest{1}}, Extents: []Extent{
		{Range: Range{0, 1000}, Kind: Unknown, Figures: Figures{Class: ClassEncrypted}},
	}}
	plain := &Content{Digest: Digest{3}, Size: 3000, First: Step{Content: Digest{1}, Node: 1}, Extents: []Extent{
		{Range: Range{0, 3000}, Kind: Unknown, Figures: Figures{Class: ClassText}},
	}}
	k := &Chunk{Format: "box", Nodes: []Node{{Path: "a", Digest: Digest{2}, Size: 1000}, {Path: "b", Digest: Digest{3}, Size: 3000}}}
	tree := build(make([]byte, 2000), Extent{Range: Range{0, 2000}, Kind: InChunk, Chunk: k}, map[string]*Content{"a": opaque, "b": plain})
	c := tree.Coverage()
	// a is a quarter of what the chunk decodes to, so it takes up a quarter of the chunk's 2000 bytes.
	if c.Unread != 500 || c.Percent() != "75" || len(c.Regions) != 1 || c.Clear() {
		t.Errorf("Coverage() = %+v, %s %%", c, c.Percent())
	}
	if got, want := tree.Locate(c.Regions[0].Place, c.Regions[0].At), "image > box@0x0:/a @0x0+1000"; got != want {
		t.Errorf("Locate = %q, want %q", got, want)
	}
	k.Nodes[0].Window = &Range{100, 1000}
	if c := tree.Coverage(); c.Unread != 1000 {
		t.Errorf("stored as it is: %d bytes unread, want 1000", c.Unread)
	}
}

func TestCoverageNeverSaysAllWhenSomethingIsMissing(t *testing.T) {
	k := &Chunk{Format: "box", Nodes: []Node{{Path: "gone", Problems: []Problem{{Kind: Encrypted, Detail: "no key"}}}}}
	tree := build(make([]byte, 10), Extent{Range: Range{0, 10}, Kind: InChunk, Chunk: k}, nil)
	if c := tree.Coverage(); c.Clear() {
		t.Errorf("Coverage() = %+v is clear, though a file could not be read", c)
	}
	// A decoded file that fails its checksum is not what was packed; one stored as it is was read.
	k.Nodes[0].Problems[0].Kind = Checksum
	if c := tree.Coverage(); c.Clear() {
		t.Errorf("Coverage() = %+v is clear, though a decoded file fails its checksum", c)
	}
	k.Nodes[0].Window = &Range{0, 10}
	if c := tree.Coverage(); !c.Clear() {
		t.Errorf("Coverage() = %+v, want clear: a file stored as it is was read, whatever its checksum", c)
	}
	c := Coverage{Total: 1 << 40, Unread: 1}
	if got := c.Percent(); got != "99.99" {
		t.Errorf("one byte of a tebibyte unread: %s %%, want 99.99", got)
	}
}

func TestCheckReadsEvidenceAgain(t *testing.T) {
	s := NewStore(t.TempDir())
	defer s.Close()
	b := []byte("....license=example....")
	d, err := s.Add(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))))
	if err != nil {
		t.Fatal(err)
	}
	e := Evidence{Content: d, At: Range{4, 15}, Rule: "r", Excerpt: "license=example"}
	if err := s.Check(e); err != nil {
		t.Errorf("Check = %v", err)
	}
	for _, bad := range []Evidence{
		{Content: d, At: Range{5, 15}, Excerpt: "license=example"},
		{Content: d, At: Range{4, 1 << 62}, Excerpt: "license=example"},
		{Content: d, At: Range{-4, 15}, Excerpt: "license=example"},
		{Content: Digest{9}, At: Range{4, 15}, Excerpt: "license=example"},
	} {
		if s.Check(bad) == nil {
			t.Errorf("Check(%+v) = nil", bad)
		}
	}
}

func TestPlacesAndCycles(t *testing.T) {
	tree := NewTree("image")
	self := &Chunk{Format: "box", Nodes: []Node{{Path: "x", Digest: Digest{2}}, {Path: "y", Digest: Digest{2}}, {Path: "me", Digest: Digest{1}}}}
	tree.Add(&Content{Digest: Digest{1}, Size: 1, Extents: []Extent{{Range: Range{0, 1}, Kind: InChunk, Chunk: self}}})
	tree.Add(&Content{Digest: Digest{2}, Size: 1, First: Step{Content: Digest{1}}})
	if got := tree.Places(Digest{2}, 10); len(got) != 2 {
		t.Errorf("%d places, want 2: %v", len(got), got)
	}
	visits := 0
	tree.Walk(func(Place, *Node, *Content) bool { visits++; return visits < 100 })
	if visits != 4 {
		t.Errorf("Walk made %d visits, want the root and three nodes", visits)
	}
}

func TestDiff(t *testing.T) {
	tree := func(nodes ...Node) *Tree {
		t := NewTree("image")
		t.Add(&Content{Digest: Digest{1}, Size: 9, Extents: []Extent{{Range: Range{0, 9}, Kind: InChunk, Chunk: &Chunk{Nodes: nodes}}}})
		for _, n := range nodes {
			t.Add(&Content{Digest: n.Digest, Size: 5})
		}
		return t
	}
	a := tree(Node{Path: "same", Digest: Digest{2}}, Node{Path: "old", Digest: Digest{3}}, Node{Path: "gone", Digest: Digest{4}}, Node{Path: "new version", Digest: Digest{5}})
	b := tree(Node{Path: "same", Digest: Digest{2}}, Node{Path: "moved", Digest: Digest{3}}, Node{Path: "fresh", Digest: Digest{6}}, Node{Path: "new version", Digest: Digest{7}})
	d := Diff(a, b)
	if d.Same != 1 || len(d.Changed) != 1 || len(d.Moved) != 1 || len(d.Removed) != 1 || len(d.Added) != 1 || d.Moved[0].To.Path != "moved" {
		t.Errorf("Diff = %+v", d)
	}
}
