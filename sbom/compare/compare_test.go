package compare

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/sbom"
	"hallmark/sbom/document"
)

func TestAliases(t *testing.T) {
	var groups [][]string
	if err := json.Unmarshal(aliasText, &groups); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, g := range groups {
		for _, name := range g {
			if was, ok := seen[plain(name)]; ok && was != g[0] {
				t.Errorf("%q stands in the groups of %s and %s", name, was, g[0])
			}
			seen[plain(name)] = g[0]
		}
	}
}

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"OpenSSL": "openssl", "libssl1.1": "openssl", "libssl3t64": "openssl", "org/openssl": "openssl", "zlib1g-dev": "zlib", "libz.so.1": "zlib",
		"Linux Kernel": "linux", "live555": "live555", "LIVE555 Streaming Media": "live555", "x264": "x264", "libx264-164": "x264", "mbed TLS": "mbedtls",
		"Das U-Boot": "uboot", "libfoo-bar2": "foobar", "foo_bar": "foobar", "libcurl4-openssl-dev": "curl4openssl", "+": "+",
	} {
		if got := canonical(name); got != want {
			t.Errorf("canonical(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestKeys(t *testing.T) {
	got := strings.Join(keys("zlib1g", "pkg:deb/Debian/zlib1g@1:1.2.13?arch=arm&upstream=zlib%401.2.13#x", `cpe:2.3:a:z\:lib:zlib:1.2:*:*:*:*:*:*:*`, ""), " ")
	if want := "purl:deb/debian/zlib1g cpe:z:lib:zlib name:zlib"; got != want {
		t.Errorf("keys = %q, want %q", got, want)
	}
	if v, p := splitCPE("cpe:/a:openssl:openssl:1.0"); v != "openssl" || p != "openssl" {
		t.Errorf("splitCPE = %s, %s", v, p)
	}
	for _, bad := range []string{"", "pkg:", "cpe:2.3:", "cpe:/", "pkg:a", "cpe:2.3:a:*:*"} {
		keys("n", bad, bad, bad)
	}
}

func TestOrder(t *testing.T) {
	for _, c := range []struct{ ecosystem, less, more string }{
		{"", "1.9", "1.10"}, {"", "1.0rc1", "1.0"}, {"", "1.0-beta2", "1.0-rc1"}, {"", "1.0.2", "1.0.2k"}, {"", "1.0.2k", "1.0.2l"}, {"", "1.0.2k", "1.0.3"},
		{"", "v1.2", "1.3"}, {"", "2.4", "2.4.1"}, {"", "20231012", "20240101"}, {"", "3.10.14", "3.10.14__isvp"},
		{"deb", "1.0~rc1", "1.0"}, {"deb", "1.0", "1.0+b1"}, {"deb", "1.2.3-4", "1.2.3-4+deb11u1"}, {"deb", "9:1", "10:0"}, {"deb", "2.0", "1:1.0"}, {"deb", "1.0a", "1.0+"},
		{"opkg", "2020-01-01-1", "2021-01-01-1"}, {"deb", "1.2-9", "1.2-10"}, {"deb", "1", "1.0"},
		{"rpm", "1.0~rc1", "1.0"}, {"rpm", "1.0", "1.0^git1"}, {"rpm", "1.0^git1", "1.0.1"}, {"rpm", "1.0a", "1.0.1"}, {"rpm", "1.0-1.el8", "1.0-2.el8"}, {"rpm", "5.5p1", "5.5p10"},
		{"rpm", "1.0", "1:0.9"},
	} {
		if Order(c.ecosystem, c.less, c.more) >= 0 || Order(c.ecosystem, c.more, c.less) <= 0 || Order(c.ecosystem, c.less, c.less) != 0 {
			t.Errorf("%s: want %s < %s", c.ecosystem, c.less, c.more)
		}
	}
	for _, c := range [][3]string{{"", "1.0", "1.0.0"}, {"deb", "1.0", "0:1.0"}, {"rpm", "1.0", "1_0"}, {"", "v1.2", "1.2"}, {"deb", "01", "1"}} {
		if Order(c[0], c[1], c[2]) != 0 {
			t.Errorf("%s: want %s = %s", c[0], c[1], c[2])
		}
	}
}

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		declared, purl string
		seen           Seen
		want           relation
	}{
		{"1.2.13", "", Seen{Version: "1.2.13", Claim: sbom.Exact}, sameVersion},
		{"V1.2.13", "", Seen{Version: "1.2.13", Claim: sbom.Exact}, sameVersion},
		{"1.2.13", "", Seen{Version: "1:1.2.13.dfsg-1", Claim: sbom.Exact}, sameUpstream},
		{"1.2.3", "", Seen{Version: "1:1.2.3-4+deb11u1", Claim: sbom.Exact}, sameUpstream},
		{"1:1.2.3-4", "pkg:deb/debian/x", Seen{Version: "1:1.2.3-4+deb11u1", Claim: sbom.Exact, Purl: "pkg:deb/debian/x"}, otherVersion},
		{"1.2.3-r2", "pkg:apk/alpine/x", Seen{Version: "1.2.3", Claim: sbom.Exact}, sameUpstream},
		{"1.2.3-rc1", "", Seen{Version: "1.2.3", Claim: sbom.Exact}, otherVersion},
		{"2.8.124", "", Seen{Version: "2.8", Claim: sbom.Prefix}, withinClaim},
		{"2.80", "", Seen{Version: "2.8", Claim: sbom.Prefix}, otherVersion},
		{"1.2.13", "", Seen{Version: "1.2.12", Claim: sbom.Range}, withinClaim},
		{"1.2.11", "", Seen{Version: "1.2.12", Claim: sbom.Range}, otherVersion},
		{"1", "", Seen{Claim: sbom.Presence}, notTold},
		{"", "", Seen{Version: "1", Claim: sbom.Exact}, noVersion},
	} {
		if got := compareVersions(c.declared, c.purl, &c.seen); got != c.want {
			t.Errorf("compareVersions(%q, %+v) = %d, want %d", c.declared, c.seen, got, c.want)
		}
	}
}

