package vex

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallmark/sbom"
	"hallmark/sbom/compare"
)

// image is what a made-up image shows.
func image() *compare.Observed {
	return &compare.Observed{
		Name: "camera.bin", Unread: "12 bytes stayed unread", Contents: map[string]string{"aa": "camera.bin"},
		Components: []compare.Seen{
			{Name: "openssl", Version: "1.1.1k", Claim: sbom.Exact, Purl: "pkg:generic/openssl@1.1.1k"},
			{Name: "zlib", Version: "1.2.13", Claim: sbom.Exact, Purl: "pkg:generic/zlib@1.2.13"},
			{Name: "live555", Claim: sbom.Presence},
		},
	}
}

func lines(list []Binding) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "%s %s %s: %s: %s (%s)\n", x.ID, x.Status, x.Product, x.Verdict, x.Because, x.At)
	}
	return b.String()
}

func TestBind(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"OpenVEX": {
			`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[
			{"vulnerability":{"name":"CVE-1"},"status":"not_affected","justification":"vulnerable_code_not_present","products":[
			 {"@id":"pkg:generic/openssl@1.1.1k"},{"@id":"camera","hashes":{"sha-256":"AA"}},
			 {"@id":"camera","subcomponents":[{"@id":"pkg:generic/zlib@1.2.11"},{"@id":"pkg:generic/lighttpd@1.4"},{"@id":"x","identifiers":{"cpe23":"cpe:2.3:a:live555:live555:2020.1:*:*:*:*:*:*:*"}}]}]},
			{"vulnerability":"CVE-2","status":"fixed","products":["pkg:generic/openssl"]},
			{"vulnerability":{"@id":"CVE-3"},"status":"affected"}]}`,
			`CVE-1 not_affected pkg:generic/openssl@1.1.1k: bound: seen as openssl 1.1.1k (/statements/0/products/0)
CVE-1 not_affected camera: bound: a file with the declared SHA-256 is in the image (/statements/0/products/1)
CVE-1 not_affected pkg:generic/zlib@1.2.11: version differs: declared 1.2.11, seen as zlib 1.2.13 (/statements/0/products/2/subcomponents/0)
CVE-1 not_affected pkg:generic/lighttpd@1.4: not observed: not seen, but 12 bytes stayed unread (/statements/0/products/2/subcomponents/1)
CVE-1 not_affected x: cannot be told: it is there, but the bytes do not tell its version (/statements/0/products/2/subcomponents/2)
CVE-2 fixed pkg:generic/openssl: bound: declared without a version; seen as openssl 1.1.1k (/statements/1/products/0)
CVE-3 affected : cannot be told: the statement names no product (/statements/2)
`,
		},
		"CycloneDX": {
			`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"zlib","version":"1.2.13","bom-ref":"z"}],"vulnerabilities":[
			{"id":"CVE-1","analysis":{"state":"false_positive"},"affects":[{"ref":"z"},{"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:generic/openssl@1.1.1k"},
			 {"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#component%3Aopenssl@1.1.1l"},{"ref":"other"}]},
			{"id":"CVE-2","affects":[{"ref":"z","versions":[{"version":"1.2.11"},{"range":"vers:generic/<2"}]}]}]}`,
			`CVE-1 not_affected z: bound: seen as zlib 1.2.13 (/vulnerabilities/0/affects/0/ref)
CVE-1 not_affected urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:generic/openssl@1.1.1k: bound: seen as openssl 1.1.1k (/vulnerabilities/0/affects/1/ref)
CVE-1 not_affected urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#component%3Aopenssl@1.1.1l: version differs: declared 1.1.1l, seen as openssl 1.1.1k (/vulnerabilities/0/affects/2/ref)
CVE-1 not_affected other: cannot be told: the reference leads out of the document (/vulnerabilities/0/affects/3/ref)
CVE-2 under_investigation z: version differs: declared 1.2.11, seen as zlib 1.2.13 (/vulnerabilities/1/affects/0/versions/0/version)
CVE-2 under_investigation z: bound: seen as zlib 1.2.13 (/vulnerabilities/1/affects/0/versions/1/range)
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read(strings.NewReader(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, lines(Bind(s, image()))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

const osv = `{"results":[{"source":{"path":"x"},"packages":[{"package":{"name":"openssl","version":"1.1.1k","ecosystem":"Debian"},"vulnerabilities":[{"id":"CVE-2","summary":"s"},{"id":"CVE-1"}]},
 {"package":{"name":"not here","version":"1"},"vulnerabilities":[{"id":"CVE-3"}]}]}]}`

const grype = `{"matches":[{"vulnerability":{"id":"CVE-1","description":"d"},"artifact":{"name":"libssl1.1","version":"1.1.1k-1","purl":"pkg:deb/debian/libssl1.1@1.1.1k-1?upstream=openssl","cpes":["cpe:2.3:a:openssl:openssl:1.1.1k:*:*:*:*:*:*:*"]}}]}`

func TestResults(t *testing.T) {
	found, err := ReadOSV(strings.NewReader(osv))
	if err != nil {
		t.Fatal(err)
	}
	more, err := ReadGrype(strings.NewReader(grype))
	if err != nil {
		t.Fatal(err)
	}
	var out, again bytes.Buffer
	opts := Options{Author: "A Lab", Tool: "1", Time: time.Unix(1700000000, 0), Image: "camera.bin", SHA256: "aa"}
	for _, w := range []*bytes.Buffer{&out, &again} {
		if err := Write(w, append(found, more...), image(), opts); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("two runs give two documents")
	}
	for _, want := range []string{`"timestamp": "2023-11-14T22:13:20Z"`, `"@id": "pkg:generic/openssl@1.1.1k"`, `"@id": "pkg:generic/not%20here@1"`, "not observed: not seen, but 12 bytes", `"cpe23"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	back, err := Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	want := `CVE-1 under_investigation pkg:generic/openssl@1.1.1k: bound: seen as openssl 1.1.1k (/statements/0/products/0/subcomponents/0)
CVE-1 under_investigation pkg:generic/openssl@1.1.1k: bound: seen as openssl 1.1.1k (/statements/1/products/0/subcomponents/0)
CVE-2 under_investigation pkg:generic/openssl@1.1.1k: bound: seen as openssl 1.1.1k (/statements/2/products/0/subcomponents/0)
CVE-3 under_investigation pkg:generic/not%20here@1: not observed: not seen, but 12 bytes stayed unread (/statements/3/products/0/subcomponents/0)
`
	if d := cmp.Diff(want, lines(Bind(back, image()))); d != "" {
		t.Errorf("read back: -want +got\n%s", d)
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"@context":"https://openvex.dev/ns","statements":[]}`:                                                   "no statements",
		"{\"@context\":\"https://openvex.dev/ns\",\n\"statements\":[{\"status\":1}]}":                             "line 2: ",
		`{"@context":"https://openvex.dev/ns","statements":[{"status":"fixed"}]}`:                                 "/statements/0: no vulnerability",
		`{"@context":"https://openvex.dev/ns","statements":[{"vulnerability":{"name":"x"},"status":"?"}]}`:        `/statements/0/status: "?" is no status`,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"a"}]}`:                               "no statements on vulnerabilities",
		`{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"id":"x","analysis":{"state":"odd"}}]}`: `/vulnerabilities/0/analysis/state: "odd"`,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"analysis":{"state":"resolved"}}]}`:     "no vulnerability is named",
		"nothing": "want \"Tag: value\"",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read(%.50q) = %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{"{}": "no member", "{": "line 1", `{"results":[{"packages":[{"vulnerabilities":[{"id":"x"}]}]}],"matches":[{}]}`: "without a vulnerability or a package"} {
		if _, err := ReadOSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadOSV(%q) = %v, want %q", text, err, want)
		}
		if _, err := ReadGrype(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadGrype(%q) = %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(osv))
	f.Add([]byte(grype))
	f.Add([]byte(`{"@context":"openvex","statements":[{"vulnerability":"x","status":"fixed","products":["a"]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte) ([]Statement, error){
			func(b []byte) ([]Statement, error) { return Read(bytes.NewReader(b)) },
			func(b []byte) ([]Statement, error) { return ReadOSV(bytes.NewReader(b)) },
			func(b []byte) ([]Statement, error) { return ReadGrype(bytes.NewReader(b)) },
		} {
			if s, err := read(b); err == nil {
				Bind(s, image())
			}
		}
	})
}
