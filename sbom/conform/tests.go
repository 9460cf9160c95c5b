package conform

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"hallmark/sbom/document"
)

// subject is a document with what tests ask of it.
type subject struct {
	*document.Document
	components []int
	from, to   map[string]bool           // refs with an edge
	depends    map[string]bool           // refs with an entry of dependencies, may be an empty one
	complete   map[string]document.Field // refs of which it is said how complete they are
}

// all is the index that stands for the document itself.
const all = -1

func newSubject(d *document.Document) *subject {
	x := &subject{Document: d, from: map[string]bool{}, to: map[string]bool{}, depends: map[string]bool{}, complete: map[string]document.Field{}}
	for i := range d.Components {
		c := &d.Components[i]
		if len(c.Property("hallmark:kind")) == 0 && c.Type.Value != "cryptographic-asset" && c.Type.Value != "data" {
			x.components = append(x.components, i)
		}
	}
	for _, r := range d.Relations {
		if r.To != "" {
			x.from[r.From], x.to[r.To] = true, true
		}
		if r.Kind == "depends on" {
			x.depends[r.From] = true
		}
	}
	for _, c := range d.Compositions {
		for _, ref := range append(slices.Clone(c.Assemblies), c.Dependencies...) {
			x.complete[ref.Value] = c.Aggregate
		}
	}
	return x
}

func (x *subject) of(scope string) []int {
	switch scope {
	case "document":
		return []int{all}
	case "deployable":
		var out []int
		for _, i := range x.components {
			if len(x.Components[i].Property(document.LogicalProperty)) == 0 {
				out = append(out, i)
			}
		}
		return out
	}
	return x.components
}

func (x *subject) name(i int) string {
	if i == all {
		return ""
	}
	return strings.TrimSpace(x.Components[i].FullName() + " " + x.Components[i].Version.Value)
}

func (x *subject) place(i int) document.Field {
	if i == all {
		return document.Field{Line: 1}
	}
	return document.Field{At: x.Components[i].At, Line: x.Components[i].Line}
}

// test looks at a component, or at the document: where the field stands, or why it fails.
type test func(x *subject, i int) (at document.Field, why string)

// component makes a test of a function over components.
func component(f func(c *document.Component) (document.Field, string)) test {
	return func(x *subject, i int) (document.Field, string) { return f(&x.Components[i]) }
}

// present wants a field that is not empty.
func present(get func(c *document.Component) document.Field, why string) test {
	return component(func(c *document.Component) (document.Field, string) {
		if f := get(c); f.Value != "" {
			return f, ""
		}
		return document.Field{}, why
	})
}

// word wants a property exactly once, with one of two values.
func word(name, yes, no string) test {
	return component(func(c *document.Component) (document.Field, string) {
		switch list := c.Property(name); {
		case len(list) == 0:
			return document.Field{}, "no property " + name
		case len(list) > 1:
			return list[1], name + " stands more than once"
		case list[0].Value != yes && list[0].Value != no:
			return list[0], name + " is neither " + yes + " nor " + no
		default:
			return list[0], ""
		}
	})
}

