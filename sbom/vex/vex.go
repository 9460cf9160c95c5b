// Package vex reads statements on weaknesses and says whether they are about what was observed.
//
// Statements are kept beside a bill of materials, never in it, and none of them hides anything.
// Read are OpenVEX 0.2 (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md) and the
// vulnerabilities of CycloneDX; results of OSV-Scanner and grype are turned into OpenVEX. CSAF is
// not read.
package vex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"hallmark/sbom/compare"
	"hallmark/sbom/document"
)

// Statement says how one weakness stands to some products.
type Statement struct {
	ID            string
	Status        string // in the words of OpenVEX
	Justification string
	Detail        string
	Products      []Product
	At            string // in the document
}

// Product is what a statement is about.
type Product struct {
	Name, Version, Purl, CPE string
	SHA256                   []string
	Ref                      string // as the document names it
	At                       string
}

func (p *Product) String() string {
	if p.Ref != "" {
		return p.Ref
	}
	return strings.TrimSpace(p.Name + " " + p.Version)
}

const (
	maxSize       = 64 << 20
	maxStatements = 100_000
	maxProducts   = 100_000 // of all statements
)

// Statuses of OpenVEX.
const (
	notAffected   = "not_affected"
	affected      = "affected"
	fixed         = "fixed"
	investigating = "under_investigation"
)

// Read reads OpenVEX or CycloneDX.
func Read(r io.Reader) ([]Statement, error) {
	text, err := readAll(r)
	if err != nil {
		return nil, err
	}
	var head struct {
		Context json.RawMessage `json:"@context"`
	}
	if json.Unmarshal(text, &head) == nil && bytes.Contains(head.Context, []byte("openvex")) {
		return readOpenVEX(text)
	}
	d, err := document.Read(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if len(d.Vulnerabilities) == 0 {
		return nil, errors.New("the document has no statements on vulnerabilities")
	}
	return fromCycloneDX(d)
}

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("the file is larger than %d bytes", maxSize)
	}
	return text, err
}

// openVEX is a document of OpenVEX, as far as it is read.
type openVEX struct {
	Statements []struct {
		Vulnerability json.RawMessage  `json:"vulnerability"` // an object; a text in version 0.0
		Products      []openVEXProduct `json:"products"`
		Status        string           `json:"status"`
		Justification string           `json:"justification"`
		Impact        string           `json:"impact_statement"`
		Action        string           `json:"action_statement"`
	} `json:"statements"`
}

type openVEXProduct struct {
	ID            string            `json:"@id"`
	Identifiers   map[string]string `json:"identifiers"`
	Hashes        map[string]string `json:"hashes"`
	Subcomponents []openVEXProduct  `json:"subcomponents"`
}

// UnmarshalJSON also takes the text that version 0.0 has for a product.
func (p *openVEXProduct) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &p.ID)
	}
	type plain openVEXProduct
	return json.Unmarshal(b, (*plain)(p))
}

func readOpenVEX(text []byte) ([]Statement, error) {
	var d openVEX
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, place(text, err)
	}
	if len(d.Statements) > maxStatements {
		return nil, fmt.Errorf("more than %d statements", maxStatements)
	}
	var out []Statement
	products := 0
	for i, s := range d.Statements {
		at := fmt.Sprintf("/statements/%d", i)
		x := Statement{Status: s.Status, Justification: s.Justification, Detail: s.Impact, At: at}
		if x.Detail == "" {
			x.Detail = s.Action
		}
		var v struct {
			ID   string `json:"@id"`
			Name string `json:"name"`
		}
		if json.Unmarshal(s.Vulnerability, &v) != nil {
			_ = json.Unmarshal(s.Vulnerability, &v.Name)
		}
		if x.ID = v.Name; x.ID == "" {
			x.ID = v.ID
		}
		if x.ID == "" {
			return nil, fmt.Errorf("%s: no vulnerability is named", at)
		}
		switch x.Status {
		case notAffected, affected, fixed, investigating:
		default:
			return nil, fmt.Errorf("%s/status: %q is no status of OpenVEX", at, x.Status)
		}
		for j, p := range s.Products {
			inner := fmt.Sprintf("%s/products/%d", at, j)
			list := p.Subcomponents
			if len(list) == 0 {
				x.Products = append(x.Products, p.product(inner))
			}
			for k := range list {
				x.Products = append(x.Products, list[k].product(fmt.Sprintf("%s/subcomponents/%d", inner, k)))
			}
		}
		if products += len(x.Products); products > maxProducts {
			return nil, fmt.Errorf("more than %d products", maxProducts)
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, errors.New("the document has no statements")
	}
	return out, nil
}

// place says on which line a fault of JSON stands.
func place(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var off int64 = -1
	if errors.As(err, &syntax) {
		off = syntax.Offset
	} else if errors.As(err, &kind) {
		off = kind.Offset
	}
	if off < 0 || off > int64(len(text)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:off], []byte{'\n'}), err)
}

func (p *openVEXProduct) product(at string) Product {
	out := Product{Ref: p.ID, Purl: p.Identifiers["purl"], CPE: p.Identifiers["cpe23"], At: at}
	if out.CPE == "" {
		out.CPE = p.Identifiers["cpe22"]
	}
	if out.Purl == "" && strings.HasPrefix(p.ID, "pkg:") {
		out.Purl = p.ID
	}
	if h := p.Hashes["sha-256"]; h != "" {
		out.SHA256 = []string{strings.ToLower(h)}
	}
	out.fill()
	return out
}

