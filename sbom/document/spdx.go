package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hallmark/sbom"
)

// The structures of SPDX 2.3 in JSON, as far as they are written:
// https://github.com/spdx/spdx-spec/blob/support/2.3/schemas/spdx-schema.json.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		DataLicense   string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Describes     []string           `json:"documentDescribes"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
		Licences      []spdxLicence      `json:"hasExtractedLicensingInfos,omitempty"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
		Comment  string   `json:"comment,omitempty"`
	}
	spdxPackage struct {
		ID            string         `json:"SPDXID"`
		Name          string         `json:"name"`
		Version       string         `json:"versionInfo,omitempty"`
		FileName      string         `json:"packageFileName,omitempty"`
		Supplier      string         `json:"supplier,omitempty"`
		Originator    string         `json:"originator,omitempty"`
		Download      string         `json:"downloadLocation"`
		FilesAnalyzed bool           `json:"filesAnalyzed"`
		Checksums     []spdxChecksum `json:"checksums,omitempty"`
		Homepage      string         `json:"homepage,omitempty"`
		Concluded     string         `json:"licenseConcluded"`
		Declared      string         `json:"licenseDeclared"`
		Copyright     string         `json:"copyrightText"`
		Summary       string         `json:"summary,omitempty"`
		Comment       string         `json:"comment,omitempty"`
		Purpose       string         `json:"primaryPackagePurpose,omitempty"`
		Refs          []spdxRef      `json:"externalRefs,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxRef struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Kind string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
	spdxLicence struct {
		ID   string `json:"licenseId"`
		Text string `json:"extractedText"`
		Name string `json:"name"`
	}
)

const noAssertion = "NOASSERTION"

// spdxPurposes are the words of SPDX for [sbom.Component.Type].
var spdxPurposes = map[string]string{
	"library": "LIBRARY", "application": "APPLICATION", "operating-system": "OPERATING_SYSTEM",
	"firmware": "FIRMWARE", "device-driver": "OTHER", "framework": "FRAMEWORK",
}

// WriteSPDX writes b as SPDX 2.3 in JSON, indented. SPDX has no room for offsets and confidence:
// they stand in comments. It wants a time of creation: without one in o it is the epoch's.
// Of o, Spec, Lineage, Files and FileDates do not matter: a file of SPDX wants a SHA-1.
func WriteSPDX(w io.Writer, b *sbom.BOM, o Options) error {
	x := spdxWriter{b: b, opts: o, licences: map[string]string{}}
	d := x.document()
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	d.Namespace = serial(text)
	if !o.Time.IsZero() {
		d.Creation.Created = o.Time.UTC().Format(time.RFC3339)
		d.Creation.Comment = ""
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return err
	}
	_, err = out.WriteTo(w)
	return err
}

type spdxWriter struct {
	b        *sbom.BOM
	opts     Options
	licences map[string]string // names that are no SPDX expression, to LicenseRef
	listed   []spdxLicence
}

func (x *spdxWriter) document() *spdxDocument {
	const image = "SPDXRef-image"
	d := &spdxDocument{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: clean(x.b.Image.Name),
		Describes: []string{image},
		Creation: spdxCreation{
			Created: "1970-01-01T00:00:00Z", Comment: "The time of creation was not given: the same image gives the same document.",
			Creators: []string{strings.TrimSuffix("Tool: hallmark-"+x.opts.Tool, "-")},
		},
		Relationships: []spdxRelationship{},
	}
	if a := x.opts.Author; !a.IsZero() {
		d.Creation.Creators = append(d.Creation.Creators, spdxParty(a))
	}
	relate := func(from, kind, to string) {
		d.Relationships = append(d.Relationships, spdxRelationship{from, kind, to})
	}
	relate(d.ID, "DESCRIBES", image)
	i := &x.b.Image
	root := spdxPackage{
		ID: image, Name: clean(i.Name), Version: clean(x.opts.Version), FileName: clean(path.Base(i.Name)), Purpose: "FIRMWARE",
		Checksums: []spdxChecksum{{"SHA256", i.SHA256.String()}, {"SHA512", fmt.Sprintf("%x", i.SHA512[:])}},
		Download:  noAssertion, Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion,
		Comment: fmt.Sprintf("%s percent of %d bytes read; %d bytes unread; rules %s", x.b.Coverage.Percent(), i.Size, x.b.Coverage.Unread, x.b.Rules),
	}
	if !x.opts.Supplier.IsZero() {
		root.Supplier = spdxParty(x.opts.Supplier)
	}
	if purl := imagePurl(i, x.opts.Version); purl != "" {
		root.Refs = []spdxRef{{"PACKAGE-MANAGER", "purl", purl}}
	}
	d.Packages = append(d.Packages, root)
	for i := range x.b.Components {
		d.Packages = append(d.Packages, x.component(i))
		relate(image, "CONTAINS", spdxID(i))
	}
	for i := range x.b.Components {
		for _, j := range x.b.Components[i].DependsOn {
			relate(spdxID(i), "DEPENDS_ON", spdxID(j))
		}
	}
	d.Licences = x.listed
	return d
}

