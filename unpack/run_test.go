package unpack

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// box is a format for tests: "BOX!", a count, then for each member its length and its bytes.
// A length of 0xffffffff is a member that decodes to 1 MiB of zeros.
var box = format.Format{
	Name: "box", Magics: []format.Magic{{Bytes: "BOX!"}}, Refs: []format.Ref{{Title: "test"}},
	Open: func(src format.Source) (format.Chunk, error) {
		b, err := format.ReadAt(src, 0, src.Size(), "box")
		if err != nil || len(b) < 5 {
			return nil, format.Not("box: short")
		}
		k := &boxChunk{size: 5}
		for i := 0; i < int(b[4]); i++ {
			if int64(len(b)) < k.size+4 {
				return nil, format.Not("box: cut")
			}
			n := int64(binary.LittleEndian.Uint32(b[k.size:]))
			k.size += 4
			if n == 0xffffffff {
				k.members = append(k.members, format.Entry{Path: fmt.Sprint(i), Open: func() (io.Reader, error) { return bytes.NewReader(make([]byte, 1<<20)), nil }})
				continue
			}
			if n == 0xfffffffe {
				panic("box: asked to")
			}
			if n > int64(len(b))-k.size {
				return nil, format.Errorf(artifact.Truncated, k.size, "box: member %d at %#x: %d > %d", i, k.size, n, int64(len(b))-k.size)
			}
			w := artifact.Range{Off: k.size, Len: n}
			k.members = append(k.members, format.Entry{Path: fmt.Sprintf("../m%d", i), Window: &w})
			k.size += n
		}
		return k, nil
	},
}

type boxChunk struct {
	size    int64
	members []format.Entry
}

func (k *boxChunk) Size() int64 { return k.size }
func (k *boxChunk) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, m := range k.members {
			if !yield(m, nil) {
				return
			}
		}
	}
}

func boxed(members ...[]byte) []byte {
	b := append([]byte("BOX!"), byte(len(members)))
	for _, m := range members {
		if len(m) == 1 && m[0] >= 0xfe {
			b = binary.LittleEndian.AppendUint32(b, 0xffffff00|uint32(m[0]))
			continue
		}
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(m))), m...)
	}
	return b
}

func runBytes(t *testing.T, b []byte, opts Options) (*artifact.Tree, *artifact.Store) {
	t.Helper()
	store := artifact.NewStore(t.TempDir())
	t.Cleanup(func() { store.Close() })
	if opts.Formats == nil {
		opts.Formats = []format.Format{box}
	}
	tree, err := Run(context.Background(), "test", bytes.NewReader(b), int64(len(b)), store, opts)
	if err != nil {
		t.Fatal(err)
	}
	return tree, store
}

// checkCover fails unless every content of the tree is covered exactly.
func checkCover(t *testing.T, tree *artifact.Tree) {
	t.Helper()
	for _, c := range tree.Contents() {
		at := int64(0)
		for _, x := range c.Extents {
			if x.Off != at || x.Len <= 0 {
				t.Fatalf("content %s of %d bytes: extent %#x+%d where %#x is next", c.Digest, c.Size, x.Off, x.Len, at)
			}
			at = x.End()
		}
		if at != c.Size {
			t.Fatalf("content %s: extents end at %#x of %#x", c.Digest, at, c.Size)
		}
	}
	if cov := tree.Coverage(); cov.Unread < 0 || cov.Unread > cov.Total || cov.Padding > cov.Total {
		t.Fatalf("coverage %+v", cov)
	}
}

func TestCoverIsExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		var b []byte
		for range rnd.IntN(6) {
			switch rnd.IntN(5) {
			case 0:
				b = append(b, bytes.Repeat([]byte{byte(rnd.IntN(256))}, rnd.IntN(70000))...)
			case 1:
				for range rnd.IntN(9000) {
					b = append(b, byte(rnd.IntN(256)))
				}
			case 2:
				b = append(b, strings.Repeat("some text\n", rnd.IntN(500))...)
			default:
				b = append(b, boxed([]byte("inner"), boxed(bytes.Repeat([]byte{7}, rnd.IntN(600))))...)
			}
		}
		tree, _ := runBytes(t, b, Options{Workers: 1 + i%3})
		checkCover(t, tree)
	}
}

func TestRunIsTheSameForAnyWorkers(t *testing.T) {
	b := append(boxed(boxed([]byte("a"), []byte("b"), []byte{0xff}), boxed([]byte("b")), []byte{0xff}), bytes.Repeat([]byte{0xff}, 5000)...)
	b = append(b, boxed([]byte("tail"))...)
	one, _ := runBytes(t, b, Options{Workers: 1})
	for _, n := range []int{2, 8} {
		many, _ := runBytes(t, b, Options{Workers: n})
		if d := cmp.Diff(one.Contents(), many.Contents()); d != "" {
			t.Errorf("%d workers differ from one:\n%s", n, d)
		}
	}
	if got := len(one.Contents()); got != 7 {
		t.Errorf("%d distinct contents, want 7", got)
	}
}

