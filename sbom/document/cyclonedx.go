package document

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"hallmark/artifact"
	"hallmark/sbom"
)

// specs are the versions of CycloneDX that are written.
var specs = map[string]cdx.SpecVersion{"": cdx.SpecVersion1_6, "1.5": cdx.SpecVersion1_5, "1.6": cdx.SpecVersion1_6, "1.7": cdx.SpecVersion1_7}

// CheckSpec says whether [WriteCycloneDX] writes that version.
func CheckSpec(version string) error {
	if _, ok := specs[version]; !ok {
		return fmt.Errorf("CycloneDX %s is not written; want 1.5, 1.6 or 1.7", version)
	}
	return nil
}

// componentTypes are those of [sbom.Component.Type].
var componentTypes = map[string]cdx.ComponentType{
	"library":          cdx.ComponentTypeLibrary,
	"application":      cdx.ComponentTypeApplication,
	"operating-system": cdx.ComponentTypeOS,
	"firmware":         cdx.ComponentTypeFirmware,
	"device-driver":    cdx.ComponentTypeDeviceDriver,
	"framework":        cdx.ComponentTypeFramework,
}

// Names of properties that [Read] and other packages ask for.
const (
	kindProperty   = "hallmark:kind" // of what is no software: layer, unread, file, crypto
	claimProperty  = "hallmark:claim"
	prefixProperty = "hallmark:version:prefix"
	fromProperty   = "hallmark:version:from"
	buildProperty  = "hallmark:build:sha256"
	readProperty   = "hallmark:read:percent"
	unreadProperty = "hallmark:unread:bytes"
	sizeProperty   = "hallmark:size"
)

// WriteCycloneDX writes b as CycloneDX in JSON, indented. The document is a function of b and o.
// Its serial number is of its own content, time aside.
//
// The image is metadata.component, with its layers nested in it. A version that is not exact is
// no version: it stands in the property hallmark:version:prefix or hallmark:version:from.
// Occurrences have the offset within the file that their location names.
func WriteCycloneDX(w io.Writer, b *sbom.BOM, o Options) error {
	d, err := cyclonedx(b, o)
	if err != nil {
		return err
	}
	// Not EncodeVersion: its deep copy loses pointers to zero, and with them an offset of 0.
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(d)
}

// WriteCycloneDXXML writes the document of [WriteCycloneDX] as XML, with the same serial number.
func WriteCycloneDXXML(w io.Writer, b *sbom.BOM, o Options) error {
	d, err := cyclonedx(b, o)
	if err != nil {
		return err
	}
	return encodeXML(w, d)
}

func cyclonedx(b *sbom.BOM, o Options) (*cdx.BOM, error) {
	if err := CheckSpec(o.Spec); err != nil {
		return nil, err
	}
	d := newWriter(b, o).document()
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(d); err != nil {
		return nil, err
	}
	d.SerialNumber = serial(text.Bytes())
	if !o.Time.IsZero() {
		d.Metadata.Timestamp = o.Time.UTC().Format(time.RFC3339)
	}
	return d, nil
}

// imageRef is the bom-ref of the image.
const imageRef = "image"

// maxRegions is how many unread regions a document lists.
const maxRegions = 200

type writer struct {
	*sbom.BOM
	opts   Options
	spec   cdx.SpecVersion
	refs   []string // of components
	layers []string // bom-refs of layers
	leaves []string // bom-refs of what depends on nothing
}

func newWriter(b *sbom.BOM, o Options) *writer {
	x := &writer{BOM: b, opts: o, spec: specs[o.Spec]}
	for i := range b.Layers {
		x.layers = append(x.layers, fmt.Sprintf("layer:%d", i))
	}
	count, taken := map[string]int{}, map[string]bool{}
	for i := range b.Components {
		c := &b.Components[i]
		name := "component:" + clean(c.Name)
		if c.Version != "" {
			name += "@" + clean(c.Version)
		}
		ref := name
		for count[name]++; taken[ref]; count[name]++ {
			ref = name + ";" + strconv.Itoa(count[name])
		}
		taken[ref] = true
		x.refs = append(x.refs, ref)
	}
	return x
}

