package document

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"hallmark/artifact"
	"hallmark/sbom"
)

var update = flag.Bool("update", false, "write golden files anew")

func digest(n byte) artifact.Digest { return artifact.Digest{n, 31: n} }

// camera is a made-up image with one of each kind of part, and with bytes and names that a
// hostile image could have.
func camera() *sbom.BOM {
	evidence := func(n byte, place, technique, rule string, at artifact.Range, excerpt, version string) sbom.Evidence {
		e := sbom.Evidence{Place: place, Relation: sbom.Defines, Claim: sbom.Exact, Version: version, Confidence: 0.9}
		e.Content, e.Technique, e.Rule, e.At, e.Excerpt = digest(n), technique, rule, at, artifact.Excerpt(excerpt)
		return e
	}
	busybox := evidence(3, "camera.bin > squashfs@0x100:/bin/busybox", "string", "busybox.banner", artifact.Range{Off: 0, Len: 16}, "BusyBox v1.22.1 ", "1.22.1")
	record := evidence(4, "camera.bin > squashfs@0x100:/var/lib/dpkg/status", "package", "dpkg-db-cataloger", artifact.Range{Off: 7, Len: 9}, "Package: p", "1:2~3+b1")
	record.Relation = sbom.Records
	soap := evidence(5, "camera.bin > squashfs@0x100:/usr/bin/app", "string", "gsoap.banner", artifact.Range{Off: 99, Len: 9}, "gSOAP/2.8", "2.8")
	soap.Relation, soap.Claim = sbom.Embeds, sbom.Prefix
	floor := evidence(6, "camera.bin > squashfs@0x100:/lib/libjson-c.so.2", "elf.soname", "json-c.name", artifact.Range{}, "", "0.16")
	floor.Claim = sbom.Range
	odd := evidence(7, "camera.bin > squashfs@0x100:/www/a\x1b[31m\xff.js", "string", "jquery.banner", artifact.Range{Off: 4, Len: 4}, "\x00\xff\"<", "")
	odd.Claim = sbom.Presence
	return &sbom.BOM{
		Image: sbom.Image{Name: "camera.bin", Size: 1 << 20, SHA256: digest(1), SHA512: sbom.SHA512{1}},
		Layers: []sbom.Layer{
			{Parent: -1, Content: digest(1), At: artifact.Range{Off: 0x100, Len: 0x8000}, Format: "squashfs", Place: "camera.bin @0x100+32768", Nodes: 40},
			{Parent: 0, Content: digest(2), At: artifact.Range{Len: 64}, Whole: true, Format: "tar", Path: "a.tar", Place: "camera.bin > squashfs@0x100:/a.tar", Nodes: 3},
		},
		Components: []sbom.Component{
			{
				Name: "busybox", Title: "BusyBox", Type: "application", Version: "1.22.1", Claim: sbom.Exact, Purl: "pkg:generic/busybox@1.22.1",
				CPE: "cpe:2.3:a:busybox:busybox:1.22.1:*:*:*:*:*:*:*", Supplier: "BusyBox", Website: "https://busybox.net/",
				Licences: []sbom.Licence{{Value: "GPL-2.0-only", SPDX: true}}, Layer: 0, Confidence: 0.9, Evidence: []sbom.Evidence{busybox},
				Files: []sbom.File{{Content: digest(3), SHA512: sbom.SHA512{3}, Path: "bin/busy box", Size: 700, Executable: true}}, Build: &sbom.Build{Files: 1, Digest: digest(8)},
			},
			{Name: "gsoap", Type: "library", Version: "2.8", Claim: sbom.Prefix, Purl: "pkg:generic/gsoap", Layer: 0, Confidence: 0.7, Evidence: []sbom.Evidence{soap}, Omitted: 3},
			{Name: "jquery", Type: "framework", Claim: sbom.Presence, Layer: 1, Confidence: 0.5, Evidence: []sbom.Evidence{odd}},
			{
				Name: "json-c", Type: "library", Version: "0.16", Claim: sbom.Range, Layer: 0, Confidence: 0.8, Evidence: []sbom.Evidence{floor},
				Files: []sbom.File{{Content: digest(6), Path: "lib/libjson-c.so.2", ModTime: 1700000000}}, Build: &sbom.Build{Files: 1, Digest: digest(9)},
			},
			{
				Name: "p\x1b\"<&>", Title: "a title", Type: "application", Version: "1:2~3+b1", Claim: sbom.Exact, Purl: "pkg:deb/debian/p@1%3A2",
				Supplier: "A <a@example.org>", Licences: []sbom.Licence{{Value: "MIT", SPDX: true}, {Value: "GPL-2.0-only OR BSD-3-Clause", SPDX: true}},
				Layer: -1, Confidence: 1, Evidence: []sbom.Evidence{record}, DependsOn: []int{0, 3}, Properties: []sbom.Property{{Name: sbom.SourceProperty, Value: "p"}},
			},
			{
				Name: "p", Type: "application", Version: "2", Claim: sbom.Exact, Licences: []sbom.Licence{{Value: "Some licence"}, {Value: "MIT", SPDX: true}},
				Layer: -1, Confidence: 1, Evidence: []sbom.Evidence{record},
			},
		},
		Links: []sbom.Link{{From: digest(6), Needed: "libgone.so"}},
		Crypto: []sbom.Crypto{
			{
				Kind: sbom.Certificate, Name: "CN=camera", Content: digest(10), At: artifact.Range{Len: 900}, Place: "camera.bin > squashfs@0x100:/etc/cert.pem", Places: 2, Layer: 0,
				Algorithm: "RSA", Bits: 2048, SHA256: digest(10).String(), Public: digest(11).String(), Subject: "CN=camera", Issuer: "CN=camera", Serial: "01",
				NotBefore: "2026-11-22T00:19:13Z", NotAfter: "odd", Signature: "sha256WithRSAEncryption",
			},
			{Kind: sbom.PrivateKey, Name: "RSA", Content: digest(12), At: artifact.Range{Len: 90}, Place: "camera.bin > squashfs@0x100:/etc/key.pem", Places: 1, Layer: 0, Form: "PKCS #8", Algorithm: "RSA", Bits: 2048},
			{Kind: sbom.PublicKey, Name: "root@camera", Content: digest(13), Places: 1, Layer: -1, Form: "ssh-ed25519"},
		},
		Unread: []sbom.Unread{
			{Place: "camera.bin", Content: digest(1), At: artifact.Range{Off: 0x9000, Len: 4096}, Why: "encrypted", Layer: -1},
			{Place: "camera.bin > squashfs@0x100:/a.tar", Content: digest(2), Why: "truncated: \x00", Layer: 1},
		},
		Limits:   []string{"more than 10 entries"},
		Coverage: artifact.Coverage{Total: 1 << 20, Unread: 4096, Regions: make([]artifact.Region, 2)},
		Rules:    digest(99),
	}
}

