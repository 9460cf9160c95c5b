package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"hallmark/artifact"
)

// ErrForeign is wrapped by errors about bytes that are no JSON report of this program.
var ErrForeign = errors.New("not a hallmark report")

// Cited is a report as it is read back: what it says of the image, and its citations.
type Cited struct {
	Version   string // of the program that wrote it
	Name      string // of the image
	Image     artifact.Digest
	Size      int64
	Sealed    bool // its seal fits: it was not changed by accident since it was written
	Citations []CitedEvidence
}

// CitedEvidence is one citation of a report.
type CitedEvidence struct {
	artifact.Evidence
	Place  string           `json:"place"`
	SHA256 artifact.Digest  `json:"sha256"` // of all bytes cited; zero if the report does not say
	Layers []artifact.Layer `json:"layers"`
	Source []string         `json:"-"` // of the rule, as the report has it
}

// sealed is where a document has its seal: the SHA-256 of its bytes with zeros in place of it.
var sealed = regexp.MustCompile(`(?m)^ "seal": "([0-9a-f]{64})"`)

const noSeal = "0000000000000000000000000000000000000000000000000000000000000000"

// seal sets the seal of a document that was written with [noSeal].
func seal(doc []byte) []byte {
	m := sealed.FindSubmatchIndex(doc)
	sum := sha256.Sum256(doc)
	hex.Encode(doc[m[2]:m[3]], sum[:])
	return doc
}

func sealFits(doc []byte) bool {
	m := sealed.FindSubmatchIndex(doc)
	if m == nil {
		return false
	}
	var said [sha256.Size]byte
	if _, err := hex.Decode(said[:], doc[m[2]:m[3]]); err != nil {
		return false
	}
	bare := bytes.Clone(doc)
	copy(bare[m[2]:m[3]], noSeal)
	return sha256.Sum256(bare) == said
}

// ReadJSON reads what [WriteJSON] wrote.
func ReadJSON(doc []byte) (*Cited, error) {
	var d struct {
		Hallmark string
		Schema   int
		Image    *imageDoc
		Match    *struct {
			Marks []struct {
				Source    []string
				Citations []CitedEvidence
			}
		}
		Components []struct{ Evidence []CitedEvidence }
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrForeign, err)
	}
	switch {
	case d.Hallmark == "" || d.Image == nil:
		return nil, fmt.Errorf("%w: no member hallmark or image", ErrForeign)
	case d.Schema != SchemaVersion:
		return nil, fmt.Errorf("%w that can be checked: schema %d, this program reads %d", ErrForeign, d.Schema, SchemaVersion)
	}
	c := &Cited{Version: d.Hallmark, Name: d.Image.Name, Image: d.Image.SHA256, Size: d.Image.Size, Sealed: sealFits(doc)}
	if d.Match != nil {
		for _, m := range d.Match.Marks {
			for _, e := range m.Citations {
				e.Source = m.Source
				c.Citations = append(c.Citations, e)
			}
		}
	}
	for _, k := range d.Components {
		c.Citations = append(c.Citations, k.Evidence...)
	}
	for _, e := range c.Citations {
		if len(e.Layers) == 0 {
			return nil, fmt.Errorf("%w that can be checked: the citation of %s at %s has no layers", ErrForeign, e.Rule, e.Place)
		}
	}
	return c, nil
}

// Checked is a citation that was read again.
type Checked struct {
	CitedEvidence
	Err error // nil if the bytes are there and say so
}

// Changed is a content that is not what the report has there.
type Changed struct {
	Place     string
	Want, Got artifact.Digest
}

// Verify reads the bytes of every citation of c again, in an image that was taken apart. It
// finds them by the way that the report gives, not by digests, so that a byte that changed fails
// the citations that it is in and no other; the contents around it are listed apart.
func (c *Cited) Verify(t *artifact.Tree, s *artifact.Store) (out []Checked, changed []Changed) {
	v := verifier{tree: t, store: s, seen: map[string]bool{}}
	for _, e := range c.Citations {
		out = append(out, Checked{e, v.check(e)})
	}
	return out, v.changed
}

type verifier struct {
	tree    *artifact.Tree
	store   *artifact.Store
	changed []Changed
	seen    map[string]bool // places whose digest was compared
}

func (v *verifier) check(e CitedEvidence) error {
	last := len(e.Layers) - 1
	d := v.tree.Root
	place := v.tree.Name
	for i, l := range e.Layers {
		v.compare(place, l.SHA256, d)
		if i == last {
			break
		}
		next, err := v.enter(d, l)
		if err != nil {
			return err
		}
		d, place = next, fmt.Sprintf("%s > %s@%#x:/%s", place, l.Format, l.At.Off, l.Path)
	}
	e.Evidence.Content = d
	if err := v.store.Check(e.Evidence); err != nil {
		return err
	}
	return v.all(e, d)
}

// all compares the digest of all bytes cited.
func (v *verifier) all(e CitedEvidence, d artifact.Digest) error {
	if e.SHA256.IsZero() {
		return nil
	}
	r, err := v.store.Open(d)
	if err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, e.At.Off, e.At.Len)); err != nil {
		return err
	}
	if got := artifact.Digest(h.Sum(nil)); got != e.SHA256 {
		return fmt.Errorf("%s: %d bytes at %#x have sha256 %.16s, want %.16s", e.Rule, e.At.Len, e.At.Off, got, e.SHA256)
	}
	return nil
}

func (v *verifier) compare(place string, want, got artifact.Digest) {
	if want != got && !v.seen[place] {
		v.changed = append(v.changed, Changed{place, want, got})
	}
	v.seen[place] = true
}

// enter goes from the content d to the one that l leads to. If no format reads d so any more, what
// stands in d as it is can still be reached.
func (v *verifier) enter(d artifact.Digest, l artifact.Layer) (artifact.Digest, error) {
	if c := v.tree.Content(d); c != nil {
		for _, x := range c.Chunks() {
			if x.Off != l.At.Off || x.Chunk.Format != l.Format {
				continue
			}
			for i := range x.Chunk.Nodes {
				if n := &x.Chunk.Nodes[i]; n.HasContent() && asJSON(n.Path) == l.Path && sameWindow(n.Window, l.Window) {
					return n.Digest, nil
				}
			}
		}
	}
	if l.Window != nil {
		r, err := v.store.Open(d)
		if err != nil {
			return artifact.Digest{}, err
		}
		if l.Window.Within(r.Size()) {
			return v.store.Add(io.NewSectionReader(r, l.Window.Off, l.Window.Len))
		}
	}
	return artifact.Digest{}, fmt.Errorf("%s at %#x holds no %q", l.Format, l.At.Off, l.Path)
}

func sameWindow(a, b *artifact.Range) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// asJSON is s as a JSON document has it: each byte that is not UTF-8 is U+FFFD.
func asJSON(s string) string { return string([]rune(s)) }