// observed is what a made-up image shows.
func observed() *Observed {
	return &Observed{
		Name: "camera.bin", Known: []string{"lighttpd", "openssl", "pkg:npm/jquery"},
		Contents: map[string]string{"aa": "camera.bin > squashfs@0x0:/usr/lib/libfoo.so"},
		Components: []Seen{
			{Name: "openssl", Version: "1.1.1k", Claim: sbom.Exact, CPE: "cpe:2.3:a:openssl:openssl:1.1.1k:*:*:*:*:*:*:*"},
			{Name: "openssl", Version: "1.0.2", Claim: sbom.Exact},
			{Name: "zlib1g", Version: "1:1.2.11.dfsg-2", Claim: sbom.Exact, Purl: "pkg:deb/debian/zlib1g@1:1.2.11", recorded: true},
			{Name: "gsoap", Version: "2.8", Claim: sbom.Prefix},
			{Name: "live555", Claim: sbom.Presence},
			{Name: "busybox", Version: "1.22.1", Claim: sbom.Exact},
			{Name: "dropbear", Version: "2022.83", Claim: sbom.Exact},
		},
	}
}

func lines(r *Result) string {
	var b strings.Builder
	for _, x := range r.Items {
		fmt.Fprintf(&b, "%s: %s: %s\n", x.Name, x.Verdict, x.Because)
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	declared := []Declared{
		{Name: "libssl1.1", Version: "1.1.1k", Type: "library"},
		{Name: "zlib", Version: "1.2.11"},
		{Name: "gSOAP", Version: "2.8.124"},
		{Name: "LIVE555 Streaming Media", Version: "2020.01.01"},
		{Name: "BusyBox", Version: "1.31.0"},
		{Name: "lighttpd", Version: "1.4.69"},
		{Name: "own-app", Version: "1"},
		{Name: "gone", Version: "1", Purl: "pkg:deb/debian/gone@1"},
		{Name: "openssl", Version: "9", Purl: "pkg:npm/openssl@9"},
		{Name: "jquery", Version: "1", Purl: "pkg:npm/jquery@1"},
		{Name: "foo", Version: "3", SHA256: []string{"aa"}},
	}
	r := Compare("supplier.json", declared, observed())
	want := `BusyBox: version differs: declared 1.31.0, seen as busybox 1.22.1
gone: declared but not seen: every byte was read and nothing shows it
jquery: declared but not seen: every byte was read and nothing shows it
lighttpd: declared but not seen: every byte was read and nothing shows it
dropbear: seen but not declared: no declared component has its name, package URL, CPE or hash
openssl: seen but not declared: declared, but not in this version
LIVE555 Streaming Media: cannot be told: it is there, but the bytes do not tell its version
openssl: cannot be told: not seen, but it is not known how it looks in an image
own-app: cannot be told: not seen, but it is not known how it looks in an image
foo: confirmed: a file with the declared SHA-256 is in the image
gSOAP: confirmed: agrees with what could be seen: gsoap 2.8.*
libssl1.1: confirmed: seen as openssl 1.1.1k
zlib: confirmed: the same upstream version, seen as zlib1g 1:1.2.11.dfsg-2
`
	if d := cmp.Diff(want, lines(r)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if r.Agrees() || !r.Contradicts() {
		t.Error("want a contradiction")
	}
	o := observed()
	o.Unread = "4096 bytes stayed unread"
	for _, x := range Compare("s", declared, o).Items {
		if x.Verdict == NotSeen {
			t.Errorf("%s is said to be absent from an image that was not read", x.Name)
		}
	}
}

// TestManyOwners wants a digest that everything shares, such as that of nothing, to name nothing.
func TestManyOwners(t *testing.T) {
	o := &Observed{}
	var declared []Declared
	for i := range 2 * maxOwners {
		name := fmt.Sprintf("part-%c%c", 'a'+i/16, 'a'+i%16)
		o.Components = append(o.Components, Seen{Name: name, Version: "1", Claim: sbom.Exact, Files: []File{{SHA256: "aa"}}})
		declared = append(declared, Declared{Name: name, Version: "1", SHA256: []string{"aa"}})
	}
	if r := Compare("s", declared, o); !r.Agrees() {
		t.Errorf("counts = %v", r.Counts)
	}
}

func TestSides(t *testing.T) {
	d, err := document.Read(strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"firmware","name":"i","bom-ref":"i",
		"properties":[{"name":"hallmark:read:percent","value":"100"},{"name":"hallmark:unread:bytes","value":"0"}]}},
		"components":[{"type":"library","name":"a","version":"1","scope":"excluded"},{"type":"device","name":"b"},{"type":"library","group":"g","name":"c","version":"N/A",
		"hashes":[{"alg":"SHA-256","content":"AA"}],"properties":[{"name":"hallmark:claim","value":"prefix"},{"name":"hallmark:version:prefix","value":"2.8"}],
		"evidence":{"occurrences":[{"location":"x","offset":7,"additionalContext":"r in package, records"}]}},
		{"type":"file","name":"squashfs","properties":[{"name":"hallmark:kind","value":"layer"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := FromSupplier(d)
	if len(got) != 1 || got[0].Name != "g/c" || got[0].Version != "" || got[0].At != "/components/2" || got[0].SHA256[0] != "aa" {
		t.Errorf("declared = %+v", got)
	}
	o := FromDocument("d", d, nil)
	if o.Unread != "" || len(o.Components) != 3 {
		t.Fatalf("observed = %+v", o)
	}
	if c := o.Components[2]; c.Version != "2.8" || c.Claim != sbom.Prefix || !c.recorded || *c.Citations[0].Offset != 7 {
		t.Errorf("seen = %+v", c)
	}
}

func TestDiff(t *testing.T) {
	digest := func(n byte) string { return artifact.Digest{n}.String() }
	file := func(n byte) []File { return []File{{"bin/x", digest(n), 10_000}} }
	a := &Observed{Name: "a", Components: []Seen{
		{Name: "up", Version: "1.9", Claim: sbom.Exact}, {Name: "down", Version: "2", Claim: sbom.Exact}, {Name: "gone", Version: "1", Claim: sbom.Exact},
		{Name: "same", Version: "1", Claim: sbom.Exact, Build: "x"}, {Name: "built", Version: "1", Claim: sbom.Exact, Build: "x", Files: file(1)},
		{Name: "patched", Version: "1", Claim: sbom.Exact, Build: "x", Files: file(3)}, {Name: "less", Version: "2.8", Claim: sbom.Prefix},
		{Name: "lost", Version: "1", Claim: sbom.Exact}, {Name: "two", Version: "1", Claim: sbom.Exact}, {Name: "two", Version: "2", Claim: sbom.Exact},
	}}
	b := &Observed{Name: "b", Unread: "1 byte", Components: []Seen{
		{Name: "up", Version: "1.10", Claim: sbom.Exact}, {Name: "down", Version: "1", Claim: sbom.Exact}, {Name: "new", Version: "1", Claim: sbom.Exact},
		{Name: "same", Version: "1", Claim: sbom.Exact, Build: "x"}, {Name: "built", Version: "1", Claim: sbom.Exact, Build: "y", Files: file(2)},
		{Name: "patched", Version: "1", Claim: sbom.Exact, Build: "y", Files: file(4)}, {Name: "less", Version: "2.8.1", Claim: sbom.Exact},
		{Name: "lost", Claim: sbom.Presence}, {Name: "two", Version: "2", Claim: sbom.Exact}, {Name: "two", Version: "3", Claim: sbom.Exact},
	}}
	bytes := func(x, y artifact.Digest) ([]artifact.Range, int64, bool) {
		if x[0] == 3 {
			return []artifact.Range{{Off: 16, Len: 4}}, 4, true
		}
		return []artifact.Range{{Off: 0, Len: 9000}}, 9000, true
	}
	d := Diff(a, b, bytes)
	var got strings.Builder
	for _, c := range d.Changes {
		fmt.Fprintf(&got, "%s: %s: %s\n", c.Name, c.Change, c.Because)
	}
	want := `down: downgraded: 2 to 1
two: upgraded: 1 to 3
up: upgraded: 1.9 to 1.10
new: added: seen as new 1
gone: removed: was seen as gone 1
patched: patched in place: 4 bytes of bin/x differ, the first at 0x10
built: same version but rebuilt: its files differ
less: cannot be told: less 2.8.*, then less 2.8.1: versions are not told in full
lost: cannot be told: lost 1, then lost: one side does not tell its version
same: same: the same files
two: same: the same version; it has no files of its own to compare
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if d.Equal() || len(d.Unread) != 1 || !Diff(a, a, nil).Equal() {
		t.Errorf("delta = %+v", d)
	}
}

func FuzzOrder(f *testing.F) {
	f.Add("1.0~rc1-2", "1:1.0^git")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, e := range []string{"", "deb", "rpm"} {
			if x, y := Order(e, a, b), Order(e, b, a); x > 0 != (y < 0) || Order(e, a, a) != 0 {
				t.Errorf("%s: Order(%q, %q) = %d, and the other way %d", e, a, b, x, y)
			}
		}
		keys(a, b, a, b)
		upstream(a)
	})
}