func (x *writer) document() *cdx.BOM {
	d := cdx.NewBOM()
	d.SpecVersion = x.spec
	d.JSONSchema = "http://cyclonedx.org/schema/bom-" + x.spec.String() + ".schema.json"
	d.XMLNS = "http://cyclonedx.org/schema/bom/" + x.spec.String()
	d.Metadata = x.metadata()
	components := []cdx.Component{}
	for i := range x.Components {
		components = append(components, x.component(i))
	}
	components = append(components, x.crypto()...)
	components = append(components, x.unread()...)
	components = append(components, x.files()...)
	d.Components = &components
	d.Dependencies = x.dependencies()
	d.Compositions = x.compositions()
	d.Formulation = x.formulation()
	return d
}

func (x *writer) metadata() *cdx.Metadata {
	m := &cdx.Metadata{
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{x.tool()}},
		Component:  x.image(),
	}
	if a := x.opts.Author; !a.IsZero() {
		m.Authors = &[]cdx.OrganizationalContact{{Name: clean(cmp.Or(a.Name, a.Email, a.URL)), Email: a.Email}}
		if x.spec >= cdx.SpecVersion1_6 {
			m.Manufacturer = entity(a)
		}
	}
	if !x.opts.Supplier.IsZero() {
		m.Supplier = entity(x.opts.Supplier)
	}
	return m
}

func (x *writer) tool() cdx.Component {
	return cdx.Component{
		Type: cdx.ComponentTypeApplication, Name: "hallmark", Version: x.opts.Tool,
		Properties: &[]cdx.Property{{Name: "hallmark:rules:sha256", Value: x.Rules.String()}},
	}
}

func entity(p Party) *cdx.OrganizationalEntity {
	e := &cdx.OrganizationalEntity{Name: clean(cmp.Or(p.Name, p.Email, p.URL))}
	if p.Email != "" {
		e.Contact = &[]cdx.OrganizationalContact{{Email: p.Email}}
	}
	if p.URL != "" {
		e.URL = &[]string{p.URL}
	}
	return e
}

// made sets who made c, in both places where programs look.
func (x *writer) made(c *cdx.Component, p Party) {
	if p.IsZero() {
		return
	}
	c.Supplier = entity(p)
	if x.spec >= cdx.SpecVersion1_6 {
		c.Manufacturer = entity(p)
	}
}

func (x *writer) image() *cdx.Component {
	i := x.Image
	c := &cdx.Component{
		BOMRef: imageRef, Type: cdx.ComponentTypeFirmware, Name: clean(i.Name), Version: version(x.opts.Version),
		Hashes: hashes(i.SHA256, i.SHA512), ExternalReferences: distribution(i.Name, i.SHA256, i.SHA512),
		PackageURL: imagePurl(&x.Image, x.opts.Version),
	}
	x.made(c, x.opts.Supplier)
	v := x.Coverage
	p := []cdx.Property{
		{Name: sizeProperty, Value: strconv.FormatInt(i.Size, 10)},
		{Name: readProperty, Value: v.Percent()},
		{Name: unreadProperty, Value: strconv.FormatInt(v.Unread, 10)},
	}
	if more := len(x.Unread) - maxRegions; more > 0 {
		p = append(p, cdx.Property{Name: "hallmark:unread:more", Value: strconv.Itoa(more)})
	}
	// A firmware image is executable, and an archive if it can be taken apart: BSI TR-03183-2, table 7.
	p = append(p, deployable(i.Name, true, len(x.Layers) > 0)...)
	c.Properties = &p
	c.Pedigree = x.pedigree()
	children := make([][]int, len(x.Layers)+1)
	for j := range x.Layers {
		children[x.Layers[j].Parent+1] = append(children[x.Layers[j].Parent+1], j)
	}
	c.Components = x.nested(children, -1)
	return c
}

