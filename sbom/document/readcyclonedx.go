package document

import "errors"

// readCycloneDX reads what both encodings say in the same words.
func readCycloneDX(n *node, spec Field, encoding string) (*Document, error) {
	if err := checkVersion("CycloneDX", spec, "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"); err != nil {
		return nil, err
	}
	d := &Document{
		Format: "CycloneDX", Encoding: encoding, Spec: spec, Root: -1,
		Serial: n.get("serialNumber").field(), Version: n.get("version").field(),
	}
	m := n.get("metadata")
	d.Created = m.get("timestamp").field()
	for _, a := range m.list("authors", "author") {
		d.Authors = append(d.Authors, contact(a))
	}
	if e := m.get("manufacturer"); e != nil {
		d.Authors = append(d.Authors, contact(e))
	}
	tools := m.list("tools", "tool")
	if t := m.get("tools"); t != nil && t.kind != array && t.get("components") != nil {
		tools = t.list("components", "component")
	}
	for _, t := range tools {
		if name := t.get("name").field(); name.Value != "" {
			d.Tools = append(d.Tools, Tool{name, t.get("version").field()})
		}
	}
	for _, l := range m.list("lifecycles", "lifecycle") {
		phase := l.get("phase")
		if phase == nil {
			phase = l.get("name")
		}
		d.Phases = append(d.Phases, phase.field())
	}
	if c := m.get("component"); c != nil {
		d.Root = 0
		d.component(c, -1)
		if root := &d.Components[0]; root.Supplier.IsZero() {
			root.Supplier = contact(m.get("supplier"))
		}
	}
	for _, c := range n.list("components", "component") {
		d.component(c, -1)
	}
	for _, e := range n.list("dependencies", "dependency") {
		d.dependency(e)
	}
	for _, c := range n.list("compositions", "composition") {
		x := Composition{Aggregate: c.get("aggregate").field()}
		x.Assemblies = refs(c.list("assemblies", "assembly"))
		x.Dependencies = refs(c.list("dependencies", "dependency"))
		d.Compositions = append(d.Compositions, x)
	}
	for _, v := range n.list("vulnerabilities", "vulnerability") {
		d.Vulnerabilities = append(d.Vulnerabilities, vulnerability(v))
	}
	return d.checked()
}

// checked refuses a document that says nothing at all.
func (d *Document) checked() (*Document, error) {
	if len(d.Components) == 0 && len(d.Vulnerabilities) == 0 && d.Serial.Value == "" && d.Created.Value == "" {
		return nil, errors.New("the document lists no components and says nothing of itself")
	}
	return d, nil
}

func (d *Document) component(n *node, parent int) {
	c := Component{
		Ref: n.get("bom-ref").field(), At: n.pointer(), Line: n.line, Parent: parent,
		Type: n.get("type").field(), Group: n.get("group").field(), Name: n.get("name").field(), Version: n.get("version").field(),
		Supplier: contact(n.get("supplier")), Manufacturer: contact(n.get("manufacturer")),
		Purl: n.get("purl").field(), CPE: n.get("cpe").field(), Hashes: hashList(n), Properties: properties(n),
		External: n.string("isExternal") == "true" || n.string("scope") == "excluded",
	}
	if a := n.get("author"); a != nil {
		c.Author = Contact{Name: a.field(), At: a.pointer()}
	} else if list := n.list("authors", "author"); len(list) > 0 {
		c.Author = contact(list[0])
	} else if p := n.get("publisher"); p != nil {
		c.Author = Contact{Name: p.field(), At: p.pointer()}
	}
	if s := n.get("swid"); s != nil {
		c.OtherIDs = append(c.OtherIDs, Field{s.string("tagId"), s.pointer(), s.line})
	}
	for _, name := range []string{"omniborId", "swhid"} {
		for _, id := range n.list(name, "") {
			c.OtherIDs = append(c.OtherIDs, id.field())
		}
	}
	for _, l := range licenceNodes(n) {
		c.licence(l)
	}
	for _, r := range n.list("externalReferences", "reference") {
		c.References = append(c.References, Reference{r.get("type").field(), r.get("url").field(), hashList(r)})
	}
	if f := c.Property("bsi:component:filename"); len(f) > 0 {
		c.Filename = f[0]
	}
	for _, o := range n.get("evidence").list("occurrences", "occurrence") {
		c.Where = append(c.Where, Occurrence{o.get("location").field(), o.get("offset").field(), o.get("additionalContext").field()})
	}
	at := len(d.Components)
	d.Components = append(d.Components, c)
	if parent >= 0 {
		d.Relations = append(d.Relations, Relation{From: d.Components[parent].Ref.Value, To: c.Ref.Value, Kind: "contains", At: c.At})
	}
	for _, k := range n.list("components", "component") {
		d.component(k, at)
	}
}

