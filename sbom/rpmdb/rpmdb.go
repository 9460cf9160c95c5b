// Package rpmdb reads the packages that rpm has installed, from rpmdb.sqlite.
//
// It walks the b-tree of the table Packages itself, without SQL: libraries for the purpose hang,
// panic or eat all memory on databases of strangers.
//
// Not read: databases of Berkeley DB (Packages) and ndb (Packages.db), of which it tells; what
// stands only in a write-ahead log (rpmdb.sqlite-wal); the keys that rpm keeps as packages named
// gpg-pubkey.
//
// Formats: https://www.sqlite.org/fileformat2.html,
// https://rpm-software-management.github.io/rpm/manual/format_header.html,
// https://rpm-software-management.github.io/rpm/manual/tags.html.
package rpmdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/sbom"
)

// Finder is a [sbom.Finder] of packages that rpm installed.
type Finder struct{}

// Limits of what a database may make us do.
const (
	maxText     = 1 << 10 // bytes of a name, version or licence
	maxPath     = 4 << 10 // bytes of a path
	maxPackages = 50_000
	maxFiles    = 20_000   // of one package that are looked up
	maxPaths    = 64 << 20 // bytes of the paths that are looked up for one database, with perPath for each
	perPath     = 64
	maxFaults   = 16 // that are told of one database
)

var folders = []string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"}

// Find returns the packages of every database in t. The error joins what could not be read.
func (Finder) Find(ctx context.Context, t *artifact.Tree, s *artifact.Store) ([]sbom.Found, error) {
	var out []sbom.Found
	var faults []error
	seen := map[artifact.Digest]bool{}
	for _, c := range t.Contents() {
		for i, x := range c.Chunks() {
			for j := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[j]
				top, base, ok := database(n.Path)
				if !ok || !n.HasContent() || seen[n.Digest] {
					continue
				}
				if err := ctx.Err(); err != nil {
					return out, errors.Join(append(faults, err)...)
				}
				seen[n.Digest] = true
				place := t.Locate(append(t.FirstPlace(c.Digest), artifact.Step{Content: c.Digest, Extent: i, Node: j}), artifact.Range{})
				if base != "rpmdb.sqlite" {
					faults = append(faults, fmt.Errorf("rpmdb: %s: databases of this kind are not read", place))
					continue
				}
				r, err := s.Open(n.Digest)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				b := builder{digest: n.Digest, files: newFiles(x.Chunk, top), seen: map[string]bool{}}
				b.database(r, r.Size())
				out = append(out, b.out...)
				if b.omitted > 0 {
					b.faults = append(b.faults, fmt.Errorf("%d problems more", b.omitted))
				}
				for _, err := range b.faults {
					faults = append(faults, fmt.Errorf("rpmdb: %s: %w", place, err))
				}
			}
		}
	}
	return out, errors.Join(faults...)
}

// database reports whether rpm's database may stand at p, under which root and by which name.
func database(p string) (top, base string, ok bool) {
	dir, base := path.Split(p)
	switch base {
	case "rpmdb.sqlite", "Packages", "Packages.db":
		for _, f := range folders {
			if top, ok := strings.CutSuffix(dir, f); ok && (top == "" || strings.HasSuffix(top, "/")) {
				return top, base, true
			}
		}
	}
	return "", "", false
}

// builder makes components of the headers of one database.
type builder struct {
	digest  artifact.Digest
	files   *files
	out     []sbom.Found
	seen    map[string]bool // by purl
	paths   int             // bytes of paths looked up
	faults  []error
	omitted int
}

func (b *builder) fault(err error) {
	if len(b.faults) == maxFaults {
		b.omitted++
		return
	}
	b.faults = append(b.faults, err)
}

