package signatures

import (
	"embed"
	"sync"
)

// Component is what is known of one piece of software: its names, and the marks that tell it.
type Component struct {
	Name     string   `yaml:"name" json:"name"`         // as its project writes it, lower case; unique
	Title    string   `yaml:"title" json:"title"`       // for people
	Type     string   `yaml:"type" json:"type"`         // library, application, operating-system, firmware, device-driver
	CPE      string   `yaml:"cpe" json:"cpe"`           // "vendor:product", "o/vendor:product"; "" if the NVD names none
	Purl     string   `yaml:"purl" json:"purl"`         // without version; "" stands for pkg:generic/NAME
	Supplier string   `yaml:"supplier" json:"supplier"` // who makes it
	Licence  string   `yaml:"licence" json:"licence"`   // SPDX expression of the licence that its project declares
	Source   string   `yaml:"source" json:"source"`     // where its project shows the text that the marks look for
	Own      []string `yaml:"own" json:"own"`           // globs on SONAME or base name: such a file is the component, not a file that embeds it
	Soname   bool     `yaml:"soname" json:"soname"`     // a SONAME among Own is itself a mark of presence
	Marks    []Mark   `yaml:"marks" json:"marks"`
}

// Mark is one way to recognise a component in one content.
//
// A mark looks for any of its Literals, or at a fact, or at the file's own path. Pattern is then
// applied to the bytes around the literal, or to the whole fact or path; its first group is the
// version. It must overlap the literal unless Apart allows a distance.
type Mark struct {
	ID       string   `yaml:"id" json:"id"`             // unique, for ever
	In       string   `yaml:"in" json:"in"`             // kind of content: "elf" (also if empty), "data" (anything else), "any"
	Literals []string `yaml:"literals" json:"literals"` // at least 6 bytes each
	Fact     string   `yaml:"fact" json:"fact"`
	Path     string   `yaml:"path" json:"path"` // expression on the file's path; its first group is the version
	Pattern  string   `yaml:"pattern" json:"pattern"`
	As       string   `yaml:"as" json:"as"`           // the version, made of the pattern's groups: "0.$1"; "" is the first group
	Apart    int      `yaml:"apart" json:"apart"`     // bytes between literal and pattern at most
	Head     int64    `yaml:"head" json:"head"`       // the literal begins in the first Head bytes of the content; 0 is anywhere
	Owned    bool     `yaml:"owned" json:"owned"`     // counts only in a file that Own names
	With     []string `yaml:"with" json:"with"`       // literals that must all occur in the same content
	Without  []string `yaml:"without" json:"without"` // literals of which none may occur in the same content
	Claim    string   `yaml:"claim" json:"claim"`     // "exact" (also if empty), "prefix", "range", "presence"
	// Confidence is how often a hit is right: 0.9 for a banner of the component's own, 0.5 for a hint.
	Confidence float64  `yaml:"confidence" json:"confidence"`
	Example    Sample   `yaml:"example" json:"example"`
	Counter    []Sample `yaml:"counter" json:"counter"` // what looks like it and is not
}

// Sample is a made-up content that a mark must find or must leave alone.
type Sample struct {
	Text    string `yaml:"text" json:"text"` // bytes of the content, or the value of the mark's fact
	In      string `yaml:"in" json:"in"`     // kind of content; "" is what the mark wants
	Soname  string `yaml:"soname" json:"soname"`
	Path    string `yaml:"path" json:"path"`
	Version string `yaml:"version" json:"version"` // what the mark must read
}

//go:embed components/*.yaml
var componentFiles embed.FS

// Components returns every known component, in the order of the files.
var Components = sync.OnceValues(func() ([]Component, error) {
	return decode[Component](componentFiles, "components")
})
