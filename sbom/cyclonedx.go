package sbom

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"hallmark/artifact"
)

// WriteOptions are what a document says of its making. The zero value works.
type WriteOptions struct {
	Time    time.Time // zero leaves the time out, so that the same image gives the same document
	Version string    // of hallmark
}

// componentTypes are those of [Component.Type].
var componentTypes = map[string]cdx.ComponentType{
	"library":          cdx.ComponentTypeLibrary,
	"application":      cdx.ComponentTypeApplication,
	"operating-system": cdx.ComponentTypeOS,
	"firmware":         cdx.ComponentTypeFirmware,
	"device-driver":    cdx.ComponentTypeDeviceDriver,
}

// WriteCycloneDX writes b as CycloneDX 1.6 in JSON, indented. The document is a function of b
// and o. Its serial number is of its own content, time aside.
//
// The image is metadata.component, with its layers nested in it. A version that is not exact is
// no version: it stands in the property hallmark:version:prefix or hallmark:version:from.
// Occurrences have the offset within the file that their location names.
func (b *BOM) WriteCycloneDX(w io.Writer, o WriteOptions) error {
	d := b.document(o)
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	d.SerialNumber = serial(text)
	if !o.Time.IsZero() {
		d.Metadata.Timestamp = o.Time.UTC().Format(time.RFC3339)
	}
	// Not EncodeVersion: its deep copy loses pointers to zero, and with them an offset of 0.
	return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(d)
}

// serial makes a UUID of version 8 (RFC 9562) out of a document.
func serial(document []byte) string {
	h := sha256.Sum256(document)
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// imageRef is the bom-ref of the image.
const imageRef = "image"

type writer struct {
	*BOM
	refs   []string // of components
	layers []string // bom-refs of layers
}

func (b *BOM) document(o WriteOptions) *cdx.BOM {
	x := writer{BOM: b}
	for i := range b.Layers {
		x.layers = append(x.layers, fmt.Sprintf("layer:%d", i))
	}
	taken := map[string]int{}
	for i := range b.Components {
		c := &b.Components[i]
		ref := "component:" + clean(c.Name)
		if c.Version != "" {
			ref += "@" + clean(c.Version)
		}
		if taken[ref]++; taken[ref] > 1 {
			ref += "~" + strconv.Itoa(taken[ref])
		}
		x.refs = append(x.refs, ref)
	}
	d := cdx.NewBOM()
	d.SpecVersion = cdx.SpecVersion1_6
	d.JSONSchema = "http://cyclonedx.org/schema/bom-1.6.schema.json"
	d.Metadata = &cdx.Metadata{
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{
			Type: cdx.ComponentTypeApplication, Name: "hallmark", Version: o.Version,
			Properties: &[]cdx.Property{{Name: "hallmark:rules:sha256", Value: b.Rules.String()}},
		}}},
		Component: x.image(),
	}
	components := []cdx.Component{}
	for i := range b.Components {
		components = append(components, x.component(i))
	}
	d.Components = &components
	d.Dependencies = x.dependencies()
	d.Compositions = x.compositions()
	return d
}

// maxRegions is how many unread regions a document lists.
const maxRegions = 200

func (x *writer) image() *cdx.Component {
	i := x.Image
	c := &cdx.Component{
		BOMRef: imageRef, Type: cdx.ComponentTypeFirmware, Name: clean(i.Name),
		Hashes: &[]cdx.Hash{
			{Algorithm: cdx.HashAlgoSHA256, Value: i.SHA256.String()},
			{Algorithm: cdx.HashAlgoSHA512, Value: fmt.Sprintf("%x", i.SHA512[:])},
		},
	}
	v := x.Coverage
	p := []cdx.Property{
		{Name: "hallmark:size", Value: strconv.FormatInt(i.Size, 10)},
		{Name: "hallmark:read:percent", Value: v.Percent()},
		{Name: "hallmark:unread:bytes", Value: strconv.FormatInt(v.Unread, 10)},
	}
	for j, r := range x.Unread {
		if j == maxRegions {
			p = append(p, cdx.Property{Name: "hallmark:unread:more", Value: strconv.Itoa(len(x.Unread) - j)})
			break
		}
		p = append(p, cdx.Property{Name: "hallmark:unread", Value: clean(fmt.Sprintf("%s @%#x+%d: %s", r.Place, r.At.Off, r.At.Len, r.Why))})
	}
	c.Properties = &p
	children := make([][]int, len(x.Layers)+1)
	for j := range x.Layers {
		children[x.Layers[j].Parent+1] = append(children[x.Layers[j].Parent+1], j)
	}
	c.Components = x.nested(children, -1)
	return c
}

func (x *writer) nested(children [][]int, of int) *[]cdx.Component {
	var out []cdx.Component
	for _, j := range children[of+1] {
		l := &x.Layers[j]
		c := cdx.Component{
			BOMRef: x.layers[j], Type: cdx.ComponentTypeFile, Name: clean(l.Format),
			Properties: &[]cdx.Property{
				{Name: "hallmark:place", Value: clean(l.Place)},
				{Name: "hallmark:offset", Value: strconv.FormatInt(l.At.Off, 10)},
				{Name: "hallmark:size", Value: strconv.FormatInt(l.At.Len, 10)},
				{Name: "hallmark:nodes", Value: strconv.Itoa(l.Nodes)},
			},
			Components: x.nested(children, j),
		}
		if l.Whole {
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: l.Content.String()}}
		}
		out = append(out, c)
	}
	if out == nil {
		return nil
	}
	return &out
}