// never is a format without a magic that finds nothing.
var never = format.Format{Name: "never", Align: 16, Open: func(format.Source) (format.Chunk, error) { return nil, format.Not("never") }}

func TestLimits(t *testing.T) {
	bomb := make([][]byte, 200)
	for i := range bomb {
		bomb[i] = []byte{0xff}
	}
	deep := []byte("core")
	for range 40 {
		deep = boxed(deep)
	}
	tests := map[string]struct {
		in     []byte
		limits Limits
	}{
		"ratio":   {boxed(bomb...), Limits{}},
		"bytes":   {boxed(bomb...), Limits{Bytes: 5 << 20, Ratio: 1 << 30}},
		"entries": {boxed(bomb...), Limits{Entries: 50}},
		"depth":   {deep, Limits{Depth: 32}},
		"time":    {boxed(bomb...), Limits{Time: time.Nanosecond}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var first *artifact.Tree
			for _, workers := range []int{1, 4} {
				tree, _ := runBytes(t, tc.in, Options{Workers: workers, Limits: tc.limits, Formats: []format.Format{box, never}})
				checkCover(t, tree)
				if cov := tree.Coverage(); !cov.Incomplete {
					t.Errorf("%d workers: the tree does not say that it is incomplete", workers)
				}
				if x := tree.Contents()[0].Extents[0]; name != "time" && (x.Chunk == nil || len(x.Chunk.Nodes) == 0) {
					t.Errorf("%d workers: what was read before the limit is not kept", workers)
				}
				if first == nil {
					first = tree
				} else if d := cmp.Diff(first.Contents(), tree.Contents()); d != "" && name != "time" {
					t.Errorf("the cut depends on the number of workers:\n%s", d)
				}
			}
		})
	}
}

func TestProblemsNotFailures(t *testing.T) {
	b := append(boxed([]byte{0xfe}), bytes.Repeat([]byte{0}, 300)...) // panics in Open
	b = append(b, "BOX!\x01\xff\xff\x00\x00"...)                      // cut short
	b = append(b, boxed([]byte("good"))...)
	tree, _ := runBytes(t, b, Options{})
	checkCover(t, tree)
	root := tree.Contents()[0]
	var kinds []artifact.ProblemKind
	for _, p := range root.Problems {
		kinds = append(kinds, p.Kind)
	}
	if d := cmp.Diff([]artifact.ProblemKind{artifact.Internal, artifact.Truncated}, kinds); d != "" {
		t.Errorf("problems:\n%s", d)
	}
	if len(tree.Contents()) != 2 {
		t.Errorf("the good box behind two bad ones was not opened")
	}
}

func TestPathsAreCleaned(t *testing.T) {
	for in, want := range map[string]string{
		"../../etc/passwd": "etc/passwd", "/abs": "abs", "a/../../b": "b", "./x//y/": "x/y", "..": "", "a\x00b": "ab",
	} {
		if got := cleanPath(in); got != want {
			t.Errorf("cleanPath(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]bool{"../a": true, "a/../b": false, "a/../../b": true, "/a": false, "/../a": true} {
		if got := escapes(in); got != want {
			t.Errorf("escapes(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestSearchFindsAcrossBlocks(t *testing.T) {
	tail := format.Format{Name: "tail", Magics: []format.Magic{{Bytes: "END!", Off: 1000}}, Open: func(format.Source) (format.Chunk, error) { return nil, format.Not("no") }}
	s := newSearcher([]format.Format{box, tail})
	for _, at := range []int{0, 5, searchBlock - 3, searchBlock - 1, searchBlock, 2*searchBlock + 7} {
		b := make([]byte, 3*searchBlock)
		copy(b[at:], "BOX!")
		copy(b[at+1000:], "END!")
		h := &hot{src: io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), buf: make([]byte, hotBlock)}
		got, err := s.pass(h).next(0)
		want := []candidate{{int64(at), 0}, {int64(at), 1}}
		if err != nil || cmp.Diff(want, got, cmp.AllowUnexported(candidate{})) != "" {
			t.Errorf("magic at %#x: candidates %v, %v", at, got, err)
		}
	}
}

func TestStoreKeepsWhatItNames(t *testing.T) {
	store := artifact.NewStore(t.TempDir())
	defer store.Close()
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 262143, 262144, 262145, 1 << 20, 1<<20 + 9} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.IntN(256))
		}
		for range 2 {
			d, size, err := store.Put(bytes.NewReader(b))
			if err != nil || size != int64(n) {
				t.Fatalf("Put of %d bytes = %d, %v", n, size, err)
			}
			r, err := store.Open(d)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, b) {
				t.Fatalf("content of %d bytes does not come back: %v", n, err)
			}
		}
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(make([]byte, 700000))
	w.Close()
	r, _ := gzip.NewReader(bytes.NewReader(z.Bytes()[:z.Len()-20]))
	if _, size, err := store.Put(r); err == nil || size == 0 {
		t.Errorf("Put of a cut stream = %d bytes, %v; want the part before the cut and an error", size, err)
	}
}