func hashes(small artifact.Digest, large sbom.SHA512) *[]cdx.Hash {
	return &[]cdx.Hash{
		{Algorithm: cdx.HashAlgoSHA256, Value: small.String()},
		{Algorithm: cdx.HashAlgoSHA512, Value: fmt.Sprintf("%x", large[:])},
	}
}

// distribution names the file in the form in which it is shipped, with its hashes.
func distribution(name string, small artifact.Digest, large sbom.SHA512) *[]cdx.ExternalReference {
	u := url.URL{Path: strings.TrimLeft(clean(name), "/")}
	return &[]cdx.ExternalReference{{Type: cdx.ERTypeDistribution, URL: u.String(), Hashes: hashes(small, large)}}
}

// deployable are the properties that BSI TR-03183-2 asks of each file:
// https://github.com/BSI-Bund/tr-03183-cyclonedx-property-taxonomy.
func deployable(name string, executable, archive bool) []cdx.Property {
	word := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	return []cdx.Property{
		{Name: "bsi:component:filename", Value: clean(path.Base(name))},
		{Name: "bsi:component:executable", Value: word(executable, "executable", "non-executable")},
		{Name: "bsi:component:archive", Value: word(archive, "archive", "no archive")},
		{Name: "bsi:component:structured", Value: "unstructured"},
	}
}

// pedigree names those whose work the image shows. CycloneDX calls a variant what is related
// when the direction is not known: the bytes do not say which of two products was first.
func (x *writer) pedigree() *cdx.Pedigree {
	if len(x.opts.Lineage) == 0 {
		return nil
	}
	var variants []cdx.Component
	var notes []string
	for _, l := range x.opts.Lineage {
		c := cdx.Component{
			Type: cdx.ComponentTypeFirmware, Name: "firmware of " + clean(l.Maker),
			Properties: &[]cdx.Property{
				{Name: "hallmark:lineage:relation", Value: clean(l.Relation)},
				{Name: "hallmark:lineage:confidence", Value: clean(l.Confidence)},
			},
		}
		x.made(&c, Party{Name: l.Maker})
		variants = append(variants, c)
		notes = append(notes, fmt.Sprintf("%s %s (confidence %s): %s", l.Relation, l.Maker, l.Confidence, l.Because))
	}
	return &cdx.Pedigree{Variants: &variants, Notes: clean(strings.Join(notes, "; "))}
}

func (x *writer) nested(children [][]int, of int) *[]cdx.Component {
	var out []cdx.Component
	for _, j := range children[of+1] {
		l := &x.Layers[j]
		c := cdx.Component{
			BOMRef: x.layers[j], Type: cdx.ComponentTypeFile, Name: clean(l.Format),
			Properties: &[]cdx.Property{
				{Name: kindProperty, Value: "layer"},
				{Name: "hallmark:place", Value: clean(l.Place)},
				{Name: "hallmark:offset", Value: strconv.FormatInt(l.At.Off, 10)},
				{Name: sizeProperty, Value: strconv.FormatInt(l.At.Len, 10)},
				{Name: "hallmark:nodes", Value: strconv.Itoa(l.Nodes)},
			},
			Components: x.nested(children, j),
		}
		if l.Whole {
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: l.Content.String()}}
		}
		out = append(out, c)
	}
	return some(out)
}

