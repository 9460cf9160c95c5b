package vex

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"hallmark/sbom/compare"
)

// ReadOSV reads the JSON of OSV-Scanner (https://google.github.io/osv-scanner/output/). What a
// scanner reports was not looked into by anybody: every statement is under investigation.
func ReadOSV(r io.Reader) ([]Statement, error) {
	var d struct {
		Results *[]struct {
			Packages []struct {
				Package struct {
					Name, Version, Ecosystem string
				}
				Vulnerabilities []struct {
					ID      string
					Summary string
				}
			}
		}
	}
	if err := decode(r, &d); err != nil {
		return nil, err
	}
	if d.Results == nil {
		return nil, errors.New("no member \"results\": not a result of OSV-Scanner in JSON")
	}
	var out []Statement
	for i, s := range *d.Results {
		for j, p := range s.Packages {
			for k, v := range p.Vulnerabilities {
				out = append(out, Statement{
					ID: v.ID, Status: investigating, Detail: v.Summary, At: fmt.Sprintf("/results/%d/packages/%d/vulnerabilities/%d", i, j, k),
					Products: []Product{{Name: p.Package.Name, Version: p.Package.Version, At: fmt.Sprintf("/results/%d/packages/%d/package", i, j)}},
				})
			}
		}
	}
	return checked(out)
}

// ReadGrype reads the JSON of grype (https://github.com/anchore/grype).
func ReadGrype(r io.Reader) ([]Statement, error) {
	var d struct {
		Matches *[]struct {
			Vulnerability struct{ ID, Description string }
			Artifact      struct {
				Name, Version, Purl string
				CPEs                []string
			}
		}
	}
	if err := decode(r, &d); err != nil {
		return nil, err
	}
	if d.Matches == nil {
		return nil, errors.New("no member \"matches\": not a result of grype in JSON")
	}
	var out []Statement
	for i, m := range *d.Matches {
		p := Product{Name: m.Artifact.Name, Version: m.Artifact.Version, Purl: m.Artifact.Purl, At: fmt.Sprintf("/matches/%d/artifact", i)}
		if len(m.Artifact.CPEs) > 0 {
			p.CPE = m.Artifact.CPEs[0]
		}
		out = append(out, Statement{ID: m.Vulnerability.ID, Status: investigating, Detail: m.Vulnerability.Description, At: fmt.Sprintf("/matches/%d", i), Products: []Product{p}})
	}
	return checked(out)
}

func decode(r io.Reader, to any) error {
	text, err := readAll(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, to); err != nil {
		return place(text, err)
	}
	return nil
}

func checked(list []Statement) ([]Statement, error) {
	if len(list) > maxStatements {
		return nil, fmt.Errorf("more than %d findings", maxStatements)
	}
	for _, s := range list {
		if s.ID == "" || s.Products[0].Name == "" {
			return nil, fmt.Errorf("%s: a finding without a vulnerability or a package", s.At)
		}
	}
	return list, nil
}

// Options are what an OpenVEX document says of itself.
type Options struct {
	Author string
	Tool   string
	Time   time.Time // zero is the epoch, so that the same findings give the same document
	Image  string    // name of the image
	SHA256 string    // of the image
}

type written struct {
	Context    string             `json:"@context"`
	ID         string             `json:"@id"`
	Author     string             `json:"author"`
	Timestamp  string             `json:"timestamp"`
	Version    int                `json:"version"`
	Tooling    string             `json:"tooling"`
	Statements []writtenStatement `json:"statements"`
}

type writtenStatement struct {
	Vulnerability map[string]string `json:"vulnerability"`
	Products      []writtenProduct  `json:"products"`
	Status        string            `json:"status"`
	Notes         string            `json:"status_notes,omitempty"`
}

type writtenProduct struct {
	ID            string            `json:"@id"`
	Identifiers   map[string]string `json:"identifiers,omitempty"`
	Hashes        map[string]string `json:"hashes,omitempty"`
	Subcomponents []writtenProduct  `json:"subcomponents,omitempty"`
}

// Write writes what a scanner found as OpenVEX: the image is the product, the component a part of
// it. No finding is left out; whether the component was observed stands in the notes.
func Write(w io.Writer, found []Statement, o *compare.Observed, opts Options) error {
	d := written{
		Context: "https://openvex.dev/ns/v0.2.0", Author: cmp.Or(opts.Author, "hallmark"), Timestamp: opts.Time.UTC().Format(time.RFC3339),
		Version: 1, Tooling: strings.TrimSpace("hallmark " + opts.Tool), Statements: []writtenStatement{},
	}
	if opts.Time.IsZero() {
		d.Timestamp = "1970-01-01T00:00:00Z"
	}
	for i, b := range Bind(found, o) { // one product each, in order
		p := &found[i].Products[0]
		part := writtenProduct{ID: p.Purl, Identifiers: map[string]string{}}
		for _, s := range b.Observed {
			if b.Verdict == Bound && s.Purl != "" {
				part.ID = s.Purl
				break
			}
		}
		if part.ID == "" {
			part.ID = "pkg:generic/" + escape(p.Name) + "@" + escape(p.Version)
		}
		part.Identifiers["purl"] = part.ID
		if p.CPE != "" {
			part.Identifiers["cpe23"] = p.CPE
		}
		image := writtenProduct{ID: "urn:sha256:" + opts.SHA256, Subcomponents: []writtenProduct{part}}
		if opts.SHA256 == "" {
			image.ID = "pkg:generic/" + escape(opts.Image)
		} else {
			image.Hashes = map[string]string{"sha-256": opts.SHA256}
		}
		d.Statements = append(d.Statements, writtenStatement{
			Vulnerability: map[string]string{"name": b.ID}, Products: []writtenProduct{image}, Status: b.Status,
			Notes: fmt.Sprintf("%s: %s", b.Verdict, b.Because),
		})
	}
	slices.SortStableFunc(d.Statements, func(a, b writtenStatement) int {
		return cmp.Or(strings.Compare(a.Vulnerability["name"], b.Vulnerability["name"]), strings.Compare(a.Products[0].Subcomponents[0].ID, b.Products[0].Subcomponents[0].ID))
	})
	text, err := json.Marshal(d.Statements)
	if err != nil {
		return err
	}
	d.ID = fmt.Sprintf("urn:sha256:%x", sha256.Sum256(text))
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return err
	}
	_, err = out.WriteTo(w)
	return err
}

var purlEscape = strings.NewReplacer("%", "%25", " ", "%20", "@", "%40", "?", "%3F", "#", "%23", "/", "%2F", ":", "%3A", "+", "%2B")

func escape(s string) string { return purlEscape.Replace(s) }
