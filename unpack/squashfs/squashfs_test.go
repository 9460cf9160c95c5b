package squashfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hallmark/artifact"
	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func TestGolden(t *testing.T)     { formattest.Golden(t, Format) }
func TestTruncation(t *testing.T) { formattest.Truncation(t, Format) }
func FuzzOpen(f *testing.F)       { formattest.Fuzz(f, Format) }

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../testdata/squashfs/" + name + "/input")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reader(t testing.TB, b []byte) *Reader {
	t.Helper()
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The metadata of the fixture "stored" is not compressed, so that every bit of it counts.
func TestBitFlips(t *testing.T) {
	b := fixture(t, "stored")
	r := reader(t, b)
	for i := range b {
		if int64(i) >= r.super.layout.size && int64(i) < r.super.inodeTable {
			continue
		}
		bit := byte(1) << (i % 8)
		b[i] ^= bit
		if l := formattest.List(b, Format, 1<<20); l.Err == nil && (l.Size < 0 || l.Size > int64(len(b))) {
			t.Errorf("bit %d of byte %#x flipped: Size() = %d", i%8, i, l.Size)
		}
		b[i] ^= bit
	}
}

func find(t *testing.T, r *Reader, path string) *inode {
	t.Helper()
	i, err := r.inode(r.super.root)
	for name := range strings.SplitSeq(path, "/") {
		if err != nil {
			t.Fatal(err)
		}
		l := r.listing(i)
		for i = nil; i == nil; {
			e, ok, lerr := l.next()
			if lerr != nil || !ok {
				t.Fatalf("%s: no %s: %v", path, name, lerr)
			}
			if e.name == name {
				i, err = r.inode(e.ref)
			}
		}
	}
	return i
}

func TestDamage(t *testing.T) {
	good := fixture(t, "stored")
	names := entries(t, good)
	inodeAt := func(r *Reader, path string) int64 {
		at, off := position(find(t, r, path).ref)
		return r.super.inodeTable + at + 2 + int64(off)
	}
	listingAt := func(r *Reader, path string) int64 {
		i := find(t, r, path)
		return r.super.dirTable + i.start + 2 + int64(i.offset)
	}
	set := func(b []byte, at int64, f field, v uint32) {
		if at += int64(f.bit / 8); f.width == 16 {
			binary.LittleEndian.PutUint16(b[at:], uint16(v))
		} else {
			binary.LittleEndian.PutUint32(b[at:], v)
		}
	}
	file, listing := inodeLayouts[4][kindFile], listingLayouts[4]
	for _, c := range []struct {
		name   string
		damage func(r *Reader, b []byte)
		want   string // in some problem
		lost   int    // entries
	}{
		{"nothing", func(r *Reader, b []byte) {}, "", 0},
		{"fragment index", func(r *Reader, b []byte) { set(b, inodeAt(r, "etc/init.d/rcS"), file.fragment, 99) }, "fragment table at 0x", 0},
		{"file size", func(r *Reader, b []byte) { set(b, inodeAt(r, "etc/init.d/rcS"), file.length, 1<<32-1) }, "squashfs: ", 0},
		{"fragment offset", func(r *Reader, b []byte) { set(b, inodeAt(r, "etc/init.d/rcS"), file.offset, 1<<31) }, "wanted, it has", 0},
		{"uid index", func(r *Reader, b []byte) { set(b, inodeAt(r, "etc/init.d/rcS"), baseLayouts[4].uid, 9) }, "id table at 0x", 0},
		{"kind", func(r *Reader, b []byte) { set(b, inodeAt(r, "etc/init.d/rcS"), baseLayouts[4].kind, 15) }, "kind 15, in etc/init.d/rcS", 1},
		{"loop", func(r *Reader, b []byte) {
			at, off := position(r.super.root)
			set(b, listingAt(r, "etc"), listing.start, uint32(at))
			set(b, listingAt(r, "etc")+12, listing.offset, uint32(off))
		}, "is another one again", len(names)},
		{"run length", func(r *Reader, b []byte) { set(b, listingAt(r, "etc/init.d"), listing.count, 1<<31) }, "in a run > 256, in etc/init.d", 1},
		{"name length", func(r *Reader, b []byte) { set(b, listingAt(r, "etc/init.d")+12, listing.size, 0xffff) }, "name of 65536 bytes", 1},
		{"listing size", func(r *Reader, b []byte) { set(b, inodeAt(r, "etc/init.d"), inodeLayouts[4][kindDir].length, 0xffff) }, "squashfs: ", 0},
		{"listing place", func(r *Reader, b []byte) { set(b, inodeAt(r, "etc/init.d"), inodeLayouts[4][kindDir].start, 1<<30) }, "the image ends at", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bytes.Clone(good)
			c.damage(reader(t, b), b)
			if l := formattest.List(b, Format, 1<<20); !strings.Contains(l.String(), c.want) {
				t.Errorf("listing has no %q:\n%s", c.want, l)
			}
			got := entries(t, b)
			lost := 0
			for name := range names {
				if !got[name] {
					lost++
				}
			}
			if lost > c.lost {
				t.Errorf("%d entries lost, want %d at most", lost, c.lost)
			}
		})
	}
}

func entries(t *testing.T, b []byte) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for e, err := range reader(t, b).Entries() {
		if err == nil {
			names[e.Path] = true
		}
	}
	return names
}