func (x *writer) component(i int) cdx.Component {
	c := &x.Components[i]
	out := cdx.Component{
		BOMRef: x.refs[i], Type: componentTypes[c.Type], Name: clean(c.Name),
		Description: clean(c.Title), Licenses: x.licences(c),
	}
	if out.Type == "" {
		out.Type = cdx.ComponentTypeApplication
	}
	x.made(&out, makerOf(c))
	properties := []cdx.Property{{Name: claimProperty, Value: string(c.Claim)}}
	identifier := func(to *string, form *regexp.Regexp, name, value string) {
		if form.MatchString(value) {
			*to = value
		} else if value != "" { // a schema refuses it where it belongs
			properties = append(properties, cdx.Property{Name: name, Value: clean(value)})
		}
	}
	identifier(&out.PackageURL, purlForm, "hallmark:purl", c.Purl)
	identifier(&out.CPE, cpeForm, "hallmark:cpe", c.CPE)
	switch c.Claim {
	case sbom.Exact:
		out.Version = version(c.Version)
	case sbom.Prefix:
		properties = append(properties, cdx.Property{Name: prefixProperty, Value: clean(c.Version)})
	case sbom.Range:
		properties = append(properties, cdx.Property{Name: fromProperty, Value: clean(c.Version)})
	}
	if c.Layer >= 0 {
		properties = append(properties, cdx.Property{Name: "hallmark:layer", Value: x.layers[c.Layer]})
	}
	if c.Omitted > 0 {
		properties = append(properties, cdx.Property{Name: "hallmark:evidence:omitted", Value: strconv.Itoa(c.Omitted)})
	}
	if c.Build != nil {
		properties = append(properties, cdx.Property{Name: buildProperty, Value: c.Build.Digest.String()})
	}
	for _, p := range c.Properties {
		properties = append(properties, cdx.Property{Name: clean(p.Name), Value: clean(p.Value)})
	}
	if f := fileOf(c); f != nil {
		out.Hashes = hashes(f.Content, f.SHA512)
		out.ExternalReferences = distribution(f.Path, f.Content, f.SHA512)
		properties = append(properties, deployable(f.Path, f.Executable, f.Archive)...)
	} else {
		// Several files, or none of its own: what BSI TR-03183-2, 3.2.2, calls a logical component.
		properties = append(properties, cdx.Property{Name: LogicalProperty, Value: "true"})
	}
	if x.opts.FileDates && out.Version == "" {
		out.Version = date(c.Files)
	}
	out.Properties = &properties
	out.Evidence = x.evidence(c)
	return out
}

// fileOf returns the file that is c, if it is one. A package is not its only file, unless that was
// recognised.
func fileOf(c *sbom.Component) *sbom.File {
	if c.Build == nil || c.Build.Files != 1 || len(c.Files) != 1 {
		return nil
	}
	f := &c.Files[0]
	if !slices.ContainsFunc(c.Evidence, func(e sbom.Evidence) bool { return e.Relation == sbom.Defines && e.Content == f.Content }) {
		return nil
	}
	return f
}

// date returns the latest time of files, "" if none is known.
func date(files []sbom.File) string {
	var last int64
	for _, f := range files {
		last = max(last, f.ModTime)
	}
	if last == 0 {
		return ""
	}
	return time.Unix(last, 0).UTC().Format(time.RFC3339)
}

// The forms of identifiers: that of a CPE is the schema's, with the parts left out.
var (
	purlForm = regexp.MustCompile(`^pkg:[A-Za-z0-9.+-]+/([A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})+$`)
	cpeForm  = regexp.MustCompile(`^cpe:2\.3:[aho*-](:([*?]*([A-Za-z0-9._-]|\\[^A-Za-z0-9\s])+[*?]*|[*-])){5}:([A-Za-z]{2,3}(-([A-Za-z]{2}|[0-9]{3}))?|[*-])(:([*?]*([A-Za-z0-9._-]|\\[^A-Za-z0-9\s])+[*?]*|[*-])){4}$`)
)

// version cuts what is longer than schemas allow.
func version(s string) string {
	s = clean(s)
	for n := range s {
		if n > 1000 {
			return s[:n]
		}
	}
	return s
}

// LogicalProperty marks a component that is no file of its own.
const LogicalProperty = "hallmark:logical"

