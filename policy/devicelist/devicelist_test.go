package devicelist_test

import (
	"fmt"
	"strings"
	"testing"

	"hallmark/policy/devicelist"
	"hallmark/signing"
)

const list = `apiVersion: hallmark/v1
kind: ApprovedDevices
list:
  id: acme-approved
  title: Cameras that Acme may buy
  issuer: Acme security office
  version: "12"
  issued: 2026-01-01
  expires: 2026-12-31
schemes:
  - {id: kr-tta, title: TTA public-sector certificate, status: active}
entries:
  - id: cam-1
    status: approved
    vendor: Harbourlight
    model: HL-1
    firmware:
      - version: "1.10"
        sha256: a111111111111111111111111111111111111111111111111111111111111111
        content_root: b222222222222222222222222222222222222222222222222222222222222222
    certificates:
      - {scheme: kr-tta, id: T-1, valid_to: 2026-06-30}
  - id: cam-2
    status: withdrawn
    withdrawn: {date: 2026-03-01, reason: maker unknown}
`

func TestListRefuses(t *testing.T) {
	if _, err := devicelist.Parse("list.yaml", []byte(list)); err != nil {
		t.Fatal(err)
	}
	for old, x := range map[string][2]string{
		`version: "1.10"`:         {"version: 1.10", `list.yaml:18:18: want a text, and 1.10 bare is a number; write it in quotes: "1.10"`},
		"model: HL-1":             {"model: 0123", `list.yaml:16:12: want a text, and 0123 bare is a number`},
		"id: cam-2":               {"id: cam-1", `list.yaml:23:5: entry "cam-1" is there twice; the first is in line 13`},
		"status: approved":        {"status: conditional", "a conditional entry has conditions"},
		"withdrawn: {":            {"notes: x # {", "a withdrawn entry has the key withdrawn"},
		"scheme: kr-tta":          {"scheme: kr-ttb", `list.yaml:22:9: entry cam-1: no scheme "kr-ttb" under schemes`},
		"kind: ApprovedDevices":   {"kind: Approved", `list.yaml:2:7: "Approved" is not allowed here`},
		"sha256: a1":              {"sha256: a", "63 characters, want 64"},
		"sha256: a111":            {"sha256: xxxx", "invalid byte"},
		"  expires: 2026-12-31\n": {"", `list.yaml:4:3: the key "expires" is missing`},
		"expires: 2026-12-31":     {"expires: 2025-12-31", "expires on 2025-12-31, before it is issued"},
		"apiVersion: hallmark/v1": {"apiVersion: hallmark/v2", `list.yaml:1:13: "hallmark/v2" is not allowed here`},
		"vendor: Harbourlight":    {"vendor: &v Harbourlight", "anchor &v"},
		"content_root":            {"content-root", `unknown key "content-root"; did you mean "content_root"?`},
	} {
		_, err := devicelist.Parse("list.yaml", []byte(strings.Replace(list, old, x[0], 1)))
		if err == nil || !strings.Contains(err.Error(), x[1]) {
			t.Errorf("%q: %v, want %s", x[0], err, x[1])
		}
	}
}

func TestLint(t *testing.T) {
	l, err := devicelist.Parse("list.yaml", []byte(list))
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Lint("2026-02-01", nil); len(got) != 0 {
		t.Errorf("in February: %v", got)
	}
	if got := l.Lint("2027-02-01", nil); len(got) != 2 || got[0].Error() != "list.yaml:4:3: the list expired on 2026-12-31 and does not hold on 2027-02-01" {
		t.Errorf("a year later: %v", got)
	}
}

func TestSign(t *testing.T) {
	key, err := signing.Generate()
	if err != nil {
		t.Fatal(err)
	}
	other, _ := signing.Generate()
	env, err := devicelist.Sign("dir/list.yaml", []byte(list), key)
	if err != nil {
		t.Fatal(err)
	}
	if by, err := devicelist.Verify("list.yaml", []byte(list), env, []*signing.PublicKey{other.Public(), key.Public()}); err != nil || len(by) != 1 {
		t.Errorf("Verify = %v, %v", by, err)
	}
	if _, err := devicelist.Verify("list.yaml", []byte(list+" "), env, []*signing.PublicKey{key.Public()}); err == nil || !strings.Contains(err.Error(), "changed after it was signed") {
		t.Error(err)
	}
	if _, err := devicelist.Verify("list.yaml", []byte(list), env, []*signing.PublicKey{other.Public()}); err == nil {
		t.Error("another key's signature was taken")
	}
	if _, err := devicelist.Sign("list.yaml", []byte("kind: Waivers"), key); err == nil {
		t.Error("a broken document was signed")
	}
}

func many(n int) []byte {
	var b strings.Builder
	head, _, _ := strings.Cut(list, "entries:")
	b.WriteString(head + "entries:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - id: cam-%d\n    status: approved\n    vendor: Harbourlight\n    model: \"HL-%d\"\n    firmware:\n      - version: \"1.%d\"\n        sha256: a%063x\n        content_root: a%063x\n        size: 16777216\n    permit_makers: []\n    certificates:\n      - {scheme: kr-tta, id: T-%d, valid_to: 2026-06-30}\n    valid_to: 2026-12-31\n", i, i, i, i+1, i+1, i)
	}
	return []byte(b.String())
}

