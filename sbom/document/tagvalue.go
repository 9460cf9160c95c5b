package document

import (
	"bytes"
	"fmt"
	"strings"
)

// tagNames are the members of JSON for tags of packages.
var tagNames = map[string]string{
	"PackageName": "name", "SPDXID": "SPDXID", "PackageVersion": "versionInfo", "PackageFileName": "packageFileName",
	"PackageSupplier": "supplier", "PackageOriginator": "originator", "PackageDownloadLocation": "downloadLocation",
	"PackageHomePage": "homepage", "PackageLicenseConcluded": "licenseConcluded", "PackageLicenseDeclared": "licenseDeclared",
	"PackageComment": "comment", "ValidUntilDate": "validUntilDate", "PrimaryPackagePurpose": "primaryPackagePurpose",
}

// parseTags reads the tag-value form of SPDX 2 into the nodes that its JSON form has. Files,
// snippets and annotations are passed over.
func parseTags(text []byte) (*node, error) {
	x := tags{text: text, root: &node{kind: object, line: 1}}
	x.info = x.member(x.root, "creationInfo", object)
	x.creators = x.member(x.info, "creators", array)
	x.packages = x.member(x.root, "packages", array)
	x.relations = x.member(x.root, "relationships", array)
	for len(x.text) > 0 {
		tag, value, err := x.next()
		if err != nil {
			return nil, err
		}
		if tag == "" {
			continue
		}
		if err := x.take(tag, value); err != nil {
			return nil, fmt.Errorf("line %d: %w", x.line, err)
		}
	}
	if x.root.get("spdxVersion") == nil {
		return nil, fmt.Errorf("neither CycloneDX nor SPDX: no JSON, no XML, and no line SPDXVersion: in %d lines", x.line)
	}
	return x.root, nil
}

type tags struct {
	tree
	text                          []byte
	line                          int
	root, info                    *node
	creators, packages, relations *node
	now                           *node // the package at hand
	other                         bool  // a file, snippet or licence is at hand
}

// next returns the tag and the value of the next line, or of several if the value is in <text>.
func (x *tags) next() (tag, value string, err error) {
	line := x.cut()
	s := strings.TrimSpace(string(line))
	if s == "" || s[0] == '#' {
		return "", "", nil
	}
	tag, value, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(tag, " \t<>{}") {
		return "", "", fmt.Errorf("line %d: want \"Tag: value\"", x.line)
	}
	value = strings.TrimSpace(value)
	rest, ok := strings.CutPrefix(value, "<text>")
	if !ok {
		return tag, value, nil
	}
	var all strings.Builder
	for start := x.line; ; {
		head, _, closed := strings.Cut(rest, "</text>")
		all.WriteString(head)
		if closed {
			return tag, all.String(), nil
		}
		if len(x.text) == 0 {
			return "", "", fmt.Errorf("line %d: <text> without an end", start)
		}
		all.WriteByte('\n')
		rest = string(x.cut())
	}
}

func (x *tags) cut() []byte {
	line, rest, _ := bytes.Cut(x.text, []byte{'\n'})
	x.text = rest
	x.line++
	return line
}

// member adds a value to parent; the tree's limits are checked by take.
func (x *tags) member(parent *node, name string, k kind) *node {
	n := &node{name: name, kind: k, line: x.line, parent: parent, index: len(parent.kids)}
	parent.kids = append(parent.kids, n)
	x.nodes++
	return n
}

func (x *tags) set(parent *node, name, value string) {
	x.member(parent, name, scalar).text = value
}

func (x *tags) take(tag, value string) error {
	if x.nodes > maxNodes {
		return fmt.Errorf("more than %d values", maxNodes)
	}
	switch tag {
	case "SPDXVersion":
		x.set(x.root, "spdxVersion", value)
	case "DocumentNamespace":
		x.set(x.root, "documentNamespace", value)
	case "Creator":
		x.set(x.creators, "", value)
	case "Created":
		x.set(x.info, "created", value)
	case "PackageName":
		x.now, x.other = x.member(x.packages, "", object), false
		x.set(x.now, "name", value)
	case "FileName", "SnippetSPDXID", "LicenseID":
		x.now, x.other = nil, true
	case "SPDXID":
		if x.now == nil && !x.other {
			x.set(x.root, "SPDXID", value)
		} else if x.now != nil {
			x.set(x.now, "SPDXID", value)
		}
	case "Relationship":
		f := strings.Fields(value)
		if len(f) != 3 {
			return fmt.Errorf("tag Relationship: got %q, want \"ID KIND ID\"", value)
		}
		r := x.member(x.relations, "", object)
		x.set(r, "spdxElementId", f[0])
		x.set(r, "relationshipType", f[1])
		x.set(r, "relatedSpdxElement", f[2])
	case "PackageChecksum":
		algorithm, sum, ok := strings.Cut(value, ":")
		if !ok {
			return fmt.Errorf("tag PackageChecksum: got %q, want \"ALGORITHM: digits\"", value)
		}
		c := x.member(x.within("checksums"), "", object)
		x.set(c, "algorithm", strings.TrimSpace(algorithm))
		x.set(c, "checksumValue", strings.TrimSpace(sum))
	case "ExternalRef":
		f := strings.Fields(value)
		if len(f) != 3 {
			return fmt.Errorf("tag ExternalRef: got %q, want \"CATEGORY TYPE LOCATOR\"", value)
		}
		r := x.member(x.within("externalRefs"), "", object)
		x.set(r, "referenceCategory", f[0])
		x.set(r, "referenceType", f[1])
		x.set(r, "referenceLocator", f[2])
	default:
		if name := tagNames[tag]; name != "" && x.now != nil {
			x.set(x.now, name, value)
		}
	}
	return nil
}

// within returns the list called name of the package at hand; outside of a package one that
// nobody reads.
func (x *tags) within(name string) *node {
	if x.now == nil {
		return &node{kind: array}
	}
	if l := x.now.get(name); l != nil {
		return l
	}
	return x.member(x.now, name, array)
}
