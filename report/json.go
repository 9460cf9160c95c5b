package report

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"hallmark/artifact"
	"hallmark/match"
	"hallmark/sbom"
)

// SchemaVersion is the version of the JSON document. It grows by one when a reader of an older
// version could misread a newer one; new members alone do not change it.
const SchemaVersion = 2

// resultDoc is the JSON output; docs/report.schema.json describes it.
type resultDoc struct {
	Hallmark   string             `json:"hallmark"` // version of the program
	Schema     int                `json:"schema"`
	Seal       string             `json:"seal"` // see [seal]
	Image      imageDoc           `json:"image"`
	Coverage   coverageDoc        `json:"coverage"`
	Match      *match.Result      `json:"match,omitempty"`
	Learnt     *Learnt            `json:"learnt,omitempty"`
	Components []componentDoc     `json:"components,omitempty"`
	Altered    []alteredDoc       `json:"altered,omitempty"`
	Contents   []contentDoc       `json:"contents"`
	Problems   []artifact.Problem `json:"problems"` // of the run as a whole
	Notes      []string           `json:"notes"`    // of the analysis
}

type imageDoc struct {
	Name   string          `json:"name"`
	Size   int64           `json:"size"`
	SHA256 artifact.Digest `json:"sha256"`
}

type coverageDoc struct {
	Total      int64       `json:"total"`
	Padding    int64       `json:"padding"`
	Unread     int64       `json:"unread"`
	Percent    string      `json:"percent_read"`
	Incomplete bool        `json:"incomplete"`
	Regions    []regionDoc `json:"regions"`
}

type regionDoc struct {
	Place   string            `json:"place"`
	Content artifact.Digest   `json:"content"`
	At      artifact.Range    `json:"at"`
	Why     string            `json:"why"`
	Figures *artifact.Figures `json:"figures,omitempty"`
}

type contentDoc struct {
	SHA256   artifact.Digest    `json:"sha256"`
	Size     int64              `json:"size"`
	Type     string             `json:"type,omitempty"`
	Place    string             `json:"place"` // the first one
	Extents  []extentDoc        `json:"extents"`
	Problems []artifact.Problem `json:"problems,omitempty"`
}

type extentDoc struct {
	artifact.Range
	Kind     artifact.ExtentKind `json:"kind"`
	Format   string              `json:"format,omitempty"`
	Attrs    []artifact.Attr     `json:"attrs,omitempty"`
	Nodes    []nodeDoc           `json:"nodes,omitempty"`
	Problems []artifact.Problem  `json:"problems,omitempty"`
	Figures  *artifact.Figures   `json:"figures,omitempty"`
	Fill     *byte               `json:"fill,omitempty"`
}

type nodeDoc struct {
	Path     string             `json:"path"`
	Mode     string             `json:"mode"` // as ls writes it
	UID      uint32             `json:"uid,omitempty"`
	GID      uint32             `json:"gid,omitempty"`
	ModTime  int64              `json:"mtime,omitempty"`
	Link     string             `json:"link,omitempty"`
	HardLink string             `json:"hard_link,omitempty"`
	Device   *artifact.Device   `json:"device,omitempty"`
	Xattrs   []artifact.Xattr   `json:"xattrs,omitempty"`
	Size     int64              `json:"size"`
	SHA256   *artifact.Digest   `json:"sha256,omitempty"`
	Window   *artifact.Range    `json:"window,omitempty"`
	Content  integrity          `json:"content,omitempty"` // of a regular file
	Problems []artifact.Problem `json:"problems,omitempty"`
}

// integrity says in one word how much of a file's content is there.
type integrity string

const (
	whole     integrity = "whole"     // as the format stores it; stored checksums fit
	unproved  integrity = "unproved"  // all there, but a stored checksum does not fit
	partial   integrity = "partial"   // damaged, cut, or stopped by a limit
	encrypted integrity = "encrypted" // as stored, not decrypted
	undecoded integrity = "undecoded" // as stored, in a method that is not read
	absent    integrity = "absent"    // nothing of it could be read
)

func integrityOf(n *artifact.Node) integrity {
	if !n.Mode.IsRegular() {
		return ""
	}
	out := whole
	for _, p := range n.Problems {
		switch p.Kind {
		case artifact.Encrypted:
			return encrypted
		case artifact.Unsupported:
			return undecoded
		case artifact.Damaged, artifact.Truncated, artifact.Limit, artifact.Internal:
			out = partial
		case artifact.Checksum:
			if out == whole {
				out = unproved
			}
		}
	}
	if !n.HasContent() && n.HardLink == "" {
		return absent
	}
	return out
}