func spdxID(i int) string { return "SPDXRef-component-" + strconv.Itoa(i) }

func spdxParty(p Party) string {
	switch {
	case p.Email != "" && p.Name != "":
		return clean(fmt.Sprintf("Organization: %s (%s)", p.Name, p.Email))
	case p.Name != "":
		return clean("Organization: " + p.Name)
	}
	return clean("Organization: " + p.Email + p.URL)
}

func (x *spdxWriter) component(i int) spdxPackage {
	c := &x.b.Components[i]
	p := spdxPackage{
		ID: spdxID(i), Name: clean(c.Name), Download: noAssertion, Summary: clean(c.Title), Purpose: spdxPurposes[c.Type],
		Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion, Comment: spdxComment(c),
	}
	if c.Claim == sbom.Exact {
		p.Version = clean(c.Version)
	}
	if who := makerOf(c); !who.IsZero() {
		p.Supplier, p.Homepage = spdxParty(who), clean(who.URL)
	}
	if len(c.Licences) > 0 {
		p.Declared = x.licence(c.Licences)
	}
	if f := fileOf(c); f != nil {
		p.FileName = clean(path.Base(f.Path))
		p.Checksums = []spdxChecksum{{"SHA256", f.Content.String()}, {"SHA512", fmt.Sprintf("%x", f.SHA512[:])}}
	}
	if c.Purl != "" {
		p.Refs = append(p.Refs, spdxRef{"PACKAGE-MANAGER", "purl", clean(c.Purl)})
	}
	if c.CPE != "" {
		p.Refs = append(p.Refs, spdxRef{"SECURITY", "cpe23Type", clean(c.CPE)})
	}
	return p
}

// spdxComment says what SPDX has no field for.
func spdxComment(c *sbom.Component) string {
	var s strings.Builder
	fmt.Fprintf(&s, "claim: %s", c.Claim)
	if c.Claim == sbom.Prefix || c.Claim == sbom.Range {
		fmt.Fprintf(&s, " %s", c.Version)
	}
	fmt.Fprintf(&s, ", confidence %.2g", c.Confidence)
	for _, e := range c.Evidence {
		fmt.Fprintf(&s, "\n%s: %s in %s", e.Relation, e.Rule, e.Place)
		if e.At.Len > 0 {
			fmt.Fprintf(&s, " @%#x+%d", e.At.Off, e.At.Len)
		}
	}
	lines := strings.Split(s.String(), "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

var notID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// licence writes licences as one expression. A name that is no SPDX expression is told as it was found.
func (x *spdxWriter) licence(list []sbom.Licence) string {
	var parts []string
	for _, l := range list {
		part := clean(l.Value)
		if !l.SPDX {
			ref, ok := x.licences[part]
			if !ok {
				ref = fmt.Sprintf("LicenseRef-%d-%s", len(x.listed), strings.Trim(notID.ReplaceAllString(part, "-"), "-"))
				ref = strings.TrimSuffix(ref[:min(len(ref), 60)], "-")
				x.licences[part] = ref
				x.listed = append(x.listed, spdxLicence{ref, part, part})
			}
			part = ref
		} else if len(list) > 1 {
			part = "(" + part + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " AND ")
}
