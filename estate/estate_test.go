package estate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/estate"
	"hallmark/policy"
	"hallmark/signatures"
)

var classes = policy.SiteClasses()

var digest = artifact.Digest{1}

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

const pack = `
pack: p
title: a pack
version: "1"
reviewed: 2023-01-01
review_by: 2030-01-01
scope: all
sets:
  - {id: named, title: the named, entities: [acme], source: a law}
rules:
  - id: p.r1
    title: not on sensitive sites
    level: violation
    citation: {law: a law, section: section 1, url: "https://example.org", read: 2023-01-01, checked: source}
    effective: {from: 2023-01-01}
    sites: [sensitive]
    coverage: 95
    match: {maker: {in: named, rung: component}}
    cases: []
  - id: p.r2
    title: not on core networks
    level: violation
    citation: {law: a law, section: section 2, url: "https://example.org", read: 2023-01-01, checked: source}
    effective: {from: 2023-01-01}
    sites: [core-network]
    coverage: 95
    match: {maker: {in: named, rung: device}}
    cases: []
  - id: p.r3
    title: better nowhere
    level: warning
    citation: {law: a law, section: section 3, url: "https://example.org", read: 2023-01-01, checked: source}
    effective: {from: 2023-01-01}
    coverage: 95
    match: {maker: {in: named, rung: lead}}
    cases: []
`