func (b *builder) database(r io.ReaderAt, size int64) {
	db, err := openSQLite(r, size)
	if err != nil {
		b.fault(err)
		return
	}
	root, ok := db.table("Packages", b.fault)
	if !ok {
		b.fault(errors.New("no table Packages"))
		return
	}
	db.rows(root, func(p *payload) bool {
		if len(b.out) == maxPackages {
			b.fault(fmt.Errorf("more than %d packages", maxPackages))
			return false
		}
		c, err := columns(p.data, 2) // hnum, blob
		if err != nil {
			b.fault(err)
			return true
		}
		h, err := parse(p.data[c[1].from:c[1].to])
		if err == nil {
			err = b.add(p, c[1].from, h)
		}
		if err != nil {
			b.fault(fmt.Errorf("row at %#x: %w", p.parts[0].off, err))
		}
		return true
	}, b.fault)
}

// add makes a component of h, which stands at base of p.
func (b *builder) add(p *payload, base int, h *header) error {
	name, version, release := h.text(tagName), h.text(tagVersion), h.text(tagRelease)
	if name == "" || version == "" {
		return errors.New("package without a name or a version")
	}
	if name == "gpg-pubkey" {
		return nil
	}
	if release != "" {
		version += "-" + release
	}
	arch, source := h.text(tagArch), h.text(tagSource)
	id := "pkg:rpm/" + escape(name) + "@" + escape(version)
	sep := "?"
	qualify := func(key, value string) {
		if value != "" {
			id += sep + key + "=" + escape(value)
			sep = "&"
		}
	}
	qualify("arch", arch)
	if e := h.numbers(tagEpoch); len(e) > 0 {
		epoch := strconv.FormatUint(uint64(e[0]), 10)
		qualify("epoch", epoch)
		version = epoch + ":" + version
	}
	qualify("upstream", source)
	if b.seen[id] {
		return nil
	}
	b.seen[id] = true
	f := sbom.Found{Component: sbom.Component{
		Name: name, Title: h.text(tagSummary), Type: "application", Version: version, Claim: sbom.Exact, Purl: id, Supplier: h.text(tagVendor),
	}}
	if strings.HasPrefix(name, "lib") {
		f.Type = "library"
	}
	if s := h.text(tagLicence); s != "" {
		f.Licences = []sbom.Licence{{Value: s}}
	}
	for _, x := range []sbom.Property{{Name: sbom.SourceProperty, Value: sourceName(source)}, {Name: "hallmark:package:architecture", Value: arch}} {
		if x.Value != "" {
			f.Properties = append(f.Properties, x)
		}
	}
	from, to := h.named()
	e := sbom.Evidence{}
	e.Content, e.Technique, e.Rule, e.At = b.digest, "package", "rpm-db", p.locate(base+from, base+to)
	e.Excerpt = artifact.Excerpt(p.data[base+from : base+from+int(min(e.At.Len, artifact.MaxExcerpt))])
	f.Evidence = []sbom.Evidence{e}
	err := b.addFiles(&f, h)
	b.out = append(b.out, f)
	return err
}

// sourceName takes version, release and suffix from the name of a source package's file.
func sourceName(file string) string {
	file = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src"), ".nosrc")
	for range 2 {
		i := strings.LastIndexByte(file, '-')
		if i < 0 {
			return ""
		}
		file = file[:i]
	}
	return file
}

// escape leaves what a package URL may hold as it is.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// What rpm says of a file: include/rpm/rpmfiles.h.
const (
	flagConfig, flagMissingOK, flagGhost = 1 << 0, 1 << 3, 1 << 6

	stateNormal = 0

	modeType, modeRegular = 0o170000, 0o100000
)

// algorithms are those of OpenPGP whose sums are compared; rpm before 4.6 knew MD5 only.
var algorithms = map[uint32]string{1: "md5", 2: "sha1", 8: "sha256"}

// digits has how long a sum is.
var digits = map[string]int{"md5": 32, "sha1": 40, "sha256": 64}

