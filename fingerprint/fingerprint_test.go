package fingerprint

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hallmark/artifact"
	"hallmark/feature"
	"hallmark/signing"
)

// program makes a made-up program: texts texts of a vocabulary, each between NULs. Shared is how
// many of them come from a vocabulary that all programs have.
func program(t testing.TB, name string, seed uint64, texts, shared int) Sample {
	t.Helper()
	return sample(t, name, content(seed, texts, shared))
}

func sample(t testing.TB, name string, b []byte) Sample {
	t.Helper()
	set, err := feature.Extract(bytes.NewReader(b), int64(len(b)), feature.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Sample{name, sha256.Sum256(b), int64(len(b)), set}
}

func content(seed uint64, texts, shared int) []byte {
	b := []byte{0, 1, 2, 0}
	for i := range texts {
		s := seed
		if i < shared {
			s = 1
		}
		r := rand.New(rand.NewPCG(s, uint64(i)))
		for w := range 4 + r.IntN(4) {
			if w > 0 {
				b = append(b, ' ')
			}
			for range 3 + r.IntN(6) {
				b = append(b, 'a'+byte(r.IntN(26)))
			}
		}
		b = append(b, 0, byte(seed), 0)
	}
	return b
}

func innocents(t testing.TB, n int) []Sample {
	var out []Sample
	for i := range n {
		out = append(out, program(t, fmt.Sprintf("innocent%d", i), 1000+uint64(i), 60, 20))
	}
	return out
}

func learnt(t testing.TB, family string, seed uint64, against []Sample) (*Pack, []Sample) {
	t.Helper()
	refs := []Sample{program(t, "bin/main", seed, 200, 20), program(t, "lib/core.so", seed+100, 100, 20)}
	p, err := Learn(&Spec{Family: family, Component: "firmware", Version: "1.0", References: [][]Sample{refs}, Against: against})
	if err != nil {
		t.Fatalf("Learn(%s) = %v", family, err)
	}
	return p, refs
}

func match(t testing.TB, p *Pack, s ...Sample) []Likeness {
	t.Helper()
	likes, err := NewMatcher([]*Pack{p}, nil).Match(t.Context(), nil, s)
	if err != nil {
		t.Fatal(err)
	}
	return likes
}

func TestLearnAndMatch(t *testing.T) {
	against := innocents(t, 300)
	p, refs := learnt(t, "acme", 7, against)
	if likes := match(t, p, refs...); len(likes) != 2 || !likes[0].Identical || likes[0].Version != "1.0" || likes[0].LLR < 1 {
		t.Errorf("itself: %+v", likes)
	}
	// Another version: half of the texts are new.
	next := sample(t, "bin/other", append(content(7, 100, 20), content(55, 100, 0)...))
	likes := match(t, p, next)
	if len(likes) != 1 || likes[0].Identical || likes[0].Nearest != "bin/main" {
		t.Fatalf("next version: %+v", likes)
	}
	if likes[0].LLR > maxClassLLR+moreLLR || likes[0].Expected <= 0 {
		t.Errorf("LLR %v, expected %v", likes[0].LLR, likes[0].Expected)
	}
	for _, s := range append(against, innocents(t, 400)[300:]...) {
		if likes := match(t, p, s); len(likes) > 0 {
			t.Errorf("%s is like %+v", s.Name, likes)
		}
	}
}

func TestLearnIsDeterministic(t *testing.T) {
	against := innocents(t, 300)
	p, _ := learnt(t, "acme", 7, against)
	slices.Reverse(against)
	q, _ := learnt(t, "acme", 7, against)
	a, _ := p.Encode()
	b, _ := q.Encode()
	if !bytes.Equal(a, b) {
		t.Error("the order of others changes the pack")
	}
	if len(a) > 50_000 {
		t.Errorf("the pack has %d bytes", len(a))
	}
	if bytes.Contains(a, content(7, 30, 20)[600:620]) {
		t.Error("the pack holds content of the reference")
	}
}

func TestLearnRefusesTheWeak(t *testing.T) {
	against := innocents(t, 300)
	spec := func(refs ...Sample) *Spec {
		return &Spec{Family: "acme", Component: "c", Version: "1", References: [][]Sample{refs}, Against: against}
	}
	scrambled := spec(program(t, "bin/main", 7, 200, 0))
	scrambled.Disguised = []Disguised{{"all at once", [][]Sample{{program(t, "bin/main", 8, 200, 0)}}}}
	few := spec(program(t, "bin/main", 7, 200, 0))
	few.Against = against[:50]
	relatives := spec(program(t, "bin/main", 7, 200, 0))
	for i := range 100 {
		relatives.Against = append(relatives.Against, sample(t, fmt.Sprint("relative", i), append(content(7, 200, 0), byte(i), 1)))
	}
	for _, tc := range []struct {
		name string
		spec *Spec
		want string
	}{
		{"nothing", spec(), "holds nothing"},
		{"only what others have", spec(program(t, "x", 1, 20, 20)), "its own"},
		{"not recognised in disguise", scrambled, "recognised (all at once)"},
		{"few others", few, "left to test with"},
		{"relatives among the others", relatives, "its own"},
	} {
		_, err := Learn(tc.spec)
		if !errors.Is(err, ErrWeak) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Learn() = %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestBackgroundOnlyRemoves(t *testing.T) {
	list := innocents(t, 50)
	b := NewBackground(list)
	var file bytes.Buffer
	if _, err := b.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	b, err := ParseBackground(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		for c, features := range s.Set.Lists {
			for _, f := range features {
				if !b.Has(feature.Class(c), f.Hash) {
					t.Fatalf("%s: a feature of %v is missing", s.Name, feature.Class(c))
				}
			}
		}
	}
	r, wrong := rand.New(rand.NewPCG(1, 1)), 0
	for range 100_000 {
		if b.Has(feature.Strings, r.Uint64()) {
			wrong++
		}
	}
	if wrong > 1500 {
		t.Errorf("%d of 100,000 foreign features are taken for common ones", wrong)
	}
	if _, err := ParseBackground(file.Bytes()[:file.Len()-1]); err == nil {
		t.Error("a cut background is read")
	}
}

func TestIsland(t *testing.T) {
	against := innocents(t, 300)
	foreign := content(99, 30, 0) // somebody else's library within the reference
	refs := []Sample{sample(t, "bin/main", append(append(content(7, 150, 20), foreign...), content(8, 150, 0)...))}
	p, err := Learn(&Spec{Family: "acme", Component: "c", Version: "1", References: [][]Sample{refs}, Against: against})
	if err != nil {
		t.Fatal(err)
	}
	if likes := match(t, p, sample(t, "libforeign", foreign)); len(likes) != 1 || !likes[0].Island {
		t.Errorf("a library that the reference holds: %+v, want an island", likes)
	}
	spread := sample(t, "bin/older", append(content(7, 120, 20), content(8, 60, 0)...))
	if likes := match(t, p, spread); len(likes) != 1 || likes[0].Island {
		t.Errorf("an older version: %+v, want no island", likes)
	}
}

func TestMerge(t *testing.T) {
	against := innocents(t, 300)
	a, _ := learnt(t, "acme", 7, against)
	next := []Sample{sample(t, "bin/main", append(content(7, 150, 20), content(70, 80, 0)...))}
	b, err := Learn(&Spec{Family: "acme", Component: "firmware", Version: "2.0", References: [][]Sample{next}, Against: against})
	if err != nil {
		t.Fatal(err)
	}
	// A rival shares a library with it.
	rival := []Sample{sample(t, "bin/rival", append(content(40, 200, 0), content(107, 60, 0)...))}
	c, err := Learn(&Spec{Family: "rival", Component: "firmware", Version: "1", References: [][]Sample{rival}, Against: against})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Merge([]*Pack{a, b, c})
	if err != nil {
		t.Fatal(err)
	}
	file, _ := m.Encode()
	if m, err = Parse(file, nil, true); err != nil {
		t.Fatal(err)
	}
	if len(m.Components) != 2 || len(m.Components[0].Versions) != 2 {
		t.Fatalf("%d components, versions %v", len(m.Components), m.Components[0].Versions)
	}
	if l := m.Components[0].From.CrossExclusion; len(l) != 1 || l[0].To != "rival" || l[0].Features == 0 {
		t.Errorf("lost %+v, want some to rival", l)
	}
	for version, s := range map[string]Sample{"2.0": sample(t, "x", append(content(7, 140, 20), content(70, 70, 0)...)), "1.0": program(t, "x", 7, 190, 20)} {
		if likes := match(t, m, s); len(likes) != 1 || likes[0].Version != version {
			t.Errorf("nearest version: %+v, want %s", likes, version)
		}
	}
}

func TestSignedPacks(t *testing.T) {
	p, _ := learnt(t, "acme", 7, innocents(t, 300))
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	key, err := signing.Generate()
	if err != nil {
		t.Fatal(err)
	}
	other, _ := signing.Generate()
	signed, err := signing.Sign(PackType, file, key)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(signed); n > 50<<10 {
		t.Errorf("signed, the pack has %d bytes", n)
	}
	q, err := Parse(signed, []*signing.PublicKey{key.Public()}, false)
	if err != nil || q.Digest != p.Digest || len(q.SignedBy) != 1 {
		t.Fatalf("Parse(signed) = %+v, %v", q, err)
	}
	for name, bad := range map[string]func() (*Pack, error){
		"unsigned":      func() (*Pack, error) { return Parse(file, nil, false) },
		"no key":        func() (*Pack, error) { return Parse(signed, nil, false) },
		"another's key": func() (*Pack, error) { return Parse(signed, []*signing.PublicKey{other.Public()}, false) },
	} {
		if _, err := bad(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if q, err := Parse(signed, []*signing.PublicKey{other.Public()}, true); err != nil || len(q.SignedBy) != 0 {
		t.Errorf("unsigned allowed: %+v, %v", q, err)
	}
}

func FuzzParse(f *testing.F) {
	p, _ := learnt(f, "acme", 7, innocents(f, 300))
	file, _ := p.Encode()
	f.Add(file)
	s := program(f, "x", 7, 100, 0)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b, nil, true)
		if err != nil {
			return
		}
		match(t, p, s)
		if _, err := Merge([]*Pack{p, p}); err != nil && !errors.Is(err, ErrWeak) {
			return
		}
		again, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again, nil, true); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}

func TestThresholdsHoldPerImage(t *testing.T) {
	against := innocents(t, 300)
	p, _ := learnt(t, "acme", 7, against)
	few := sample(t, "few", append(content(7, 29, 20), content(500, 60, 0)...)) // nine of its own
	if likes := match(t, p, few); len(likes) != 1 {
		t.Fatalf("alone: %+v", likes)
	}
	image := append([]Sample{few}, make([]Sample, 0, 3000)...)
	for i := range 3000 {
		image = append(image, Sample{Name: fmt.Sprint(i), Set: few.Set})
		image[i+1].Set = &feature.Set{}
	}
	if likes := match(t, p, image...); len(likes) != 0 {
		t.Errorf("among 3000 others: %+v, want nothing: so few hits are to be expected once", likes)
	}
}

// TestSame compares two trees made by hand: a start script, a program of two versions, a common file.
func TestSame(t *testing.T) {
	firmware := func(name string, files map[string][]byte) (*artifact.Tree, *artifact.Store, []Sample) {
		store := artifact.NewStore(t.TempDir())
		t.Cleanup(func() { store.Close() })
		var root []byte
		chunk := &artifact.Chunk{Format: "box"}
		var inner []*artifact.Content
		for _, p := range slices.Sorted(maps.Keys(files)) {
			d, size, err := store.Put(bytes.NewReader(files[p]))
			if err != nil {
				t.Fatal(err)
			}
			c := &artifact.Content{Digest: d, Size: size, First: artifact.Step{Content: artifact.Digest{1}, Node: len(chunk.Nodes)}}
			switch {
			case bytes.HasPrefix(files[p], []byte("#!")):
				c.Type = "script"
			default:
				c.Type = "elf"
			}
			chunk.Nodes = append(chunk.Nodes, artifact.Node{Path: p, Digest: d, Size: size})
			inner = append(inner, c)
			root = append(root, files[p]...)
		}
		tree := artifact.NewTree(name)
		tree.Add(&artifact.Content{Digest: artifact.Digest{1}, Size: int64(len(root)), Extents: []artifact.Extent{{Range: artifact.Range{Len: int64(len(root))}, Kind: artifact.InChunk, Chunk: chunk}}})
		for _, c := range inner {
			tree.Add(c)
		}
		samples, err := Collect(t.Context(), tree, store, nil, feature.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return tree, store, samples
	}
	start := []byte("#!/bin/sh\n# webd is not started\n/usr/bin/rtspd -p 554 &\n")
	a, storeA, inA := firmware("a", map[string][]byte{"etc/init.d/rcS": start, "usr/bin/rtspd": content(7, 100, 0), "usr/bin/webd": content(8, 50, 0), "lib/common.so": content(9, 50, 0)})
	b, storeB, inB := firmware("b", map[string][]byte{"etc/init.d/rcS": append(start, "webd &\n"...), "usr/bin/rtspd": append(content(7, 80, 0), content(6, 20, 0)...), "usr/bin/webd": content(5, 50, 0), "lib/other.so": content(9, 50, 0)})
	d := Same(a, storeA, inA, b, storeB, inB)
	if d.Identical != 1 || len(d.Similar) != 1 || d.Similar[0].A.Name != "usr/bin/rtspd" || len(d.OnlyA) != 1 || len(d.OnlyB) != 1 {
		t.Errorf("Same() = %+v", d)
	}
	if !slices.Equal(d.SameServices, []string{"rtspd"}) || !slices.Equal(d.OnlyBStarts, []string{"webd"}) || len(d.OnlyAStarts) != 0 {
		t.Errorf("services: both %v, a %v, b %v", d.SameServices, d.OnlyAStarts, d.OnlyBStarts)
	}
}

func index(t testing.TB, old *Index, entries ...Entry) *Index {
	t.Helper()
	var b bytes.Buffer
	if _, err := WriteIndex(&b, old, entries); err != nil {
		t.Fatal(err)
	}
	x, err := OpenIndex(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestIndex(t *testing.T) {
	var entries []Entry
	for _, s := range innocents(t, 40) {
		entries = append(entries, NewEntry(s, "", "", ""))
	}
	x := index(t, nil, entries...)
	v1, v2 := program(t, "v1", 7, 100, 0), sample(t, "v2", append(content(7, 80, 0), content(9, 20, 0)...))
	x = index(t, x, NewEntry(v1, "acme", "firmware", "1"), NewEntry(v2, "acme", "firmware", "2"), entries[0])
	if x.Len() != 42 {
		t.Errorf("%d files, want 42: one was there already", x.Len())
	}
	r, err := x.Find(sample(t, "query", append(content(7, 80, 0), content(9, 15, 0)...)), 3)
	if err != nil {
		t.Fatal(err)
	}
	if r.Known == nil || r.Known.Version != "2" || r.Known.Name != "v2" || r.Nearest[0].Name != "v2" {
		t.Errorf("Find() = %+v", r)
	}
	if r, err = x.Find(innocents(t, 1)[0], 3); err != nil || !r.Nearest[0].Identical || r.Innocent == nil {
		t.Errorf("Find(innocent) = %+v, %v", r, err)
	}
}

func FuzzOpenIndex(f *testing.F) {
	var b bytes.Buffer
	WriteIndex(&b, nil, []Entry{NewEntry(program(f, "v1", 7, 10, 0), "acme", "c", "1")})
	f.Add(b.Bytes()[:indexHead], b.Bytes()[indexHead+8*(buckets+1):])
	s := program(f, "v1", 7, 10, 0)
	table := b.Bytes()[indexHead : indexHead+8*(buckets+1)]
	f.Fuzz(func(t *testing.T, head, rest []byte) {
		data := slices.Concat(head, table, rest)
		x, err := OpenIndex(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		x.Find(s, 5)
	})
}

// million is an index of made-up files with sketches of 56 hashes.
func million(b *testing.B, files int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	entries := make([]Entry, files)
	for i := range entries {
		e := &entries[i]
		e.Name, e.Size = fmt.Sprintf("tree/usr/lib/file%d.so", i), int64(i)
		e.Digest[0], e.Digest[1], e.Digest[2] = byte(i), byte(i>>8), byte(i>>16)
		for range 56 {
			e.sketch = append(e.sketch, r.Uint64()>>24)
		}
	}
	var out bytes.Buffer
	if _, err := WriteIndex(&out, nil, entries); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}
