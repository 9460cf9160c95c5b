package devicelist_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hallmark/internal/strictyaml"
	"hallmark/policy"
	"hallmark/policy/devicelist"
)

var dates = regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`)

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid reads a document without our types and holds it against a schema.
func valid(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var doc any
	if err := strictyaml.Decode("x", []byte(text), &doc, strictyaml.Options{}); err != nil {
		return err
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = jsonschema.UnmarshalJSON(strings.NewReader(string(b))); err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// quoted makes dates texts, as a reader without types does not.
func quoted(s string) string {
	return dates.ReplaceAllString(s, `"$0"`)
}

const waivers = `apiVersion: hallmark/v1
kind: Waivers
waivers: {id: w, title: Waivers, issuer: Acme, version: "3", issued: 2026-01-01, expires: 2026-12-31, max_days: 90}
entries:
  - id: w-1
    subject: {entry: cam-1}
    rule: us-889.video
    reason: replaced in July
    requested_by: E. Fox
    approvers: [{name: A. Bell, role: CISO, date: 2026-04-01}, {name: C. Dee, role: Director, date: 2026-04-02}]
    min_approvers: 2
    issued: 2026-04-02
    expires: 2026-06-30
`

const devices = `apiVersion: hallmark/v1
kind: Devices
devices:
  - {firmware: fw/a.bin, brand: Acme, purpose: other, sites: [government]}
`

// TestSchemas holds that the published schemas and the program refuse the same.
func TestSchemas(t *testing.T) {
	for _, tc := range []struct {
		file, text string
		parse      func(string) error
		bad        map[string]string
	}{
		{"approved-devices.schema.json", list, func(s string) error { _, err := devicelist.Parse("x", []byte(s)); return err }, map[string]string{
			"status: approved": "status: ok", "id: cam-2": "name: cam-2", "model: HL-1": "model: [HL-1]", "withdrawn: {date: 2026-03-01, reason: maker unknown}": "notes: x",
			"issuer: Acme security office": "issuers: Acme", "version: \"12\"": "version: 12", "1111111111111111\n": "11\n", "apiVersion: hallmark/v1": "apiVersion: v1",
			"expires: 2026-12-31": "expires: never", "status: active": "status: gone",
		}},
		{"waivers.schema.json", waivers, func(s string) error { _, err := devicelist.ParseWaivers("x", []byte(s)); return err }, map[string]string{
			"    expires: 2026-06-30\n": "", "reason: replaced in July": "reason: ' '", "subject: {entry: cam-1}": "subject: {}", "entry: cam-1": "entry: cam-1, sha256: " + strings.Repeat("1", 63) + "a",
			"rule: us-889.video": "rule: all", "min_approvers: 2": "min_approvers: 0", "max_days: 90": "max_days: 0", "requested_by": "requester",
		}},
		{"devices.schema.json", devices, func(s string) error { _, err := devicelist.ParseDevices("x", []byte(s)); return err }, map[string]string{
			"kind: Devices": "kind: Device", "firmware: fw/a.bin": "file: fw/a.bin", "purpose: other": "purpose: others", "sites: [government]": "sites: [goverment]", "brand: Acme": "brand: 12",
		}},
	} {
		s := schema(t, tc.file)
		if err := valid(t, s, quoted(tc.text)); err != nil {
			t.Errorf("%s: %v", tc.file, err)
		}
		for old, bad := range tc.bad {
			text := strings.Replace(tc.text, old, bad, 1)
			if text == tc.text {
				t.Fatalf("%q is not there", old)
			}
			if tc.parse(text) == nil || valid(t, s, quoted(text)) == nil {
				t.Errorf("%q for %q: the program says %v, the schema %v; both must refuse it", bad, old, tc.parse(text), valid(t, s, quoted(text)))
			}
		}
	}
}

// TestSchemaHasEveryKey holds that schema and types have the same keys, and the same words.
func TestSchemaHasEveryKey(t *testing.T) {
	for file, v := range map[string]any{"approved-devices.schema.json": devicelist.List{}, "waivers.schema.json": devicelist.Waivers{}, "devices.schema.json": devicelist.DeviceFile{}} {
		b, err := os.ReadFile(filepath.Join("../../docs", file))
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		inSchema, inTypes := map[string]bool{}, map[string]bool{}
		schemaKeys(doc, inSchema)
		typeKeys(reflect.TypeOf(v), inTypes)
		for k := range inTypes {
			if !inSchema[k] {
				t.Errorf("%s has no %q", file, k)
			}
		}
		for k := range inSchema {
			if !inTypes[k] {
				t.Errorf("%s has %q, which is not read", file, k)
			}
		}
		for _, w := range slices.Concat(policy.Purposes(), policy.SiteClasses()) {
			if !strings.Contains(string(b), `"`+w+`"`) {
				t.Errorf("%s does not know %q", file, w)
			}
		}
	}
}

func schemaKeys(v any, out map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if p, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
			for k := range p {
				out[k] = true
			}
		}
		for _, x := range v {
			schemaKeys(x, out)
		}
	case []any:
		for _, x := range v {
			schemaKeys(x, out)
		}
	}
}

func typeKeys(t reflect.Type, out map[string]bool) {
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		typeKeys(t.Elem(), out)
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" {
				out[name] = true
				typeKeys(t.Field(i).Type, out)
			}
		}
	}
}

func TestWaiversRefuse(t *testing.T) {
	for old, x := range map[string][2]string{
		"expires: 2026-06-30":      {"expires: 2026-07-30", "x:5:5: waiver w-1: it lasts 119 days, more than the 90 of max_days"},
		"name: C. Dee":             {"name: a. bell", "waiver w-1: 1 approvers, of whom 2 must be"},
		"rule: us-889.video":       {"rule: us-889", `"us-889" is no rule`},
		"date: 2026-04-02":         {"date: 2026-08-02", "C. Dee approved on 2026-08-02, after it expired"},
		"reason: replaced in July": {"reason: ''", "the reason is empty"},
		"    issued: 2026-04-02":   {"    issued: 2026-08-02", "before it is issued"},
		"requested_by: E. Fox":     {"requested_by: E. Fox\n    scope: {sites: [sensative]}", `did you mean "sensitive"?`},
	} {
		_, err := devicelist.ParseWaivers("x", []byte(strings.Replace(waivers, old, x[0], 1)))
		if err == nil || !strings.Contains(err.Error(), x[1]) {
			t.Errorf("%s: %v, want %s", x[0], err, x[1])
		}
	}
}