// WriteJSON writes all of r as one JSON document, indented, with a line end. Strings that are
// not UTF-8 in the firmware have their odd bytes written as \xNN.
func WriteJSON(w io.Writer, r *Result, _ Style) error {
	root := r.Tree.Content(r.Tree.Root)
	d := resultDoc{
		Hallmark: r.Version, Schema: SchemaVersion, Seal: noSeal,
		Image:    imageDoc{text8(r.Tree.Name), root.Size, root.Digest},
		Coverage: coverageOf(r),
		Match:    r.Match, Learnt: r.Learnt, Components: componentsOf(r), Altered: alteredOf(r),
		Problems: problems8(r.Tree.Problems),
		Notes:    append([]string{}, r.Problems...),
	}
	if d.Problems == nil {
		d.Problems = []artifact.Problem{}
	}
	for _, c := range r.Tree.Contents() {
		d.Contents = append(d.Contents, contentOf(r.Tree, c))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil {
		return err
	}
	_, err := w.Write(seal(b.Bytes()))
	return err
}

func coverageOf(r *Result) coverageDoc {
	c := r.Coverage
	d := coverageDoc{c.Total, c.Padding, c.Unread, c.Percent(), c.Incomplete, []regionDoc{}}
	for _, x := range c.Regions {
		d.Regions = append(d.Regions, regionDoc{text8(r.Tree.Locate(x.Place, artifact.Range{})), x.Content, x.At, text8(x.Why), x.Figures})
	}
	return d
}

// componentDoc is a component; the cyclonedx output says more of it.
type componentDoc struct {
	Name       string        `json:"name"`
	Version    string        `json:"version,omitempty"`
	Claim      sbom.Claim    `json:"claim"`
	Type       string        `json:"type"`
	Purl       string        `json:"purl,omitempty"`
	CPE        string        `json:"cpe,omitempty"`
	Confidence float64       `json:"confidence"`
	Evidence   []evidenceDoc `json:"evidence"`
}

type evidenceDoc struct {
	artifact.Evidence
	Place    string           `json:"place"`
	Layers   []artifact.Layer `json:"layers"`
	Relation sbom.Relation    `json:"relation"`
}

func componentsOf(r *Result) []componentDoc {
	if r.BOM == nil {
		return nil
	}
	out := []componentDoc{}
	for i := range r.BOM.Components {
		c := &r.BOM.Components[i]
		d := componentDoc{c.Name, c.Version, c.Claim, c.Type, c.Purl, c.CPE, c.Confidence, []evidenceDoc{}}
		for _, e := range c.Evidence {
			place := r.Tree.FirstPlace(e.Content)
			d.Evidence = append(d.Evidence, evidenceDoc{e.Evidence, text8(r.Tree.Locate(place, artifact.Range{})), r.Tree.Layers(place, e.At), e.Relation})
		}
		out = append(out, d)
	}
	return out
}

// alteredDoc is a file that is not as its package recorded it.
type alteredDoc struct {
	Component string `json:"component"`
	sbom.Altered
}

func alteredOf(r *Result) (out []alteredDoc) {
	if r.BOM == nil {
		return nil
	}
	for _, a := range r.BOM.Altered {
		a.Path = text8(a.Path)
		out = append(out, alteredDoc{r.BOM.Components[a.Component].Name, a})
	}
	return out
}

func contentOf(t *artifact.Tree, c *artifact.Content) contentDoc {
	d := contentDoc{
		SHA256: c.Digest, Size: c.Size, Type: c.Type,
		Place:    text8(t.Locate(t.FirstPlace(c.Digest), artifact.Range{})),
		Extents:  []extentDoc{},
		Problems: problems8(c.Problems),
	}
	for i := range c.Extents {
		x := &c.Extents[i]
		e := extentDoc{Range: x.Range, Kind: x.Kind}
		switch x.Kind {
		case artifact.Padding:
			e.Fill = &x.Fill
		case artifact.Unknown:
			e.Figures = &x.Figures
		case artifact.InChunk:
			e.Format = x.Chunk.Format
			e.Problems = problems8(x.Chunk.Problems)
			for _, a := range x.Chunk.Attrs {
				e.Attrs = append(e.Attrs, artifact.Attr{Name: a.Name, Value: text8(a.Value), At: a.At})
			}
			for j := range x.Chunk.Nodes {
				e.Nodes = append(e.Nodes, nodeOf(&x.Chunk.Nodes[j]))
			}
		}
		d.Extents = append(d.Extents, e)
	}
	return d
}

func nodeOf(n *artifact.Node) nodeDoc {
	d := nodeDoc{
		Path: text8(n.Path), Mode: n.Mode.String(), UID: n.UID, GID: n.GID, ModTime: n.ModTime,
		Link: text8(n.Link), HardLink: text8(n.HardLink), Device: n.Dev, Xattrs: n.Xattrs,
		Size: n.Size, Window: n.Window, Content: integrityOf(n), Problems: problems8(n.Problems),
	}
	if n.HasContent() {
		d.SHA256 = &n.Digest
	}
	return d
}

func problems8(list []artifact.Problem) []artifact.Problem {
	var out []artifact.Problem
	for _, p := range list {
		p.Detail = text8(p.Detail)
		out = append(out, p)
	}
	return out
}

// text8 makes s valid UTF-8 without losing what it was.
func text8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		if n <= 1 && s[i] >= utf8.RuneSelf {
			b.WriteString(`\x`)
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
