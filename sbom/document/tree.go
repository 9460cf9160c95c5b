package document

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits on documents of others.
const (
	maxSize  = 128 << 20 // bytes
	maxDepth = 200       // values within values
	maxNodes = 2_000_000 // values
)

// node is one value of a document, so that JSON and XML are read by the same code. In XML,
// attributes are members like elements.
type node struct {
	name   string // of a member or an element
	text   string // of a scalar, or the character data of an element
	kind   kind
	line   int
	index  int // in parent.kids
	nth    int // of the elements of its name in parent, from 1
	parent *node
	kids   []*node
}

type kind byte

const (
	object kind = iota
	array
	scalar
	null
	element
	attribute
)

// tree builds nodes within the limits.
type tree struct {
	nodes int
	depth int
	lines lineCounter
}

func (t *tree) add(parent *node, n *node) error {
	if t.nodes++; t.nodes > maxNodes {
		return fmt.Errorf("more than %d values", maxNodes)
	}
	n.parent = parent
	if parent != nil {
		n.index = len(parent.kids)
		parent.kids = append(parent.kids, n)
	}
	return nil
}

func (t *tree) enter() error {
	if t.depth++; t.depth > maxDepth {
		return fmt.Errorf("values nested more than %d deep", maxDepth)
	}
	return nil
}

// lineCounter tells lines of offsets that only grow.
type lineCounter struct {
	text []byte
	at   int
	line int
}

func (l *lineCounter) of(offset int64) int {
	to := min(int(offset), len(l.text))
	if to > l.at {
		l.line += bytes.Count(l.text[l.at:to], []byte{'\n'})
		l.at = to
	}
	return l.line + 1
}

// parseJSON reads text into nodes. A member that stands twice is an error: readers would differ on
// which one counts.
func parseJSON(text []byte) (*node, error) {
	t := &tree{lines: lineCounter{text: text}}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	root, err := t.json(d, nil, "")
	if err != nil {
		var syntax *json.SyntaxError
		offset := d.InputOffset()
		if errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the document ends too early")
		}
		return nil, fmt.Errorf("line %d: %w", t.lines.of(offset), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("line %d: data behind the document", t.lines.of(d.InputOffset()))
	}
	return root, nil
}

func (t *tree) json(d *json.Decoder, parent *node, name string) (*node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	n := &node{name: name, line: t.lines.of(d.InputOffset())}
	if err := t.add(parent, n); err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		if err := t.enter(); err != nil {
			return nil, err
		}
		n.kind = object
		if v == '[' {
			n.kind = array
		}
		err = t.members(d, n)
		t.depth--
		return n, err
	case nil:
		n.kind = null
	case string:
		n.kind, n.text = scalar, v
	default:
		n.kind, n.text = scalar, fmt.Sprint(v)
	}
	return n, nil
}

func (t *tree) members(d *json.Decoder, n *node) error {
	var seen map[string]bool
	if n.kind == object {
		seen = map[string]bool{}
	}
	for d.More() {
		name := ""
		if n.kind == object {
			token, err := d.Token()
			if err != nil {
				return err
			}
			name = token.(string)
			if seen[name] {
				return fmt.Errorf("%s: the member %q stands twice", n.pointer(), name)
			}
			seen[name] = true
		}
		if _, err := t.json(d, n, name); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// frame is an element that was not closed yet.
type frame struct {
	node  *node
	names map[string]int // of elements in it
	text  []byte
}

// parseXML reads text into nodes. Entities of a document type are not known to it and end it.
func parseXML(text []byte) (*node, error) {
	t := &tree{lines: lineCounter{text: text}}
	d := xml.NewDecoder(bytes.NewReader(text))
	fail := func(err error) (*node, error) {
		line, _ := d.InputPos()
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			line, err = syntax.Line, errors.New(syntax.Msg)
		}
		return nil, fmt.Errorf("line %d: %w", line, err)
	}
	var root *node
	var open []frame
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fail(err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			line, _ := d.InputPos()
			n := &node{name: v.Name.Local, kind: element, line: line}
			var parent *node
			if len(open) > 0 {
				f := &open[len(open)-1]
				if f.names == nil {
					f.names = map[string]int{}
				}
				f.names[n.name]++
				parent, n.nth = f.node, f.names[n.name]
			} else if root != nil {
				return fail(errors.New("two documents"))
			}
			if err := errors.Join(t.enter(), t.add(parent, n)); err != nil {
				return fail(err)
			}
			if root == nil {
				root = n
				if err := t.add(n, &node{name: "xmlns", text: v.Name.Space, kind: attribute, line: line}); err != nil {
					return fail(err)
				}
			}
			for _, a := range v.Attr {
				if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
					continue
				}
				if err := t.add(n, &node{name: a.Name.Local, text: a.Value, kind: attribute, line: line}); err != nil {
					return fail(err)
				}
			}
			open = append(open, frame{node: n})
		case xml.EndElement:
			t.depth--
			f := open[len(open)-1]
			f.node.text = string(bytes.TrimSpace(f.text))
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				f := &open[len(open)-1]
				f.text = append(f.text, v...)
			}
		}
	}
	if root == nil {
		return nil, errors.New("the document is empty")
	}
	return root, nil
}

// get returns the first member of that name, or nil. It may be called on nil.
func (n *node) get(name string) *node {
	if n == nil || n.kind == array {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name && k.kind != null {
			return k
		}
	}
	return nil
}

// list returns the items of the member name: in XML its elements called item. A single value
// where a list could stand is a list of one.
func (n *node) list(name, item string) []*node {
	m := n.get(name)
	if m == nil {
		return nil
	}
	switch m.kind {
	case array:
		return m.kids
	case element:
		return m.named(item)
	}
	return []*node{m}
}

// named returns the members of n that are called name.
func (n *node) named(name string) []*node {
	var out []*node
	if n != nil {
		for _, k := range n.kids {
			if k.name == name {
				out = append(out, k)
			}
		}
	}
	return out
}

// field returns n as a field: zero for nil and for what is no text.
func (n *node) field() Field {
	if n == nil || n.kind == object || n.kind == array || n.kind == null {
		return Field{}
	}
	return Field{Value: strings.TrimSpace(n.text), At: n.pointer(), Line: n.line}
}

// string returns the text of the member name.
func (n *node) string(name string) string { return n.get(name).field().Value }

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// pointer names n: in JSON a JSON pointer (RFC 6901), in XML a path as XPath has it.
func (n *node) pointer() string {
	if n == nil {
		return ""
	}
	var parts []string
	for ; n.parent != nil; n = n.parent {
		part := escapePointer.Replace(n.name)
		switch {
		case n.kind == attribute:
			part = "@" + n.name
		case n.parent.kind == array:
			part = strconv.Itoa(n.index)
		case n.kind == element:
			part = n.name
			if next := n.index + 1; n.nth > 1 || next < len(n.parent.kids) && n.parent.kids[next].name == n.name {
				part += "[" + strconv.Itoa(n.nth) + "]"
			}
		}
		parts = append(parts, part)
	}
	var b strings.Builder
	if n.kind == element {
		b.WriteString("/" + n.name)
	}
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString("/" + parts[i])
	}
	return b.String()
}
