package document

import (
	"slices"
	"strings"
)

// readSPDX reads a document of SPDX 2.2 or 2.3; tags were turned into the members of JSON before.
func readSPDX(n *node, encoding string) (*Document, error) {
	spec := n.get("spdxVersion").field()
	spec.Value = strings.TrimPrefix(spec.Value, "SPDX-")
	if err := checkVersion("SPDX", spec, "2.2", "2.3"); err != nil {
		return nil, err
	}
	info := n.get("creationInfo")
	d := &Document{
		Format: "SPDX", Encoding: encoding, Spec: spec, Root: -1,
		Serial: n.get("documentNamespace").field(), Created: info.get("created").field(),
	}
	for _, c := range info.list("creators", "") {
		f := c.field()
		if name, ok := strings.CutPrefix(f.Value, "Tool:"); ok {
			t := Tool{Name: f}
			t.Name.Value = strings.TrimSpace(name)
			if i := strings.LastIndexByte(t.Name.Value, '-'); i > 0 {
				t.Version = f
				t.Name.Value, t.Version.Value = t.Name.Value[:i], t.Name.Value[i+1:]
			}
			d.Tools = append(d.Tools, t)
			continue
		}
		d.Authors = append(d.Authors, spdxContact(c))
	}
	var described []string
	for _, r := range n.list("documentDescribes", "") {
		described = append(described, r.field().Value)
	}
	self := n.string("SPDXID")
	for _, r := range n.list("relationships", "") {
		from, kind, to := r.string("spdxElementId"), r.string("relationshipType"), r.string("relatedSpdxElement")
		if kind == "DESCRIBES" && from == self {
			described = append(described, to)
		} else if kind == "DESCRIBED_BY" && to == self {
			described = append(described, from)
		}
		d.relation(from, kind, to, r.pointer())
	}
	list := n.list("packages", "")
	if len(described) > 0 {
		root := slices.IndexFunc(list, func(p *node) bool { return p.string("SPDXID") == described[0] })
		if root >= 0 {
			d.Root = 0
			d.Components = append(d.Components, spdxComponent(list[root]))
			list = slices.Delete(slices.Clone(list), root, root+1)
		}
	}
	for _, p := range list {
		d.Components = append(d.Components, spdxComponent(p))
	}
	return d.checked()
}

// relation keeps what says that one part needs or holds another.
func (d *Document) relation(from, kind, to, at string) {
	r := Relation{From: from, To: to, At: at}
	switch kind {
	case "DEPENDS_ON", "DYNAMIC_LINK", "STATIC_LINK", "HAS_PREREQUISITE":
		r.Kind = "depends on"
	case "DEPENDENCY_OF", "RUNTIME_DEPENDENCY_OF", "PREREQUISITE_FOR", "OPTIONAL_DEPENDENCY_OF", "PROVIDED_DEPENDENCY_OF":
		r.Kind, r.From, r.To = "depends on", to, from
	case "CONTAINS":
		r.Kind = "contains"
	case "CONTAINED_BY":
		r.Kind, r.From, r.To = "contains", to, from
	default:
		return
	}
	if r.To == "NONE" {
		r.To = ""
	}
	if r.To != noAssertion && r.From != noAssertion {
		d.Relations = append(d.Relations, r)
	}
}

// asserted returns the field unless it says that nothing is said.
func asserted(n *node) Field {
	if f := n.field(); f.Value != noAssertion && f.Value != "NONE" {
		return f
	}
	return Field{}
}

// spdxContact reads "Organization: Name (mail)" or "Person: Name (mail)".
func spdxContact(n *node) Contact {
	f := asserted(n)
	if f.Value == "" {
		return Contact{}
	}
	c := Contact{Name: f, At: f.At}
	text := f.Value
	for _, role := range []string{"Organization:", "Person:"} {
		text = strings.TrimPrefix(text, role)
	}
	text = strings.TrimSpace(text)
	if name, rest, ok := strings.Cut(text, "("); ok && strings.HasSuffix(rest, ")") {
		text = strings.TrimSpace(name)
		c.Email = f
		if c.Email.Value = strings.TrimSuffix(rest, ")"); strings.Contains(c.Email.Value, "://") {
			c.URL, c.Email = c.Email, Field{}
		}
	}
	c.Name.Value = text
	return c
}

func spdxComponent(n *node) Component {
	c := Component{
		Ref: n.get("SPDXID").field(), At: n.pointer(), Line: n.line, Parent: -1,
		Name: n.get("name").field(), Version: asserted(n.get("versionInfo")), Type: n.get("primaryPackagePurpose").field(),
		Supplier: spdxContact(n.get("supplier")), Manufacturer: spdxContact(n.get("originator")),
		Filename: n.get("packageFileName").field(), Comment: n.get("comment").field(),
	}
	c.Type.Value = strings.ReplaceAll(strings.ToLower(c.Type.Value), "_", "-")
	if u := asserted(n.get("homepage")); u.Value != "" && c.Supplier.URL.Value == "" && !c.Supplier.IsZero() {
		c.Supplier.URL = u
	}
	for _, h := range n.list("checksums", "") {
		c.Hashes = append(c.Hashes, Hash{spdxAlgorithm(h.get("algorithm").field()), h.get("checksumValue").field()})
	}
	for name, as := range map[string]string{"licenseConcluded": "concluded", "licenseDeclared": "declared"} {
		if f := asserted(n.get(name)); f.Value != "" {
			c.Licences = append(c.Licences, LicenceClaim{f, "expression", as})
		}
	}
	slices.SortFunc(c.Licences, func(a, b LicenceClaim) int { return strings.Compare(a.As, b.As) })
	if u := asserted(n.get("downloadLocation")); u.Value != "" {
		c.References = append(c.References, Reference{Type: Field{Value: "distribution", At: u.At, Line: u.Line}, URL: u, Hashes: c.Hashes})
	}
	if f := asserted(n.get("validUntilDate")); f.Value != "" {
		c.Properties = append(c.Properties, Property{Name: Field{EndOfSupport, f.At, f.Line}, Value: f})
	}
	for _, r := range n.list("externalRefs", "") {
		at := r.get("referenceLocator").field()
		switch r.string("referenceType") {
		case "purl":
			if c.Purl.Value == "" {
				c.Purl = at
			}
		case "cpe23Type":
			c.CPE = at
		case "cpe22Type":
			if c.CPE.Value == "" {
				c.CPE = at
			}
		case "swid", "swh", "gitoid":
			c.OtherIDs = append(c.OtherIDs, at)
		}
	}
	return c
}

// spdxAlgorithm writes an algorithm as CycloneDX does.
func spdxAlgorithm(f Field) Field {
	if rest, ok := strings.CutPrefix(f.Value, "SHA"); ok && !strings.HasPrefix(rest, "3-") && !strings.HasPrefix(rest, "-") {
		f.Value = "SHA-" + rest
	}
	return f
}
