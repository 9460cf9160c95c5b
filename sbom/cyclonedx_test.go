package sbom

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"hallmark/artifact"
)

var update = flag.Bool("update", false, "write golden files anew")

// finder finds what it is.
type finder []Found

func (f finder) Find(context.Context, *artifact.Tree, *artifact.Store) ([]Found, error) {
	return f, nil
}

// camera is a small image with one of each kind of component, and a part that cannot be read.
var camera = []part{
	{path: "rootfs", parts: []part{
		{path: "var/lib/dpkg/status", bytes: "Package: busybox-tiny\n"},
		{path: "bin/busybox", bytes: elf("", busybox, "libc.so.0")},
		{path: "lib/libuClibc-0.9.33.2.so", bytes: elf("libc.so.0", "")},
		{path: "usr/bin/app", bytes: elf("", "gSOAP/2.8\x00 deflate 1.2.3 Copyright 1995-2005 Jean-loup Gailly ", "libc.so.0", "libjson-c.so.2", "libgone.so")},
		{path: "lib/libjson-c.so.2", bytes: elf("libjson-c.so.2", "", "libc.so.0", "libgone.so")},
		{path: "www/a\x1b[31m\xff.js", bytes: "/*! jQuery v1.7.2 jquery.com | jquery.org/license */"},
	}},
	{path: "uboot", bytes: "\x00U-Boot 2013.07 (Mar 08 2017 - 15:58:30)\x00"},
	{path: "secret", bytes: noise(4096)},
}

// noise returns n bytes that look like nothing.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x >> 11)
	}
	return string(b)
}

func document(t *testing.T, b *BOM, o WriteOptions) []byte {
	t.Helper()
	var w bytes.Buffer
	if err := b.WriteCycloneDX(&w, o); err != nil {
		t.Fatal(err)
	}
	valid(t, w.Bytes())
	return w.Bytes()
}

const schemas = "../testdata/cyclonedx/"

// valid holds a document against the official schema and against what that cannot say.
func valid(t *testing.T, document []byte) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json"} {
		f, err := os.Open(schemas + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name, d); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(d); err != nil {
		t.Error(err)
	}
	references(t, d.(map[string]any))
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
	walk(d)
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
}

func TestGolden(t *testing.T) {
	b := newMade(t, camera...).identify(1)
	got := document(t, b, WriteOptions{Version: "test"})
	// The digest of the marks changes with every mark, and the serial number with it.
	got = bytes.ReplaceAll(got, []byte(b.Rules.String()), []byte("RULES"))
	var d struct{ SerialNumber string }
	if err := json.Unmarshal(got, &d); err != nil {
		t.Fatal(err)
	}
	got = bytes.ReplaceAll(got, []byte(d.SerialNumber), []byte("SERIAL"))
	file := filepath.FromSlash(schemas + "golden.json")
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
		t.Errorf("document: -want +got\n%s", d)
	}
	if i := bytes.IndexFunc(got, func(r rune) bool { return r < ' ' && r != '\n' || r == '\uFFFD' }); i >= 0 {
		t.Errorf("odd byte %#x at %d", got[i], i)
	}
}

func TestDeterminism(t *testing.T) {
	a := document(t, newMade(t, camera...).identify(1), WriteOptions{Version: "1"})
	if b := document(t, newMade(t, camera...).identify(8), WriteOptions{Version: "1"}); !bytes.Equal(a, b) {
		t.Error("two runs give two documents")
	}
	if strings.Contains(string(a), "timestamp") {
		t.Error("a time where none was given")
	}
	late := document(t, newMade(t, camera...).identify(1), WriteOptions{Version: "1", Time: time.Unix(1700000000, 0)})
	if !strings.Contains(string(late), `"timestamp": "2023-11-14T22:13:20Z"`) {
		t.Error("the time given is not in the document")
	}
	serial := func(b []byte) string {
		var d struct{ SerialNumber string }
		json.Unmarshal(b, &d)
		return d.SerialNumber
	}
	if serial(a) != serial(late) {
		t.Error("the serial number depends on the time")
	}
	other := document(t, newMade(t, append(camera[:1:1], part{path: "more"})...).identify(1), WriteOptions{Version: "1"})
	if serial(a) == serial(other) {
		t.Error("two images have one serial number")
	}
}

// TestEmpty writes documents of images that hold nothing.
func TestEmpty(t *testing.T) {
	document(t, newMade(t).identify(1), WriteOptions{})
	m := newMade(t, part{path: "x"}, part{path: "y"})
	m.tree.Name = ""
	document(t, m.identify(1), WriteOptions{})
}

// TestPackageDocument writes what only packages have.
func TestPackageDocument(t *testing.T) {
	m := newMade(t, camera...)
	f := Found{}
	f.Component = Component{
		Name: "p\x1b\"<&>", Title: "a title", Type: "application", Version: "1:2~3+b1", Claim: Exact, Purl: "pkg:deb/debian/p@1%3A2", CPE: "cpe:2.3:a:b:c:1.0:*:*:*:*:*:*:*",
		Supplier: "A <a@example.org>", Licences: []Licence{{"MIT", true}, {"GPL-2.0-only OR BSD-3-Clause", true}},
		Properties: []Property{{"hallmark:package:source", "p"}},
	}
	f.Evidence = []Evidence{{}}
	f.Evidence[0].Content, f.Evidence[0].Technique = m.tree.Contents()[2].Digest, "package"
	g := f
	g.Licences = []Licence{{"Some licence", false}, {"MIT", true}}
	g.Evidence = append([]Evidence{}, f.Evidence...)
	got := string(document(t, m.identify(1, finder{f, g}), WriteOptions{}))
	for _, want := range []string{`(MIT) AND (GPL-2.0-only OR BSD-3-Clause)`, `"name": "Some licence"`, `"technique": "manifest-analysis"`, `A <a@example.org>`} {
		if !strings.Contains(got, want) {
			t.Errorf("document has no %s", want)
		}
	}
}