// knowledge has one maker, "acme", whose products the pack's rules name.
func knowledge(t testing.TB, asOf string) estate.Knowledge {
	t.Helper()
	relation := func(brand, kind, confidence string) signatures.Brand {
		return signatures.Brand{Brand: brand, Maker: "acme", Kind: kind, Source: "s", Date: "2024", Confidence: confidence}
	}
	g, err := policy.NewGraph(
		[]policy.Entity{{ID: "acme", Name: "Acme Ltd", Aliases: []string{"Acme"}, Makers: []string{"acme"}}, {ID: "else", Name: "Else"}},
		[]signatures.Brand{relation("Own", "own sub-brand", "high"), relation("Relabel", "OEM product", "medium"), relation("Rumour", "OEM product", "low"), relation("Tenant", "tenant of its cloud", "high")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.ParsePack("p.yaml", []byte(pack), g)
	if err != nil {
		t.Fatal(err)
	}
	return estate.Knowledge{AsOf: date(asOf), Graph: g, Packs: []*policy.Pack{p}, Firmware: map[artifact.Digest]estate.Firmware{
		digest: firmware("acme", true),
	}}
}

func firmware(maker string, read bool) estate.Firmware {
	f := estate.Firmware{Conclusive: read, Statement: "made by " + maker, Report: "r.json"}
	if read {
		f.Facts.Coverage = policy.Coverage{Percent: 100, Clear: true}
	}
	if maker != "" {
		f.Facts.Makers = []policy.Maker{{ID: maker, Name: maker, Rung: policy.Device}}
	}
	return f
}

func read(t *testing.T, text string) *estate.Inventory {
	t.Helper()
	inv, err := estate.Read(strings.NewReader(text), "estate.csv", classes)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func TestGrades(t *testing.T) {
	full := digest.String()
	inv := read(t, `Site,Site class,Device,Brand,Model,Firmware version,Firmware SHA256,Network
A,Sensitive,shown,Nobody,M1,1.0,`+full+`,separate
A,sensitive,same version,Nobody,M1,1.0,,separate
A,sensitive,other version,Nobody,M1,1.1,,separate
A,sensitive,name,ACME,,,,separate
A,sensitive,legal name,Acme Ltd.,,,,separate
A,sensitive,own,own,,,,separate
A,sensitive,relabelled,Relabel,,,,separate
A,sensitive,rumour,Rumour,,,,separate
A,sensitive,tenant,Tenant,,,,separate
A,sensitive,another,Else,,,,separate
B,other,elsewhere,Nobody,M1,1.0,`+full+`,separate
B,other,elsewhere on core,Nobody,M1,1.0,`+full+`,core
B,,no class,Nobody,M1,1.0,`+full+`,separate
B,,no class on core,Nobody,M1,1.0,`+full+`,core
B,government + Sensitive,both,Nobody,M1,1.0,`+full+`,separate
B,other,maker elsewhere,Acme,,,,separate
B,,maker no class,Acme,,,,separate
A,sensitive,never seen,Acme,,,`+strings.Repeat("ab", 32)+`,separate
`)
	var got []string
	for _, d := range estate.Assess(inv, knowledge(t, "2025-01-01")).Devices {
		var rules []string
		for _, r := range d.Rules {
			rules = append(rules, r.ID)
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s: %s %s", d.ID, d.Grade, strings.Join(rules, " "))))
	}
	want := []string{
		"shown: shown p.r1", "same version: shown p.r1", "other version: unknown", "name: labelled p.r1", "legal name: labelled p.r1",
		"own: labelled p.r1", "relabelled: indicated p.r1", "rumour: unknown", "tenant: unknown", "another: unknown",
		"elsewhere: outside", "elsewhere on core: shown p.r2", "no class: inconclusive", "no class on core: shown p.r2", "both: shown p.r1",
		"maker elsewhere: outside", "maker no class: unknown", "never seen: labelled p.r1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if r := estate.Assess(inv, knowledge(t, "2022-12-31")).Total(); r.ToClear != 0 {
		t.Errorf("%d to clear before any rule was in effect", r.ToClear)
	}
}

// A firmware that was read overrules a label, and one that could not be read makes no device clear.
func TestFirmwareSpeaksAlone(t *testing.T) {
	k := knowledge(t, "2025-01-01")
	other, blank := artifact.Digest{2}, artifact.Digest{3}
	k.Firmware[other], k.Firmware[blank] = firmware("else", true), firmware("", false)
	inv := read(t, "site,device,brand,site_class,network,firmware_sha256\nA,1,Acme,sensitive,separate,"+other.String()+"\nA,2,Acme,sensitive,separate,"+blank.String()+"\n")
	r := estate.Assess(inv, k)
	if a, b := r.Devices[0].Grade, r.Devices[1].Grade; a != estate.NotShown || b != estate.Inconclusive {
		t.Errorf("%s, %s", a, b)
	}
}

const history = `site,device,brand,site_class,network,status,planned,done
A,1,Acme,sensitive,core,removed,,2024-03-01
A,2,Acme,sensitive,core,replaced,,2024-09-01
A,3,Acme,sensitive,core,in use,2024-12-01,
B,4,Acme,sensitive,,in use,2026-01-01,
B,5,Acme,sensitive,core,disconnected,,
B,6,Nobody,sensitive,core,,,
`

func TestProgress(t *testing.T) {
	inv := read(t, history)
	for _, test := range []struct {
		asOf                       string
		cleared, core, late, first int
		kept                       estate.Kept
		milestone                  string
		share                      float64
	}{
		{"2024-01-01", 0, 3, 0, 4, estate.NotYet, "2024-04-01", 0.2},
		{"2024-03-01", 1, 2, 0, 3, estate.CannotT, "2024-04-01", 0.2}, // 1 of 5, but 1 of 6 if the unknown counts
		{"2024-03-01", 1, 2, 0, 3, estate.Ahead, "2024-04-01", 0.15},
		{"2025-01-01", 2, 1, 1, 2, estate.Met, "2024-10-01", 0.3},
		{"2025-01-01", 2, 1, 1, 2, estate.Missed, "2024-08-31", 0.3},
	} {
		r := estate.Assess(inv, knowledge(t, test.asOf))
		c := r.Total()
		kept, _ := r.Judge(estate.Milestone{Date: date(test.milestone), Share: test.share})
		if c.ToClear != 5 || c.Cleared != test.cleared || c.Core != test.core || c.Late != test.late || c.Open() != 1 || len(r.First()) != test.first || kept != test.kept {
			t.Errorf("as of %s: %+v, %d to disconnect, milestone %s %s", test.asOf, c, len(r.First()), test.milestone, kept)
		}
	}
	done, planned := estate.Assess(inv, knowledge(t, "2025-01-01")).History()
	want := []estate.Step{{Date: date("2024-03-01"), N: 1}, {Date: date("2024-09-01"), N: 2}}
	if d := cmp.Diff(want, done); d != "" {
		t.Error(d)
	}
	want = []estate.Step{{Date: date("2025-01-01"), N: 3}, {Date: date("2026-01-01"), N: 4}}
	if d := cmp.Diff(want, planned); d != "" {
		t.Error(d)
	}
}

func TestUpload(t *testing.T) {
	inv := read(t, "site,device,brand,model,network\nA,1,X,m,\nA,2,x,M,\nA,3,Y,m,core\nA,4,Z,m,\n")
	got := estate.Assess(inv, knowledge(t, "2025-01-01")).Upload()
	want := []estate.Missing{{Brand: "Y", Model: "m", Devices: 1, OnCore: 1}, {Brand: "X", Model: "m", Devices: 2}, {Brand: "Z", Model: "m", Devices: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReadErrors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "estate.csv: empty; the first line names the columns"},
		{"no devices", "site,device,brand\n", "no devices below"},
		{"missing column", "site,brand\nA,B\n", `estate.csv:1:1: no column "device"`},
		{"slip", "site,device,brand,staus\nA,1,B,\n", `estate.csv:1:19: column "staus": did you mean "status"?`},
		{"twice", "site,device,brand,Site\nA,1,B,\n", `stands there twice`},
		{"fields", "site,device,brand\nA,1\n", "estate.csv:2:1: the line has more or fewer"},
		{"quote", "site,device,brand\nA,\"1,B\n", "estate.csv:"},
		{"date", "site,device,brand,done\nA,1,B,03/04/2024\n", `estate.csv:2:7: done "03/04/2024": write dates as 2025-04-30`},
		{"digest", "site,device,brand,firmware_sha256\nA,1,B,abc\n", "want 64 hexadecimal digits"},
		{"status", "site,device,brand,status\nA,1,B,gone\n", `status "gone": want in use`},
		{"network", "site,device,brand,network\nA,1,B,lan\n", `network "lan": want core`},
		{"device twice", "site,device,brand\nA,1,B\nA,1,C\n", `estate.csv:3:3: device "1" of site "A" stands in line 2 already`},
		{"class", "site,device,brand,site_class\nA,1,B,sensitve\n", `site_class "sensitve": want sensitive, core-network, government`},
		{"no site", "site,device,brand\n,1,B\n", "the site has no name"},
		{"latin 1", "site,device,brand\nCaf\xe9,1,B\n", "estate.csv:2:4: not UTF-8"},
		{"many", "site,device,brand\n" + strings.Repeat(",,\n", 30), "and 40 more"},
	} {
		_, err := estate.Read(strings.NewReader(test.text), "estate.csv", classes)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func TestSpreadsheets(t *testing.T) {
	inv := read(t, "\ufeffsite;device;brand;asset tag\r\nA;1;\"B; C\";7\r\n")
	if d := inv.Devices[0]; d.Brand != "B; C" || d.Line != 2 || len(inv.Unused) != 1 {
		t.Errorf("%+v, unused %q", d, inv.Unused)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(history))
	f.Add([]byte("site;device;brand\nA;\"1\n\";B\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := estate.Read(strings.NewReader(string(data)), "f", classes)
		if err != nil {
			return
		}
		r := estate.Assess(inv, knowledge(t, "2025-01-01"))
		if c := r.Total(); c.Devices != len(inv.Devices) || c.Cleared > c.ToClear {
			t.Errorf("%+v", c)
		}
	})
}

// 100,000 devices; the command must take less than two seconds.
func BenchmarkAssess(b *testing.B) {
	var text strings.Builder
	text.WriteString("site,site_class,network,device,brand,model,firmware_version,firmware_sha256,status,planned,done\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "Site %d,sensitive,core,cam-%d,%s,M-%d,%d.0,,in use,2025-04-01,\n", i%700, i, []string{"Acme", "Relabel", "Other"}[i%3], i%50, i%9)
	}
	for b.Loop() {
		inv, err := estate.Read(strings.NewReader(text.String()), "f", classes)
		if err != nil {
			b.Fatal(err)
		}
		estate.Assess(inv, knowledge(b, "2025-01-01")).Sites()
	}
}
