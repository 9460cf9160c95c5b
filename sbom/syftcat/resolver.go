package syftcat

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/file"

	"hallmark/artifact"
)

// resolver is a root filesystem as syft sees one: the nodes of one chunk, links followed within
// it. It implements [file.Resolver], whose methods are safe for concurrent use.
type resolver struct {
	store *artifact.Store
	place string
	nodes map[string]*artifact.Node
	dirs  map[string][]string                       // base names of what a directory holds, in order
	read  map[artifact.Digest]map[[2]string]*record // databases read for their records

	diverted map[string]diversion // by path; nil until they are asked for
}

// databases are the ends of paths that make a chunk a root.
var databases = []string{"lib/dpkg/status", "lib/dpkg/status.d", "lib/opkg/status", "lib/opkg/info", "lib/ipkg/status", "lib/apk/db/installed"}

// roots returns a resolver for each chunk of t that holds a package database, in order.
func roots(t *artifact.Tree, s *artifact.Store) []*resolver {
	var out []*resolver
	for _, c := range t.Contents() {
		for _, x := range c.Chunks() {
			if slices.ContainsFunc(x.Chunk.Nodes, isDatabase) {
				out = append(out, newResolver(s, x.Chunk, t.Locate(t.FirstPlace(c.Digest), x.Range)))
			}
		}
	}
	return out
}

func isDatabase(n artifact.Node) bool {
	return slices.ContainsFunc(databases, func(end string) bool {
		return n.Path == end || strings.HasSuffix(n.Path, "/"+end)
	})
}

func newResolver(s *artifact.Store, c *artifact.Chunk, place string) *resolver {
	r := &resolver{store: s, place: place, nodes: map[string]*artifact.Node{}, dirs: map[string][]string{}, read: map[artifact.Digest]map[[2]string]*record{}}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		p := canonical(n.Path)
		if _, ok := r.nodes[p]; ok || p == "/" {
			continue
		}
		r.nodes[p] = n
		// Directories that have no node of their own stand in dirs alone.
		for dir := p; dir != "/"; {
			base := path.Base(dir)
			dir = path.Dir(dir)
			_, known := r.dirs[dir]
			r.dirs[dir] = append(r.dirs[dir], base)
			if known {
				break
			}
		}
	}
	for _, names := range r.dirs {
		slices.Sort(names)
	}
	return r
}

// canonical makes an absolute path, with ipkg's database where its heir opkg has it.
func canonical(p string) string {
	return strings.Replace(path.Clean("/"+p), "/lib/ipkg/", "/lib/opkg/", 1)
}

// maxLinks is how many symbolic links a path may pass through, as in Linux.
const maxLinks = 40

// resolve follows the links of p within the root. It returns the real path and its node, nil
// for a directory without one; ok tells whether there is anything.
func (r *resolver) resolve(p string) (real string, n *artifact.Node, ok bool) {
	rest := strings.Split(strings.TrimPrefix(canonical(p), "/"), "/")
	real = "/"
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == "" || name == "." {
			continue
		}
		if name == ".." {
			real = path.Dir(real)
			continue
		}
		next := path.Join(real, name)
		n = r.nodes[next]
		if n != nil && n.Link != "" {
			if links++; links > maxLinks {
				return "", nil, false
			}
			if path.IsAbs(n.Link) {
				real = "/"
			}
			rest = append(strings.Split(n.Link, "/"), rest...)
			continue
		}
		if _, dir := r.dirs[next]; n == nil && !dir {
			return "", nil, false
		}
		real = next
	}
	return real, r.nodes[real], true
}

// content returns the node that has the bytes of the file at p, its hard link followed.
func (r *resolver) content(p string) (string, *artifact.Node) {
	real, n, ok := r.resolve(p)
	if !ok || n == nil {
		return "", nil
	}
	if !n.HasContent() && n.HardLink != "" {
		n = r.nodes[canonical(n.HardLink)]
	}
	if n == nil || !n.HasContent() {
		return "", nil
	}
	return real, n
}

