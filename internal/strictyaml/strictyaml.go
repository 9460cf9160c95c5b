// Package strictyaml reads YAML and JSON documents that people write by hand and others must be
// able to rely on.
//
// Every error says file, line and column. A document is one document of valid UTF-8 without a
// byte order mark; unknown and repeated keys, anchors, aliases, merge keys and tags are refused.
// A text must be a text: a bare 1.10, 0123, yes or 2024-01-01 would be read as something else by
// one reader or another, so it has to stand in quotes.
//
// YAML 1.2: https://yaml.org/spec/1.2.2/ and JSON: RFC 8259.
package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Options bound a document. The zero value is the strictest reading of the largest document.
type Options struct {
	MaxBytes int64 // 0 is 64 MiB
	MaxDepth int   // mappings and lists within each other; 0 is 32
	// Aliases takes anchors and aliases, but no merge keys. It is for data of our own.
	Aliases bool
}

const (
	maxBytes = 64 << 20
	maxDepth = 32
)

// Limit returns the size of the largest document.
func (o Options) Limit() int64 { return cmp.Or(o.MaxBytes, maxBytes) }

// Pos is where something stands in a document. A struct with an embedded Pos learns where its
// mapping begins.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error is one fault of a document.
type Error struct {
	File string
	Pos
	Msg string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg) }

// Errors are the faults of one document in order, one or more.
type Errors []*Error

// Error gives the first fault, and how many more there are.
func (l Errors) Error() string {
	switch len(l) {
	case 1:
		return l[0].Error()
	case 2:
		return l[0].Error() + " (and 1 more fault)"
	}
	return fmt.Sprintf("%s (and %d more faults)", l[0], len(l)-1)
}

// maxErrors bounds Errors: a file of the wrong kind has a fault on every line.
const maxErrors = 100

// Faults returns the faults that err is made of, or err alone.
func Faults(err error) []error {
	var list Errors
	if !errors.As(err, &list) {
		return []error{err}
	}
	out := make([]error, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}

// Decode reads the only document in data into v, a pointer, by the names in its yaml tags. Behind
// the name, "required" refuses a mapping without the key, and "inline" reads the fields of an
// embedded struct. A `oneof:"a b"` tag lists the only texts allowed, and a type that implements
// encoding.TextUnmarshaler reads a text, or a bare date, as it is written.
//
// Faults of the document itself are [Errors]; name stands for the document in them.
func Decode(name string, data []byte, v any, o Options) error {
	root, err := parse(name, data, o)
	if err != nil {
		return err
	}
	d := decoder{file: name, shapes: map[reflect.Type]*shape{}}
	d.value(root, reflect.ValueOf(v).Elem(), field{})
	return d.err()
}

// ReadAll reads a document of at most o.MaxBytes. A longer one is refused before it is read.
func ReadAll(name string, r io.Reader, o Options) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, o.Limit()+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, tooLarge(name, int64(len(b)), o)
}

func tooLarge(name string, size int64, o Options) error {
	if size <= o.Limit() {
		return nil
	}
	return Errors{{name, Pos{1, 1}, fmt.Sprintf("the document is larger than %d MiB, which is more than is read", o.Limit()>>20)}}
}

// nearest returns the word most like s, or "" if none is.
func nearest(s string, words []string) string {
	best, least := "", 1+len(s)/3
	for _, w := range words {
		if d := distance(strings.ToLower(s), w); d <= least && (best == "" || d < distance(s, best)) {
			best = w
		}
	}
	return best
}

// distance is the number of insertions, deletions and substitutions between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last = row[j+1]
			row[j+1] = min(change, last+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// Suggest says that s is none of words, and which one may be meant.
func Suggest(s string, words []string) string {
	if w := nearest(s, words); w != "" {
		return fmt.Sprintf("did you mean %q?", w)
	}
	list := slices.Sorted(slices.Values(words))
	return "want one of " + strings.Join(list, ", ")
}