// licences writes the licences of c: declared if a package says so, concluded if they are what
// is known of the project. The places for that word differ: an expression has it from 1.6 on.
func (x *writer) licences(c *sbom.Component) *cdx.Licenses {
	if len(c.Licences) == 0 {
		return nil
	}
	acknowledged := cdx.LicenseAcknowledgementConcluded
	if slices.ContainsFunc(c.Evidence, func(e sbom.Evidence) bool { return e.Relation == sbom.Records }) {
		acknowledged = cdx.LicenseAcknowledgementDeclared
	}
	if all, ok := expression(c.Licences); ok {
		l := cdx.LicenseChoice{Expression: clean(all)}
		if x.spec >= cdx.SpecVersion1_6 {
			l.Acknowledgement = &acknowledged
		}
		return &cdx.Licenses{l}
	}
	var out cdx.Licenses
	for _, l := range c.Licences {
		n := &cdx.License{Name: clean(l.Value)}
		if x.spec >= cdx.SpecVersion1_6 {
			n.Acknowledgement = acknowledged
		}
		out = append(out, cdx.LicenseChoice{License: n})
	}
	return &out
}

// expression joins licences that are all SPDX expressions.
func expression(list []sbom.Licence) (string, bool) {
	if slices.ContainsFunc(list, func(l sbom.Licence) bool { return !l.SPDX }) {
		return "", false
	}
	if len(list) == 1 {
		return list[0].Value, true
	}
	var parts []string
	for _, l := range list {
		parts = append(parts, "("+l.Value+")")
	}
	return strings.Join(parts, " AND "), true
}

// maxMethods is how many different ways of identification a document lists of one component.
const maxMethods = 16

func (x *writer) evidence(c *sbom.Component) *cdx.Evidence {
	var name, version []cdx.EvidenceIdentityMethod
	add := func(list []cdx.EvidenceIdentityMethod, e *sbom.Evidence, value string) []cdx.EvidenceIdentityMethod {
		m := cdx.EvidenceIdentityMethod{Technique: technique(e.Technique), Confidence: number(e.Confidence), Value: clean(value)}
		same := func(o cdx.EvidenceIdentityMethod) bool {
			return o.Technique == m.Technique && o.Value == m.Value && *o.Confidence == *m.Confidence
		}
		if len(list) >= maxMethods || slices.ContainsFunc(list, same) {
			return list
		}
		return append(list, m)
	}
	var where []cdx.EvidenceOccurrence
	for i := range c.Evidence {
		e := &c.Evidence[i]
		how := fmt.Sprintf("%s in %s", e.Rule, e.Technique)
		name = add(name, e, how)
		if e.Version != "" {
			version = add(version, e, how+": "+e.Version)
		}
		context := how + ", " + string(e.Relation)
		if e.At.Len > 0 {
			context += ": " + strconv.QuoteToASCII(string(e.Excerpt))
		}
		where = append(where, x.occurrence(e.Place, e.At, context))
	}
	identity := []cdx.EvidenceIdentity{{
		Field: cdx.EvidenceIdentityFieldTypeName, Confidence: number(c.Confidence), ConcludedValue: clean(c.Name), Methods: some(name),
	}}
	if c.Claim == sbom.Exact {
		identity = append(identity, cdx.EvidenceIdentity{
			Field: cdx.EvidenceIdentityFieldTypeVersion, Confidence: number(c.Confidence), ConcludedValue: clean(c.Version), Methods: some(version),
		})
	}
	out := &cdx.Evidence{Identity: &cdx.EvidenceIdentityChoice{Identities: &identity}, Occurrences: some(where)}
	if x.spec < cdx.SpecVersion1_6 { // has room for one field, and none for what was concluded
		one := identity[len(identity)-1]
		one.ConcludedValue = ""
		out.Identity = &cdx.EvidenceIdentityChoice{Identity: &one}
	}
	return out
}