// hostile is an image whose every text is odd.
func hostile() *sbom.BOM {
	b := camera()
	base := b.Components[0]
	b.Components = nil
	for _, s := range []string{
		"\x00", " ", "<&>", "]]>", "\u2028\u202e", "\xff\xfe", "😀", "urn:cdx:", "pkg:x", "cpe:2.3:", strings.Repeat("x", 5000), "a b <not a mail@>", "\"q\"@x", "x <http://[>",
		"A <http://a b/>", "<x@[1.2.3.4]>", "x@y..z", "Ä <ä@ö.example>", "a\tb\nc", "&#0;", "http://x/%zz", "x <mailto:a@b>", "a@" + strings.Repeat("b", 300),
	} {
		c := base
		c.Name, c.Title, c.Version, c.Purl, c.CPE, c.Supplier, c.Website, c.Type, c.Confidence = s, s, s, s, s, s, s, s, 7
		c.Licences = []sbom.Licence{{Value: s, SPDX: len(s)%2 == 0}}
		c.Properties = []sbom.Property{{Name: s, Value: s}}
		c.Files = []sbom.File{{Path: s}}
		c.Evidence = []sbom.Evidence{base.Evidence[0]}
		c.Evidence[0].Place, c.Evidence[0].Rule, c.Evidence[0].Technique, c.Evidence[0].Confidence = s, s, s, -1
		b.Components = append(b.Components, c)
		k := b.Crypto[0]
		k.Name, k.Subject, k.Issuer, k.Serial, k.Algorithm, k.Signature, k.Place, k.NotAfter = s, s, s, s, s, s, s, s
		b.Crypto = append(b.Crypto, k)
		b.Unread = append(b.Unread, sbom.Unread{Place: s, Why: s})
		b.Layers = append(b.Layers, sbom.Layer{Parent: -1, Format: s, Place: s})
		b.Limits = append(b.Limits, s)
	}
	b.Image.Name = "\x00/<&>\xff http://x\"%zz"
	return b
}