var tests = map[string]test{
	"format": func(x *subject, _ int) (document.Field, string) { return x.Spec, "" },
	"format-bsi": func(x *subject, _ int) (document.Field, string) {
		if x.Format == "CycloneDX" && (x.Spec.Value == "1.6" || x.Spec.Value == "1.7") {
			return x.Spec, ""
		}
		return x.Spec, x.Format + " " + x.Spec.Value + " is too old"
	},
	"author": func(x *subject, _ int) (document.Field, string) {
		for _, a := range x.Authors {
			if !a.IsZero() {
				return place(a), ""
			}
		}
		return document.Field{}, "nobody is named as author; a tool is not enough"
	},
	"author-contact": func(x *subject, _ int) (document.Field, string) {
		for _, a := range x.Authors {
			if f := reach(a); f.Value != "" {
				return f, ""
			}
		}
		return document.Field{}, "no author with a mail address or URL"
	},
	"timestamp": func(x *subject, _ int) (document.Field, string) {
		if x.Created.Value == "" {
			return document.Field{}, "no time of creation"
		}
		if _, err := time.Parse(time.RFC3339, x.Created.Value); err != nil {
			return x.Created, "the time of creation is not as RFC 3339 writes it"
		}
		return x.Created, ""
	},
	"serial": func(x *subject, _ int) (document.Field, string) {
		if x.Serial.Value == "" {
			return document.Field{}, "no serial number or namespace"
		}
		return x.Serial, ""
	},
	"tool": func(x *subject, _ int) (document.Field, string) {
		if len(x.Tools) == 0 {
			return document.Field{}, "no tool is named"
		}
		return x.Tools[0].Name, ""
	},
	"phase": func(x *subject, _ int) (document.Field, string) {
		if len(x.Phases) == 0 {
			return document.Field{}, "not said whether it was made from source, at the build or afterwards"
		}
		return x.Phases[0], ""
	},
	"completeness": func(x *subject, _ int) (document.Field, string) {
		for _, c := range x.Compositions {
			if c.Aggregate.Value != "" && c.Aggregate.Value != "not_specified" {
				return c.Aggregate, ""
			}
		}
		return document.Field{}, "not said how complete the document is"
	},
	"no-vulnerabilities": func(x *subject, _ int) (document.Field, string) {
		if len(x.Vulnerabilities) > 0 {
			return document.Field{At: x.Vulnerabilities[0].At}, "vulnerabilities belong into a document beside this one"
		}
		return document.Field{}, ""
	},
	"primary": func(x *subject, _ int) (document.Field, string) {
		if x.Root < 0 {
			return document.Field{}, "the document names no product that it is about"
		}
		return x.place(x.Root), ""
	},
	"top-level": func(x *subject, _ int) (document.Field, string) {
		if x.Root < 0 {
			return document.Field{}, "the document names no product that it is about"
		}
		ref := x.Components[x.Root].Ref.Value
		for _, r := range x.Relations {
			if r.From == ref && r.To != "" {
				return document.Field{At: r.At}, ""
			}
		}
		return x.place(x.Root), "the product depends on nothing and holds nothing"
	},
	"name":     present(func(c *document.Component) document.Field { return c.Name }, "no name"),
	"version":  present(func(c *document.Component) document.Field { return c.Version }, "no version"),
	"filename": present(func(c *document.Component) document.Field { return c.Filename }, "no property bsi:component:filename"),
	"supplier": component(func(c *document.Component) (document.Field, string) {
		for _, who := range []document.Contact{c.Supplier, c.Manufacturer, c.Author} {
			if !who.IsZero() {
				return place(who), ""
			}
		}
		return document.Field{}, "no supplier, manufacturer or author"
	}),
	"creator-contact": component(func(c *document.Component) (document.Field, string) {
		for _, who := range []document.Contact{c.Manufacturer, c.Author, c.Supplier} {
			if f := reach(who); f.Value != "" {
				return f, ""
			}
		}
		return document.Field{}, "no mail address or URL of who made it"
	}),
	"identifier": component(func(c *document.Component) (document.Field, string) {
		for _, f := range append([]document.Field{c.Purl, c.CPE}, c.OtherIDs...) {
			if f.Value != "" {
				return f, malformed(f.Value)
			}
		}
		return document.Field{}, "no purl, CPE, SWID, OmniBOR or SWHID"
	}),
	"hash": component(func(c *document.Component) (document.Field, string) {
		for _, h := range c.Hashes {
			if h.Algorithm.Value != "" && h.Value.Value != "" {
				return h.Value, ""
			}
		}
		return document.Field{}, "no hash with its algorithm"
	}),
	"hash-deployable": component(func(c *document.Component) (document.Field, string) {
		for _, r := range c.References {
			if !strings.HasPrefix(r.Type.Value, "distribution") {
				continue
			}
			for _, h := range r.Hashes {
				if h.Algorithm.Value == "SHA-512" && len(h.Value.Value) == 128 {
					return h.Value, ""
				}
			}
		}
		return document.Field{}, "no external reference of type distribution with a SHA-512"
	}),
	"licence": component(func(c *document.Component) (document.Field, string) {
		for _, l := range c.Licences {
			return l.Value, ""
		}
		return document.Field{}, "no licence"
	}),
	"licence-concluded": component(func(c *document.Component) (document.Field, string) {
		return licence(c, "concluded", "no licence acknowledged as concluded, which is how the licence of distribution is written")
	}),
	"licence-declared": component(func(c *document.Component) (document.Field, string) {
		return licence(c, "declared", "no licence acknowledged as declared")
	}),
	"related": func(x *subject, i int) (document.Field, string) {
		c := &x.Components[i]
		if ref := c.Ref.Value; ref != "" && (x.from[ref] || x.to[ref] || x.depends[ref]) || c.Parent >= 0 {
			return x.place(i), ""
		}
		return document.Field{}, "no relation to any other component"
	},
	"dependencies": func(x *subject, i int) (document.Field, string) {
		switch ref := x.Components[i].Ref.Value; {
		case !x.depends[ref]:
			return document.Field{}, "no entry of dependencies, not even an empty one"
		case x.complete[ref].Value == "":
			return document.Field{}, "not said in compositions how complete its dependencies are"
		default:
			return x.complete[ref], ""
		}
	},
	"executable":     word("bsi:component:executable", "executable", "non-executable"),
	"archive":        word("bsi:component:archive", "archive", "no archive"),
	"structured":     word("bsi:component:structured", "structured", "unstructured"),
	"source-uri":     reference("source-distribution", "vcs"),
	"deployable-uri": reference("distribution", "distribution-intake"),
	"security-txt":   reference("rfc-9116"),
	"support-level": component(func(c *document.Component) (document.Field, string) {
		for _, p := range c.Properties {
			name := strings.NewReplacer("-", "", "_", "", ":", "").Replace(strings.ToLower(p.Name.Value))
			if strings.Contains(name, "supportlevel") || strings.Contains(name, "levelofsupport") {
				return p.Value, ""
			}
		}
		return document.Field{}, "no property with the level of support"
	}),
	"end-of-support": component(func(c *document.Component) (document.Field, string) {
		for _, name := range []string{document.EndOfSupport, "cdx:lifecycle:milestone:endOfLife"} {
			if f := c.Property(name); len(f) > 0 {
				return f[0], ""
			}
		}
		return document.Field{}, "no property " + document.EndOfSupport
	}),
}

