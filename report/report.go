// Package report writes results for people and for programs.
package report

import (
	"errors"
	"io"
	"time"

	"hallmark/artifact"
	"hallmark/match"
	"hallmark/sbom"
	"hallmark/sbom/document"
)

// Result is all that a scan found. Parts that were not asked for are nil.
type Result struct {
	Version  string // of hallmark
	Tree     *artifact.Tree
	Coverage artifact.Coverage
	BOM      *sbom.BOM
	Match    *match.Result
	Learnt   *Learnt          // nil if there were no packs
	Check    *Inspection      // of devices against a list and rule packs
	Problems []string         // of the analysis itself, for people
	Time     time.Time        // that documents bear; zero for none
	Document document.Options // what documents say beside the components; Time, Tool and Lineage are not looked at
}

// Output is one way to write a result.
type Output struct {
	Name  string // as in -o NAME=FILE
	Title string
	Write func(io.Writer, *Result, Style) error
	// Components means that the output is about components and nothing else.
	Components bool
}

// Style is how text is set.
type Style struct{ Color bool }

// Outputs returns every output there is.
func Outputs() []Output {
	return []Output{
		{Name: "text", Title: "for people", Write: WriteText},
		{Name: "cyclonedx", Title: "the software bill of materials, CycloneDX JSON", Write: documentOf(document.WriteCycloneDX), Components: true},
		{Name: "cyclonedx-xml", Title: "the same in XML", Write: documentOf(document.WriteCycloneDXXML), Components: true},
		{Name: "spdx", Title: "the software bill of materials, SPDX 2.3 JSON", Write: documentOf(document.WriteSPDX), Components: true},
		{Name: "json", Title: "everything, for programs; docs/report.schema.json describes it", Write: WriteJSON},
	}
}

// documentOf makes an output of a writer of documents.
func documentOf(write func(io.Writer, *sbom.BOM, document.Options) error) func(io.Writer, *Result, Style) error {
	return func(w io.Writer, r *Result, _ Style) error {
		if r.BOM == nil {
			return errors.New("report: no components were listed: use scan or sbom for a document of components")
		}
		o := r.Document
		o.Time, o.Tool, o.Lineage = r.Time, r.Version, lineage(r.Match)
		return write(w, r.BOM, o)
	}
}

// lineage is what a match says of whose work the image is.
func lineage(m *match.Result) []document.Lineage {
	if m == nil {
		return nil
	}
	var out []document.Lineage
	for _, f := range m.Findings {
		switch f.Class {
		case match.Rebadged, match.Component, match.Undetermined, match.Converted:
			out = append(out, document.Lineage{Maker: f.Name, Relation: string(f.Class), Confidence: string(f.Confidence), Because: f.Because})
		}
	}
	return out
}
