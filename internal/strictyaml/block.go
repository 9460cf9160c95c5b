package strictyaml

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// quick reads the plain part of YAML in which lists are written: block mappings and lists, flow
// collections and scalars on one line, comments. It returns nil for anything else, which is then
// left to the full parser. A list of 10,000 devices takes it an eighth of the time.
func quick(data []byte) *yaml.Node {
	b := blocks{}
	if !b.split(data) || len(b.lines) == 0 || b.lines[0].indent != 0 {
		return nil
	}
	n := b.block(0, maxDepth)
	if b.odd || b.at < len(b.lines) {
		return nil
	}
	return n
}

// blocks reads lines; odd is set by the first thing that is not plain.
type blocks struct {
	lines []textLine
	at    int
	odd   bool
}

type textLine struct {
	number, indent int
	text           string
}

// split takes lines apart and leaves comments and empty ones out.
func (b *blocks) split(data []byte) bool {
	if slices.ContainsFunc([]rune{0x85, 0x2028, 0x2029, 0xfeff}, func(r rune) bool { return bytes.ContainsRune(data, r) }) {
		return false
	}
	all := string(data)
	b.lines = make([]textLine, 0, bytes.Count(data, []byte("\n"))+1)
	for number := 1; all != ""; number++ {
		var l string
		l, all, _ = strings.Cut(all, "\n")
		for i := range len(l) {
			if l[i] < ' ' || l[i] == 0x7f || l[i] == 0xc2 && i+1 < len(l) && l[i+1] < 0xa0 || l[i] == 0xef && i+1 < len(l) && l[i+1] == 0xbf {
				return false
			}
		}
		text := strings.TrimLeft(l, " ")
		if text == "" || text[0] == '#' {
			continue
		}
		indent := len(l) - len(text)
		if indent == 0 && (strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...") || text[0] == '%') {
			return false
		}
		b.lines = append(b.lines, textLine{number, indent, strings.TrimRight(text, " ")})
	}
	return true
}

func (b *blocks) give() *yaml.Node {
	b.odd = true
	return nil
}

// here returns the current line if it begins at indent.
func (b *blocks) here(indent int) *textLine {
	if b.odd || b.at == len(b.lines) || b.lines[b.at].indent != indent {
		return nil
	}
	return &b.lines[b.at]
}

func isItem(s string) bool { return s == "-" || strings.HasPrefix(s, "- ") }

// block reads the mapping or list that begins in the current line.
func (b *blocks) block(indent, depth int) *yaml.Node {
	l := b.here(indent)
	if l == nil || depth == 0 {
		return b.give()
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: l.number, Column: indent + 1}
	if isItem(l.text) {
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		for l := b.here(indent); l != nil && isItem(l.text); l = b.here(indent) {
			n.Content = append(n.Content, b.item(l, depth))
		}
	} else {
		for l := b.here(indent); l != nil && !isItem(l.text); l = b.here(indent) {
			b.pair(n, l, depth)
		}
	}
	if b.at < len(b.lines) && b.lines[b.at].indent > indent {
		return b.give() // a value that goes on
	}
	return n
}

func (b *blocks) item(l *textLine, depth int) *yaml.Node {
	rest := strings.TrimLeft(l.text[1:], " ")
	column := l.indent + len(l.text) - len(rest)
	switch {
	case rest == "" || rest[0] == '#':
		return b.give()
	case isItem(rest):
		return b.give()
	case keyEnd(rest) > 0:
		l.indent, l.text = column, rest
		return b.block(column, depth-1)
	}
	b.at++
	return b.inline(rest, l.number, column, depth)
}

// keyEnd returns where the colon behind a plain key stands in s, or 0.
func keyEnd(s string) int {
	for i := range len(s) {
		switch c := s[i]; {
		case c == ':' && i > 0 && (i+1 == len(s) || s[i+1] == ' '):
			return i
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', i > 0 && (c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'):
		default:
			return 0
		}
	}
	return 0
}

func (b *blocks) pair(n *yaml.Node, l *textLine, depth int) {
	end := keyEnd(l.text)
	if end == 0 {
		b.odd = true
		return
	}
	key := b.plain(l.text[:end], l.number, l.indent)
	rest := strings.TrimLeft(l.text[end+1:], " ")
	column := l.indent + len(l.text) - len(rest)
	b.at++
	var value *yaml.Node
	switch {
	case rest != "" && rest[0] != '#':
		value = b.inline(rest, l.number, column, depth)
	case b.at == len(b.lines):
		b.odd = true
	case b.lines[b.at].indent > n.Column-1:
		value = b.block(b.lines[b.at].indent, depth-1)
	case b.lines[b.at].indent == n.Column-1 && isItem(b.lines[b.at].text):
		value = b.block(n.Column-1, depth-1)
	default:
		b.odd = true
	}
	n.Content = append(n.Content, key, value)
}

