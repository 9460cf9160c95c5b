package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parse checks what no reader should have to guess, and returns the root of the document.
func parse(name string, data []byte, o Options) (*yaml.Node, error) {
	if err := tooLarge(name, int64(len(data)), o); err != nil {
		return nil, err
	}
	if p, msg := utf8Only(data); msg != "" {
		return nil, Errors{{name, p, msg}}
	}
	depth := o.MaxDepth
	if depth == 0 {
		depth = maxDepth
	}
	if t := bytes.TrimLeft(data, " \t\r\n"); len(t) > 0 && (t[0] == '{' || t[0] == '[') && isJSON(data) {
		return parseJSON(name, data, depth)
	}
	if n := quick(data); n != nil {
		return n, plain(name, n, depth, o.Aliases)
	}
	if e := nesting(name, data, depth); e != nil {
		return nil, Errors{e}
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, Errors{{name, Pos{1, 1}, "the document is empty"}}
	} else if err != nil {
		return nil, Errors{syntax(name, data, err)}
	}
	var next yaml.Node
	if err := d.Decode(&next); err == nil {
		return nil, Errors{{name, Pos{next.Line, next.Column}, "a second document begins; want one document a file"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, Errors{syntax(name, data, err)}
	}
	return doc.Content[0], plain(name, doc.Content[0], depth, o.Aliases)
}

// utf8Only finds what is not UTF-8 without a byte order mark.
func utf8Only(data []byte) (Pos, string) {
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return Pos{1, 1}, "the document begins with a byte order mark; save it as UTF-8 without one"
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return Pos{1, 1}, "the document is UTF-16; save it as UTF-8"
	case utf8.Valid(data) && bytes.IndexByte(data, 0) < 0:
		return Pos{}, ""
	}
	p := Pos{1, 1}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return p, fmt.Sprintf("byte 0x%02x is not UTF-8; save the document as UTF-8", data[i])
		case r == 0:
			return p, "a zero byte: this is no text"
		case r == '\n':
			p = Pos{p.Line + 1, 0}
		}
		p.Column++
		i += n
	}
	return p, ""
}

// nesting bounds flow collections before the parser sees them: it recurses for each.
func nesting(name string, data []byte, max int) *Error {
	open, line, start := 0, 1, 0
	var quote byte
	for i, c := range data {
		switch {
		case c == '\n':
			line, start = line+1, i+1
			if open == 0 {
				quote = 0
			}
		case quote != 0:
			if c == quote && !(quote == '"' && i > 0 && data[i-1] == '\\') {
				quote = 0
			}
		case (c == '"' || c == '\'') && i > 0 && bytes.IndexByte([]byte(" \t\n[{,:-"), data[i-1]) >= 0:
			quote = c
		case c == '[' || c == '{':
			if open++; open > max {
				return &Error{name, Pos{line, i - start + 1}, fmt.Sprintf("more than %d lists and mappings within each other", max)}
			}
		case (c == ']' || c == '}') && open > 0:
			open--
		}
	}
	return nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntax gives an error of the parser the form of ours. The parser tells no column: it is that of
// the first character on the line.
func syntax(name string, data []byte, err error) *Error {
	e := &Error{File: name, Pos: Pos{1, 1}, Msg: err.Error()}
	m := yamlError.FindStringSubmatch(e.Msg)
	if m == nil {
		return e
	}
	e.Msg = m[2]
	if n, err := strconv.Atoi(m[1]); err == nil {
		e.Line = max(n, 1)
	}
	lines := bytes.Split(data, []byte("\n"))
	if e.Line <= len(lines) {
		l := lines[e.Line-1]
		e.Column = len(l) - len(bytes.TrimLeft(l, " ")) + 1
	}
	return e
}

// plain refuses what makes a document mean more than it shows: anchors, aliases, merges, tags.
func plain(name string, n *yaml.Node, depth int, aliases bool) error {
	at := Pos{n.Line, n.Column}
	switch {
	case depth < 0:
		return Errors{{name, at, "too many lists and mappings within each other"}}
	case n.Kind == yaml.AliasNode && !aliases:
		return Errors{{name, at, fmt.Sprintf("alias *%s; write the value out", n.Value)}}
	case n.Anchor != "" && !aliases:
		return Errors{{name, at, fmt.Sprintf("anchor &%s; write values out where they are wanted", n.Anchor)}}
	case n.Style&yaml.TaggedStyle != 0:
		return Errors{{name, at, fmt.Sprintf("tag %s; tags are not read", n.Tag)}}
	case n.Kind == yaml.ScalarNode && n.Tag == "!!merge":
		return Errors{{name, at, "merge key <<; write the keys out"}}
	}
	for _, c := range n.Content {
		if err := plain(name, c, depth-1, aliases); err != nil {
			return err
		}
	}
	return nil
}
