// Package sbom says which components a tree holds. Package document writes them down.
//
// A component is claimed by marks ([Rules]) in single contents, and by finders that read package
// databases ([Finder]). A claim says how much of the version is known and cites its bytes. Only
// a file that is a component or has it linked in counts; one that asks the loader for a library,
// or names it in a text, does not.
//
// Not found: libraries that carry no text of their own, and code that was copied without one.
package sbom

import (
	"context"
	"encoding/hex"

	"hallmark/artifact"
)

// BOM is what an image is made of. It is wider than any one format for bills of materials.
type BOM struct {
	Image      Image             `json:"image"`
	Layers     []Layer           `json:"layers"`     // chunks that hold parts of the image, outer before inner
	Components []Component       `json:"components"` // in order of name, version and layer
	Links      []Link            `json:"links"`      // what files ask for: libraries, then modules, then programs, each in order of file
	Altered    []Altered         `json:"altered"`    // files that are not as their packages recorded them, in order of component and path
	Crypto     []Crypto          `json:"crypto"`     // certificates and keys, in order of place
	Unread     []Unread          `json:"unread"`     // in the order of [artifact.Coverage]
	Limits     []string          `json:"limits"`     // of the run that were reached, each once
	Coverage   artifact.Coverage `json:"-"`
	Rules      artifact.Digest   `json:"rules"` // of the marks that were looked for
}

// Image is the input.
type Image struct {
	Name   string          `json:"name"`
	Size   int64           `json:"size"`
	SHA256 artifact.Digest `json:"sha256"`
	SHA512 SHA512          `json:"sha512"`
}

// SHA512 is a digest that rules on bills of materials ask for.
type SHA512 [64]byte

// MarshalText writes 128 lower-case hexadecimal digits.
func (d SHA512) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// Layer is a chunk that holds several files, or a layer.
type Layer struct {
	Parent  int             `json:"parent"`  // index of the layer around it, -1 for the image
	Content artifact.Digest `json:"content"` // that holds the chunk
	At      artifact.Range  `json:"at"`      // of the chunk in Content
	Whole   bool            `json:"whole"`   // the chunk is all of Content
	Format  string          `json:"format"`
	Path    string          `json:"path,omitempty"` // of Content within the layer around it; "" in the image itself
	Place   string          `json:"place"`          // the whole way from the image, for people
	Nodes   int             `json:"nodes"`
}

// Unread is a run of bytes that nobody could read, or a problem that hides bytes.
type Unread struct {
	Place   string          `json:"place"` // the first way to the content that holds it, for people
	Content artifact.Digest `json:"content"`
	At      artifact.Range  `json:"at"`
	Why     string          `json:"why"`
	Layer   int             `json:"layer"` // innermost layer around it, -1 for the image
}

// Claim says how much of a version is known.
type Claim string

const (
	Exact    Claim = "exact"
	Prefix   Claim = "prefix"   // the version, or it with further digits behind a dot
	Range    Claim = "range"    // the version or a later one
	Presence Claim = "presence" // no version
)

// Relation says how a component is in a file.
type Relation string

const (
	Defines Relation = "defines" // the file is the component or a part of it
	Embeds  Relation = "embeds"  // the component is linked into the file
	Records Relation = "records" // the file is a database that says so
)

// Component is one piece of software in one layer.
type Component struct {
	Name       string     `json:"name"`
	Title      string     `json:"title,omitempty"`
	Type       string     `json:"type"`              // in the words of CycloneDX
	Version    string     `json:"version,omitempty"` // as far as Claim says
	Claim      Claim      `json:"claim"`
	Purl       string     `json:"purl,omitempty"`
	CPE        string     `json:"cpe,omitempty"`
	Supplier   string     `json:"supplier,omitempty"`
	Website    string     `json:"website,omitempty"`  // of the supplier or the project
	Licences   []Licence  `json:"licences,omitempty"` // all of them hold
	Layer      int        `json:"layer"`              // index in Layers, -1 for the image
	Confidence float64    `json:"confidence"`         // that it is there, in the version claimed
	Evidence   []Evidence `json:"evidence"`
	Omitted    int        `json:"omitted,omitempty"`    // pieces of evidence beyond MaxEvidence
	Files      []File     `json:"files,omitempty"`      // that are the component, in the order of the tree; at most MaxFiles
	Build      *Build     `json:"build,omitempty"`      // of all files that are the component
	DependsOn  []int      `json:"depends_on,omitempty"` // indexes in Components
	Properties []Property `json:"properties,omitempty"`
}

// Types returns the values that [Component.Type] has.
func Types() []string {
	return []string{"library", "application", "framework", "operating-system", "firmware", "device-driver"}
}

// Licence is a licence as the component's project or package declares it.
type Licence struct {
	Value string `json:"value"`
	SPDX  bool   `json:"spdx"` // Value is an SPDX expression, not a name as it was found
}

// Evidence is a citation for a component, and what it alone says.
type Evidence struct {
	artifact.Evidence
	Place      string   `json:"place"` // the first way to the content, for people
	Relation   Relation `json:"relation"`
	Claim      Claim    `json:"claim"`
	Version    string   `json:"version,omitempty"`
	Confidence float64  `json:"confidence"`
}

// Property is a name and a value that no other field has room for.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SourceProperty names the property of a package that has the name of its source.
const SourceProperty = "hallmark:package:source"

// MaxEvidence bounds the evidence kept of one component.
const MaxEvidence = 32

// LinkKind says why a file wants another.
type LinkKind string

const (
	Loads  LinkKind = "loads"  // a library, of the loader
	Module LinkKind = "module" // a kernel module that must be there first
	Starts LinkKind = "starts" // a program, when the system comes up; only what is there is listed
)

// Link is another file that a file asks for.
type Link struct {
	Kind   LinkKind          `json:"kind"`
	From   artifact.Digest   `json:"from"`
	Needed string            `json:"needed"` // SONAME, name of the module, or path
	At     artifact.Range    `json:"at"`     // of the name in From
	To     []artifact.Digest `json:"to"`     // files that answer to the name; none if the image has none
}

// Finder finds components by other means than marks, in package databases for example.
// Findings must not depend on the order of anything but the tree.
type Finder interface {
	Find(ctx context.Context, t *artifact.Tree, s *artifact.Store) ([]Found, error)
}

// Found is a component that a finder read. Its evidence has Content, At, Technique, Rule and
// Excerpt; the rest of it, and Layer and DependsOn, are set by [Identify].
type Found struct {
	Component
	Files []artifact.Digest // contents that belong to it
	Needs []string          // names of components in the same layer
	// Recorded are the files whose sums the record has.
	Recorded []Recorded
	// Likeness says that files were known again, not a record read. What marks and records say of
	// the same files goes before. The evidence has Relation, Claim, Version and Confidence, too.
	Likeness bool
}
