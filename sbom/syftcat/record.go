package syftcat

import (
	"bufio"
	"io"
	"path"
	"strings"

	"github.com/anchore/syft/syft/pkg"

	"hallmark/artifact"
	"hallmark/sbom"
)

// record is what one database says of one package, as far as it is read here.
type record struct {
	at     artifact.Range // of the line that names it
	line   string
	fields map[string]string
}

// wanted are the fields of a record that syft drops.
var wanted = map[string]bool{"CPE-ID": true, "License": true, "SourceName": true, "Section": true}

// records returns the records of the database at p, by name and version: the first of each.
func (r *resolver) records(p string) (artifact.Digest, map[[2]string]*record) {
	_, n := r.content(p)
	if n == nil {
		return artifact.Digest{}, nil
	}
	if got, ok := r.read[n.Digest]; ok {
		return n.Digest, got
	}
	out := map[[2]string]*record{}
	r.read[n.Digest] = out
	s, err := r.store.Open(n.Digest)
	if err != nil {
		return n.Digest, nil
	}
	in := bufio.NewReaderSize(io.LimitReader(s, maxFile), maxLine)
	name, version := "Package: ", "Version: "
	if path.Base(p) == "installed" {
		name, version = "P:", "V:"
	}
	now := &record{fields: map[string]string{}}
	var key [2]string
	end := func() {
		if _, ok := out[key]; !ok && key[0] != "" {
			out[key] = now
		}
		now, key = &record{fields: map[string]string{}}, [2]string{}
	}
	for off := int64(0); ; {
		line, err := in.ReadSlice('\n')
		start := off
		off += int64(len(line))
		for err == bufio.ErrBufferFull {
			var more []byte
			more, err = in.ReadSlice('\n')
			off += int64(len(more))
		}
		text := strings.TrimRight(string(line), "\r\n")
		if v, ok := strings.CutPrefix(text, name); ok && key[0] == "" {
			key[0], now.line = strings.TrimSpace(v), text
			now.at = artifact.Range{Off: start, Len: int64(len(text))}
		} else if v, ok := strings.CutPrefix(text, version); ok && key[1] == "" {
			key[1] = strings.TrimSpace(v)
		} else if k, v, ok := strings.Cut(text, ": "); ok && wanted[k] {
			now.fields[k] = strings.TrimSpace(v)
		}
		if text == "" || err != nil {
			end()
		}
		if err != nil {
			return n.Digest, out
		}
	}
}

// cite adds to f the records of p's databases.
func (r *resolver) cite(f *sbom.Found, p *pkg.Package) {
	for _, l := range p.Locations.ToSlice() {
		if l.Annotations[pkg.EvidenceAnnotationKey] != pkg.PrimaryEvidenceAnnotation {
			continue
		}
		d, all := r.records(l.RealPath)
		x := all[[2]string{p.Name, p.Version}]
		if x == nil {
			continue
		}
		e := sbom.Evidence{}
		e.Content, e.At, e.Technique, e.Rule = d, x.at, "package", p.FoundBy
		e.Excerpt = artifact.Excerpt(x.line[:min(len(x.line), artifact.MaxExcerpt)])
		f.Evidence = append(f.Evidence, e)
		if s := x.fields["CPE-ID"]; f.CPE == "" && s != "" {
			f.CPE = cpe(s, p.Version)
		}
		if s := x.fields["License"]; len(f.Licences) == 0 && s != "" {
			f.Licences = []sbom.Licence{{Value: s}}
		}
		property(f, "source", x.fields["SourceName"])
		property(f, "section", x.fields["Section"])
	}
}

// cpe turns the URI of a product, cpe:/a:vendor:product, and a version into a name of CPE 2.3.
func cpe(uri, version string) string {
	parts := strings.Split(strings.TrimPrefix(uri, "cpe:/"), ":")
	if len(parts) < 3 || len(parts[0]) != 1 {
		return ""
	}
	version, _, _ = strings.Cut(version, "-")
	if strings.ContainsAny(version, ":*?\\ ~+") || version == "" {
		version = "*"
	}
	return "cpe:2.3:" + strings.Join(parts[:3], ":") + ":" + version + ":*:*:*:*:*:*:*"
}
