package strictyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// isJSON tells JSON from a YAML document that begins with a flow collection: the first thing in
// the braces is a string in double quotes, or nothing.
func isJSON(data []byte) bool {
	t := bytes.TrimLeft(data, " \t\r\n{[")
	return len(t) == 0 || strings.IndexByte(`"]}`, t[0]) >= 0 || t[0] >= '0' && t[0] <= '9'
}

// jsonReader makes nodes of JSON tokens.
type jsonReader struct {
	*json.Decoder
	data []byte
	line int   // of off
	off  int64 // up to where lines were counted
	bol  int64 // where line begins
}

func parseJSON(name string, data []byte, depth int) (*yaml.Node, error) {
	r := &jsonReader{Decoder: json.NewDecoder(bytes.NewReader(data)), data: data, line: 1}
	r.UseNumber()
	n, err := r.value(depth)
	start := r.next()
	if err == nil {
		if _, more := r.Token(); more == nil {
			err = errors.New("more text behind the end of the document")
		} else if !errors.Is(more, io.EOF) {
			err = more
		}
	}
	if err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the document ends too early")
	}
	return nil, Errors{{name, start, strings.TrimPrefix(err.Error(), "json: ")}}
}

// at counts lines up to off, which never falls.
func (r *jsonReader) at(off int64) Pos {
	for {
		i := bytes.IndexByte(r.data[r.off:off], '\n')
		if i < 0 {
			break
		}
		r.off += int64(i) + 1
		r.line, r.bol = r.line+1, r.off
	}
	return Pos{r.line, int(off-r.bol) + 1}
}

// next returns where the next token begins.
func (r *jsonReader) next() Pos {
	off := r.InputOffset()
	for off < int64(len(r.data)) && strings.IndexByte(" \t\r\n,:", r.data[off]) >= 0 {
		off++
	}
	return r.at(off)
}

func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	p := r.next()
	t, err := r.Token()
	if err != nil {
		return nil, err
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: p.Line, Column: p.Column}
	switch t := t.(type) {
	case string:
		n.Tag, n.Value, n.Style = "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!int", t.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(t)
	case nil:
		n.Tag = "!!null"
	case json.Delim:
		if depth <= 0 {
			return nil, errors.New("too many lists and mappings within each other")
		}
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for r.More() {
			c, err := r.value(depth - 1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, c)
		}
		if _, err := r.Token(); err != nil {
			return nil, err
		}
	}
	return n, nil
}
