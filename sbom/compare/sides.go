package compare

import (
	"fmt"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/sbom"
	"hallmark/sbom/document"
)

// FromImage is what an image shows. known are as [Observed.Known].
func FromImage(b *sbom.BOM, t *artifact.Tree, known []string) *Observed {
	o := &Observed{Name: b.Image.Name, Known: known, Contents: map[string]string{}}
	if !b.Coverage.Clear() {
		o.Unread = fmt.Sprintf("%d bytes stayed unread (%s percent of the image was read)", b.Coverage.Unread, b.Coverage.Percent())
	}
	for _, c := range t.Contents() {
		o.Contents[c.Digest.String()] = t.Locate(t.FirstPlace(c.Digest), artifact.Range{})
	}
	for i := range b.Components {
		c := &b.Components[i]
		s := Seen{Name: c.Name, Version: c.Version, Claim: c.Claim, Purl: c.Purl, CPE: c.CPE, Citations: []Citation{}}
		for _, p := range c.Properties {
			if p.Name == sbom.SourceProperty {
				s.Source = p.Value
			}
		}
		if c.Build != nil {
			s.Build = c.Build.Digest.String()
		}
		for _, f := range c.Files {
			s.Files = append(s.Files, File{f.Path, f.Content.String(), f.Size})
		}
		for _, e := range c.Evidence {
			s.recorded = s.recorded || e.Relation == sbom.Records
			if len(s.Citations) == maxCitations {
				continue
			}
			cite := Citation{Place: e.Place, Context: fmt.Sprintf("%s in %s, %s", e.Rule, e.Technique, e.Relation)}
			if e.At.Len > 0 {
				cite.Offset = &e.At.Off
				cite.Context += ": " + strconv.QuoteToASCII(string(e.Excerpt))
			}
			s.Citations = append(s.Citations, cite)
		}
		o.Components = append(o.Components, s)
	}
	return o
}

// maxCitations is how many places are told of one component.
const maxCitations = 4

// FromDocument is what a document says was seen. One that hallmark wrote says how much of the image
// was read, and of each version how much of it is known; of others this is not known.
func FromDocument(name string, d *document.Document, known []string) *Observed {
	o := &Observed{Name: name, Known: known, Unread: "the document does not say that every byte of the product was read"}
	if d.Root >= 0 {
		root := &d.Components[d.Root]
		percent, unread := first(root, "hallmark:read:percent"), first(root, "hallmark:unread:bytes")
		if percent == "100" && unread == "0" {
			o.Unread = ""
		} else if percent != "" {
			o.Unread = fmt.Sprintf("%s bytes stayed unread (%s percent of the image was read)", unread, percent)
		}
	}
	for i := range d.Components {
		c := &d.Components[i]
		if i == d.Root || !c.Software() {
			continue
		}
		s := Seen{
			Name: c.Name.Value, Version: c.Version.Value, Claim: sbom.Exact, Purl: c.Purl.Value, CPE: c.CPE.Value,
			Source: first(c, sbom.SourceProperty), Build: first(c, "hallmark:build:sha256"), Citations: []Citation{},
		}
		if claim := first(c, "hallmark:claim"); claim != "" {
			s.Claim = sbom.Claim(claim)
		}
		switch s.Claim {
		case sbom.Prefix:
			s.Version = first(c, "hallmark:version:prefix")
		case sbom.Range:
			s.Version = first(c, "hallmark:version:from")
		case sbom.Exact:
			if s.Version == "" {
				s.Claim = sbom.Presence
			}
		default:
			s.Claim, s.Version = sbom.Presence, ""
		}
		for _, h := range sha256s(c) {
			s.Files = append(s.Files, File{Path: c.Filename.Value, SHA256: h})
		}
		for _, w := range c.Where {
			if len(s.Citations) == maxCitations {
				break
			}
			cite := Citation{Place: w.Location.Value, Context: w.Context.Value}
			if n, err := strconv.ParseInt(w.Offset.Value, 10, 64); err == nil {
				cite.Offset = &n
			}
			s.recorded = s.recorded || strings.Contains(w.Context.Value, ", "+string(sbom.Records))
			s.Citations = append(s.Citations, cite)
		}
		if len(s.Citations) == 0 {
			s.Citations = append(s.Citations, Citation{Place: name + " " + c.At})
		}
		o.Components = append(o.Components, s)
	}
	return o
}

func first(c *document.Component, property string) string {
	if list := c.Property(property); len(list) > 0 {
		return list[0].Value
	}
	return ""
}

func sha256s(c *document.Component) []string {
	var out []string
	for _, h := range c.Hashes {
		if h.Algorithm.Value == "SHA-256" {
			out = append(out, strings.ToLower(h.Value.Value))
		}
	}
	return out
}

// FromSupplier are the components that a document declares: not the product itself, not what it
// says is outside of the delivery, and no layers, devices or unread bytes.
func FromSupplier(d *document.Document) []Declared {
	var out []Declared
	for i := range d.Components {
		c := &d.Components[i]
		if i == d.Root || c.External || len(c.Property("hallmark:kind")) > 0 {
			continue
		}
		switch c.Type.Value {
		case "device", "hardware", "cryptographic-asset", "data", "machine-learning-model", "container", "platform":
			continue
		}
		out = append(out, Declared{
			Name: c.FullName(), Version: declaredVersion(c.Version.Value), Purl: c.Purl.Value, CPE: c.CPE.Value,
			At: c.At, Line: c.Line, Type: c.Type.Value, SHA256: sha256s(c),
		})
	}
	return out
}

// declaredVersion is "" for the words that suppliers put where they know none.
func declaredVersion(v string) string {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "unknown", "n/a", "na", "none", "*", "-", "?", "noassertion", "unspecified", "latest":
		return ""
	}
	return strings.TrimSpace(v)
}