// addFiles adds the files of h, and what it recorded of their bytes.
func (b *builder) addFiles(f *sbom.Found, h *header) error {
	dirs, of := h.texts(tagDirNames), h.numbers(tagDirIndexes)
	sums, flags, modes, states := h.texts(tagFileDigests), h.numbers(tagFileFlags), h.numbers(tagFileModes), h.numbers(tagFileStates)
	algorithm := "md5"
	if a := h.numbers(tagDigestAlgorithm); len(a) > 0 {
		algorithm = algorithms[a[0]]
	}
	seen := map[artifact.Digest]bool{}
	for i, base := range h.texts(tagBaseNames) {
		if i >= len(of) || uint64(of[i]) >= uint64(len(dirs)) {
			return fmt.Errorf("%s: file %d has no directory", f.Name, i)
		}
		flag, state := at(flags, i), at(states, i)
		if m := at(modes, i); m&modeType != modeRegular || flag&flagGhost != 0 || state != stateNormal {
			continue
		}
		if len(dirs[of[i]])+len(base) > maxPath {
			return fmt.Errorf("%s: path of file %d is longer than %d bytes", f.Name, i, maxPath)
		}
		p := strings.TrimPrefix(path.Clean("/"+dirs[of[i]]+base), "/")
		if b.paths += len(p) + perPath; b.paths > maxPaths {
			return fmt.Errorf("%s: paths of more than %d bytes", f.Name, maxPaths)
		}
		found := b.files.find(p)
		n := found.n
		if n != nil && !seen[n.Digest] {
			seen[n.Digest] = true
			f.Files = append(f.Files, n.Digest)
		}
		if i >= len(sums) || algorithm == "" || len(sums[i]) != digits[algorithm] || n == nil && (found.there || flag&flagMissingOK != 0) {
			continue
		}
		x := sbom.Recorded{Path: p, Algorithm: algorithm, Sum: strings.ToLower(sums[i]), Config: flag&flagConfig != 0}
		if n != nil {
			x.Content = n.Digest
		}
		f.Recorded = append(f.Recorded, x)
	}
	return nil
}

func at(list []uint32, i int) uint32 {
	if i < len(list) {
		return list[i]
	}
	return 0
}

// files are the nodes of a chunk below a directory that is the root of a system.
type files struct {
	top   string
	nodes map[string]*artifact.Node
	dirs  map[string]bool   // also those without a node
	known map[string]answer // by path
}

type answer struct {
	n     *artifact.Node // that has the bytes, nil if there are none
	there bool
}

func newFiles(c *artifact.Chunk, top string) *files {
	out := &files{top, map[string]*artifact.Node{}, map[string]bool{".": true}, map[string]answer{}}
	for i := range c.Nodes {
		p, ok := strings.CutPrefix(c.Nodes[i].Path, top)
		if !ok || out.nodes[p] != nil {
			continue
		}
		out.nodes[p] = &c.Nodes[i]
		for dir := path.Dir(p); !out.dirs[dir]; dir = path.Dir(dir) {
			out.dirs[dir] = true
		}
	}
	return out
}

const (
	maxLinks = 40  // that a path may pass through, as in Linux
	maxSteps = 256 // to the file at a path, links included
)

// find returns the node of the file at p, links followed within the root.
func (f *files) find(p string) answer {
	a, ok := f.known[p]
	if !ok {
		a = f.resolve(p)
		f.known[p] = a
	}
	return a
}

func (f *files) resolve(p string) answer {
	rest, real := strings.Split(p, "/"), "."
	for links, steps := 0, 0; len(rest) > 0; steps++ {
		next := path.Join(real, rest[0])
		rest = rest[1:]
		if strings.HasPrefix(next, "../") || next == ".." {
			next = "."
		}
		n := f.nodes[next]
		if n == nil && !f.dirs[next] {
			return answer{}
		}
		if links == maxLinks || steps == maxSteps {
			return answer{there: true}
		}
		if n == nil || n.Link == "" {
			real = next
			continue
		}
		links++
		if len(n.Link) > maxPath {
			return answer{there: true}
		}
		if path.IsAbs(n.Link) {
			real = "."
		}
		rest = append(strings.Split(n.Link, "/"), rest...)
	}
	n := f.nodes[real]
	if n != nil && !n.HasContent() && n.HardLink != "" {
		n = f.nodes[strings.TrimPrefix(n.HardLink, f.top)]
	}
	if n == nil || !n.HasContent() {
		return answer{there: true}
	}
	return answer{n, true}
}
