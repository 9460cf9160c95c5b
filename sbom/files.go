package sbom

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/internal/work"
)

// File is a file that is a component or a part of one.
type File struct {
	Content    artifact.Digest `json:"content"`
	SHA512     SHA512          `json:"sha512,omitzero"` // of the only file of a component: what is delivered as it
	Path       string          `json:"path"`            // within the innermost chunk that holds it, the first of several
	Size       int64           `json:"size"`
	Executable bool            `json:"executable"`
	Archive    bool            `json:"archive"`            // other files were taken out of it
	ModTime    int64           `json:"mod_time,omitempty"` // seconds since 1970 UTC, 0 if not stored
}

// Build tells one build of a component from another of the same version.
type Build struct {
	Files  int             `json:"files"`
	Digest artifact.Digest `json:"digest"` // of the sorted digests of all its files
}

// MaxFiles bounds the files that are listed of one component.
const MaxFiles = 16

// files returns the first of the contents named, in order of the tree, and a digest of all.
func (p *plan) files(named map[artifact.Digest]bool) ([]File, *Build) {
	if len(named) == 0 {
		return nil, nil
	}
	digests := slices.SortedFunc(maps.Keys(named), func(a, b artifact.Digest) int { return strings.Compare(string(a[:]), string(b[:])) })
	h := sha256.New()
	for _, d := range digests {
		h.Write(d[:])
	}
	build := &Build{Files: len(digests)}
	h.Sum(build.Digest[:0])
	slices.SortFunc(digests, func(a, b artifact.Digest) int {
		return cmp.Or(strings.Compare(p.pathOf(a), p.pathOf(b)), strings.Compare(string(a[:]), string(b[:])))
	})
	var out []File
	for _, d := range digests {
		c := p.t.Content(d)
		if c == nil || len(out) == MaxFiles {
			continue
		}
		f := File{Content: d, Path: p.pathOf(d), Size: c.Size}
		for range c.Chunks() {
			f.Archive = true
			break
		}
		if n := p.t.Node(c.First); n != nil {
			f.Executable, f.ModTime = c.Type == "elf" || n.Mode&0o111 != 0, n.ModTime
		}
		out = append(out, f)
	}
	return out, build
}

func (p *plan) pathOf(d artifact.Digest) string {
	if q := p.paths[d]; len(q) > 0 {
		return q[0]
	}
	return ""
}

// hashFiles fills in the SHA-512 of each file that alone is a component.
func hashFiles(ctx context.Context, s *artifact.Store, pool *work.Pool, components []Component) []error {
	sums := map[artifact.Digest]SHA512{}
	var todo []artifact.Digest
	for i := range components {
		if b := components[i].Build; b == nil || b.Files > 1 {
			continue
		}
		for _, f := range components[i].Files {
			if _, ok := sums[f.Content]; !ok {
				sums[f.Content] = SHA512{}
				todo = append(todo, f.Content)
			}
		}
	}
	got, errs := work.Map(ctx, pool, todo, func(_ context.Context, d artifact.Digest) (SHA512, error) {
		var sum SHA512
		r, err := s.Open(d)
		if err != nil {
			return sum, err
		}
		h := sha512.New()
		_, err = io.Copy(h, r)
		h.Sum(sum[:0])
		return sum, err
	})
	for i, d := range todo {
		sums[d] = got[i]
	}
	for i := range components {
		for j := range components[i].Files {
			f := &components[i].Files[j]
			f.SHA512 = sums[f.Content]
		}
	}
	return errs
}

// UnmarshalText reads what MarshalText wrote.
func (d *SHA512) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(d) {
		return hex.ErrLength
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// website returns the home of the project whose source stands at url.
func website(url string) string {
	for _, inner := range []string{"/blob/", "/tree/", "/-/", "?"} {
		url, _, _ = strings.Cut(url, inner)
	}
	return url
}

// layerAt returns the innermost layer around a range of a content, -1 for the image.
func (p *plan) layerAt(d artifact.Digest, at artifact.Range) int {
	c := p.t.Content(d)
	if c == nil {
		return -1
	}
	for i, x := range c.Chunks() {
		if l, ok := p.index[spot{d, i}]; ok && x.Contains(at) {
			return l
		}
	}
	return p.layerOf(d)
}

// layerOf returns the first of the layers in which d stands, -1 for the image.
func (p *plan) layerOf(d artifact.Digest) int {
	if l := p.layersOf(d); len(l) > 0 {
		return l[0]
	}
	return -1
}

// limits returns what limits cut off, each message once, in the order of the tree.
func limits(t *artifact.Tree) []string {
	out := []string{}
	add := func(list []artifact.Problem) {
		for _, p := range list {
			if p.Kind == artifact.Limit && !slices.Contains(out, p.Detail) && len(out) < maxLimits {
				out = append(out, p.Detail)
			}
		}
	}
	add(t.Problems)
	for _, c := range t.Contents() {
		add(c.Problems)
		for _, x := range c.Chunks() {
			add(x.Chunk.Problems)
			for i := range x.Chunk.Nodes {
				add(x.Chunk.Nodes[i].Problems)
			}
		}
	}
	return out
}

const maxLimits = 50