func (x *writer) component(i int) cdx.Component {
	c := &x.Components[i]
	out := cdx.Component{
		BOMRef: x.refs[i], Type: componentTypes[c.Type], Name: clean(c.Name),
		Description: clean(c.Title), PackageURL: clean(c.Purl), CPE: clean(c.CPE), Licenses: licences(c.Licences),
	}
	if out.Type == "" {
		out.Type = cdx.ComponentTypeApplication
	}
	if c.Supplier != "" {
		out.Supplier = &cdx.OrganizationalEntity{Name: clean(c.Supplier)}
	}
	properties := []cdx.Property{{Name: "hallmark:claim", Value: string(c.Claim)}}
	switch c.Claim {
	case Exact:
		out.Version = clean(c.Version)
	case Prefix:
		properties = append(properties, cdx.Property{Name: "hallmark:version:prefix", Value: clean(c.Version)})
	case Range:
		properties = append(properties, cdx.Property{Name: "hallmark:version:from", Value: clean(c.Version)})
	}
	if c.Layer >= 0 {
		properties = append(properties, cdx.Property{Name: "hallmark:layer", Value: x.layers[c.Layer]})
	}
	if c.Omitted > 0 {
		properties = append(properties, cdx.Property{Name: "hallmark:evidence:omitted", Value: strconv.Itoa(c.Omitted)})
	}
	for _, p := range c.Properties {
		properties = append(properties, cdx.Property{Name: clean(p.Name), Value: clean(p.Value)})
	}
	out.Properties = &properties
	var files []artifact.Digest // that are the component
	for _, e := range c.Evidence {
		if e.Relation == Defines && !slices.Contains(files, e.Content) {
			files = append(files, e.Content)
		}
	}
	if len(files) == 1 && c.Omitted == 0 {
		out.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: files[0].String()}}
	}
	out.Evidence = evidence(c)
	return out
}

func licences(list []Licence) *cdx.Licenses {
	if len(list) == 0 {
		return nil
	}
	declared := cdx.LicenseAcknowledgementDeclared
	if !slices.ContainsFunc(list, func(l Licence) bool { return !l.SPDX }) {
		all := list[0].Value
		if len(list) > 1 {
			var parts []string
			for _, l := range list {
				parts = append(parts, "("+l.Value+")")
			}
			all = strings.Join(parts, " AND ")
		}
		return &cdx.Licenses{{Expression: clean(all), Acknowledgement: &declared}}
	}
	var out cdx.Licenses
	for _, l := range list {
		out = append(out, cdx.LicenseChoice{License: &cdx.License{Name: clean(l.Value), Acknowledgement: declared}})
	}
	return &out
}

// maxMethods is how many different ways of identification a document lists of one component.
const maxMethods = 16

func evidence(c *Component) *cdx.Evidence {
	var name, version []cdx.EvidenceIdentityMethod
	add := func(list []cdx.EvidenceIdentityMethod, e *Evidence, value string) []cdx.EvidenceIdentityMethod {
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
		o := cdx.EvidenceOccurrence{Location: clean(e.Place), AdditionalContext: clean(how + ", " + string(e.Relation))}
		if e.At.Len > 0 {
			off := int(e.At.Off)
			o.Offset = &off
			o.AdditionalContext += ": " + strconv.QuoteToASCII(string(e.Excerpt))
		}
		where = append(where, o)
	}
	identity := []cdx.EvidenceIdentity{{
		Field: cdx.EvidenceIdentityFieldTypeName, Confidence: number(c.Confidence), ConcludedValue: clean(c.Name), Methods: &name,
	}}
	if c.Claim == Exact {
		identity = append(identity, cdx.EvidenceIdentity{
			Field: cdx.EvidenceIdentityFieldTypeVersion, Confidence: number(c.Confidence), ConcludedValue: clean(c.Version), Methods: &version,
		})
	}
	return &cdx.Evidence{Identity: &cdx.EvidenceIdentityChoice{Identities: &identity}, Occurrences: &where}
}

// technique says in the words of CycloneDX how evidence was read.
func technique(t string) cdx.EvidenceIdentityTechnique {
	switch t {
	case "filename":
		return cdx.EvidenceIdentityTechniqueFilename
	case "package":
		return cdx.EvidenceIdentityTechniqueManifestAnalysis
	}
	return cdx.EvidenceIdentityTechniqueBinaryAnalysis
}

func number(x float64) *float32 {
	f := float32(x)
	return &f
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
	return &out
}

// compositions says how complete the parts are. Nothing is called complete: marks cannot show
// that a component is absent.
func (x *writer) compositions() *[]cdx.Composition {
	all := []cdx.BOMReference{imageRef}
	for _, l := range x.layers {
		all = append(all, cdx.BOMReference(l))
	}
	parts := cdx.CompositionAggregateUnknown
	if !x.Coverage.Clear() {
		parts = cdx.CompositionAggregateIncomplete
	}
	out := []cdx.Composition{{Aggregate: parts, Assemblies: &all}}
	open := map[artifact.Digest]bool{} // files that want a library which the image has not
	for _, l := range x.Links {
		if len(l.To) == 0 {
			open[l.From] = true
		}
	}
	var known, lacking []cdx.BOMReference
	for i := range x.Components {
		lacks := slices.ContainsFunc(x.Components[i].Evidence, func(e Evidence) bool { return e.Relation == Defines && open[e.Content] })
		if lacks {
			lacking = append(lacking, cdx.BOMReference(x.refs[i]))
		} else {
			known = append(known, cdx.BOMReference(x.refs[i]))
		}
	}
	if len(known) > 0 {
		out = append(out, cdx.Composition{Aggregate: cdx.CompositionAggregateUnknown, Dependencies: &known})
	}
	if len(lacking) > 0 {
		out = append(out, cdx.Composition{Aggregate: cdx.CompositionAggregateIncomplete, Dependencies: &lacking})
	}
	return &out
}

// clean makes s fit for JSON and for a terminal: bytes that are no printable text become \xNN.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
