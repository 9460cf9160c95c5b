package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"hallmark/policy"
	"hallmark/policy/devicelist"
)

// What code scanning takes of one run; what is beyond is counted in a notification.
// https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit
const (
	sarifResults = 25_000
	sarifText    = 4000 // characters of a message
)

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Automation  sarifAutomation   `json:"automationDetails"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string       `json:"level"`
		Message sarifMessage `json:"message"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID      string           `json:"id"`
		Short   sarifMessage     `json:"shortDescription"`
		Full    sarifMessage     `json:"fullDescription"`
		HelpURI string           `json:"helpUri,omitempty"`
		Help    sarifMessage     `json:"help"`
		Default sarifLevel       `json:"defaultConfiguration"`
		Props   sarifRulePropers `json:"properties"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifRulePropers struct {
		Tags []string `json:"tags"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifMessage       `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

// WriteSARIF writes what failed, was waived or could not be told as SARIF 2.1.0. Each result has
// one physical location, in the file of the repository that named the device.
func WriteSARIF(w io.Writer, r *Result, _ Style) error {
	c := r.Check
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "hallmark", Version: r.Version}}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Automation.ID = "hallmark/"
	if c.List != nil {
		run.Automation.ID += c.List.Header.ID + "/"
	}
	index := run.Tool.Driver.rules(c)
	omitted := 0
	for _, s := range states {
		for i, d := range c.Devices {
			for k := range d.Results {
				x := &d.Results[k]
				if x.State != s {
					continue
				}
				if len(run.Results) == sarifResults {
					omitted++
					continue
				}
				run.Results = append(run.Results, sarifOf(c, d, x, c.Pointers[i], index[x.Rule]))
			}
		}
	}
	inv := sarifInvocation{Successful: true}
	for _, x := range c.Warnings {
		inv.Notifications = append(inv.Notifications, sarifNotification{"warning", sarifMessage{text8(x)}})
	}
	if omitted > 0 {
		inv.Notifications = append(inv.Notifications, sarifNotification{"warning", sarifMessage{fmt.Sprintf("%d results more than the %d that a run may have were left out, the least grave", omitted, sarifResults)}})
	}
	run.Invocations = []sarifInvocation{inv}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(sarifLog{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// rules fills in every rule that could answer and returns their indexes.
func (d *sarifDriver) rules(c *Inspection) map[string]int {
	index := map[string]int{}
	add := func(r sarifRule) {
		index[r.ID] = len(d.Rules)
		d.Rules = append(d.Rules, r)
	}
	for _, t := range devicelist.Titles() {
		add(sarifRule{ID: t[0], Short: sarifMessage{t[1]}, Full: sarifMessage{t[1] + "."}, Help: sarifMessage{"A rule of every device list; docs/policy.md of hallmark describes it."}, Default: sarifLevel{"error"}, Props: sarifRulePropers{[]string{"device-list"}}})
	}
	for _, p := range c.Packs {
		for i := range p.Rules {
			r := &p.Rules[i]
			x := sarifRule{ID: r.ID, Short: sarifMessage{r.Title}, Full: sarifMessage{cited(r.Citation)}, Help: sarifMessage{strings.TrimSpace(p.Scope + " " + r.Note)}, Default: sarifLevel{level(r.Level)}, Props: sarifRulePropers{[]string{"provenance", p.ID}}}
			if u, err := url.Parse(r.Citation.URL); err == nil && u.IsAbs() && !strings.ContainsAny(r.Citation.URL, " \"<>") {
				x.HelpURI = u.String()
			}
			add(x)
		}
	}
	return index
}

func cited(c policy.Citation) string { return fmt.Sprintf("%s, %s (%s)", c.Law, c.Section, c.URL) }

func level(s string) string {
	if s == "violation" {
		return "error"
	}
	return s
}

func sarifOf(c *Inspection, d *devicelist.Check, x *devicelist.Result, pointer Pointer, rule int) sarifResult {
	loc := sarifLocation{Physical: sarifPhysical{sarifArtifact{relativeURI(pointer.File)}, sarifRegion{max(pointer.Line, 1)}}}
	if x.Inner != "" {
		loc.Logical = []sarifLogical{{text8(x.Inner), "resource"}}
	}
	r := sarifResult{
		RuleID: x.Rule, RuleIndex: rule, Level: "error",
		Message:      sarifMessage{cutText(text8(fmt.Sprintf("%s (sha256 %s): %s: %s", d.Name, d.SHA256, d.Verdict, x.Statement)), sarifText)},
		Locations:    []sarifLocation{loc},
		Fingerprints: map[string]string{"hallmark/v1": fingerprintOf(d, x)},
	}
	switch x.State {
	case devicelist.Warn, devicelist.Inconclusive:
		r.Level = "warning"
	case devicelist.Waived:
		r.Suppressions = []sarifSuppression{{"external", "accepted", text8(waived(x, c))}}
	}
	return r
}

// fingerprintOf is the same for the same rule and content, however it is named and wrapped.
func fingerprintOf(d *devicelist.Check, x *devicelist.Result) string {
	content := d.ContentRoot
	if content.IsZero() {
		content = d.SHA256
	}
	sum := sha256.Sum256([]byte(x.Rule + "\x00" + content.String()))
	return hex.EncodeToString(sum[:])
}

// relativeURI writes a relative path as code scanning wants it: without a scheme, and nothing in
// it that looks like one.
func relativeURI(path string) string {
	return (&url.URL{Path: path}).String()
}

func cutText(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
