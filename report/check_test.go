package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hallmark/artifact"
	"hallmark/policy"
	"hallmark/policy/devicelist"
)

// inspection has results in every state, with names that mean something to XML, Markdown and URIs.
func inspection(t *testing.T, devices int) *Result {
	t.Helper()
	g, err := policy.Entities()
	if err != nil {
		t.Fatal(err)
	}
	c := &Inspection{AsOf: "2026-11-22", Purpose: "public-safety", Warnings: []string{"a pack is <old>"}}
	for _, name := range policy.Names() {
		p, err := policy.Builtin(name, g)
		if err != nil {
			t.Fatal(err)
		}
		c.Packs = append(c.Packs, p)
	}
	c.Waivers = &devicelist.Waivers{Entries: []devicelist.Waiver{{ID: "w-1", Reason: "none better | cheaper", Expires: "2027-01-01", Approvers: []devicelist.Approver{{Name: "A & B", Role: "CISO"}}}}}
	states := []devicelist.State{devicelist.Pass, devicelist.Fail, devicelist.Waived, devicelist.Warn, devicelist.Inconclusive, devicelist.Skip}
	for i := range devices {
		d := &devicelist.Check{Name: fmt.Sprintf("cam <%d>|\x1b]@all.bin", i), SHA256: artifact.Digest{byte(i), byte(i >> 8)}, Verdict: devicelist.Covered, Line: i + 1}
		for k, s := range states {
			x := devicelist.Result{Rule: c.Packs[3].Rules[k%len(c.Packs[3].Rules)].ID, Title: "title", State: s, Statement: "it <matches> & \xff more", Evidence: []policy.Evidence{{Rule: "dahua.env", Place: "a > b"}}, Inner: "a > b"}
			if s == devicelist.Waived {
				x.Waiver = "w-1"
			}
			d.Results = append(d.Results, x)
		}
		c.Devices = append(c.Devices, d)
		c.Pointers = append(c.Pointers, Pointer{"lists/my list: approved.yaml", i})
	}
	return &Result{Version: "test", Check: c}
}

// TestSARIF holds the document against the official schema and the known rules of code scanning.
func TestSARIF(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../testdata/sarif/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, devices := range []int{0, 3, 6300} {
		var out bytes.Buffer
		if err := WriteSARIF(&out, inspection(t, devices), Style{}); err != nil {
			t.Fatal(err)
		}
		if devices < 100 {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%d devices: %v", devices, err)
			}
		}
		var log sarifLog
		if err := json.Unmarshal(out.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		r := log.Runs[0]
		if want := min(4*devices, 25_000); len(r.Results) != want {
			t.Errorf("%d devices give %d results, want %d", devices, len(r.Results), want)
		}
		if devices == 6300 && !strings.Contains(out.String(), "200 results more than the 25000") {
			t.Error("what was left out is not said")
		}
		for _, rule := range r.Tool.Driver.Rules {
			if u, err := url.Parse(rule.HelpURI); err != nil || rule.HelpURI != "" && !u.IsAbs() || len(rule.Props.Tags) > 10 || rule.Short.Text == "" {
				t.Errorf("rule %+v", rule)
			}
		}
		seen := map[string]bool{}
		for _, x := range r.Results {
			if len(x.Locations) != 1 || x.Locations[0].Physical.Region.StartLine < 1 || x.Message.Text == "" || r.Tool.Driver.Rules[x.RuleIndex].ID != x.RuleID {
				t.Fatalf("result %+v", x)
			}
			if uri := x.Locations[0].Physical.Artifact.URI; uri != "lists/my%20list:%20approved.yaml" {
				t.Fatalf("location %q", uri)
			}
			if f := x.Fingerprints["hallmark/v1"]; len(f) != 64 || seen[f] {
				t.Fatalf("fingerprint %q is not one of its own", f)
			}
			seen[x.Fingerprints["hallmark/v1"]] = true
		}
	}
}

func TestRelativeURI(t *testing.T) {
	for in, want := range map[string]string{"approved.yaml": "approved.yaml", "a b/c.yaml": "a%20b/c.yaml", "x:y.yaml": "./x:y.yaml", "é.yaml": "%C3%A9.yaml", "a#b?c": "a%23b%3Fc"} {
		got := relativeURI(in)
		if u, err := url.Parse(got); got != want || err != nil || u.Scheme != "" || u.Path != in && u.Path != "./"+in {
			t.Errorf("relativeURI(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestJUnit(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJUnit(&out, inspection(t, 2), Style{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "<testcase "); got != 10 || !strings.Contains(out.String(), `tests="5" failures="1" errors="1" skipped="1"`) {
		t.Errorf("%d cases, want 5 a device:\n%s", got, out.String())
	}
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("no xmllint to hold it against the schema")
	}
	cmd := exec.Command(lint, "--noout", "--nonet", "--schema", "../testdata/junit/JUnit.xsd", "-")
	cmd.Stdin = &out
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, b)
	}
}

func TestMarkdown(t *testing.T) {
	var out bytes.Buffer
	if err := WriteMarkdown(&out, inspection(t, 2), Style{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 4 {
			t.Errorf("not three columns: %s", line)
		}
	}
	for _, bad := range []string{"<", "@all", "\x1b", "\xff"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("the summary holds %q:\n%s", bad, out.String())
		}
	}
}

func TestCheckTextIsSafe(t *testing.T) {
	var out bytes.Buffer
	if err := writeCheckText(&out, inspection(t, 1), Style{}); err != nil {
		t.Fatal(err)
	}
	if bad := escape.FindString(out.String()); bad != "" || !strings.Contains(out.String(), "waiver w-1 until 2027-01-01, approved by A & B (CISO)") {
		t.Errorf("text holds %q:\n%s", bad, out.String())
	}
}

func TestCheckJSON(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../docs/check.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	r := inspection(t, 2)
	r.Check.List = &devicelist.List{File: "approved.yaml", Header: devicelist.Header{ID: "l", Version: "1", Issued: "2026-01-01", Expires: "2026-12-31"}}
	r.Check.Waivers.Header.Expires = "2026-12-31"
	for _, d := range r.Check.Devices {
		for i := range d.Results {
			d.Results[i].Citation = &r.Check.Packs[3].Rules[0].Citation
		}
	}
	var out bytes.Buffer
	if err := writeCheckJSON(&out, r, Style{}); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
}
