package artifact

import (
	"maps"
	"slices"
	"strings"
)

// Difference is what two trees have in common and what not, file by file. Only files that hold
// no further chunks are compared: a container differs if what it holds does.
type Difference struct {
	Same    int      `json:"same"`    // files with the same path and content
	Changed []Change `json:"changed"` // same path, other content
	Moved   []Change `json:"moved"`   // same content, other path; at most one of each content
	Removed []File   `json:"removed"` // only in the first tree
	Added   []File   `json:"added"`   // only in the second
}

// File is a file at its path through all layers, such as "romfs.img//usr/bin/main" where // is
// the border of a layer. Offsets are left out, since they change with every build.
type File struct {
	Path   string `json:"path"`
	Digest Digest `json:"sha256"`
	Size   int64  `json:"size"`
}

// Change is a file before and after.
type Change struct {
	From File `json:"from"`
	To   File `json:"to"`
}

// Diff compares a with b. Lists are in order of path.
func Diff(a, b *Tree) Difference {
	before, after := a.files(), b.files()
	d := Difference{Changed: []Change{}, Moved: []Change{}, Removed: []File{}, Added: []File{}}
	gone := map[Digest][]File{}
	for _, p := range slices.Sorted(maps.Keys(before)) {
		f := before[p]
		g, ok := after[p]
		switch {
		case ok && f.Digest == g.Digest:
			d.Same++
		case ok:
			d.Changed = append(d.Changed, Change{f, g})
		default:
			gone[f.Digest] = append(gone[f.Digest], f)
		}
	}
	moved := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[p]; ok {
			continue
		}
		g := after[p]
		if list := gone[g.Digest]; len(list) > 0 && g.Size > 0 {
			d.Moved = append(d.Moved, Change{list[0], g})
			moved[list[0].Path] = true
			gone[g.Digest] = list[1:]
			continue
		}
		d.Added = append(d.Added, g)
	}
	for _, p := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[p]; !ok && !moved[p] {
			d.Removed = append(d.Removed, before[p])
		}
	}
	return d
}

// files returns the files of t that hold no chunks, by path through all layers. A content that
// stands in several places is followed in the first one only.
func (t *Tree) files() map[string]File {
	out := map[string]File{}
	seen := map[Digest]bool{}
	t.Walk(func(p Place, n *Node, c *Content) bool {
		if n == nil {
			return true
		}
		if c == nil {
			return false
		}
		for range c.Chunks() {
			first := !seen[c.Digest]
			seen[c.Digest] = true
			return first
		}
		var parts []string
		for _, s := range p {
			parts = append(parts, t.Node(s).Path)
		}
		path := strings.Join(parts, "//")
		out[path] = File{path, c.Digest, c.Size}
		return false
	})
	return out
}
