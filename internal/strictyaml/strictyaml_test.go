package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/internal/strictyaml"
)

type device struct {
	strictyaml.Pos
	ID      string         `yaml:"id,required"`
	Status  string         `yaml:"status" oneof:"approved withdrawn"`
	Aliases []string       `yaml:"aliases"`
	Depth   int            `yaml:"depth"`
	Share   float64        `yaml:"share"`
	Main    *bool          `yaml:"main"`
	At      day            `yaml:"at"`
	Free    map[string]any `yaml:"free"`
	inner
	Look inner `yaml:",inline"`
}

type inner struct {
	Where string `yaml:"where"`
}

type day string

func (d *day) UnmarshalText(b []byte) error {
	if len(b) != len("2006-01-02") {
		return fmt.Errorf("%q is no date; write it as 2027-01-31", b)
	}
	*d = day(b)
	return nil
}

func read(text string) (device, error) {
	var d device
	err := strictyaml.Decode("list.yaml", []byte(text), &d, strictyaml.Options{MaxDepth: 8})
	return d, err
}

func TestDecode(t *testing.T) {
	yes := true
	want := device{Pos: strictyaml.Pos{Line: 2, Column: 1}, ID: "a-1", Status: "approved", Aliases: []string{"1.10", "b"}, Depth: 3, Share: 0.5, Main: &yes, At: "2027-01-31",
		Free: map[string]any{"m": int64(1), "l": []any{"x", true, 1.5}}, Look: inner{"here"}}
	for name, text := range map[string]string{
		"yaml": "# a comment\nid: a-1\nstatus: approved\naliases: ['1.10', b]\ndepth: 3\nshare: 0.5\nmain: true\nat: 2027-01-31\nfree:\n  m: 1\n  l: [x, true, 1.5]\nwhere: here\n",
		"json": "\n{\"id\": \"a-1\", \"status\": \"approved\",\n\t\"aliases\": [\"1.10\", \"b\"], \"depth\": 3, \"share\": 0.5, \"main\": true, \"at\": \"2027-01-31\", \"free\": {\"m\": 1, \"l\": [\"x\", true, 1.5]}, \"where\": \"here\"}",
	} {
		got, err := read(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(device{}, inner{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestRefuses holds that what could be read in two ways, or is no document at all, is one clear line.
func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"id: 1.10":                               `list.yaml:1:5: want a text, and 1.10 bare is a number; write it in quotes: "1.10"`,
		"status: approved\nid: 0123":             `list.yaml:2:5: want a text, and 0123 bare is a number; write it in quotes: "0123"`,
		"id: yes":                                `list.yaml:1:5: want a text, and many readers take a bare yes for true or false; write it in quotes: "yes"`,
		"id: 2024-01-01":                         `list.yaml:1:5: want a text, and 2024-01-01 bare is a date; write it in quotes: "2024-01-01"`,
		"id: 10:20:30":                           `list.yaml:1:5: want a text, and many readers take a bare 10:20:30 for a number; write it in quotes: "10:20:30"`,
		"id: true":                               `list.yaml:1:5: want a text, and true bare is true or false; write it in quotes: "true"`,
		"id: a\nstatis: approved":                `list.yaml:2:1: unknown key "statis"; did you mean "status"?`,
		"id: a\ncolour: red":                     `list.yaml:2:1: unknown key "colour"; want one of aliases, at, depth, free, id, main, share, status, where`,
		"id: a\nid: b":                           `list.yaml:2:1: the key "id" is there twice; the first is in line 1`,
		"status: approved":                       `list.yaml:1:1: the key "id" is missing`,
		"id: a\nstatus: aproved":                 `list.yaml:2:9: "aproved" is not allowed here; did you mean "approved"?`,
		"id: [a]":                                `list.yaml:1:5: want a text, got a list`,
		"id: a\naliases: b":                      `list.yaml:2:10: want a list, got a text`,
		"id: a\ndepth: '3'":                      `list.yaml:2:8: want a whole number, got "3"`,
		"id: a\ndepth: 010":                      `list.yaml:2:8: want a whole number, got "010"`,
		"id: a\ndepth: 99999999999999999999":     `list.yaml:2:8: want a whole number, got "99999999999999999999"`,
		"id: a\nmain: yes":                       `list.yaml:2:7: want true or false, got "yes"`,
		"id: a\nat: soon":                        `list.yaml:2:5: "soon" is no date; write it as 2027-01-31`,
		"id: a\nstatus:":                         `list.yaml:2:8: no value; leave the key out or write one`,
		"- id: a":                                `list.yaml:1:1: want a mapping, got a list`,
		"id: &x a":                               `list.yaml:1:5: anchor &x; write values out where they are wanted`,
		"id: *x":                                 `list.yaml:1:1: unknown anchor 'x' referenced`,
		"free:\n  <<: {a: b}\nid: a":             `list.yaml:2:3: merge key <<; write the keys out`,
		"id: !!str a":                            `list.yaml:1:5: tag !!str; tags are not read`,
		"id: !secret a":                          `list.yaml:1:5: tag !secret; tags are not read`,
		"id: a\n---\nid: b":                      `list.yaml:2:1: a second document begins; want one document a file`,
		"":                                       `list.yaml:1:1: the document is empty`,
		"# nothing":                              `list.yaml:1:1: the document is empty`,
		"\ufeffid: a":                            `list.yaml:1:1: the document begins with a byte order mark; save it as UTF-8 without one`,
		"\xff\xfei\x00":                          `list.yaml:1:1: the document is UTF-16; save it as UTF-8`,
		"id: a\nstatus: caf\xe9":                 `list.yaml:2:12: byte 0xe9 is not UTF-8; save the document as UTF-8`,
		"id: \x00":                               `list.yaml:1:5: a zero byte: this is no text`,
		"id: a\n\tstatus: x":                     `list.yaml:2:1: found a tab character that violates indentation`,
		"id: {a":                                 `list.yaml:1:1: did not find expected ',' or '}'`,
		"id: " + strings.Repeat("[", 100_000):    `list.yaml:1:13: more than 8 lists and mappings within each other`,
		`{"id": "a", "id": "b"}`:                 `list.yaml:1:13: the key "id" is there twice; the first is in line 1`,
		"{\n \"id\": \"a\",\n \"depth\": \"3\"}": `list.yaml:3:11: want a whole number, got "3"`,
		"{\n \"id\": \"a\",\n}":                  `list.yaml:3:1: invalid character '}'`,
		`{"id": "a"`:                             `list.yaml:1:11: the document ends too early`,
		`{"id": "a"} {}`:                         `list.yaml:1:13: more text behind the end of the document`,
		`{"id": null}`:                           `list.yaml:1:8: no value; leave the key out or write one`,
		`{"id": ` + strings.Repeat("[", 100_000): `too many lists and mappings within each other`,
		"id:\n" + strings.Repeat("- ", 60) + "x": `too many lists and mappings within each other`,
	} {
		_, err := read(text)
		if err == nil {
			t.Errorf("%.60q was taken, want %s", text, want)
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v\nwant %s", text, err, want)
		}
	}
}

func TestFaults(t *testing.T) {
	_, err := read("id: 1\nstatus: no\nalias: []")
	if got := len(strictyaml.Faults(err)); got != 3 || !strings.HasSuffix(err.Error(), "(and 2 more faults)") {
		t.Errorf("%d faults in %v, want 3", got, err)
	}
	if other := errors.New("x"); len(strictyaml.Faults(other)) != 1 {
		t.Error("another error is not one fault")
	}
}

func TestAliases(t *testing.T) {
	var d device
	if err := strictyaml.Decode("x", []byte("id: &x a\nstatus: approved\naliases: [*x]"), &d, strictyaml.Options{Aliases: true}); err != nil || len(d.Aliases) != 1 || d.Aliases[0] != "a" {
		t.Errorf("%q, %v", d.Aliases, err)
	}
}

// endless is a reader of a list of any size.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestTooLarge(t *testing.T) {
	_, err := strictyaml.ReadAll("big.yaml", endless{}, strictyaml.Options{MaxBytes: 1 << 20})
	if err == nil || err.Error() != "big.yaml:1:1: the document is larger than 1 MiB, which is more than is read" {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("id: a\nfree: {a: [1, 2.5, true]}\n")
	f.Add(`{"id": "a", "aliases": ["b"]}`)
	f.Add("a: &b [*b]\n--- \n!x <<: y")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := read(text); err != nil && !strings.HasPrefix(err.Error(), "list.yaml:") {
			t.Errorf("%q: no place in %v", text, err)
		}
	})
}