func place(c document.Contact) document.Field {
	for _, f := range []document.Field{c.Name, c.Email, c.URL} {
		if f.Value != "" {
			return f
		}
	}
	return document.Field{At: c.At}
}

// reach is how somebody can be reached: by mail, else by URL.
func reach(c document.Contact) document.Field {
	if strings.Contains(c.Email.Value, "@") {
		return c.Email
	}
	if strings.Contains(c.URL.Value, "://") {
		return c.URL
	}
	return document.Field{}
}

func reference(types ...string) test {
	return component(func(c *document.Component) (document.Field, string) {
		for _, r := range c.References {
			for _, t := range types {
				if r.Type.Value == t && r.URL.Value != "" {
					return r.URL, ""
				}
			}
		}
		return document.Field{}, "no external reference of type " + strings.Join(types, " or ")
	})
}

// malformed says what is wrong with the form of an identifier.
func malformed(id string) string {
	switch {
	case strings.HasPrefix(id, "pkg:") && strings.Count(id, "/") == 0:
		return "the purl has no name"
	case strings.HasPrefix(id, "cpe:2.3:") && len(cpeColon.FindAllString(id, -1)) != 12:
		return "the CPE has not the 13 parts of CPE 2.3"
	}
	return ""
}

// cpeColon finds the colons of a CPE that are not escaped.
var cpeColon = regexp.MustCompile(`(?:^|[^\\]):`)

// expression is the syntax of an SPDX licence expression, apart from its parentheses.
var expression = regexp.MustCompile(`^[(\s]*[A-Za-z0-9.+:-]+[)\s]*((AND|OR|WITH)[(\s]+[A-Za-z0-9.+:-]+[)\s]*)*$`)

// licence wants a licence with that acknowledgement, in SPDX's words or as a LicenseRef.
func licence(c *document.Component, as, missing string) (document.Field, string) {
	for _, l := range c.Licences {
		if l.As != as {
			continue
		}
		if l.Kind == "name" && !strings.HasPrefix(l.Value.Value, "LicenseRef-") || !expression.MatchString(l.Value.Value) {
			return l.Value, "neither an SPDX expression nor a LicenseRef"
		}
		return l.Value, ""
	}
	return document.Field{}, missing
}
