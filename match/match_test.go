package match_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/literal"
	"hallmark/internal/work"
	"hallmark/match"
	"hallmark/signatures"
)

// file is a file of a made-up image.
type file struct {
	path  string
	data  string
	facts [][2]string // said of it beyond what its bytes say; values that stand in data are cited there
}

// image is a made-up image: chunks of files, one behind the other.
type image struct {
	tree  *artifact.Tree
	store *artifact.Store
	extra map[artifact.Digest][]facts.Fact
	root  *artifact.Content
	data  bytes.Buffer
}

func newImage(t testing.TB) *image {
	m := &image{tree: artifact.NewTree("image.bin"), store: artifact.NewStore(t.TempDir()), extra: map[artifact.Digest][]facts.Fact{}, root: &artifact.Content{}}
	t.Cleanup(func() { m.store.Close() })
	return m
}

// add appends a chunk that holds files, or a header with attributes if there is none.
func (m *image) add(t testing.TB, format string, attrs []artifact.Attr, files ...file) *image {
	t.Helper()
	c := &artifact.Chunk{Format: format}
	at := artifact.Range{Off: int64(m.data.Len())}
	fmt.Fprintf(&m.data, "[%s]", format)
	for _, a := range attrs {
		a.At = artifact.Range{Off: int64(m.data.Len()), Len: int64(len(a.Value))}
		m.data.WriteString(a.Value)
		c.Attrs = append(c.Attrs, a)
	}
	for _, f := range files {
		n := artifact.Node{Path: f.path, Size: int64(len(f.data))}
		if f.data != "" {
			n.Digest = m.put(t, f.data)
			m.extra[n.Digest] = append(m.extra[n.Digest], f.said()...)
		}
		c.Nodes = append(c.Nodes, n)
	}
	at.Len = int64(m.data.Len()) - at.Off
	m.root.Extents = append(m.root.Extents, artifact.Extent{Range: at, Kind: artifact.InChunk, Chunk: c})
	return m
}

// opaque appends bytes that nobody can read.
func (m *image) opaque(n int) *image {
	at := artifact.Range{Off: int64(m.data.Len()), Len: int64(n)}
	m.data.Write(make([]byte, n))
	m.root.Extents = append(m.root.Extents, artifact.Extent{Range: at, Kind: artifact.Unknown, Figures: artifact.Figures{Class: artifact.ClassEncrypted}})
	return m
}

