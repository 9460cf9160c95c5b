// Package report writes results for people and for programs.
package report

import (
	"errors"
	"io"
	"time"

	"hallmark/artifact"
	"hallmark/match"
	"hallmark/sbom"
)

// Result is all that a scan found. Parts that were not asked for are nil.
type Result struct {
	Version  string // of hallmark
	Tree     *artifact.Tree
	Coverage artifact.Coverage
	BOM      *sbom.BOM
	Match    *match.Result
	Problems []string  // of the analysis itself, for people
	Time     time.Time // that documents bear; zero for none
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
		{Name: "cyclonedx", Title: "the software bill of materials, CycloneDX 1.6 JSON", Write: WriteCycloneDX, Components: true},
		{Name: "json", Title: "everything, for programs; docs/report.schema.json describes it", Write: WriteJSON},
	}
}

// WriteCycloneDX writes the components of r.
func WriteCycloneDX(w io.Writer, r *Result, _ Style) error {
	if r.BOM == nil {
		return errors.New("report: no components were listed: use scan or sbom for a cyclonedx output")
	}
	return r.BOM.WriteCycloneDX(w, sbom.WriteOptions{Time: r.Time, Version: r.Version})
}
