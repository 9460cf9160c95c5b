package conform

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"hallmark/sbom/document"
)

func read(t *testing.T, text string) *document.Document {
	t.Helper()
	d, err := document.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func check(t *testing.T, d *document.Document, profile string) *Result {
	t.Helper()
	p, err := Find(profile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(d, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestProfiles holds the data to its own rules.
func TestProfiles(t *testing.T) {
	all, err := Profiles()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, p := range all {
		if p.Title == "" || !strings.HasPrefix(p.Source, "https://") {
			t.Errorf("%s: no title or no source", p.ID)
		}
		ids := map[string]bool{}
		for _, f := range p.Fields {
			used[f.Test] = true
			if tests[f.Test] == nil || ids[f.ID] || f.Title == "" || f.Source == "" {
				t.Errorf("%s: %+v", p.ID, f)
			}
			if f.Of != "document" && f.Of != "component" && f.Of != "deployable" || f.Need != Required && f.Need != IfKnown && f.Need != Optional {
				t.Errorf("%s: %s: of %q, need %q", p.ID, f.ID, f.Of, f.Need)
			}
			ids[f.ID] = true
		}
	}
	for name := range tests {
		if !used[name] {
			t.Errorf("no profile uses the test %s", name)
		}
	}
	if _, err := Find("none"); err == nil || !strings.Contains(err.Error(), "want bsi-tr-03183-2, cisa-2025, cra, fda, ntia") {
		t.Errorf("Find(none) = %v", err)
	}
}

// good is a document that lacks nothing that any profile but BSI's asks for.
const good = `{
 "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
 "metadata": {
  "timestamp": "2026-01-02T03:04:05Z", "lifecycles": [{"phase": "build"}], "tools": {"components": [{"type": "application", "name": "maker", "version": "2"}]},
  "manufacturer": {"name": "Brand", "contact": [{"email": "sbom@brand.example"}]},
  "component": {"bom-ref": "camera", "type": "device", %[1]s}
 },
 "components": [{"bom-ref": "zlib", "type": "library", %[1]s}],
 "dependencies": [{"ref": "camera", "dependsOn": ["zlib"]}, {"ref": "zlib"}],
 "compositions": [{"aggregate": "complete", "assemblies": ["camera"], "dependencies": ["zlib"]}]
}`

const component1 = `"name": "n", "version": "1.2.13", "purl": "pkg:generic/n@1.2.13",
   "supplier": {"name": "S"}, "manufacturer": {"name": "S", "url": ["https://s.example"]},
   "hashes": [{"alg": "SHA-256", "content": "0000000000000000000000000000000000000000000000000000000000000000"}],
   "licenses": [{"expression": "Zlib", "acknowledgement": "concluded"}],
   "externalReferences": [{"type": "distribution", "url": "n", "hashes": [{"alg": "SHA-512", "content": "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"}]}],
   "properties": [{"name": "bsi:component:filename", "value": "n"}, {"name": "bsi:component:executable", "value": "executable"}, {"name": "bsi:component:archive", "value": "no archive"},
    {"name": "bsi:component:structured", "value": "unstructured"}, {"name": "cdx:lifecycle:milestone:endOfSupport", "value": "2030-01-01"}, {"name": "vendor:supportLevel", "value": "maintained"}]`

func TestGood(t *testing.T) {
	for _, id := range []string{"ntia", "cisa-2025", "cra", "fda", "bsi-tr-03183-2"} {
		r := check(t, read(t, fmt.Sprintf(good, strings.ReplaceAll(component1, "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", strings.Repeat("0", 128)))), id)
		if !r.Pass || r.Form.Percent() != 100 {
			t.Errorf("%s: %d of %d", id, r.Form.Passed, r.Form.Of)
			for _, f := range r.Fields {
				for _, m := range f.Failing {
					t.Logf("%s %s: %s at %s", f.Need, f.ID, m.Why, m.At)
				}
			}
		}
		if r.Coverage.Known || !strings.Contains(r.Coverage.Why, `"complete"`) || r.Coverage.At != "/compositions/0/aggregate" {
			t.Errorf("%s: coverage = %+v", id, r.Coverage)
		}
	}
}

// TestBare wants every required field of a bare document to fail, with a pointer and a reason.
func TestBare(t *testing.T) {
	d := read(t, `{"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [{"type": "library", "name": "zlib"}], "vulnerabilities": [{"id": "CVE-1"}]}`)
	passes := map[string]string{"ntia": "format name", "cisa-2025": "format name", "cra": "format name", "fda": "format name", "bsi-tr-03183-2": "name"}
	for id, want := range passes {
		r := check(t, d, id)
		var got []string
		for _, f := range r.Fields {
			for _, m := range f.Failing {
				if m.Why == "" || m.At == "" && m.Component != "" {
					t.Errorf("%s: %s: %+v", id, f.ID, m)
				}
			}
			if f.Need == Required && f.Of > 0 && f.Passed == f.Of {
				got = append(got, f.ID)
			}
		}
		if r.Pass || strings.Join(got, " ") != want {
			t.Errorf("%s: %v pass, want %s", id, got, want)
		}
	}
	r := check(t, d, "ntia")
	for _, f := range r.Fields {
		if f.ID == "supplier" && (len(f.Failing) != 1 || f.Failing[0].At != "/components/0" || f.Failing[0].Component != "zlib") {
			t.Errorf("supplier = %+v", f.Failing)
		}
	}
}

// TestOwn checks a document of hallmark's own that was given all that an image does not hold.
func TestOwn(t *testing.T) {
	f, err := os.Open("../../testdata/cyclonedx/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := document.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	r := check(t, d, "bsi-tr-03183-2")
	if !r.Coverage.Known || r.Coverage.Percent != "99.60" || r.Coverage.At == "" {
		t.Errorf("coverage = %+v", r.Coverage)
	}
	for _, f := range r.Fields {
		switch f.ID {
		case "format", "sbom-creator", "timestamp", "sbom-uri", "name", "dependencies", "filename", "hash", "executable", "archive", "structured":
			if f.Of == 0 || f.Passed != f.Of {
				t.Errorf("%s: %d of %d: %+v", f.ID, f.Passed, f.Of, f.Failing)
			}
		}
	}
}

func TestForms(t *testing.T) {
	for id, want := range map[string]bool{
		"pkg:deb/debian/zlib@1": true, "pkg:zlib": false, "cpe:2.3:a:b:c:1:*:*:*:*:*:*:*": true, "cpe:2.3:a:b:c": false, `cpe:2.3:a:b:c:1\:2:*:*:*:*:*:*:*`: true,
	} {
		if got := malformed(id) == ""; got != want {
			t.Errorf("malformed(%q) = %q", id, malformed(id))
		}
	}
	for text, want := range map[string]bool{
		"MIT": true, "(MIT) AND (GPL-2.0-only OR BSD-3-Clause)": true, "GPL-2.0-only WITH Classpath-exception-2.0": true, "LicenseRef-x-y": true, "MIT License": false, "": false, "MIT AND": false,
	} {
		if got := expression.MatchString(text); got != want {
			t.Errorf("expression %q = %v", text, got)
		}
	}
}
