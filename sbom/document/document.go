// Package document writes bills of materials as CycloneDX and SPDX documents, and reads such
// documents, from whoever they come, into plain components.
//
// Written: CycloneDX 1.5, 1.6 and 1.7 (https://cyclonedx.org/docs/), JSON and XML, and SPDX 2.3
// JSON (https://spdx.github.io/spdx-spec/v2.3/). Read: CycloneDX 1.2 to 1.7, JSON and XML, and
// SPDX 2.2 and 2.3, JSON and tag-value. SPDX 3 and SPDX in RDF, YAML or a spreadsheet are not
// read. Signatures inside documents are not verified.
package document

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hallmark/artifact"
	"hallmark/sbom"
)

// Options are what a document says beside the components. The zero value works.
type Options struct {
	Spec     string         // version of CycloneDX: "1.5", "1.6" or "1.7"; "" is 1.6
	Time     time.Time      // zero leaves the time out, so that the same image gives the same document
	Tool     string         // version of hallmark
	Author   Party          // who has the document made
	Supplier Party          // of the image
	Version  string         // of the image
	Lineage  []Lineage      // whose work the image is, beside the name it is sold under
	Files    *artifact.Tree // of the image: every file in it is listed
	// FileDates gives a component without a version the date of its file, as BSI TR-03183-2 asks.
	FileDates bool
}

// Party is a person or an organisation.
type Party struct {
	Name, Email, URL string
}

// IsZero reports whether nothing is known of p.
func (p Party) IsZero() bool { return p == Party{} }

// ParseParty reads "Name", "Name <mail@example.org>" or "Name <https://example.org>".
func ParseParty(s string) (Party, error) {
	s = strings.TrimSpace(s)
	name, inner, ok := strings.Cut(s, "<")
	if !ok {
		inner = ""
		if strings.Contains(s, "://") || strings.Contains(s, "@") {
			name, inner = "", s+">"
		}
	}
	p := Party{Name: strings.TrimSpace(name)}
	if inner == "" {
		if p.Name == "" || ok {
			return Party{}, fmt.Errorf("%q: want NAME, NAME <MAIL> or NAME <URL>", s)
		}
		return p, nil
	}
	at, tail, closed := strings.Cut(inner, ">")
	if !closed || tail != "" {
		return Party{}, fmt.Errorf("%q: want NAME, NAME <MAIL> or NAME <URL>", s)
	}
	if u, err := url.Parse(at); err == nil && u.Scheme != "" && u.Host != "" {
		p.URL = at
		return p, nil
	}
	if a, err := mail.ParseAddress(at); err == nil && a.Address == at {
		p.Email = at
		return p, nil
	}
	return Party{}, fmt.Errorf("%q: %q is neither a mail address nor a URL", s, at)
}

// partyOf reads the text that a package database has for a maintainer, whatever it is.
func partyOf(s, website string) Party {
	p, err := ParseParty(s)
	if err != nil {
		p = Party{Name: s}
	}
	if p.Email == "" && p.URL == "" {
		if u, err := url.Parse(website); err == nil && u.Scheme != "" && u.Host != "" {
			p.URL = website
		}
	}
	return p
}

// makerOf returns who makes a component: if nobody is known by name, the project at its website.
func makerOf(c *sbom.Component) Party {
	switch {
	case c.Supplier != "":
		return partyOf(c.Supplier, c.Website)
	case c.Website != "":
		return partyOf(cmp.Or(c.Title, c.Name)+" project", c.Website)
	}
	return Party{}
}

// imagePurl names the image by its digest.
func imagePurl(i *sbom.Image, version string) string {
	if i.Name == "" {
		return ""
	}
	p := "pkg:generic/" + escapePurl.Replace(clean(i.Name))
	if version != "" {
		p += "@" + escapePurl.Replace(clean(version))
	}
	return p + "?checksum=sha256:" + i.SHA256.String()
}

var escapePurl = strings.NewReplacer("%", "%25", " ", "%20", "@", "%40", "?", "%3F", "#", "%23", "/", "%2F", ":", "%3A", "+", "%2B", "\\", "%5C", "\"", "%22", "<", "%3C", ">", "%3E")

// Lineage says that the image is, or is derived from, somebody's work.
type Lineage struct {
	Maker      string // name
	Relation   string // "made by", "converted device", ...
	Confidence string // "high", "medium", "low"
	Because    string // the marks, in one sentence
}

// serial makes a UUID of version 8 (RFC 9562) out of a document.
func serial(document []byte) string {
	h := sha256.Sum256(document)
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// clean makes s fit for a document and for a terminal: bytes that are no printable text become \xNN.
func clean(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