// HasPath reports whether there is a file or directory at p.
func (r *resolver) HasPath(p string) bool {
	_, _, ok := r.resolve(p)
	return ok
}

// FilesByPath returns the files at paths.
func (r *resolver) FilesByPath(paths ...string) ([]file.Location, error) {
	var out []file.Location
	for _, p := range paths {
		if real, n := r.content(p); n != nil {
			out = append(out, file.NewVirtualLocation(real, canonical(p)))
		}
	}
	return out, nil
}

// maxGlob is how many files a pattern with a folder of its own may name: they are those of one
// package.
const maxGlob = 64

// FilesByGlob returns the files that match patterns of the two kinds that the catalogers use:
// "**/" and the end of a path, and a folder with a pattern for the name in it.
func (r *resolver) FilesByGlob(patterns ...string) ([]file.Location, error) {
	var out []file.Location
	for _, pattern := range patterns {
		if end, ok := strings.CutPrefix(pattern, "**/"); ok {
			out = append(out, r.ending(end)...)
			continue
		}
		dir, name := path.Split(canonical(pattern))
		out = append(out, r.matching(path.Clean(dir), name, maxGlob)...)
	}
	return out, nil
}

// ending returns the files whose path ends as the pattern end says, a pattern for the name only.
func (r *resolver) ending(end string) []file.Location {
	dir, name := path.Split(end)
	dir = "/" + strings.TrimSuffix(dir, "/")
	var out []file.Location
	for _, d := range sortedKeys(r.dirs) {
		if d == dir || strings.HasSuffix(d, dir) {
			out = append(out, r.matching(d, name, len(r.nodes))...)
		}
	}
	return out
}

// matching returns at most limit files of dir whose name matches pattern, in order.
func (r *resolver) matching(dir, pattern string, limit int) []file.Location {
	names := r.dirs[dir]
	fixed := pattern // what a name must begin with
	if i := strings.IndexAny(pattern, `*?[\`); i >= 0 {
		fixed = pattern[:i]
	}
	i, _ := slices.BinarySearch(names, fixed)
	var out []file.Location
	for ; i < len(names) && strings.HasPrefix(names[i], fixed) && len(out) < limit; i++ {
		if ok, err := path.Match(pattern, names[i]); err != nil || !ok {
			continue
		}
		p := path.Join(dir, names[i])
		if real, n := r.content(p); n != nil {
			out = append(out, file.NewVirtualLocation(real, p))
		}
	}
	return out
}

// FilesByMIMEType returns nothing: the catalogers in use look for paths.
func (r *resolver) FilesByMIMEType(...string) ([]file.Location, error) { return nil, nil }

// RelativeFileByPath returns the file at p, or nil.
func (r *resolver) RelativeFileByPath(_ file.Location, p string) *file.Location {
	found, _ := r.FilesByPath(p)
	if len(found) == 0 {
		return nil
	}
	return &found[0]
}

// AllLocations sends every path. The channel holds them all: nobody needs to stay for it.
func (r *resolver) AllLocations(context.Context) <-chan file.Location {
	c := make(chan file.Location, len(r.nodes))
	for _, p := range sortedKeys(r.nodes) {
		c <- file.NewLocation(p)
	}
	close(c)
	return c
}

// FileContentsByLocation opens the file at l, tamed.
func (r *resolver) FileContentsByLocation(l file.Location) (io.ReadCloser, error) {
	_, n := r.content(l.RealPath)
	if n == nil {
		return nil, fmt.Errorf("syftcat: %s: no such file in %s", l.RealPath, r.place)
	}
	s, err := r.store.Open(n.Digest)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(tame(io.LimitReader(s, maxFile))), nil
}

// FileMetadataByLocation returns what is known of the file at l.
func (r *resolver) FileMetadataByLocation(l file.Location) (file.Metadata, error) {
	real, n, ok := r.resolve(l.RealPath)
	if !ok || n == nil {
		return file.Metadata{}, fmt.Errorf("syftcat: %s: no such file in %s", l.RealPath, r.place)
	}
	return file.Metadata{Path: real, UserID: int(n.UID), GroupID: int(n.GID)}, nil
}
