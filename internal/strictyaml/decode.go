package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder puts nodes into Go values and goes on after a fault.
type decoder struct {
	file   string
	errors Errors
	shapes map[reflect.Type]*shape
}

func (d *decoder) err() error {
	if len(d.errors) == 0 {
		return nil
	}
	return d.errors
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	if len(d.errors) < maxErrors {
		d.errors = append(d.errors, &Error{d.file, Pos{n.Line, n.Column}, fmt.Sprintf(format, args...)})
	}
}

var (
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
	posType  = reflect.TypeFor[Pos]()
)

func (d *decoder) value(n *yaml.Node, v reflect.Value, f field) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		d.value(n, p.Elem(), f)
		v.Set(p)
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.fail(n, "no value; leave the key out or write one")
		return
	}
	if n.Kind == yaml.ScalarNode && reflect.PointerTo(v.Type()).Implements(textType) {
		if why := ambiguous(n); why != "" && n.Tag != "!!timestamp" {
			d.fail(n, "%s; write it in quotes: %q", why, n.Value)
		} else if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
			d.fail(n, "%v", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		d.list(n, v, f)
	case reflect.Interface:
		v.Set(reflect.ValueOf(d.any(n)))
	default:
		d.scalar(n, v, f)
	}
}

// kindOf says for people what n is.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!str":
		return "a text"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return "nothing"
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "want a mapping, got %s", kindOf(n))
		return
	}
	s := d.shape(v.Type())
	if s.pos != nil {
		v.FieldByIndex(s.pos).Set(reflect.ValueOf(Pos{n.Line, n.Column}))
	}
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if !d.key(key, seen) {
			continue
		}
		f, ok := s.fields[key.Value]
		if !ok {
			d.fail(key, "unknown key %q; %s", key.Value, Suggest(key.Value, s.names))
			continue
		}
		d.value(n.Content[i+1], v.FieldByIndex(f.index), f)
	}
	for _, name := range s.required {
		if _, ok := seen[name]; !ok {
			d.fail(n, "the key %q is missing", name)
		}
	}
}

// key checks the key of a mapping and that it is the only one of its name.
func (d *decoder) key(n *yaml.Node, seen map[string]int) bool {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.fail(n, "want a text as key, got %s", kindOf(n))
		return false
	}
	if line, ok := seen[n.Value]; ok {
		d.fail(n, "the key %q is there twice; the first is in line %d", n.Value, line)
		return false
	}
	seen[n.Value] = n.Line
	return true
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "want a mapping, got %s", kindOf(n))
		return
	}
	m := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, x := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if !d.key(n.Content[i], seen) {
			continue
		}
		d.value(n.Content[i], k, field{})
		d.value(n.Content[i+1], x, field{})
		m.SetMapIndex(k, x)
	}
	v.Set(m)
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, f field) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "want a list, got %s", kindOf(n))
		return
	}
	l := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, c := range n.Content {
		d.value(c, l.Index(i), f)
	}
	v.Set(l)
}

// any reads n without a type to go by: bool, int64, float64, string, []any, map[string]any.
func (d *decoder) any(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		var m map[string]any
		d.mapping(n, reflect.ValueOf(&m).Elem())
		return m
	case yaml.SequenceNode:
		var l []any
		d.list(n, reflect.ValueOf(&l).Elem(), field{})
		return l
	}
	switch n.Tag {
	case "!!bool":
		return n.Value == "true"
	case "!!int":
		var i int64
		d.scalar(n, reflect.ValueOf(&i).Elem(), field{})
		return i
	case "!!float":
		var x float64
		d.scalar(n, reflect.ValueOf(&x).Elem(), field{})
		return x
	}
	var s string
	d.scalar(n, reflect.ValueOf(&s).Elem(), field{})
	return s
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, f field) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "want %s, got %s", wanted(v), kindOf(n))
		return
	}
	switch v.Kind() {
	case reflect.String:
		if why := ambiguous(n); why != "" {
			d.fail(n, "%s; write it in quotes: %q", why, n.Value)
			return
		}
		if f.oneof != nil && !slices.Contains(f.oneof, n.Value) {
			d.fail(n, "%q is not allowed here; %s", n.Value, Suggest(n.Value, f.oneof))
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" || n.Tag != "!!bool" {
			d.fail(n, "want true or false, got %q", n.Value)
			return
		}
		v.SetBool(n.Value == "true")
	case reflect.Int, reflect.Int64, reflect.Int32:
		i, err := strconv.ParseInt(n.Value, 0, v.Type().Bits())
		if n.Tag != "!!int" || err != nil || octal.MatchString(n.Value) {
			d.fail(n, "want a whole number, got %q", n.Value)
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		x, err := strconv.ParseFloat(n.Value, 64)
		if n.Tag != "!!int" && n.Tag != "!!float" || err != nil || octal.MatchString(n.Value) {
			d.fail(n, "want a number, got %q", n.Value)
			return
		}
		v.SetFloat(x)
	default:
		d.fail(n, "want %s, got %s", wanted(v), kindOf(n))
	}
}

func wanted(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Float64:
		return "a number"
	}
	return "a text"
}

var (
	octal = regexp.MustCompile(`^[-+]?0[0-9_]`)
	// word and sexagesimal are what readers of YAML 1.1 take for a truth value and for a number.
	word        = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)
	sexagesimal = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
)

// ambiguous says what a bare scalar may be taken for instead of the text it is meant to be.
func ambiguous(n *yaml.Node) string {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return ""
	}
	switch {
	case n.Tag != "!!str":
		return fmt.Sprintf("want a text, and %s bare is %s", n.Value, kindOf(n))
	case word.MatchString(n.Value):
		return fmt.Sprintf("want a text, and many readers take a bare %s for true or false", n.Value)
	case sexagesimal.MatchString(n.Value):
		return fmt.Sprintf("want a text, and many readers take a bare %s for a number", n.Value)
	}
	return ""
}

// field is where a key goes.
type field struct {
	index []int
	oneof []string
}

// shape is what a struct type takes.
type shape struct {
	fields   map[string]field
	names    []string
	required []string
	pos      []int
}

func (d *decoder) shape(t reflect.Type) *shape {
	s := d.shapes[t]
	if s == nil {
		s = &shape{fields: map[string]field{}}
		s.add(t, nil)
		d.shapes[t] = s
	}
	return s
}

func (s *shape) add(t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(prefix), i)
		name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case f.Type == posType && f.Anonymous:
			s.pos = index
		case opts == "inline":
			s.add(f.Type, index)
		case name == "" || name == "-" || !f.IsExported():
		default:
			x := field{index: index}
			if one := f.Tag.Get("oneof"); one != "" {
				x.oneof = strings.Fields(one)
			}
			s.fields[name] = x
			s.names = append(s.names, name)
			if opts == "required" {
				s.required = append(s.required, name)
			}
		}
	}
}