// inline reads a value that stands on one line, and a comment behind it.
func (b *blocks) inline(s string, number, column, depth int) *yaml.Node {
	f := flow{blocks: b, s: s, number: number, column: column}
	var n *yaml.Node
	switch s[0] {
	case '"', '\'', '[', '{':
		n = f.value(depth)
	default:
		text, _, _ := strings.Cut(s, " #")
		text = strings.TrimRight(text, " ")
		f.i = len(s)
		n = b.plain(text, number, column)
	}
	if rest := s[f.i:]; rest != "" && !strings.HasPrefix(strings.TrimLeft(rest, " "), "#") || strings.HasPrefix(rest, "#") {
		return b.give()
	}
	return n
}

// plain makes a node of a bare scalar.
func (b *blocks) plain(s string, number, column int) *yaml.Node {
	if s == "" || strings.IndexByte("-?:,[]{}#&*!|>'\"%@`=<", s[0]) >= 0 || strings.Contains(s, ": ") || s[len(s)-1] == ':' {
		return b.give()
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: s, Line: number, Column: column + 1}
	if c := s[0] | 0x20; c >= 'a' && c <= 'z' && strings.IndexByte("tfnyo", c) < 0 {
		n.Tag = "!!str" // no number, date, truth value or null begins so
	} else {
		n.Tag = n.ShortTag()
	}
	return n
}

// flow reads collections and quoted scalars within one line.
type flow struct {
	*blocks
	s              string
	i              int
	number, column int
}

func (f *flow) value(depth int) *yaml.Node {
	if depth == 0 || f.i == len(f.s) || f.odd {
		return f.give()
	}
	start := f.i
	if f.s[start] >= utf8.RuneSelf {
		return f.give()
	}
	switch c := f.s[start]; c {
	case '"', '\'':
		return f.quoted(c)
	case '[', '{':
		return f.collection(c, depth)
	}
	n := strings.IndexAny(f.s[start:], ",[]{}\"'#:")
	if n < 0 {
		return f.give()
	}
	f.i += n
	if f.s[f.i] == ':' || f.s[f.i] == '#' {
		return f.give()
	}
	return f.plain(strings.TrimRight(f.s[start:f.i], " "), f.number, f.column+start)
}

func (f *flow) quoted(q byte) *yaml.Node {
	start := f.i
	end := strings.IndexByte(f.s[start+1:], q)
	if end < 0 || start > 0 && !ascii(f.s[:start]) {
		return f.give()
	}
	text := f.s[start+1 : start+1+end]
	f.i = start + end + 2
	if q == '"' && strings.IndexByte(text, '\\') >= 0 || q == '\'' && f.i < len(f.s) && f.s[f.i] == q {
		return f.give()
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: f.number, Column: f.column + start + 1, Style: yaml.DoubleQuotedStyle}
	if q == '\'' {
		n.Style = yaml.SingleQuotedStyle
	}
	return n
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (f *flow) spaces() {
	for f.i < len(f.s) && f.s[f.i] == ' ' {
		f.i++
	}
}

func (f *flow) collection(open byte, depth int) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle, Line: f.number, Column: f.column + f.i + 1}
	end := byte(']')
	if open == '{' {
		n.Kind, n.Tag, end = yaml.MappingNode, "!!map", '}'
	}
	if !ascii(f.s[:f.i]) {
		return f.give()
	}
	f.i++
	for first := true; ; first = false {
		f.spaces()
		switch {
		case f.odd || f.i == len(f.s):
			return f.give()
		case f.s[f.i] == end && (first || f.s[f.i-1] != ','):
			f.i++
			return n
		case !first && f.s[f.i] != ',':
			return f.give()
		case !first:
			f.i++
			f.spaces()
		}
		if open == '{' {
			k := 0
			if f.i < len(f.s) {
				k = keyEnd(f.s[f.i:])
			}
			if k == 0 || f.i+k+1 >= len(f.s) {
				return f.give()
			}
			n.Content = append(n.Content, f.plain(f.s[f.i:f.i+k], f.number, f.column+f.i))
			f.i += k + 1
			f.spaces()
		}
		if !ascii(f.s[:f.i]) {
			return f.give()
		}
		n.Content = append(n.Content, f.value(depth-1))
	}
}