func (m *image) put(t testing.TB, data string) artifact.Digest {
	t.Helper()
	d, _, err := m.store.Put(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (f file) said() (out []facts.Fact) {
	for _, x := range f.facts {
		at := artifact.Range{}
		if i := strings.Index(f.data, x[1]); i >= 0 {
			at = artifact.Range{Off: int64(i), Len: int64(len(x[1]))}
		}
		out = append(out, facts.Fact{Name: x[0], Value: x[1], At: at})
	}
	return out
}

// judge finishes the image and judges it, and checks every citation against the bytes.
func (m *image) judge(t testing.TB, r *match.Rules, o match.Options, workers int) *match.Result {
	t.Helper()
	if m.root.Size == 0 {
		m.finish(t)
	}
	pool := work.NewPool(workers)
	found, problems := facts.Collect(t.Context(), m.tree, m.store, pool, patterns())
	if len(problems) > 0 {
		t.Logf("facts: %v", problems)
	}
	for d, extra := range m.extra {
		if found[d] == nil {
			found[d] = &facts.Facts{Content: d}
		}
		found[d].Facts = append(found[d].Facts, extra...)
	}
	res, err := match.Judge(t.Context(), m.tree, m.store, found, r, pool, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range res.Findings {
		for _, k := range f.Marks {
			for _, c := range k.Citations {
				if err := m.store.Check(c.Evidence); err != nil {
					t.Errorf("%s: %v", k.ID, err)
				}
			}
		}
	}
	return res
}

func (m *image) finish(t testing.TB) {
	m.root.Digest = m.put(t, m.data.String())
	m.root.Size = int64(m.data.Len())
	m.tree.Add(m.root)
	for i, x := range m.root.Extents {
		for j := 0; x.Chunk != nil && j < len(x.Chunk.Nodes); j++ {
			n := &x.Chunk.Nodes[j]
			if n.HasContent() {
				c := &artifact.Content{Digest: n.Digest, Size: n.Size, Depth: 1, First: artifact.Step{Content: m.root.Digest, Extent: i, Node: j}}
				c.Extents = []artifact.Extent{{Range: artifact.Range{Len: n.Size}, Kind: artifact.Unknown}}
				m.tree.Add(c)
			}
		}
	}
}

var load = sync.OnceValues(match.Load)

func rules(t testing.TB) *match.Rules {
	t.Helper()
	r, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var patterns = sync.OnceValue(func() *literal.Set {
	r, err := load()
	if err != nil {
		panic(err)
	}
	return literal.Compile(r.Patterns())
})

func elf(text string) string { return "\x7fELF\x01\x01\x01\x00" + text + "\x00" }

// trialImage makes the image that a trial of a mark describes.
func trialImage(t testing.TB, mark *signatures.MakerMark, trial signatures.Trial) *image {
	t.Helper()
	m := newImage(t)
	var f file
	var attrs []artifact.Attr
	format := trial["chunk"]
	if format == "" {
		format = "squashfs" // a file of a device, unless the mark is about what an update consists of
		if mark.Context == "package" {
			format = "zip"
		}
	}
	text := trial["text"]
	if x := trial["hex"]; x != "" {
		b, err := hex.DecodeString(strings.ReplaceAll(x, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	times, _ := strconv.Atoi(cmpOr(trial["times"], "1"))
	for name, value := range trial {
		switch {
		case slices.Contains([]string{"path", "chunk", "text", "hex", "in", "times"}, name):
			continue
		case name == "":
			name = mark.Where[0]
		}
		if kind, attr, _ := strings.Cut(name, "."); slices.Contains([]string{"hikvision", "dahua", "tiandy", "tvt", "longse", "zip", "ubootenv", "dtb"}, kind) {
			format = kind
			attrs = append(attrs, artifact.Attr{Name: attr, Value: value})
			continue
		}
		for i := range times {
			for _, line := range strings.Split(value, "\n") {
				f.facts = append(f.facts, [2]string{name, strings.ReplaceAll(line, "{n}", fmt.Sprint(i))})
			}
		}
	}
	slices.SortFunc(f.facts, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	switch trial["in"] {
	case "elf":
		text = elf(text)
	case "pe":
		text = "MZ\x00" + text
	case "data":
		text += "\x00\x01\x02"
	}
	for _, x := range f.facts {
		text += "\n" + x[1]
	}
	var files []file
	for i, p := range strings.Split(cmpOr(trial["path"], "home/file"), "\n") {
		f.path, f.data = p, cmpOr(text, "x")
		if i > 0 {
			f.data += fmt.Sprint(i)
		}
		files = append(files, f)
	}
	return m.add(t, format, attrs, files...)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// fired reports whether a mark counts in res, be it that it is too weak for a finding.
func fired(res *match.Result, id string) bool {
	return slices.ContainsFunc(res.Marks, func(f match.Fired) bool { return f.ID == id })
}

func TestMarks(t *testing.T) {
	makers, err := signatures.Makers()
	if err != nil {
		t.Fatal(err)
	}
	r := rules(t)
	ids := map[string]bool{}
	for i := range makers {
		for k := range makers[i].Marks {
			mark := &makers[i].Marks[k]
			t.Run(mark.ID, func(t *testing.T) {
				if ids[mark.ID] {
					t.Error("id is used twice")
				}
				ids[mark.ID] = true
				if len(mark.Source) == 0 || mark.Checked == "" {
					t.Error("no source, or not said how it was checked")
				}
				if len(mark.Match) == 0 || len(mark.Miss) == 0 {
					t.Error("no example, or no counter-example")
				}
				for _, trial := range mark.Match {
					if res := trialImage(t, mark, trial).judge(t, r, match.Options{}, 1); !fired(res, mark.ID) {
						t.Errorf("does not match %v", trial)
					}
				}
				for _, trial := range mark.Miss {
					if res := trialImage(t, mark, trial).judge(t, r, match.Options{}, 1); fired(res, mark.ID) {
						t.Errorf("matches %v", trial)
					}
				}
			})
		}
	}
}
