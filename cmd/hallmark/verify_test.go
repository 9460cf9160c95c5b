package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hallmark/signing"
)

// TestSignedReport reads a report in an envelope with the right key, another, and none.
func TestSignedReport(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	var keys [2]*signing.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = signing.Generate(); err != nil {
			t.Fatal(err)
		}
	}
	report := []byte(`{"hallmark": "test"}`)
	envelope, err := signing.Sign("application/vnd.hallmark.report+json", report, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	name := write("report.json", envelope)
	for _, c := range []struct {
		key  string
		says string
		code int
	}{
		{write("right.pem", keys[0].Public().PEM()), "signed with key " + keys[0].Public().ID(), exitPass},
		{write("other.pem", keys[1].Public().PEM()), "", exitViolation},
		{write("none.pem", []byte("no key")), "", exitInput},
		{"", "signature was not checked", exitPass},
	} {
		v := verification{key: c.key}
		doc, signed, err := v.read(name)
		if exitCode(err) != c.code || !strings.Contains(signed, c.says) || err == nil && string(doc) != string(report) {
			t.Errorf("key %s: %q, %q, %v", filepath.Base(c.key), doc, signed, err)
		}
	}
}