// fill takes name and version out of the identifiers.
func (p *Product) fill() {
	if p.Purl != "" {
		rest, _, _ := strings.Cut(strings.TrimPrefix(p.Purl, "pkg:"), "?")
		rest, _, _ = strings.Cut(rest, "#")
		name, version, _ := strings.Cut(rest[strings.LastIndexByte(rest, '/')+1:], "@")
		p.Name, p.Version = or(p.Name, unescape(name)), or(p.Version, unescape(version))
	}
	if parts := strings.Split(p.CPE, ":"); strings.HasPrefix(p.CPE, "cpe:2.3:") && len(parts) > 5 {
		p.Name = or(p.Name, parts[4])
		if v := parts[5]; v != "*" && v != "-" {
			p.Version = or(p.Version, strings.ReplaceAll(v, `\`, ""))
		}
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// states are the words of CycloneDX in those of OpenVEX.
var states = map[string]string{
	"not_affected": notAffected, "false_positive": notAffected, "resolved": fixed, "resolved_with_pedigree": fixed,
	"exploitable": affected, "in_triage": investigating, "": investigating,
}

func fromCycloneDX(d *document.Document) ([]Statement, error) {
	byRef := map[string]*document.Component{}
	for i := range d.Components {
		byRef[d.Components[i].Ref.Value] = &d.Components[i]
	}
	var out []Statement
	for _, v := range d.Vulnerabilities {
		status, ok := states[v.State.Value]
		if !ok {
			return nil, fmt.Errorf("line %d: %s: %q is no state of CycloneDX", v.State.Line, v.State.At, v.State.Value)
		}
		s := Statement{ID: v.ID.Value, Status: status, Justification: v.Justification.Value, Detail: v.Detail.Value, At: v.At}
		if s.ID == "" {
			return nil, fmt.Errorf("%s: no vulnerability is named", v.At)
		}
		for _, a := range v.Affects {
			p := refer(a.Ref, byRef)
			if len(a.Versions) == 0 {
				s.Products = append(s.Products, p)
			}
			for _, version := range a.Versions {
				q := p
				q.At = version.At
				if !strings.HasPrefix(version.Value, "vers:") { // a range, which is no version
					q.Version = version.Value
				}
				s.Products = append(s.Products, q)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// refer follows a reference: to a component of the same document, to a package URL, or by a
// BOM-Link (https://cyclonedx.org/capabilities/bomlink/) into a document of hallmark.
func refer(ref document.Field, byRef map[string]*document.Component) Product {
	p := Product{Ref: ref.Value, At: ref.At}
	if c := byRef[ref.Value]; c != nil && ref.Value != "" {
		p.Name, p.Version, p.Purl, p.CPE = c.Name.Value, c.Version.Value, c.Purl.Value, c.CPE.Value
		p.fill()
		return p
	}
	inner := ref.Value
	if strings.HasPrefix(inner, "urn:cdx:") {
		_, inner, _ = strings.Cut(inner, "#")
		inner = unescape(inner)
	}
	if strings.HasPrefix(inner, "pkg:") {
		p.Purl = inner
		p.fill()
	} else if name, ok := strings.CutPrefix(inner, "component:"); ok {
		name, _, _ = strings.Cut(name, ";") // the second of one name and version
		p.Name, p.Version, _ = strings.Cut(name, "@")
	}
	return p
}

// Verdict says whether a statement is about something that is there.
type Verdict string

const (
	Bound       Verdict = "bound"
	Differs     Verdict = "version differs"
	NotObserved Verdict = "not observed"
	CannotTell  Verdict = "cannot be told"
)

// Binding is one product of one statement, and what was observed of it.
type Binding struct {
	ID            string         `json:"vulnerability"`
	Status        string         `json:"status"`
	Justification string         `json:"justification,omitempty"`
	Product       string         `json:"product"`
	At            string         `json:"at"` // in the document
	Verdict       Verdict        `json:"verdict"`
	Because       string         `json:"because"`
	Observed      []compare.Seen `json:"observed,omitempty"`
}

// Bind says of every product of every statement whether it was observed.
func Bind(statements []Statement, o *compare.Observed) []Binding {
	out := []Binding{}
	var asked []compare.Declared
	var where []int // index in out of each that is asked
	for _, s := range statements {
		if len(s.Products) == 0 {
			out = append(out, Binding{ID: s.ID, Status: s.Status, Justification: s.Justification, At: s.At, Verdict: CannotTell, Because: "the statement names no product"})
		}
		for i := range s.Products {
			p := &s.Products[i]
			b := Binding{ID: s.ID, Status: s.Status, Justification: s.Justification, Product: p.String(), At: p.At}
			if p.Name == "" && len(p.SHA256) == 0 {
				b.Verdict, b.Because = CannotTell, "the reference leads out of the document"
			} else {
				asked = append(asked, compare.Declared{Name: p.Name, Version: p.Version, Purl: p.Purl, CPE: p.CPE, SHA256: p.SHA256, At: p.At})
				where = append(where, len(out))
			}
			out = append(out, b)
		}
	}
	for i, x := range o.Judge(asked...) {
		b := &out[where[i]]
		b.Because, b.Observed = x.Because, x.Observed
		switch x.Verdict {
		case compare.Confirmed:
			b.Verdict = Bound
		case compare.Differs:
			b.Verdict = Differs
		default:
			b.Verdict = NotObserved
			if len(x.Observed) > 0 {
				b.Verdict = CannotTell
			}
		}
	}
	return out
}
