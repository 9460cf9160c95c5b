package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"hallmark/match"
	"hallmark/policy"
)

// ReadFacts reads from a JSON report what rule packs ask for, and its verdict. A report that has
// no verdict (of sbom alone), or that was changed since it was written, is refused.
func ReadFacts(doc []byte) (policy.Facts, *match.Result, error) {
	var d struct {
		Schema     int
		Image      imageDoc
		Coverage   coverageDoc
		Match      *match.Result
		Components []componentDoc
	}
	var f policy.Facts
	if err := json.Unmarshal(doc, &d); err != nil {
		return f, nil, fmt.Errorf("%w: %v", ErrForeign, err)
	}
	switch {
	case d.Schema == 0:
		return f, nil, ErrForeign
	case d.Schema != SchemaVersion:
		return f, nil, fmt.Errorf("the report is of schema %d, want %d: scan the image again", d.Schema, SchemaVersion)
	case d.Match == nil:
		return f, nil, errors.New("the report has no verdict: write it with scan or match")
	case !sealFits(doc):
		return f, nil, errors.New("the report was changed since it was written: its seal does not fit")
	}
	f.Image = policy.Image{Name: d.Image.Name, SHA256: d.Image.SHA256.String(), Size: d.Image.Size}
	f.Coverage = policy.Coverage{Unread: d.Coverage.Unread, Clear: d.Coverage.Unread == 0 && !d.Coverage.Incomplete && len(d.Coverage.Regions) == 0}
	percent, err := strconv.ParseFloat(d.Coverage.Percent, 64)
	if err != nil {
		return f, nil, fmt.Errorf("coverage.percent_read: %w", err)
	}
	f.Coverage.Percent = percent
	for _, r := range d.Coverage.Regions {
		f.Coverage.Regions = append(f.Coverage.Regions, fmt.Sprintf("%s: %s", r.Place, r.Why))
	}
	f.AddFindings(d.Match)
	for _, c := range d.Components {
		f.Components = append(f.Components, policy.Component{Name: c.Name, Version: c.Version, Type: c.Type, Purl: c.Purl})
	}
	return f, d.Match, nil
}
