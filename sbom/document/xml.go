package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// encodeXML writes d as XML, indented, and puts right what cyclonedx-go v0.12.0 writes against the
// schemas: what an occurrence says beside its location are elements behind it, not attributes, and
// a reference to an algorithm is text.
func encodeXML(w io.Writer, d *cdx.BOM) error {
	var flat bytes.Buffer
	if err := cdx.NewBOMEncoder(&flat, cdx.BOMFileFormatXML).Encode(d); err != nil {
		return err
	}
	in, out := xml.NewDecoder(&flat), xml.NewEncoder(w)
	out.Indent("", "  ")
	var late []xml.Attr // of the occurrence
	for {
		t, err := in.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "occurrence":
				late = take(&e, "offset", "additionalContext")
				t = e
			case "algorithmRef", "signatureAlgorithmRef":
				ref := take(&e, "ref")
				if err := out.EncodeToken(e); err != nil {
					return err
				}
				t = xml.CharData(ref[0].Value)
			}
		case xml.EndElement:
			if e.Name.Local == "occurrence" {
				for _, a := range late {
					if err := out.EncodeElement(a.Value, xml.StartElement{Name: a.Name}); err != nil {
						return err
					}
				}
			}
		}
		if err := out.EncodeToken(t); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// take removes the attributes of e that are named, and returns those there were in that order.
func take(e *xml.StartElement, names ...string) []xml.Attr {
	var out []xml.Attr
	for _, name := range names {
		if i := slices.IndexFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Local == name }); i >= 0 {
			out = append(out, e.Attr[i])
			e.Attr = slices.Delete(e.Attr, i, i+1)
		}
	}
	return out
}
