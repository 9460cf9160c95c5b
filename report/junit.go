package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"hallmark/policy/devicelist"
)

// The elements of https://github.com/windyroad/JUnit-Schema, in its order.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Host       string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
		Err        string          `xml:"system-err"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Skipped *junitOutcome `xml:"skipped"`
		Error   *junitOutcome `xml:"error"`
		Failure *junitOutcome `xml:"failure"`
	}
	junitOutcome struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes a suite for each device and a case for each rule that applies: skipped if it
// was waived, an error if nobody can tell, a failure if it failed.
func WriteJUnit(w io.Writer, r *Result, _ Style) error {
	c := r.Check
	stamp := string(c.AsOf) + "T00:00:00"
	if !r.Time.IsZero() {
		stamp = r.Time.UTC().Format("2006-01-02T15:04:05")
	}
	var doc junitSuites
	for i, d := range c.Devices {
		name := Printable(d.Name)
		s := junitSuite{Name: name, Timestamp: stamp, Host: "localhost", Time: "0", Package: "hallmark", ID: i,
			Properties: []junitProperty{{"sha256", d.SHA256.String()}, {"verdict", string(d.Verdict)}, {"as_of", string(c.AsOf)}}}
		for k := range d.Results {
			if x := &d.Results[k]; x.State != devicelist.Skip {
				s.add(x, name, c)
			}
		}
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(x *devicelist.Result, device string, c *Inspection) {
	t := junitCase{Name: x.Rule + ": " + x.Title, Class: device, Time: "0"}
	o := &junitOutcome{Message: Printable(x.Statement), Type: x.Rule}
	for _, e := range x.Evidence {
		o.Text += Printable(fmt.Sprintf("%s at %s", e.Rule, e.Place)) + "\n"
	}
	s.Tests++
	switch x.State {
	case devicelist.Fail:
		s.Failures++
		t.Failure = o
	case devicelist.Inconclusive:
		s.Errors++
		t.Error = o
	case devicelist.Waived:
		s.Skipped++
		t.Skipped = &junitOutcome{Message: Printable(waived(x, c))}
	case devicelist.Warn:
		s.Out += strings.TrimSpace(x.Rule+": "+Printable(x.Statement)) + "\n"
	}
	s.Cases = append(s.Cases, t)
}
