// Package syftcat lends syft's catalogers of package databases to sbom: dpkg, opkg and apk.
//
// A cataloger reads one root filesystem through a [resolver] over the tree, so nothing outside
// the image can be read, whatever its links say. Every chunk that holds a package database is a
// root of its own, however deep it is nested. What syft drops of a record is read again here:
// the place of the record, opkg's CPE, its lists of files.
//
// syft is a large module: this is the only package that imports it.
package syftcat

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	syft "github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/alpine"
	"github.com/anchore/syft/syft/pkg/cataloger/debian"

	"hallmark/artifact"
	"hallmark/sbom"
)

// Finder is a [sbom.Finder] of packages.
type Finder struct{}

// Find returns the packages of every database in t. The error joins what could not be read of
// single databases; the packages of the others are returned.
func (Finder) Find(ctx context.Context, t *artifact.Tree, s *artifact.Store) ([]sbom.Found, error) {
	var out []sbom.Found
	var faults []error
	for _, r := range roots(t, s) {
		for _, c := range []pkg.Cataloger{debian.NewDBCataloger(), alpine.NewDBCataloger()} {
			if err := ctx.Err(); err != nil {
				return out, errors.Join(append(faults, err)...)
			}
			packages, relations, err := catalog(ctx, c, r)
			if err != nil {
				faults = append(faults, fmt.Errorf("syftcat: %s in %s: %w", c.Name(), r.place, err))
			}
			out = append(out, r.found(packages, relations)...)
		}
	}
	return out, errors.Join(faults...)
}

// catalog runs c and turns a panic of it into an error: the database is a stranger's.
func catalog(ctx context.Context, c pkg.Cataloger, r *resolver) (packages []pkg.Package, relations []syft.Relationship, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return c.Catalog(ctx, r)
}

// found makes components of packages: one for each name, version and architecture, though
// opkg writes each twice, in its status and in a control file.
func (r *resolver) found(packages []pkg.Package, relations []syft.Relationship) []sbom.Found {
	slices.SortStableFunc(packages, func(a, b pkg.Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(string(a.ID()), string(b.ID())))
	})
	names := map[syft.ID]string{}
	for i := range packages {
		names[packages[i].ID()] = packages[i].Name
	}
	needs := map[string][]string{}
	for _, x := range relations {
		from, to := names[x.From.ID()], names[x.To.ID()]
		if x.Type == syft.DependencyOfRelationship && from != "" && !slices.Contains(needs[to], from) {
			needs[to] = append(needs[to], from)
		}
	}
	var out []sbom.Found
	index := map[string]int{}
	for i := range packages {
		p := &packages[i]
		f := r.component(p)
		if len(f.Evidence) == 0 {
			continue
		}
		key := strings.Join([]string{p.Name, p.Version, archOf(p)}, "\x00")
		if j, ok := index[key]; ok {
			merge(&out[j], &f)
			continue
		}
		index[key] = len(out)
		f.Needs = needs[p.Name]
		slices.Sort(f.Needs)
		out = append(out, f)
	}
	return out
}

// merge adds what b knows to a, which is the same package.
func merge(a, b *sbom.Found) {
	a.Evidence = append(a.Evidence, b.Evidence...)
	a.CPE = cmp.Or(a.CPE, b.CPE)
	a.Supplier = cmp.Or(a.Supplier, b.Supplier)
	a.Title = cmp.Or(a.Title, b.Title)
	if len(a.Licences) == 0 {
		a.Licences = b.Licences
	}
	for _, p := range b.Properties {
		if !slices.Contains(a.Properties, p) {
			a.Properties = append(a.Properties, p)
		}
	}
	for _, d := range b.Files {
		if !slices.Contains(a.Files, d) {
			a.Files = append(a.Files, d)
		}
	}
}

func archOf(p *pkg.Package) string {
	switch m := p.Metadata.(type) {
	case pkg.DpkgDBEntry:
		return m.Architecture
	case pkg.ApkDBEntry:
		return m.Architecture
	}
	return ""
}

// maxFiles bounds the files that are looked up for one package.
const maxFiles = 20_000

func (r *resolver) component(p *pkg.Package) sbom.Found {
	f := sbom.Found{Component: sbom.Component{
		Name: p.Name, Type: "application", Version: p.Version, Claim: sbom.Exact, Purl: p.PURL,
	}}
	if p.Version == "" {
		f.Claim = sbom.Presence
	}
	if strings.HasPrefix(p.Name, "lib") {
		f.Type = "library"
	}
	for _, l := range p.Licenses.ToSlice() {
		x := sbom.Licence{Value: cmp.Or(l.SPDXExpression, l.Value), SPDX: l.SPDXExpression != ""}
		if x.Value != "" && !slices.Contains(f.Licences, x) {
			f.Licences = append(f.Licences, x)
		}
	}
	r.cite(&f, p)
	var files []string
	switch m := p.Metadata.(type) {
	case pkg.DpkgDBEntry:
		f.Supplier, f.Title = m.Maintainer, firstLine(m.Description)
		property(&f, "source", m.Source)
		f.Purl = cmp.Or(f.Purl, r.purl(p, m.Architecture))
		files = r.fileList(p)
		for _, x := range m.Files {
			files = append(files, x.Path)
			r.record(&f, x.Path, x.Digest, x.IsConfigFile)
		}
	case pkg.ApkDBEntry:
		f.Supplier, f.Title = m.Maintainer, firstLine(m.Description)
		property(&f, "source", m.OriginPackage)
		f.Purl = cmp.Or(f.Purl, r.purl(p, m.Architecture))
		for _, x := range m.Files {
			files = append(files, x.Path)
			r.record(&f, x.Path, x.Digest, false)
		}
	}
	property(&f, "architecture", archOf(p))
	seen := map[artifact.Digest]bool{}
	for _, name := range files[:min(len(files), maxFiles)] {
		if _, n := r.content(name); n != nil && !seen[n.Digest] {
			seen[n.Digest] = true
			f.Files = append(f.Files, n.Digest)
		}
	}
	return f
}