// licenceNodes returns the choices of a component: in XML they stand in one list under two names.
func licenceNodes(n *node) []*node {
	l := n.get("licenses")
	if l == nil {
		return nil
	}
	if l.kind == array || l.kind == element {
		return l.kids
	}
	return nil
}

func (c *Component) licence(n *node) {
	if n.kind == object { // JSON: {"license": {...}} or {"expression": "..."}
		as := n.string("acknowledgement")
		if e := n.get("expression"); e != nil {
			c.Licences = append(c.Licences, LicenceClaim{e.field(), "expression", as})
			return
		}
		n = n.get("license")
	}
	if n == nil {
		return
	}
	as := n.string("acknowledgement")
	if n.name == "expression" {
		c.Licences = append(c.Licences, LicenceClaim{n.field(), "expression", as})
		return
	}
	for _, kind := range []string{"id", "name"} {
		if v := n.get(kind); v != nil {
			c.Licences = append(c.Licences, LicenceClaim{v.field(), kind, as})
			return
		}
	}
}

func (d *Document) dependency(n *node) {
	from := n.string("ref")
	on := n.list("dependsOn", "")
	if n.kind == element {
		on = n.named("dependency")
	}
	if len(on) == 0 {
		d.Relations = append(d.Relations, Relation{From: from, Kind: "depends on", At: n.pointer()})
	}
	for _, f := range refs(on) {
		d.Relations = append(d.Relations, Relation{From: from, To: f.Value, Kind: "depends on", At: f.At})
	}
}

// refs reads references: texts in JSON, elements with an attribute in XML.
func refs(list []*node) []Field {
	var out []Field
	for _, n := range list {
		if r := n.get("ref"); r != nil {
			n = r
		}
		if f := n.field(); f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

func contact(n *node) Contact {
	if n == nil {
		return Contact{}
	}
	c := Contact{Name: n.get("name").field(), Email: n.get("email").field(), URL: n.get("url").field(), At: n.pointer()}
	if u := n.list("url", ""); c.URL.Value == "" && len(u) > 0 {
		c.URL = u[0].field()
	}
	people := n.list("contact", "")
	if p := n.get("contact"); p != nil && p.kind == element {
		people = n.named("contact")
	}
	for _, p := range people {
		if e := p.get("email").field(); c.Email.Value == "" {
			c.Email = e
		}
		if c.Name.Value == "" {
			c.Name = p.get("name").field()
		}
	}
	return c
}

func hashList(n *node) []Hash {
	var out []Hash
	for _, h := range n.list("hashes", "hash") {
		value := h.get("content").field()
		if h.kind == element {
			value = h.field()
		}
		out = append(out, Hash{h.get("alg").field(), value})
	}
	return out
}

func properties(n *node) []Property {
	var out []Property
	for _, p := range n.list("properties", "property") {
		value := p.get("value").field()
		if p.kind == element {
			value = p.field()
		}
		out = append(out, Property{p.get("name").field(), value})
	}
	return out
}

func vulnerability(n *node) Vulnerability {
	a := n.get("analysis")
	v := Vulnerability{
		ID: n.get("id").field(), State: a.get("state").field(), Justification: a.get("justification").field(), Detail: a.get("detail").field(), At: n.pointer(),
	}
	for _, t := range n.list("affects", "target") {
		x := Affected{Ref: t.get("ref").field()}
		for _, r := range t.list("versions", "version") {
			for _, name := range []string{"version", "range"} {
				if f := r.get(name).field(); f.Value != "" {
					x.Versions = append(x.Versions, f)
				}
			}
		}
		v.Affects = append(v.Affects, x)
	}
	return v
}