// TestTenThousand reads and lints a long list; BenchmarkParse says how fast.
func TestTenThousand(t *testing.T) {
	l, err := devicelist.Parse("list.yaml", many(10_000))
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Lint("2026-02-01", nil); len(got) != 0 || len(l.Entries) != 10_000 {
		t.Errorf("%d entries, %v", len(l.Entries), got)
	}
}

func BenchmarkParse(b *testing.B) {
	data := many(10_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := devicelist.Parse("list.yaml", data); err != nil {
			b.Fatal(err)
		}
	}
}

func TestImport(t *testing.T) {
	for _, tc := range []struct {
		format, text string
		latin        bool
		entries      int
		bad          []string
		err, note    string
	}{
		{"csv", "id,sha256,vendor,version,valid_to\na," + strings.Repeat("1", 64) + ",V,\"1.10\",2027-01-31\nb,123,V,2,\nc," + strings.Repeat("2", 64) + ",V\na," + strings.Repeat("3", 64) + ",V,3,\nd," + strings.Repeat("4", 64) + ",V,3,soon\n", false, 1,
			[]string{"in:3:1: sha256: ", "in:4:1: 3 fields, and the table has 5 columns", `in:5:1: the id "a" is that of line 2`, `in:6:1: valid_to: "soon" is no date`}, "", ""},
		{"csv", "id,sha256\n\"a,1\n", false, 0, []string{`in:2:`}, "", ""},
		{"csv", "name,sha256\n", false, 0, nil, `no column "id"`, ""},
		{"csv", "id,sha256,vendor\na," + strings.Repeat("1", 64) + ",M\xfcller \x96\n", false, 0, nil, "in:2:69: not UTF-8; if it is windows-1252, say so", ""},
		{"csv", "id,sha256,vendor\na," + strings.Repeat("1", 64) + ",M\xfcller \x96\n", true, 1, nil, "", "read as windows-1252; 2 characters"},
		{"common-criteria", "Category,Name,Manufacturer,Scheme,Assurance Level,Protection Profile(s),Certification Date,Archived Date,Certification Report URL,Security Target URL\nNetwork,Camera X,Acme,DE,EAL2,,01/31/2024,01/31/2029,u1,u2\nNetwork,Camera Y,Acme,DE,EAL2,,31.1.2024,,u1,u2\n", false, 1,
			[]string{`in:3:1: "31.1.2024" is no date`}, "", "names no firmware"},
		{"cyclonedx", "{\"bomFormat\":\"CycloneDX\",\"metadata\":{\"component\":{\"type\":\"firmware\",\"name\":\"HL-1\",\"version\":\"1.10\",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"" + strings.Repeat("1", 64) + "\"}]}},\n\"components\":[{\"type\":\"library\",\"name\":\"zlib\"},\n{\"type\":\"device\",\"name\":\"HL-2\"}]}", false, 1,
			[]string{"in:3:1: device HL-2 has no SHA-256"}, "", "1 components are neither"},
		{"cyclonedx", "{}", false, 0, nil, "not a CycloneDX document", ""},
		{"cvs", "", false, 0, nil, `did you mean "csv"?`, ""},
	} {
		m, err := devicelist.ReadForeign("in", tc.format, []byte(tc.text), tc.latin)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%.40q: %v, want %s", tc.text, err, tc.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%.40q: %v", tc.text, err)
			continue
		}
		if len(m.Entries) != tc.entries || len(m.Bad) != len(tc.bad) {
			t.Errorf("%.40q: %d entries and %v, want %d and %q", tc.text, len(m.Entries), m.Bad, tc.entries, tc.bad)
			continue
		}
		for i, want := range tc.bad {
			if !strings.HasPrefix(m.Bad[i].Error(), want) {
				t.Errorf("%v, want %s", m.Bad[i], want)
			}
		}
		if !strings.Contains(strings.Join(m.Notes, "\n"), tc.note) {
			t.Errorf("notes %q, want %q", m.Notes, tc.note)
		}
		out := m.YAML(devicelist.Header{ID: "x", Title: "y", Issuer: "z", Version: "1", Issued: "2026-01-01", Expires: "2027-01-01"})
		if l, err := devicelist.Parse("out.yaml", []byte(out)); err != nil || len(l.Entries) != tc.entries {
			t.Errorf("%v of\n%s", err, out)
		}
	}
}

func TestAppend(t *testing.T) {
	e := &devicelist.Entry{ID: "cam-3", Status: "approved", Model: "No \"quotes\"\n", Firmware: []devicelist.Firmware{{Version: "1.10", Manifest: "m"}}}
	e.Firmware[0].SHA256[0], e.Firmware[0].ContentRoot[0] = 1, 2
	out, err := devicelist.Append("list.yaml", []byte("# kept\n"+list), e)
	if err != nil {
		t.Fatal(err)
	}
	l, err := devicelist.Parse("list.yaml", out)
	if err != nil || len(l.Entries) != 3 || l.Entry("cam-3").Model != e.Model || !strings.HasPrefix(string(out), "# kept\n"+list) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := devicelist.Append("list.yaml", out, e); err == nil || !strings.Contains(err.Error(), `entry "cam-3" is there`) {
		t.Error(err)
	}
	head, _, _ := strings.Cut(list, "entries:")
	if out, err = devicelist.Append("list.yaml", []byte(head+"entries: []\n"), e); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := devicelist.Append("list.yaml", []byte("entries: []\n"+head), e); err == nil || !strings.Contains(err.Error(), "must be the last key") {
		t.Error(err)
	}
}
