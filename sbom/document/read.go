package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Field is one value of a document and where it stands.
type Field struct {
	Value string `json:"value"`
	At    string `json:"at"` // JSON pointer, XPath, or tag
	Line  int    `json:"line"`
}

// Document is what a document says, whatever its format.
type Document struct {
	Format   string // "CycloneDX" or "SPDX"
	Encoding string // "JSON", "XML" or "tag-value"
	Spec     Field  // version of the specification
	Serial   Field  // serialNumber, or documentNamespace
	Version  Field  // of the document
	Created  Field
	Authors  []Contact // persons and organisations, not tools
	Tools    []Tool
	Phases   []Field // of the product's life in which the document was made
	// Components holds what the document is about first, if it says so (Root is then 0, else -1),
	// and nested components behind the one that holds them.
	Components      []Component
	Root            int
	Relations       []Relation
	Compositions    []Composition
	Vulnerabilities []Vulnerability
}

// Contact is a person or an organisation.
type Contact struct {
	Name, Email, URL Field
	At               string
}

// IsZero reports whether the document names nobody.
func (c Contact) IsZero() bool {
	return c.Name.Value == "" && c.Email.Value == "" && c.URL.Value == ""
}

// Tool made the document.
type Tool struct {
	Name, Version Field
}

// Component is one component as a document describes it.
type Component struct {
	Ref     Field
	At      string
	Line    int
	Parent  int // index of the component that holds it, -1
	Type    Field
	Group   Field
	Name    Field
	Version Field

	Supplier, Manufacturer, Author Contact

	Purl, CPE  Field
	OtherIDs   []Field // SWID, OmniBOR, SWHID
	Filename   Field
	Hashes     []Hash
	Licences   []LicenceClaim
	References []Reference
	Properties []Property
	Where      []Occurrence
	Comment    Field
	External   bool // the document says that it is not part of the delivery
}

// Property returns the values of the properties called name.
func (c *Component) Property(name string) []Field {
	var out []Field
	for _, p := range c.Properties {
		if p.Name.Value == name {
			out = append(out, p.Value)
		}
	}
	return out
}

// FullName is the name with its group.
func (c *Component) FullName() string {
	if c.Group.Value == "" {
		return c.Name.Value
	}
	return c.Group.Value + "/" + c.Name.Value
}

// Software reports whether c is a component in the common sense, and not a layer, unread bytes, a
// file, or cryptographic material.
func (c *Component) Software() bool {
	if len(c.Property(kindProperty)) > 0 {
		return false
	}
	return c.Type.Value != "file" && c.Type.Value != "cryptographic-asset" && c.Type.Value != "data"
}

// Hash is a digest.
type Hash struct {
	Algorithm, Value Field
}

// LicenceClaim is a licence: an expression, an identifier or a name.
type LicenceClaim struct {
	Value Field
	Kind  string // "expression", "id", "name"
	As    string // "declared", "concluded", or ""
}

// Reference leads to something outside of the document.
type Reference struct {
	Type, URL Field
	Hashes    []Hash
}

// EndOfSupport is the property with the date on which support of a component ends
// (https://github.com/CycloneDX/cyclonedx-property-taxonomy).
const EndOfSupport = "cdx:lifecycle:milestone:endOfSupport"

// Property is a name and a value.
type Property struct {
	Name, Value Field
}

// Occurrence is a place where a component was seen.
type Occurrence struct {
	Location, Offset, Context Field
}

// Relation is an edge between two components. To is "" if From has no edge of that kind.
type Relation struct {
	From, To string // refs
	Kind     string // "depends on" or "contains"
	At       string
}

// Composition says how complete the parts named are.
type Composition struct {
	Aggregate                Field
	Assemblies, Dependencies []Field
}

// Vulnerability is what a document says of a weakness in its components.
type Vulnerability struct {
	ID, State, Justification, Detail Field
	Affects                          []Affected
	At                               string
}

// Affected is a component that a statement on a weakness is about.
type Affected struct {
	Ref      Field
	Versions []Field
}

// Read reads a document of at most 128 MiB. Errors name the line, or the place in the document.
func Read(r io.Reader) (*Document, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("the document is larger than %d bytes", maxSize)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	head := bytes.TrimLeft(text, " \t\r\n")
	switch {
	case len(head) == 0:
		return nil, errors.New("the document is empty")
	case head[0] == '{':
		n, err := parseJSON(text)
		if err != nil {
			return nil, err
		}
		return readJSON(n)
	case head[0] == '<':
		n, err := parseXML(text)
		if err != nil {
			return nil, err
		}
		return readXML(n)
	case bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")):
		return nil, errors.New("the document is UTF-16; want UTF-8")
	}
	n, err := parseTags(text)
	if err != nil {
		return nil, err
	}
	return readSPDX(n, "tag-value")
}

func readJSON(n *node) (*Document, error) {
	switch {
	case n.string("bomFormat") == "CycloneDX" || n.get("specVersion") != nil:
		return readCycloneDX(n, n.get("specVersion").field(), "JSON")
	case n.get("spdxVersion") != nil:
		return readSPDX(n, "JSON")
	case strings.Contains(n.string("@context"), "spdx.org/rdf/3"):
		return nil, errors.New("SPDX 3 is not read; ask for SPDX 2.3 or CycloneDX")
	}
	return nil, errors.New("neither CycloneDX nor SPDX: no bomFormat, no spdxVersion")
}

func readXML(n *node) (*Document, error) {
	const space = "http://cyclonedx.org/schema/bom/"
	ns := n.get("xmlns")
	version, ok := strings.CutPrefix(ns.field().Value, space)
	if n.name != "bom" || !ok {
		return nil, fmt.Errorf("line %d: <%s> is no CycloneDX document: want <bom xmlns=\"%s1.6\">", n.line, n.name, space)
	}
	return readCycloneDX(n, Field{Value: version, At: "/bom/@xmlns", Line: n.line}, "XML")
}

// checkVersion wants a version that is read.
func checkVersion(format string, f Field, known ...string) error {
	if slices.Contains(known, f.Value) {
		return nil
	}
	return fmt.Errorf("line %d: %s: %s %q is not read; want one of %s", max(1, f.Line), f.At, format, f.Value, strings.Join(known, ", "))
}
