package policy_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hallmark/policy"
	"hallmark/signatures"
)

func builtin(t *testing.T, name string) *policy.Pack {
	t.Helper()
	g, err := policy.Entities()
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Builtin(name, g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPacks runs the cases of every rule of every pack.
func TestPacks(t *testing.T) {
	if len(policy.Names()) < 5 {
		t.Fatalf("packs: %q", policy.Names())
	}
	for _, name := range policy.Names() {
		p := builtin(t, name)
		if p.ID != name {
			t.Errorf("pack %s calls itself %s", name, p.ID)
		}
		for _, err := range p.Test() {
			t.Error(err)
		}
	}
}

// TestSameFacts judges one rebadged camera under every pack.
func TestSameFacts(t *testing.T) {
	f := policy.Facts{
		Claimed:  policy.Claimed{Brand: "Harbourlight"},
		Makers:   []policy.Maker{{ID: "dahua", Name: "Dahua", Rung: policy.Device}},
		Silicon:  []policy.Silicon{{ID: "hisilicon", Name: "HiSilicon"}},
		Coverage: policy.Coverage{Percent: 100, Clear: true},
		Listing:  &policy.Listing{},
		Purpose:  "government-facility",
		Sites:    []string{"government"},
	}
	want := map[string]policy.Outcome{
		"uk-2022.deploy": policy.NotApplicable, "uk-2022.connect": policy.NotApplicable, "uk-2022.replace": policy.Matches,
		"us-889.video": policy.Matches, "us-889.telecom": policy.NoMatch, "us-889.silicon": policy.Matches,
		"us-889.use": policy.NoMatch, "us-889.label": policy.NoMatch,
		"us-fcc-covered.video": policy.Matches, "us-fcc-covered.any-purpose": policy.NoMatch, "us-fcc-covered.modules": policy.NoMatch,
		"tw-2023.product": policy.Matches, "tw-2023.software": policy.Matches,
		"kr-firmware-identity.certificate": policy.Matches, "kr-firmware-identity.firmware": policy.Matches,
	}
	for _, name := range policy.Names() {
		for _, v := range builtin(t, name).Judge(&f, "2026-11-22") {
			if v.Outcome != want[v.Rule] {
				t.Errorf("%s: %s, want %s", v.Rule, v.Statement, want[v.Rule])
			}
			if v.Citation.Law == "" || !strings.Contains(v.Statement, v.Citation.Law) {
				t.Errorf("%s: no citation in %q", v.Rule, v.Statement)
			}
			if strings.Contains(strings.ToLower(v.Statement), "legal") {
				t.Errorf("%s: %q is a word of law", v.Rule, v.Statement)
			}
		}
	}
}

const own = `pack: own
title: Rules of our own
version: "1"
reviewed: 2026-11-22
review_by: 2027-11-22
scope: us
sets:
  - {id: dahua, title: Dahua and what belongs to it, entities: [dahua], with: [subsidiary-of], source: none}
rules:
  - id: own.rule
    title: A rule
    level: violation
    citation: {law: House rules, section: "1", url: "https://example.org/rules", read: 2026-11-22, checked: source}
    effective: {from: 2020-01-01}
    coverage: 90
    match:
      MATCH
    cases: []
`

func parse(t *testing.T, match string) (*policy.Pack, error) {
	t.Helper()
	g, err := policy.Entities()
	if err != nil {
		t.Fatal(err)
	}
	return policy.ParsePack("own.yaml", []byte(strings.Replace(own, "MATCH", match, 1)), g)
}

func TestConditions(t *testing.T) {
	f := policy.Facts{
		Image:      policy.Image{Name: "cam.bin", Size: 10},
		Claimed:    policy.Claimed{Brand: "Amcrest"},
		Makers:     []policy.Maker{{ID: "dahua", Name: "Dahua", Rung: policy.Device, Evidence: []policy.Evidence{{Rule: "dahua.env", Place: "cam.bin"}}}},
		Components: []policy.Component{{Name: "openssl", Version: "1.0.2k"}},
		Coverage:   policy.Coverage{Percent: 80},
	}
	for match, want := range map[string]policy.Outcome{
		"maker: {in: dahua, rung: component}":           policy.Matches,
		"not: {maker: {in: dahua, rung: lead}}":         policy.NoMatch,
		"silicon: {in: dahua}":                          policy.Inconclusive, // 80 % read, 90 % asked
		"component: {name: openssl*}":                   policy.Matches,
		"component: {name: openssl, types: [library]}":  policy.Inconclusive,
		"component: {name: zlib}":                       policy.Inconclusive,
		"coverage: 80":                                  policy.Matches,
		"not: {coverage: 80}":                           policy.NoMatch,
		"relabelled: true":                              policy.Matches,
		"relabelled: false":                             policy.NoMatch,
		"listed: true":                                  policy.Inconclusive,
		"claimed: {in: dahua}":                          policy.Matches, // a relation of high confidence
		"any: [{silicon: {in: dahua}}, {coverage: 10}]": policy.Matches,
		"all: [{silicon: {in: dahua}}, {coverage: 10}]": policy.Inconclusive,
		"all: [{silicon: {in: dahua}}, {coverage: 90}]": policy.NoMatch,
		`when: components.exists(c, c.name == "openssl" && c.version.startsWith("1.0"))`:    policy.Matches,
		`when: makers.exists(m, m.rung == "device" && m.evidence.exists(e, e.rule == "x"))`: policy.Inconclusive,
		`when: makers[7].id == "dahua"`: policy.Inconclusive, // an expression that does not fit the facts
		`when: 'as_of > "2026-01-01" && image.size < 100 && purpose == "" && size(sites) == 0'`: policy.Matches,
	} {
		p, err := parse(t, match)
		if err != nil {
			t.Errorf("%s: %v", match, err)
			continue
		}
		if v := p.Judge(&f, "2026-11-22")[0]; v.Outcome != want {
			t.Errorf("%s: %s, want %s", match, v.Statement, want)
		}
	}
}

// TestPackRefuses holds that a slip in a rule is an error when the pack is loaded.
func TestPackRefuses(t *testing.T) {
	for match, want := range map[string]string{
		"maker: {in: dahau, rung: device}":                    `own.yaml:17:7: no set "dahau" in this pack; did you mean "dahua"?`,
		"maker: {in: dahua, rung: devise}":                    `own.yaml:17:32: "devise" is no rung; want one of lead, compatible, sdk-client, component, device`,
		"makers: {in: dahua, rung: device}":                   `own.yaml:17:7: unknown key "makers"; did you mean "maker"?`,
		"maker: {in: dahua}":                                  `own.yaml:17:14: the key "rung" is missing`,
		"all: []":                                             `own.yaml:17:7: no conditions in the list`,
		"not: {}":                                             `own.yaml:17:12: a condition has exactly one key, this one has 0 ()`,
		"coverage: 5\n      listed: true":                     `own.yaml:17:7: a condition has exactly one key, this one has 2 (listed, coverage)`,
		`when: findings.exists(f, true)`:                      `own.yaml:17:7: when: 1:1: undeclared reference to 'findings'`,
		`when: makers.exists(m, m.maker == "dahua")`:          `own.yaml:17:7: when: 1:19: undefined field 'maker'`,
		`when: coverage.percent > "90"`:                       `own.yaml:17:7: when: 1:18: found no matching overload for '_>_'`,
		`when: image.size`:                                    `own.yaml:17:7: when: it is int, want true or false`,
		`when: '1 +'`:                                         `own.yaml:17:7: when: 1:4: Syntax error`,
		`when: "` + strings.Repeat("true && ", 600) + `true"`: `own.yaml:17:7: when: 4804 characters, more than 4096`,
		`component: {name: "["}`:                              `component name "[": syntax error in pattern`,
	} {
		if _, err := parse(t, match); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v\nwant %s", match, err, want)
		}
	}
	g, _ := policy.Entities()
	for old, bad := range map[string][2]string{
		"entities: [dahua]":             {"entities: [dahuas]", `set dahua: no entity "dahuas"`},
		"effective: {from: 2020-01-01}": {"effective: {from: 2020-01-01}\n    sites: [sensitve]", `"sensitve" is not known here; did you mean "sensitive"?`},
		"id: own.rule":                  {"id: rule", `rule "rule" does not begin with "own."`},
		"review_by: 2027-11-22":         {"review_by: 2020-11-22", "review_by 2020-11-22 is before reviewed 2026-11-22"},
		"from: 2020-01-01":              {"to: 2020-01-01", "effective has no from"},
		"reviewed: 2026-11-22":          {"reviewed: 2026-13-22", `"2026-13-22" is no date`},
		"with: [subsidiary-of]":         {"with: [subsidary-of]", `did you mean "subsidiary-of"?`},
	} {
		text := strings.Replace(strings.Replace(own, "MATCH", "coverage: 1", 1), old, bad[0], 1)
		if _, err := policy.ParsePack("own.yaml", []byte(text), g); err == nil || !strings.Contains(err.Error(), bad[1]) {
			t.Errorf("%s: %v, want %s", bad[0], err, bad[1])
		}
	}
	if _, err := policy.Builtin("us-898", g); err == nil || !strings.Contains(err.Error(), `did you mean "us-889"?`) {
		t.Error(err)
	}
}

// TestCost holds that an expression cannot keep a run from ending.
func TestCost(t *testing.T) {
	p, err := parse(t, "when: components.all(a, components.all(b, components.all(c, a.name == b.name || c.name != a.name)))")
	if err != nil {
		t.Fatal(err)
	}
	f := policy.Facts{Components: make([]policy.Component, 2000), Coverage: policy.Coverage{Percent: 100, Clear: true}}
	start := time.Now()
	v := p.Judge(&f, "2026-11-22")[0]
	if v.Outcome != policy.Inconclusive || !strings.Contains(v.Statement, "cost limit") || time.Since(start) > 5*time.Second {
		t.Errorf("%s after %v", v.Statement, time.Since(start))
	}
}

func TestStale(t *testing.T) {
	p := builtin(t, "us-889")
	if s := p.Stale("2026-11-22"); s != "" {
		t.Error(s)
	}
	if s := p.Stale("2030-01-01"); !strings.Contains(s, "us-889 was to be reviewed by") {
		t.Error(s)
	}
}

// TestGraph holds that relations are dated, and that the data hang together.
func TestGraph(t *testing.T) {
	g, err := policy.Entities()
	if err != nil {
		t.Fatal(err)
	}
	set := &policy.Set{Entities: []string{"dahua"}, With: []string{"subsidiary-of", "brand-of"}}
	for at, want := range map[policy.Date]bool{"2017-12-31": false, "2020-01-01": true, "2023-01-01": false} {
		if _, ok := g.Why(set, g.Named("LOREX"), at); ok != want {
			t.Errorf("Lorex belongs to Dahua on %s: %v, want %v", at, ok, want)
		}
	}
	if e := g.Named("hangzhou hikvision digital technology co ltd"); e == nil || e.ID != "hikvision" {
		t.Errorf("the legal name in another spelling is %v", e)
	}
	makers, err := signatures.Makers()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range g.All() {
		for _, id := range e.Makers {
			if !slices.ContainsFunc(makers, func(m signatures.Maker) bool { return m.ID == id }) {
				t.Errorf("entity %s: no maker %s", e.ID, id)
			}
		}
	}
	if _, err := policy.NewGraph([]policy.Entity{{ID: "a", Name: "A"}, {ID: "b", Name: "a."}}, nil); err == nil {
		t.Error("two entities of one name were taken")
	}
	if _, err := policy.NewGraph([]policy.Entity{{ID: "a", Name: "A", Relations: []policy.Relation{{Of: "x"}}}}, nil); err == nil {
		t.Error("a relation to nobody was taken")
	}
}

func BenchmarkJudge(b *testing.B) {
	g, _ := policy.Entities()
	p, err := policy.Builtin("us-889", g)
	if err != nil {
		b.Fatal(err)
	}
	f := policy.Facts{Makers: []policy.Maker{{ID: "dahua", Name: "Dahua", Rung: policy.Device}}, Coverage: policy.Coverage{Percent: 100, Clear: true}, Purpose: "public-safety"}
	for b.Loop() {
		p.Judge(&f, "2026-11-22")
	}
}

// TestDocumented holds that the pack in the documentation loads and that its cases come out.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(doc), "\n    pack: house\n")
	text, _, _ = strings.Cut("    pack: house\n"+text, "\n\n")
	if !ok {
		t.Fatal("no pack in the documentation")
	}
	g, err := policy.Entities()
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.ParsePack("house.yaml", []byte(strings.ReplaceAll("\n"+text, "\n    ", "\n")[1:]), g)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range p.Test() {
		t.Error(err)
	}
}
