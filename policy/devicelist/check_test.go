package devicelist_test

import (
	"strings"
	"testing"

	"hallmark/artifact"
	"hallmark/policy"
	"hallmark/policy/devicelist"
)

// TestSharedFirmware holds that a firmware which several entries name is judged by the one that holds.
func TestSharedFirmware(t *testing.T) {
	head, _, _ := strings.Cut(list, "entries:")
	digest := strings.Repeat("ab", 32)
	l, err := devicelist.Parse("list.yaml", []byte(head+`entries:
  - {id: old, status: withdrawn, withdrawn: {date: 2026-02-01, reason: sold out}, firmware: [{version: "1", sha256: `+digest+`}]}
  - {id: ended, status: approved, valid_to: 2026-02-01, firmware: [{version: "1", sha256: `+digest+`}]}
  - {id: good, status: approved, firmware: [{version: "1", sha256: `+strings.Repeat("cd", 32)+`, content_root: `+digest+`}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	q := devicelist.Inquiry{List: l, At: "2026-05-01"}
	var d artifact.Digest
	for i := range d {
		d[i] = 0xab
	}
	for entry, want := range map[string]devicelist.Verdict{"": devicelist.Withdrawn, "old": devicelist.Withdrawn, "ended": devicelist.EntryExpired, "good": devicelist.ContentDiffers} {
		c, err := q.Check(&devicelist.Device{SHA256: d, Manifest: &devicelist.Manifest{}, Entry: entry, Facts: policy.Facts{Coverage: policy.Coverage{Percent: 100, Clear: true}}})
		if err != nil || c.Verdict != want {
			t.Errorf("as %q: %v, %v; want %s", entry, c, err, want)
		}
	}
	q.At = "2026-01-15"
	c, err := q.Check(&devicelist.Device{SHA256: d, Manifest: &devicelist.Manifest{}, Facts: policy.Facts{Coverage: policy.Coverage{Percent: 100, Clear: true}}})
	if err != nil || c.Verdict != devicelist.Approved || c.Entry != "old" {
		t.Errorf("before anything ended: %v, %v", c, err)
	}
}

// TestListingFeedsRules holds that what the list says is a fact for rules.
func TestListingFeedsRules(t *testing.T) {
	l, err := devicelist.Parse("list.yaml", []byte(list))
	if err != nil {
		t.Fatal(err)
	}
	g, err := policy.Entities()
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Builtin("kr-firmware-identity", g)
	if err != nil {
		t.Fatal(err)
	}
	d := &devicelist.Device{Manifest: &devicelist.Manifest{}, Facts: policy.Facts{Coverage: policy.Coverage{Percent: 100, Clear: true}, Sites: []string{"government"}}}
	d.SHA256 = l.Entries[0].Firmware[0].SHA256
	for at, want := range map[policy.Date]devicelist.State{"2026-06-30": devicelist.Pass, "2026-07-01": devicelist.Fail} {
		q := devicelist.Inquiry{List: l, Packs: []*policy.Pack{p}, At: at}
		c, err := q.Check(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range c.Results {
			if r.Rule == "kr-firmware-identity.certificate" && r.State != want {
				t.Errorf("on %s: %s, want %s", at, r.Statement, want)
			}
		}
	}
}

// BenchmarkCheck checks 10,000 devices against a list of 10,000, with two rule packs.
func BenchmarkCheck(b *testing.B) {
	l, err := devicelist.Parse("list.yaml", many(10_000))
	if err != nil {
		b.Fatal(err)
	}
	g, err := policy.Entities()
	if err != nil {
		b.Fatal(err)
	}
	q := devicelist.Inquiry{List: l, At: "2026-05-01"}
	for _, name := range []string{"us-889", "uk-2022"} {
		p, err := policy.Builtin(name, g)
		if err != nil {
			b.Fatal(err)
		}
		q.Packs = append(q.Packs, p)
	}
	for b.Loop() {
		for i := range l.Entries {
			d := &devicelist.Device{SHA256: l.Entries[i].Firmware[0].SHA256, Manifest: &devicelist.Manifest{Lines: []string{"x"}}, Facts: policy.Facts{Coverage: policy.Coverage{Percent: 100, Clear: true}, Purpose: "public-safety", Sites: []string{"sensitive"}}}
			if c, err := q.Check(d); err != nil || c.Verdict != devicelist.Approved {
				b.Fatal(c, err)
			}
		}
	}
}