// full are options with everything in them.
var full = Options{
	Tool: "1.0", Time: time.Unix(1700000000, 0), Version: "V5.1", FileDates: true,
	Author:   Party{Name: "A Lab", Email: "sbom@lab.example"},
	Supplier: Party{Name: "A Brand", URL: "https://brand.example/"},
	Lineage:  []Lineage{{Maker: "Maker", Relation: "made by", Confidence: "high", Because: "two marks"}},
}

func with(o Options, spec string) Options { o.Spec = spec; return o }

type write func(io.Writer, *sbom.BOM, Options) error

func text(t *testing.T, w write, b *sbom.BOM, o Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := w(&out, b, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// module returns the folder of a module that go.mod names: its own tests hold the official schemas.
func module(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", name).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

const cyclonedxModule = "github.com/CycloneDX/cyclonedx-go"

// schema compiles the official JSON schema of a version of CycloneDX.
func schema(t *testing.T, spec string) *jsonschema.Schema {
	t.Helper()
	dir := filepath.Join(module(t, cyclonedxModule), "schema")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, file := range map[string]string{
		"bom-" + spec + ".schema.json":  filepath.Join(dir, "bom-"+spec+".schema.json"),
		"spdx.schema.json":              filepath.Join(dir, "spdx.schema.json"),
		"jsf-0.82.schema.json":          filepath.Join(dir, "jsf-0.82.schemax.json"),
		"cryptography-defs.schema.json": "../../testdata/cyclonedx/cryptography-defs.schema.json",
	} {
		add(t, c, "http://cyclonedx.org/schema/"+name, file)
	}
	return compile(t, c, "http://cyclonedx.org/schema/bom-"+spec+".schema.json")
}

func add(t *testing.T, c *jsonschema.Compiler, url, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource(url, d); err != nil {
		t.Fatal(err)
	}
}

func compile(t *testing.T, c *jsonschema.Compiler, url string) *jsonschema.Schema {
	t.Helper()
	s, err := c.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, document []byte) map[string]any {
	t.Helper()
	d, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(d); err != nil {
		t.Error(err)
	}
	return d.(map[string]any)
}

// images are what documents are written of: one with everything, one of odd texts, one of every type and of names that repeat, and two with nothing.
func images() map[string]*sbom.BOM {
	types := &sbom.BOM{Components: []sbom.Component{{Name: "a", Layer: -1}, {Name: "a", Layer: -1}, {Name: "a;3", Layer: -1}, {Name: "a;2", Layer: -1}, {Name: "a", Layer: -1}}}
	for _, name := range sbom.Types() {
		types.Components = append(types.Components, sbom.Component{Name: name, Type: name, Layer: -1})
	}
	return map[string]*sbom.BOM{"camera": camera(), "hostile": hostile(), "types": types, "empty": {}, "no name": {Image: sbom.Image{Size: 1}, Coverage: artifact.Coverage{Total: 1}}}
}

func TestSchema(t *testing.T) {
	for _, spec := range []string{"1.5", "1.6", "1.7"} {
		s := schema(t, spec)
		for name, b := range images() {
			for _, o := range []Options{{}, full} {
				t.Run(spec+" "+name, func(t *testing.T) {
					references(t, validate(t, s, text(t, WriteCycloneDX, b, with(o, spec))))
				})
			}
		}
	}
}

func TestSchemaSPDX(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const url = "http://spdx.org/rdf/terms/2.3"
	add(t, c, url, filepath.Join(module(t, "github.com/anchore/syft"), "schema/spdx-json/spdx-schema-2.3.json"))
	s := compile(t, c, url)
	for _, b := range images() {
		for _, o := range []Options{{}, full} {
			validate(t, s, text(t, WriteSPDX, b, o))
		}
	}
}

// TestSchemaXML asks xmllint, where it is installed.
func TestSchemaXML(t *testing.T) {
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("no xmllint (Debian: libxml2-utils)")
	}
	dir := t.TempDir()
	schemas := filepath.Join(module(t, cyclonedxModule), "schema")
	spdx, err := os.ReadFile(filepath.Join(schemas, "spdx.xsd"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "spdx.xsd"), spdx, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"1.5", "1.6", "1.7"} {
		xsd, err := os.ReadFile(filepath.Join(schemas, "bom-"+spec+".xsd"))
		if err != nil {
			t.Fatal(err)
		}
		xsd = bytes.ReplaceAll(xsd, []byte("http://cyclonedx.org/schema/spdx"), []byte("spdx.xsd"))
		xsd = bytes.ReplaceAll(xsd, []byte(`namespace="spdx.xsd"`), []byte(`namespace="http://cyclonedx.org/schema/spdx"`))
		xsd = bytes.ReplaceAll(xsd, []byte(`xmlns:spdx="spdx.xsd"`), []byte(`xmlns:spdx="http://cyclonedx.org/schema/spdx"`))
		file := filepath.Join(dir, "bom-"+spec+".xsd")
		if err := os.WriteFile(file, xsd, 0o644); err != nil {
			t.Fatal(err)
		}
		args := []string{"--noout", "--nonet", "--schema", file}
		for name, b := range images() {
			for i, o := range []Options{{}, full} {
				x := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+spec+string(rune('a'+i))+".xml")
				if err := os.WriteFile(x, text(t, WriteCycloneDXXML, b, with(o, spec)), 0o644); err != nil {
					t.Fatal(err)
				}
				args = append(args, x)
			}
		}
		if out, err := exec.Command(lint, args...).CombinedOutput(); err != nil {
			t.Errorf("CycloneDX %s: %v\n%s", spec, err, out)
		}
	}
}

// references wants every bom-ref once, and every dependency to be one.
func references(t *testing.T, d map[string]any) {
	t.Helper()
	refs := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if r, ok := v["bom-ref"].(string); ok {
				if refs[r] {
					t.Errorf("bom-ref %q stands twice", r)
				}
				refs[r] = true
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(d["metadata"])
	walk(d["components"])
	seen := map[string]bool{}
	for _, x := range d["dependencies"].([]any) {
		x := x.(map[string]any)
		ref := x["ref"].(string)
		if !refs[ref] || seen[ref] {
			t.Errorf("dependency of %q: no such bom-ref, or two entries", ref)
		}
		seen[ref] = true
		on, _ := x["dependsOn"].([]any)
		for _, y := range on {
			if !refs[y.(string)] {
				t.Errorf("%q depends on %q, which is no bom-ref", ref, y)
			}
		}
	}
	if len(seen) != len(refs) {
		t.Errorf("%d dependency entries for %d bom-refs", len(seen), len(refs))
	}
	walk(d["formulation"])
}

func TestGolden(t *testing.T) {
	for name, w := range map[string]write{"golden.json": WriteCycloneDX, "golden.xml": WriteCycloneDXXML, "golden.spdx.json": WriteSPDX} {
		got := text(t, w, camera(), full)
		file := filepath.Join("../../testdata/cyclonedx", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
		if i := bytes.IndexFunc(got, func(r rune) bool { return r < ' ' && r != '\n' || r == '\uFFFD' }); i >= 0 {
			t.Errorf("%s: odd byte %#x at %d", name, got[i], i)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, name := range sbom.Types() {
		if componentTypes[name] == "" || spdxPurposes[name] == "" {
			t.Errorf("no word for components of type %s", name)
		}
	}
}

func TestSerial(t *testing.T) {
	serial := func(b *sbom.BOM, o Options) string {
		var d struct{ SerialNumber string }
		if err := json.Unmarshal(text(t, WriteCycloneDX, b, o), &d); err != nil {
			t.Fatal(err)
		}
		return d.SerialNumber
	}
	a := serial(camera(), Options{})
	if serial(camera(), Options{Time: time.Unix(1700000000, 0)}) != a {
		t.Error("the serial number depends on the time")
	}
	other := camera()
	other.Image.SHA256[0]++
	if serial(other, Options{}) == a {
		t.Error("two images have one serial number")
	}
}

func TestParseParty(t *testing.T) {
	for s, want := range map[string]Party{
		"Lab":                         {Name: "Lab"},
		"Lab Ltd <a@b.example>":       {Name: "Lab Ltd", Email: "a@b.example"},
		"Lab <https://lab.example/x>": {Name: "Lab", URL: "https://lab.example/x"},
		"a@b.example":                 {Email: "a@b.example"},
		"https://lab.example":         {URL: "https://lab.example"},
	} {
		if got, err := ParseParty(s); err != nil || got != want {
			t.Errorf("ParseParty(%q) = %+v, %v, want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "<>", "Lab <", "Lab <x>", "Lab <a@b> more"} {
		if got, err := ParseParty(s); err == nil {
			t.Errorf("ParseParty(%q) = %+v", s, got)
		}
	}
}
