// Package manifest reads what language ecosystems leave beside installed code, or in it: the
// metadata of Python, Node, PHP, Lua and Java packages, the build information of Go programs, the
// audit section of Rust programs, and the package note of ELF files.
//
// What is declared but not installed (lock files, requirements) is not read. Nor are Java archives
// without Maven's pom.properties.
//
// Formats: https://packaging.python.org/en/latest/specifications/core-metadata/,
// https://docs.npmjs.com/cli/configuring-npm/package-json, https://getcomposer.org/doc/04-schema.md,
// https://github.com/luarocks/luarocks/wiki/Rockspec-format, https://pkg.go.dev/debug/buildinfo,
// https://github.com/rust-secure-code/cargo-auditable, https://uapi-group.org/specifications/specs/package_metadata_for_executable_files/.
package manifest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"hallmark/artifact"
	"hallmark/sbom"
)

// Finder is a [sbom.Finder] of packages of languages.
type Finder struct{}

// Limits of what a file may make us do.
const (
	maxText     = 8 << 20 // bytes of a manifest
	maxPackages = 20_000  // out of one file
	maxName     = 1 << 10 // bytes of a name or version
)

// pack is a package as its manifest has it.
type pack struct {
	name, version, purl string
	licence, title      string
	needs               []string
	near                string // text that names it, for the citation; "" cites the file
}

// Find returns the packages that the files of t name. The error joins what could not be read.
func (Finder) Find(ctx context.Context, t *artifact.Tree, s *artifact.Store) ([]sbom.Found, error) {
	var out []sbom.Found
	var faults []error
	seen := map[artifact.Digest]bool{}
	add := func(d artifact.Digest, rule string, list []pack, text []byte, files []artifact.Digest) {
		for _, p := range list[:min(len(list), maxPackages)] {
			if f, ok := p.found(d, rule, text); ok {
				f.Files = files
				out = append(out, f)
			}
		}
	}
	for _, c := range t.Contents() {
		if err := ctx.Err(); err != nil {
			return out, errors.Join(append(faults, err)...)
		}
		if c.Type == "elf" {
			rule, list, text, err := program(s, c)
			if err != nil {
				faults = append(faults, fmt.Errorf("manifest: %s: %w", t.Locate(t.FirstPlace(c.Digest), artifact.Range{}), err))
			}
			add(c.Digest, rule, list, text, nil)
		}
		for _, x := range c.Chunks() {
			for i := range x.Chunk.Nodes {
				n := &x.Chunk.Nodes[i]
				read, rule := reader(n.Path)
				if read == nil || !n.HasContent() || seen[n.Digest] {
					continue
				}
				seen[n.Digest] = true
				text, err := load(s, n.Digest)
				if err != nil {
					faults = append(faults, err)
					continue
				}
				add(n.Digest, rule, read(text, n.Path), text, nil)
			}
		}
	}
	return out, errors.Join(faults...)
}

// reader returns what reads the manifest at p, if it is one.
func reader(p string) (func(text []byte, p string) []pack, string) {
	dir, base := path.Split(p)
	switch {
	case base == "METADATA" && strings.HasSuffix(dir, ".dist-info/"),
		base == "PKG-INFO" && strings.HasSuffix(dir, ".egg-info/"),
		strings.HasSuffix(base, ".egg-info"):
		return python, "python-package"
	case base == "package.json" && strings.Contains("/"+dir, "/node_modules/"):
		return node, "node-package"
	case base == "installed.json" && strings.HasSuffix(dir, "composer/"):
		return composer, "php-composer"
	case strings.HasSuffix(base, ".rockspec"):
		return rockspec, "lua-rock"
	case base == "pom.properties" && strings.HasPrefix(dir, "META-INF/maven/"):
		return maven, "java-archive"
	}
	return nil, ""
}

func load(s *artifact.Store, d artifact.Digest) ([]byte, error) {
	r, err := s.Open(d)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxText))
}

// found makes a component of p, read from content d with these bytes.
func (p pack) found(d artifact.Digest, rule string, text []byte) (sbom.Found, bool) {
	if p.name == "" || len(p.name) > maxName || len(p.version) > maxName {
		return sbom.Found{}, false
	}
	f := sbom.Found{Component: sbom.Component{Name: p.name, Title: p.title, Type: "library", Version: p.version, Claim: sbom.Exact, Purl: p.purl}}
	if p.version == "" {
		f.Claim = sbom.Presence
	}
	if p.licence != "" && len(p.licence) < maxName {
		f.Licences = []sbom.Licence{{Value: p.licence}}
	}
	slices.Sort(p.needs)
	f.Needs = slices.Compact(p.needs)
	e := sbom.Evidence{}
	e.Content, e.Technique, e.Rule = d, "package", rule
	if at := bytes.Index(text, []byte(cmp.Or(p.near, p.name))); at >= 0 {
		e.At = artifact.Range{Off: int64(at), Len: int64(len(cmp.Or(p.near, p.name)))}
		e.Excerpt = artifact.Excerpt(text[at:min(at+artifact.MaxExcerpt, at+int(e.At.Len))])
	}
	f.Evidence = []sbom.Evidence{e}
	return f, true
}