// some returns nil for a list of nothing, which no schema takes for a list.
func some[T any](list []T) *[]T {
	if len(list) == 0 {
		return nil
	}
	return &list
}

// occurrence cites a range of a content. Before 1.6 there is no field for an offset.
func (x *writer) occurrence(place string, at artifact.Range, context string) cdx.EvidenceOccurrence {
	o := cdx.EvidenceOccurrence{Location: clean(cmp.Or(place, x.Image.Name, imageRef))}
	if x.spec < cdx.SpecVersion1_6 {
		if at.Len > 0 {
			o.Location += fmt.Sprintf(" @%#x+%d", at.Off, at.Len)
		}
		return o
	}
	if at.Len > 0 {
		off := int(at.Off)
		o.Offset = &off
	}
	o.AdditionalContext = clean(context)
	return o
}

// technique says in the words of CycloneDX how evidence was read.
func technique(t string) cdx.EvidenceIdentityTechnique {
	switch t {
	case "filename":
		return cdx.EvidenceIdentityTechniqueFilename
	case "package":
		return cdx.EvidenceIdentityTechniqueManifestAnalysis
	case "hash":
		return cdx.EvidenceIdentityTechniqueHashComparison
	}
	return cdx.EvidenceIdentityTechniqueBinaryAnalysis
}

func number(x float64) *float32 {
	f := float32(min(1, max(0, x)))
	return &f
}

// unread makes each region that nobody could read a component of its own.
func (x *writer) unread() []cdx.Component {
	var out []cdx.Component
	for i, r := range x.Unread[:min(len(x.Unread), maxRegions)] {
		where := []cdx.EvidenceOccurrence{x.occurrence(r.Place, r.At, r.Why)}
		c := cdx.Component{
			BOMRef: fmt.Sprintf("unread:%d", i), Type: cdx.ComponentTypeData,
			Name: fmt.Sprintf("unread bytes @%#x+%d", r.At.Off, r.At.Len), Description: clean(r.Why),
			Properties: &[]cdx.Property{
				{Name: kindProperty, Value: "unread"},
				{Name: "hallmark:place", Value: clean(r.Place)},
				{Name: "hallmark:offset", Value: strconv.FormatInt(r.At.Off, 10)},
				{Name: sizeProperty, Value: strconv.FormatInt(r.At.Len, 10)},
			},
			Evidence: &cdx.Evidence{Occurrences: &where},
		}
		x.leaves = append(x.leaves, c.BOMRef)
		out = append(out, c)
	}
	return out
}

// files lists every file in the chunks that hold several, if that was asked for.
func (x *writer) files() []cdx.Component {
	t := x.opts.Files
	if t == nil {
		return nil
	}
	var out []cdx.Component
	for _, c := range t.Contents() {
		place := t.FirstPlace(c.Digest)
		for i, e := range c.Chunks() {
			for j := range e.Chunk.Nodes {
				n := &e.Chunk.Nodes[j]
				if !n.HasContent() || len(e.Chunk.Nodes) < 2 {
					continue
				}
				at := append(place[:len(place):len(place)], artifact.Step{Content: c.Digest, Extent: i, Node: j})
				f := cdx.Component{
					BOMRef: fmt.Sprintf("file:%d", len(out)), Type: cdx.ComponentTypeFile, Name: clean(n.Path),
					Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: n.Digest.String()}},
					Properties: &[]cdx.Property{
						{Name: kindProperty, Value: "file"},
						{Name: "hallmark:place", Value: clean(t.Locate(at, artifact.Range{}))},
						{Name: sizeProperty, Value: strconv.FormatInt(n.Size, 10)},
					},
				}
				x.leaves = append(x.leaves, f.BOMRef)
				out = append(out, f)
			}
		}
	}
	return out
}