// A file gives the blocks before its damaged one, and then says which it is.
func TestDamagedBlock(t *testing.T) {
	b := fixture(t, "zstd")
	r := reader(t, b)
	f := r.openFile(find(t, r, "long.txt"))
	first, _, _, err := f.nextExtent()
	if err != nil {
		t.Fatal(err)
	}
	second := first.at + first.size
	b[second] ^= 0xff
	got, err := io.ReadAll(r.openFile(find(t, r, "long.txt")))
	var e *format.Error
	if len(got) != 4096 || !errors.As(err, &e) || e.Kind != artifact.Damaged || e.At.Off != second {
		t.Errorf("%d bytes, %v; want 4096 and damage at %#x", len(got), err, second)
	}
	if want := fmt.Sprintf("block 1 at %#x", second); err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}

// Entries may be read by several goroutines at a time, in pieces of any size.
func TestConcurrent(t *testing.T) {
	b := fixture(t, "ng-xz")
	r := reader(t, b)
	var files []format.Entry
	for e, err := range r.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Open != nil {
			files = append(files, e)
		}
	}
	sums := make([][]string, 8)
	var wg sync.WaitGroup
	for i := range sums {
		wg.Go(func() {
			for _, e := range files {
				f, err := e.Open()
				if err != nil {
					t.Error(err)
					return
				}
				h := sha256.New()
				if i == 0 {
					_, err = f.(io.WriterTo).WriteTo(h)
				} else {
					_, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 1<<(2*i)))
				}
				if err != nil {
					t.Errorf("%s: %v", e.Path, err)
				}
				sums[i] = append(sums[i], fmt.Sprintf("%s %x", e.Path, h.Sum(nil)))
			}
		})
	}
	wg.Wait()
	for i := range sums {
		if got, want := strings.Join(sums[i], "\n"), strings.Join(sums[0], "\n"); got != want {
			t.Errorf("goroutine %d read\n%s\nwant\n%s", i, got, want)
		}
	}
}

func TestCache(t *testing.T) {
	c := newCache(100, func(b []byte) int64 { return int64(len(b)) })
	var made atomic.Int32
	get := func(key int64) { c.get(key, func() ([]byte, error) { made.Add(1); return make([]byte, 30), nil }) }
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { get(1) })
	}
	wg.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("one key was decoded %d times", n)
	}
	for key := range int64(50) {
		get(key)
		if c.used > 100 || int64(len(c.slots)) != int64(c.order.Len()) {
			t.Fatalf("after key %d: %d bytes kept, %d slots, %d in order", key, c.used, len(c.slots), c.order.Len())
		}
	}
}

func TestField(t *testing.T) {
	b := []byte{0x12, 0x34, 0x56, 0x78}
	for _, c := range []struct {
		f           field
		little, big uint64
	}{
		{field{0, 32}, 0x78563412, 0x12345678},
		{field{0, 4}, 0x2, 0x1},
		{field{4, 12}, 0x341, 0x234},
		{field{8, 19}, 0x785634 & (1<<19 - 1), 0x345678 >> 5},
		{field{27, 5}, 0x78 >> 3, 0x18},
		{field{24, 16}, 0, 0}, // beyond the structure
	} {
		if got := c.f.of(b, false); got != c.little {
			t.Errorf("%v little: %#x, want %#x", c.f, got, c.little)
		}
		if got := c.f.of(b, true); got != c.big {
			t.Errorf("%v big: %#x, want %#x", c.f, got, c.big)
		}
	}
}

// Without any listing, every file that is not empty is still found by its inode.
func TestLostNames(t *testing.T) {
	for _, name := range []string{"gzip", "ng-xz", "stored", "v1-big", "v1-little", "v2-big", "v3-little", "v4-avm"} {
		b := fixture(t, name)
		r := reader(t, b)
		want := contents(t, r, false)
		at := r.super.dirTable
		b[at], b[at+1] = 0xff, 0xff // a length that no block has
		r = reader(t, b)
		if got := contents(t, r, true); got != want || want == "" {
			t.Errorf("%s: found\n%s\nwant\n%s", name, got, want)
		}
	}
}

// contents returns the sums of r's files that are not empty, sorted.
func contents(t *testing.T, r *Reader, lost bool) string {
	t.Helper()
	var sums []string
	for e, err := range r.Entries() {
		if err != nil || !e.Mode.IsRegular() || e.HardLink != "" || e.Size == 0 {
			continue
		}
		if strings.HasPrefix(e.Path, "lost+found/#") != lost || lost != (len(e.Problems) > 0) {
			t.Errorf("%s: %v", e.Path, e.Problems)
		}
		var f io.Reader
		if e.Window != nil {
			f = io.NewSectionReader(r.src, e.Window.Off, e.Window.Len)
		} else if f, err = e.Open(); err != nil {
			t.Error(err)
			continue
		}
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			t.Errorf("%s: %v", e.Path, err)
		}
		sums = append(sums, fmt.Sprintf("%x", h.Sum(nil)))
	}
	slices.Sort(sums)
	return strings.Join(sums, "\n")
}

// Where bytes_used is beyond all there is, the tables tell the end.
func TestBytesUsed(t *testing.T) {
	for _, name := range []string{"gzip", "many", "ng-xz", "stored", "v1-big", "v2-big", "v3-little", "v4-avm"} {
		b := fixture(t, name)
		r := reader(t, b)
		want := r.Size()
		for _, at := range []int64{r.super.layout.bytesUsed.at().Off + 2, r.super.layout.bytesUsed.at().Off + 1} {
			b[at] ^= 0x40
		}
		if r = reader(t, b); r.Size() != want || r.super.doubt == nil {
			t.Errorf("%s: Size() = %d, want %d; %v", name, r.Size(), want, r.super.doubt)
		}
	}
}
