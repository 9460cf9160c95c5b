// Package learnt knows components by packages that somebody learnt before: a base holds, for each
// file of a component, digests, the build-id, and hashes of its texts and exported names. It holds
// no content, and names only components.
//
// A file with a known digest or build-id is that component in that version. A file that shares
// enough texts and names with a known one holds the component, in a version that is not known:
// which of the learnt ones comes nearest is said beside the claim.
//
// Not known so: scripts and data that were changed, programs of Go and Rust, and programs with
// hardly any text.
package learnt

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/elf"
	"hallmark/feature"
	"hallmark/internal/work"
)

// Identity says which component files are, and in which version.
type Identity struct {
	Name    string
	Version string
	Purl    string // with the version; "" if there is none
}

// Base is what was learnt. Its zero value is empty.
type Base struct {
	components []component // in order of identity
}

type component struct {
	Identity
	files []file // in order of digest
}

// file is what is kept of a file.
type file struct {
	digest   digest
	build    [8]byte  // of its build-id, zero if it has none
	name     uint64   // hash of what it is called, without versions; 0 for data
	total    int      // features that it had
	features []uint64 // some of them, in order
}

// digest is the first half of a SHA-256: long enough that nobody makes another file with it.
type digest [16]byte

const (
	maxKept  = 512       // features of a file that are compared with those of other components
	written  = 96        // features of a file that are written
	hashBits = 40        // of a feature
	common   = 3         // components that may share a feature; more say nothing about any
	maxFile  = 256 << 20 // a larger file is known by its digest alone, in bytes
)

// Len returns the number of components and of files.
func (b *Base) Len() (components, files int) {
	for i := range b.components {
		files += len(b.components[i].files)
	}
	return len(b.components), files
}

// Learn adds what t holds, files and what is in them, as id. It replaces nothing: files of the same
// identity are joined.
func (b *Base) Learn(ctx context.Context, pool *work.Pool, t *artifact.Tree, s *artifact.Store, id Identity) error {
	paths := paths(t)
	leaves := slices.DeleteFunc(slices.Clone(t.Contents()), func(c *artifact.Content) bool {
		return c.Size == 0 || c.Type != "elf" && holds(c) || manual(paths[c.Digest])
	})
	files, errs := work.Map(ctx, pool, leaves, func(_ context.Context, c *artifact.Content) (file, error) {
		return describe(s, c, path.Base(paths[c.Digest]))
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	b.add(component{id, files})
	return nil
}

// manual reports whether p is documentation, which no firmware has.
func manual(p string) bool {
	for _, dir := range []string{"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}

// holds reports whether c is but the container of others.
func holds(c *artifact.Content) bool {
	for range c.Chunks() {
		return true
	}
	return false
}

// Join adds what o knows.
func (b *Base) Join(o *Base) {
	for _, c := range o.components {
		b.add(component{c.Identity, slices.Clone(c.files)})
	}
}

func (b *Base) add(c component) {
	i, ok := slices.BinarySearchFunc(b.components, c, byIdentity)
	if ok {
		c.files = append(b.components[i].files, c.files...)
	} else {
		b.components = slices.Insert(b.components, i, component{Identity: c.Identity})
	}
	slices.SortFunc(c.files, func(x, y file) int { return slices.Compare(x.digest[:], y.digest[:]) })
	b.components[i].files = slices.CompactFunc(c.files, func(x, y file) bool { return x.digest == y.digest })
}

func byIdentity(x, y component) int {
	return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Purl, y.Purl))
}

// paths returns the first path of each content of t.
func paths(t *artifact.Tree) map[artifact.Digest]string {
	out := map[artifact.Digest]string{}
	for _, c := range t.Contents() {
		for _, x := range c.Chunks() {
			for i := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[i]
				if _, ok := out[n.Digest]; !ok && n.HasContent() {
					out[n.Digest] = n.Path
				}
			}
		}
	}
	return out
}

func describe(s *artifact.Store, c *artifact.Content, name string) (file, error) {
	f := file{digest: digest(c.Digest[:16])}
	set, e, err := read(s, c)
	if set == nil || err != nil {
		return f, err
	}
	if e != nil {
		f.name = hashName(cmp.Or(e.Soname.Text, name))
		f.build = buildID(e)
	}
	f.features = hashes(set)
	f.total = len(f.features)
	f.features = f.features[:min(len(f.features), maxKept)]
	return f, nil
}

// read returns the features of c, which must be an ELF file or a script; else nil.
func read(s *artifact.Store, c *artifact.Content) (*feature.Set, *elf.File, error) {
	if c.Type != "elf" || c.Size > maxFile {
		return nil, nil, nil
	}
	r, err := s.Open(c.Digest)
	if err != nil {
		return nil, nil, err
	}
	e, err := elf.Read(r, c.Size)
	if err != nil {
		return nil, nil, nil
	}
	set, err := feature.Extract(r, c.Size, feature.Options{Classes: classes})
	return set, e, err
}

var classes = []feature.Class{feature.Strings, feature.Exports}

// hashes returns the features of a set, in order, each once.
func hashes(set *feature.Set) []uint64 {
	all := map[uint64]bool{}
	for _, c := range classes {
		for _, x := range set.Lists[c] {
			all[short(x.Hash)] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func short(h uint64) uint64 { return h >> (64 - hashBits) }

func buildID(e *elf.File) (out [8]byte) {
	b, err := hex.DecodeString(e.BuildID.Text)
	if err == nil && len(b) >= len(out) {
		copy(out[:], b)
	}
	return out
}

// hashName hashes what a file is called without the numbers of versions.
func hashName(name string) uint64 {
	sum := sha256.Sum256([]byte(stem(name)))
	return binary.LittleEndian.Uint64(sum[:])
}

// stem is what a file is called without the numbers of versions: "libfoo" of libfoo-1.2.so.3.
func stem(name string) string {
	name, _, _ = strings.Cut(name, ".so")
	return strings.TrimRight(strings.ToLower(name), "0123456789.-_")
}

// prune keeps of each file the features that few components share, as many as are written.
func (b *Base) prune() {
	owners := map[uint64][]int{} // names of components by feature, at most common+1
	digests := map[digest]int{}  // name of the component, -1 if there are several
	for i := range b.components {
		id := i
		if i > 0 && b.components[i-1].Name == b.components[i].Name {
			id = first(b.components, i)
		}
		for _, f := range b.components[i].files {
			if last, ok := digests[f.digest]; ok && last != id {
				digests[f.digest] = -1
			} else {
				digests[f.digest] = id
			}
			for _, h := range f.features {
				if o := owners[h]; len(o) <= common && !slices.Contains(o, id) {
					owners[h] = append(o, id)
				}
			}
		}
	}
	for i := range b.components {
		c := &b.components[i]
		c.files = slices.DeleteFunc(c.files, func(f file) bool { return f.total == 0 && digests[f.digest] < 0 })
		for j := range c.files {
			f := &c.files[j]
			f.features = slices.DeleteFunc(slices.Clone(f.features), func(h uint64) bool { return len(owners[h]) > common })
			f.features = slices.Clip(f.features[:min(len(f.features), written)])
		}
	}
}

// first is the index of the first component named as i is.
func first(list []component, i int) int {
	for i > 0 && list[i-1].Name == list[i].Name {
		i--
	}
	return i
}