// dependencies lets the image depend on what stands in it, layers on what stands in them, and
// components on what they ask the loader for. What depends on nothing has an empty entry.
func (x *writer) dependencies() *[]cdx.Dependency {
	on := make([][]string, len(x.Layers)+1)
	for i := range x.Layers {
		on[x.Layers[i].Parent+1] = append(on[x.Layers[i].Parent+1], x.layers[i])
	}
	for i := range x.Components {
		on[x.Components[i].Layer+1] = append(on[x.Components[i].Layer+1], x.refs[i])
	}
	var out []cdx.Dependency
	add := func(ref string, on []string) {
		d := cdx.Dependency{Ref: ref}
		if len(on) > 0 {
			slices.Sort(on)
			d.Dependencies = &on
		}
		out = append(out, d)
	}
	add(imageRef, on[0])
	for i := range x.Layers {
		add(x.layers[i], on[i+1])
	}
	for i := range x.Components {
		var refs []string
		for _, j := range x.Components[i].DependsOn {
			refs = append(refs, x.refs[j])
		}
		add(x.refs[i], refs)
	}
	for _, ref := range x.leaves {
		add(ref, nil)
	}
	return &out
}

// compositions says how complete the parts are, and what they depend on. Nothing is called
// complete: marks cannot show that a component is absent. A layer is incomplete if bytes in it, or
// further in, stayed unread; what a component depends on, if the image lacks a library that it wants.
func (x *writer) compositions() *[]cdx.Composition {
	short := make([]bool, len(x.Layers)+1)
	short[0] = !x.Coverage.Clear()
	for _, r := range x.Unread {
		for l := r.Layer; l >= 0; l = x.Layers[l].Parent {
			short[l+1] = true
		}
	}
	open := map[artifact.Digest]bool{} // files that want a library which the image has not
	for _, l := range x.Links {
		if len(l.To) == 0 {
			open[l.From] = true
		}
	}
	parts, needs := map[bool][]cdx.BOMReference{}, map[bool][]cdx.BOMReference{}
	for i, ref := range append([]string{imageRef}, x.layers...) {
		parts[short[i]] = append(parts[short[i]], cdx.BOMReference(ref))
		needs[short[i]] = append(needs[short[i]], cdx.BOMReference(ref))
	}
	for i, ref := range x.refs {
		lacks := slices.ContainsFunc(x.Components[i].Evidence, func(e sbom.Evidence) bool { return e.Relation == sbom.Defines && open[e.Content] })
		needs[lacks] = append(needs[lacks], cdx.BOMReference(ref))
	}
	var out []cdx.Composition
	for _, c := range []struct {
		short     bool
		aggregate cdx.CompositionAggregate
	}{{true, cdx.CompositionAggregateIncomplete}, {false, cdx.CompositionAggregateUnknown}} {
		if len(needs[c.short]) > 0 {
			out = append(out, cdx.Composition{Aggregate: c.aggregate, Assemblies: some(parts[c.short]), Dependencies: some(needs[c.short])})
		}
	}
	return &out
}

// formulation says how the document came to be: the tool, its rules, what limits cut off.
func (x *writer) formulation() *[]cdx.Formula {
	properties := []cdx.Property{
		{Name: "hallmark:rules:sha256", Value: x.Rules.String()},
		{Name: readProperty, Value: x.Coverage.Percent()},
		{Name: unreadProperty, Value: strconv.FormatInt(x.Coverage.Unread, 10)},
	}
	for _, l := range x.Limits {
		properties = append(properties, cdx.Property{Name: "hallmark:limit", Value: clean(l)})
	}
	tool := x.tool()
	tool.BOMRef = "tool:hallmark"
	return &[]cdx.Formula{{
		Components: &[]cdx.Component{tool},
		Workflows: &[]cdx.Workflow{{
			BOMRef: "workflow:analysis", UID: "analysis", Name: "analysis of the image as it is shipped",
			TaskTypes:  &[]cdx.TaskType{cdx.TaskTypeScan},
			Properties: &properties,
		}},
	}}
}
