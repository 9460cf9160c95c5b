package devicelist_test

import (
	"crypto/sha256"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/policy/devicelist"
)

// image is a made-up tree: an outer chunk around a file system, with bytes of nobody behind it.
type image struct {
	t     *testing.T
	tree  *artifact.Tree
	store *artifact.Store
}

func newImage(t *testing.T) *image {
	s := artifact.NewStore(t.TempDir())
	t.Cleanup(func() { s.Close() })
	return &image{t, artifact.NewTree("image"), s}
}

func (m *image) put(text string) artifact.Digest {
	m.t.Helper()
	d, err := m.store.Add(io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))))
	if err != nil {
		m.t.Fatal(err)
	}
	return d
}

// content adds a content of text whose first n bytes a chunk with nodes has read.
func (m *image) content(text string, n int, typ string, nodes ...artifact.Node) artifact.Digest {
	d := m.put(text)
	c := &artifact.Content{Digest: d, Size: int64(len(text)), Type: typ}
	if n > 0 {
		c.Extents = append(c.Extents, artifact.Extent{Range: artifact.Range{Len: int64(n)}, Kind: artifact.InChunk, Chunk: &artifact.Chunk{Format: "box", Nodes: nodes}})
	}
	if n < len(text) {
		c.Extents = append(c.Extents, artifact.Extent{Range: artifact.Range{Off: int64(n), Len: int64(len(text) - n)}, Kind: artifact.Unknown})
	}
	m.tree.Add(c)
	return d
}

func (m *image) manifest() *devicelist.Manifest {
	m.t.Helper()
	out, err := devicelist.NewManifest(m.tree, m.store)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// sample is the same two files, a link and a device, in a wrapping with a given header.
func sample(t *testing.T, header, conf, rest string) *devicelist.Manifest {
	m := newImage(t)
	confD, runD, inner := m.put(conf), m.put("run"), m.put(header+"inner")
	m.content(header+"outer"+rest, len(header+"outer"), "", artifact.Node{Path: "fs", Digest: inner, Size: 5})
	m.content(header+"inner", len(header+"inner"), "",
		artifact.Node{Path: "etc", Mode: fs.ModeDir | 0o755},
		artifact.Node{Path: "etc/conf", Mode: 0o644, Digest: confD, Size: int64(len(conf))},
		artifact.Node{Path: "bin/run", Mode: 0o755 | fs.ModeSetuid, Digest: runD, Size: 3},
		artifact.Node{Path: "bin/\n again", Mode: 0o755, HardLink: "bin/run", Size: 3},
		artifact.Node{Path: "bin/sh", Mode: fs.ModeSymlink | 0o777, Link: `a "b`},
		artifact.Node{Path: "dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, Dev: &artifact.Device{Major: 1, Minor: 3}},
		artifact.Node{Path: "run/pipe", Mode: fs.ModeNamedPipe | 0o600})
	m.content(conf, 4, "text", artifact.Node{Path: "certificate", Digest: runD, Size: 3}) // a text is a file, whatever is in it
	return m.manifest()
}

func TestManifest(t *testing.T) {
	m := sample(t, "one", "port = 80", "tail")
	want := []string{
		`file 0755 acba25512100f80b56fc3ccd14c65be55d94800cda77585c5f41a887e398f9be "bin/\n again"`,
		`file 4755 acba25512100f80b56fc3ccd14c65be55d94800cda77585c5f41a887e398f9be "bin/run"`,
		`link "a \"b" "bin/sh"`,
		`node 0600 c 1:3 "dev/null"`,
		`node 0600 p - "run/pipe"`,
	}
	var rest []string
	for _, l := range m.Lines {
		if !strings.Contains(l, "etc/conf") && !strings.HasPrefix(l, "rest ") {
			rest = append(rest, l)
		}
	}
	if d := cmp.Diff(want, rest); d != "" || len(m.Lines) != 7 || !slices.IsSorted(m.Lines) {
		t.Errorf("-want +got:\n%s%q", d, m.Lines)
	}
	back, err := devicelist.ParseManifest(m.Text(), m.Root())
	if err != nil || !slices.Equal(back.Lines, m.Lines) {
		t.Errorf("%v, %q", err, back)
	}
	if _, err := devicelist.ParseManifest(append(m.Text(), ' '), m.Root()); err == nil {
		t.Error("a changed manifest was taken")
	}
	mixed := []byte("hallmark manifest 1\nrest b 1\nrest a 1\n")
	if _, err := devicelist.ParseManifest(mixed, sha256.Sum256(mixed)); err == nil || !strings.Contains(err.Error(), "not in order: line 3") {
		t.Error(err)
	}
	if _, err := devicelist.ParseManifest([]byte("something"), m.Root()); err == nil {
		t.Error("what is no manifest was taken")
	}
	if again := sample(t, "another header", "port = 80", "tail"); again.Root() != m.Root() {
		t.Errorf("another wrapping has another root: %q", m.Difference(again, 10))
	}
	for _, tc := range []struct {
		conf, rest string
		want       []string
	}{
		{"port = 81", "tail", []string{"changed etc/conf"}},
		{"port = 80", "tails", []string{"added bytes outside of any file (5 bytes)", "missing bytes outside of any file (4 bytes)"}},
		{"port = 80", "tall", []string{"changed bytes outside of any file (4 bytes)"}},
	} {
		got := m.Difference(sample(t, "one", tc.conf, tc.rest), 10)
		slices.Sort(got)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
	if d := m.Difference(m, 10); d != nil {
		t.Errorf("a manifest differs from itself: %q", d)
	}
}

// TestManifestGap holds that what was not read in full has no content root.
func TestManifestGap(t *testing.T) {
	m := newImage(t)
	m.content("outer", 5, "", artifact.Node{Path: "lost", Size: 7})
	if got := m.manifest(); got.Gap == "" || !got.Root().IsZero() {
		t.Errorf("gap %q, root %s", got.Gap, got.Root())
	}
	for kind, whole := range map[artifact.ProblemKind]bool{artifact.Damaged: false, artifact.Truncated: false, artifact.Limit: false, artifact.Encrypted: true, artifact.Checksum: true} {
		m := newImage(t)
		m.content("outer", 5, "", artifact.Node{Path: "f", Digest: m.put("x"), Size: 1, Problems: []artifact.Problem{{Kind: kind}}})
		if got := m.manifest(); got.Root().IsZero() == whole {
			t.Errorf("%s: root %s, gap %q", kind, got.Root(), got.Gap)
		}
	}
}

// TestManifestOfACycle holds that a content that holds itself is entered once.
func TestManifestOfACycle(t *testing.T) {
	m := newImage(t)
	self := m.put("self")
	m.content("self", 4, "", artifact.Node{Path: "again", Digest: self, Size: 4}, artifact.Node{Path: "f", Digest: m.put("x"), Size: 1})
	if got := m.manifest(); len(got.Lines) != 1 {
		t.Errorf("%q", got.Lines)
	}
}

// FuzzDifference compares manifests that somebody wrote by hand.
func FuzzDifference(f *testing.F) {
	f.Add([]byte("file 0644 aa \"a\"\nlink \"b\" \"c\"\nrest aa 4\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := &devicelist.Manifest{Lines: strings.Split(string(b), "\n")}
		slices.Sort(a.Lines)
		a.Difference(&devicelist.Manifest{}, 3)
		(&devicelist.Manifest{}).Difference(a, 3)
	})
}