// record adds what the database knows of the bytes of the file at p, or of the one to which it was
// diverted.
func (r *resolver) record(f *sbom.Found, p string, d *file.Digest, config bool) {
	if d == nil || len(f.Recorded) == maxFiles {
		return
	}
	if r.diverted == nil {
		r.diverted = r.diversions()
	}
	if x, ok := r.diverted[canonical(p)]; ok && x.by != f.Name {
		p = x.to
	}
	x := sbom.Recorded{Path: strings.TrimPrefix(canonical(p), "/"), Algorithm: d.Algorithm, Sum: strings.ToLower(d.Value), Config: config}
	if sum, ok := strings.CutPrefix(d.Value, "Q1"); ok { // as apk writes SHA-1
		b, err := base64.StdEncoding.DecodeString(sum)
		if err != nil {
			return
		}
		x.Algorithm, x.Sum = "sha1", hex.EncodeToString(b)
	}
	if _, n := r.content(p); n != nil {
		x.Content = n.Digest
	} else if _, _, ok := r.resolve(p); ok {
		return // an empty file, or one that could not be read
	}
	f.Recorded = append(f.Recorded, x)
}

// diversion is a path that dpkg lets only one package write.
type diversion struct {
	to string // where the files of others go
	by string
}

func (r *resolver) diversions() map[string]diversion {
	out := map[string]diversion{}
	lines := r.lines("/var/lib/dpkg/diversions")
	for i := 0; i+2 < len(lines); i += 3 {
		out[canonical(lines[i])] = diversion{lines[i+1], lines[i+2]}
	}
	return out
}

// property adds what a package says of itself, once.
func property(f *sbom.Found, name, value string) {
	x := sbom.Property{Name: "hallmark:package:" + name, Value: value}
	if value != "" && !slices.ContainsFunc(f.Properties, func(p sbom.Property) bool { return p.Name == x.Name }) {
		f.Properties = append(f.Properties, x)
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// fileList returns the paths in the package's own list, which syft reads of no package.
func (r *resolver) fileList(p *pkg.Package) []string {
	var out []string
	for _, l := range p.Locations.ToSlice() {
		if l.Annotations[pkg.EvidenceAnnotationKey] != pkg.PrimaryEvidenceAnnotation {
			continue
		}
		dir := path.Dir(l.RealPath)
		if path.Base(dir) != "info" {
			dir = path.Join(dir, "info")
		}
		for _, name := range []string{p.Name, p.Name + ":" + archOf(p)} {
			out = append(out, r.lines(path.Join(dir, name+".list"))...)
		}
	}
	return out
}

// lines returns the lines of a text file, what stands behind a tab cut off.
func (r *resolver) lines(p string) []string {
	_, n := r.content(p)
	if n == nil {
		return nil
	}
	s, err := r.store.Open(n.Digest)
	if err != nil {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(s, 4<<20))
	var out []string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		if line != "" && line != "/." {
			out = append(out, line)
		}
	}
	return out
}

// purl names a package of a distribution that syft gives no URL.
func (r *resolver) purl(p *pkg.Package, arch string) string {
	kind := "opkg"
	for _, l := range p.Locations.ToSlice() {
		switch {
		case strings.Contains(l.RealPath, "/dpkg/"):
			kind = "deb"
		case strings.Contains(l.RealPath, "/apk/"):
			kind = "apk"
		}
	}
	s := "pkg:" + kind + "/"
	if id := r.distribution(); id != "" {
		s += url.PathEscape(id) + "/"
	}
	s += url.PathEscape(p.Name)
	if p.Version != "" {
		s += "@" + strings.ReplaceAll(url.PathEscape(p.Version), ":", "%3A")
	}
	if arch != "" {
		s += "?arch=" + url.QueryEscape(arch)
	}
	return s
}

// distribution returns the ID of the root's os-release.
func (r *resolver) distribution() string {
	for _, p := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		for _, line := range r.lines(p) {
			if v, ok := strings.CutPrefix(line, "ID="); ok {
				return strings.ToLower(strings.Trim(v, `"'`))
			}
		}
	}
	return ""
}
