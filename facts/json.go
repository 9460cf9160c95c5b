package facts

import (
	"bytes"
	"encoding/json"
	"strconv"

	"hallmark/artifact"
)

const (
	maxJSON      = 64 << 10 // bytes of a file
	maxJSONFacts = 500
	maxJSONDepth = 32
)

// readJSON reads the scalars of a small JSON file. Comments and commas before a closing bracket,
// which firmware authors like, are skipped; anything else that is not JSON means that it is none.
func readJSON(c *content) {
	head := bytes.TrimLeft(bytes.TrimPrefix(c.head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if c.Size > maxJSON || len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return
	}
	b := c.bytes(artifact.Range{Len: c.Size})
	p := &jsonParser{b: b, off: bytes.IndexByte(b, head[0])}
	if !p.value("", 0) || p.peek() != 0 || p.off < len(p.b) {
		return
	}
	for _, f := range p.found {
		c.say("json."+f.Name, f.Value, f.At)
	}
}

// jsonParser keeps what it found until the whole text proved to be JSON.
type jsonParser struct {
	b     []byte
	off   int
	found []Fact
}

func (p *jsonParser) peek() byte {
	if p.blank(); p.off < len(p.b) {
		return p.b[p.off]
	}
	return 0
}

// blank skips white space and comments.
func (p *jsonParser) blank() {
	for p.off < len(p.b) {
		rest := p.b[p.off:]
		var n int
		switch {
		case bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0:
			n = 0
		case bytes.HasPrefix(rest, []byte("//")):
			n = bytes.IndexByte(rest, '\n')
		case bytes.HasPrefix(rest, []byte("/*")):
			if n = bytes.Index(rest, []byte("*/")); n >= 0 {
				n++
			}
		default:
			return
		}
		if n < 0 {
			n = len(rest) - 1
		}
		p.off += n + 1
	}
}

func (p *jsonParser) value(path string, depth int) bool {
	if depth > maxJSONDepth {
		return false
	}
	switch p.peek() {
	case '{':
		return p.members('}', func(int) bool {
			key, _, ok := p.text()
			if !ok || p.peek() != ':' {
				return false
			}
			p.off++
			return p.value(join(path, key), depth+1)
		})
	case '[':
		return p.members(']', func(i int) bool { return p.value(join(path, strconv.Itoa(i)), depth+1) })
	case '"':
		s, at, ok := p.text()
		return ok && p.keep(path, s, at)
	}
	return p.word(path)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// members reads what stands between brackets, divided by commas.
func (p *jsonParser) members(end byte, one func(i int) bool) bool {
	p.off++
	for i := 0; ; i++ {
		if p.peek() == end {
			p.off++
			return true
		}
		if !one(i) {
			return false
		}
		switch p.peek() {
		case ',':
			p.off++
		case end:
		default:
			return false
		}
	}
}

// text reads a string; the range is without its quotes.
func (p *jsonParser) text() (string, artifact.Range, bool) {
	if p.peek() != '"' {
		return "", artifact.Range{}, false
	}
	start := p.off + 1
	for i := start; i < len(p.b); i++ {
		switch p.b[i] {
		case '\\':
			i++
		case '\n':
			return "", artifact.Range{}, false
		case '"':
			raw := p.b[start:i]
			p.off = i + 1
			var s string
			if json.Unmarshal(p.b[start-1:i+1], &s) != nil {
				s = string(raw)
			}
			return s, artifact.Range{Off: int64(start), Len: int64(len(raw))}, true
		}
	}
	return "", artifact.Range{}, false
}

// word reads a number, true, false or null.
func (p *jsonParser) word(path string) bool {
	start := p.off
	for p.off < len(p.b) && bytes.IndexByte([]byte(",]}/ \t\r\n"), p.b[p.off]) < 0 {
		p.off++
	}
	word := p.b[start:p.off]
	if len(word) == 0 || !json.Valid(word) {
		return false
	}
	return string(word) == "null" || p.keep(path, string(word), artifact.Range{Off: int64(start), Len: int64(len(word))})
}

func (p *jsonParser) keep(path, value string, at artifact.Range) bool {
	if len(p.found) < maxJSONFacts && len(path) <= MaxValue {
		p.found = append(p.found, Fact{path, value, at})
	}
	return true
}
