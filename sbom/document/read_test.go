package document

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestReadOfficial reads the documents that the module of CycloneDX tests itself with, of every version.
func TestReadOfficial(t *testing.T) {
	dir := filepath.Join(module(t, cyclonedxModule), "testdata")
	var read, components int
	for _, pattern := range []string{"*.json", "*.xml", "snapshots/*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Read(bytes.NewReader(b))
			old := bytes.Contains(b, []byte("schema/bom/1.0")) || bytes.Contains(b, []byte("schema/bom/1.1")) || bytes.Contains(b, []byte(`"specVersion": "1.1"`))
			bare := err != nil && strings.Contains(err.Error(), "says nothing of itself")
			if old && err != nil && strings.Contains(err.Error(), "is not read") || bare {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(name), err)
				continue
			}
			read++
			components += len(d.Components)
		}
	}
	t.Logf("%d documents with %d components", read, components)
	if read < 150 || components < 200 {
		t.Error("too few")
	}
}

// TestReadOwn wants the same from what was written as JSON and as XML.
func TestReadOwn(t *testing.T) {
	for _, spec := range []string{"1.5", "1.6", "1.7"} {
		a, err := Read(bytes.NewReader(text(t, WriteCycloneDX, camera(), with(full, spec))))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Read(bytes.NewReader(text(t, WriteCycloneDXXML, camera(), with(full, spec))))
		if err != nil {
			t.Fatal(err)
		}
		places := []cmp.Option{
			cmpopts.IgnoreFields(Field{}, "At", "Line"), cmpopts.IgnoreFields(Component{}, "At", "Line"), cmpopts.IgnoreFields(Contact{}, "At"),
			cmpopts.IgnoreFields(Relation{}, "At"), cmpopts.IgnoreFields(Document{}, "Encoding"), cmpopts.EquateEmpty(),
		}
		if d := cmp.Diff(a, b, places...); d != "" {
			t.Errorf("%s: -JSON +XML\n%s", spec, d)
		}
		for i := range a.Components {
			if c := &a.Components[i]; c.Name.Value == "busybox" {
				want := Component{Name: Field{"busybox", c.At + "/name", c.Name.Line}}
				if c.Name != want.Name || c.Purl.Value != "pkg:generic/busybox@1.22.1" || len(c.Hashes) != 2 || c.Filename.Value != "busy box" || len(c.Licences) != 1 || !c.Software() {
					t.Errorf("%s: busybox = %+v", spec, c)
				}
			}
		}
	}
}

func TestReadSPDX(t *testing.T) {
	d, err := Read(bytes.NewReader(text(t, WriteSPDX, camera(), full)))
	if err != nil {
		t.Fatal(err)
	}
	if d.Root != 0 || d.Components[0].Name.Value != "camera.bin" || len(d.Components) != 7 || len(d.Tools) != 1 || d.Tools[0].Version.Value != "1.0" {
		t.Errorf("document = %+v", d)
	}
	if c := d.Components[1]; c.CPE.Value == "" || c.Hashes[1].Algorithm.Value != "SHA-512" || c.Supplier.URL.Value != "https://busybox.net/" || c.Licences[0].As != "declared" {
		t.Errorf("busybox = %+v", c)
	}
}

func TestReadTags(t *testing.T) {
	f, err := os.Open("testdata/supplier.spdx")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	if d.Encoding != "tag-value" || d.Root != 0 || len(d.Components) != 3 || d.Spec.Value != "2.3" || len(d.Authors) != 1 || d.Authors[0].Email.Value != "sbom@brand.example" {
		t.Fatalf("document = %+v", d)
	}
	c := d.Components[1]
	if c.Name != (Field{"openssl", "/packages/1/name", 21}) || c.Version.Value != "3.0.11" || c.CPE.Value == "" || c.Purl.Value == "" || len(c.Hashes) != 1 || c.Comment.Value != "as built\nfrom source" || len(c.Property(EndOfSupport)) != 1 {
		t.Errorf("openssl = %+v", c)
	}
	if len(d.Relations) != 3 || d.Relations[2].Kind != "depends on" || d.Relations[2].From != "SPDXRef-openssl" || d.Relations[2].To != "SPDXRef-zlib" {
		t.Errorf("relations = %+v", d.Relations)
	}
}

// TestReadErrors wants errors that say where.
func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "the document is empty",
		"{":                   "line 1: the document ends too early",
		"{\n\n \"a\": }":      "line 3: ",
		"{\"a\":1,\n\"a\":2}": `line 2: : the member "a" stands twice`,
		"{}":                  "neither CycloneDX nor SPDX",
		"{} {}":               "line 1: data behind the document",
		"<a/>":                "line 1: <a> is no CycloneDX document",
		"<a>\n<b>\n</a>":      "line 3: ",
		"<a>&lol;</a>":        "line 1: invalid character entity &lol;",
		"just text":           `line 1: want "Tag: value"`,
		"Tag: value":          "neither CycloneDX nor SPDX",
		"\xff\xfe{\x00":       "UTF-16",
		`{"bomFormat":"CycloneDX","specVersion":"1.9"}`:            `/specVersion: CycloneDX "1.9" is not read; want one of 1.2`,
		`{"bomFormat":"CycloneDX","specVersion":"1.6"}`:            "lists no components",
		`{"spdxVersion":"SPDX-2.1"}`:                               "is not read; want one of 2.2, 2.3",
		`{"@context":"https://spdx.org/rdf/3.0.1/context.jsonld"}`: "SPDX 3 is not read",
		"SPDXVersion: SPDX-2.3\nRelationship: a b":                 "line 2: tag Relationship: got",
		"SPDXVersion: SPDX-2.3\nComment: <text>a\nb":               "line 2: <text> without an end",
		strings.Repeat("[", 300):                                   "",
		`{"a":` + strings.Repeat("[", 300):                         "nested more than 200 deep",
		strings.Repeat("<a>", 300):                                 "nested more than 200 deep",
	} {
		_, err := Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read(%.60q) = %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"golden.json", "golden.xml", "golden.spdx.json"} {
		b, err := os.ReadFile(filepath.Join("../../testdata/cyclonedx", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	b, err := os.ReadFile("testdata/supplier.spdx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Read(bytes.NewReader(b))
		if (d == nil) == (err == nil) {
			t.Errorf("Read = %v, %v", d, err)
		}
	})
}
