package feature

import (
	"bytes"
	"fmt"
)

// maxWeb bounds the bytes of a text file that are read.
const maxWeb = 16 << 20

// text takes the features of a text file: the lines of a script, or the names, literals and
// selectors of a web interface.
func (x *extractor) text(head []byte) error {
	b := make([]byte, min(x.size, maxWeb))
	if n, err := x.r.ReadAt(b, 0); n < len(b) {
		return fmt.Errorf("feature: read at %#x: %w", n, err)
	}
	if bytes.HasPrefix(head, []byte("#!")) {
		x.set.Kind = "script"
		for off := 0; off < len(b); {
			n := bytes.IndexByte(b[off:], '\n')
			if n < 0 {
				n = len(b) - off
			}
			x.string(b[off : off+n][:min(n, maxText)], int64(off))
			off += n + 1
		}
		return nil
	}
	x.set.Kind = "text"
	if !isCode(b) {
		return nil // prose, lists and settings say whose words they are, not whose program
	}
	x.set.Kind = "web"
	if x.on[Web] {
		x.web(b)
	}
	return nil
}

// isCode reports whether text is a script, a style sheet, a page or data of one: of its bytes that
// are no space, one in twenty at least is a brace, a semicolon, a sign of assignment or a tag's bracket.
func isCode(b []byte) bool {
	signs, all := 0, 0
	for _, c := range b[:min(len(b), 64<<10)] {
		switch c {
		case '{', '}', ';', '=', '<', '>', '(', ')':
			signs++
			all++
		case ' ', '\t', '\n', '\r':
		default:
			all++
		}
	}
	return all > 0 && bytes.ContainsAny(b[:min(len(b), 64<<10)], "{<") && signs*20 >= all
}

const (
	minProperty = 4
	minLiteral  = 6
	maxLiteral  = 512
)

// web adds what minifying leaves of scripts, style sheets and pages: names behind a dot or before
// a colon, selectors, and quoted text. Comments are skipped; a quote that its line does not close
// is taken as a character.
func (x *extractor) web(b []byte) {
	waste := len(b) // bytes that quotes without an end may still cost
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '/' && i+1 < len(b) && b[i+1] == '*':
			n := bytes.Index(b[i+2:], []byte("*/"))
			if n < 0 {
				return
			}
			i += n + 4
		case c == '/' && i+1 < len(b) && b[i+1] == '/' && (i == 0 || b[i-1] != ':'):
			n := bytes.IndexByte(b[i:], '\n')
			if n < 0 {
				return
			}
			i += n + 1
		case c == '"' || c == '\'' || c == '`':
			n, ok := quoted(b[i:min(len(b), i+min(waste, maxText))])
			if !ok {
				waste -= n
				i++
				continue
			}
			x.literal(b[i+1:i+n-1], int64(i))
			i += n
		case c == '.' || c == '#':
			n := nameLength(b[i+1:])
			if n >= minProperty {
				x.webName(c, b[i+1:i+1+n], int64(i))
			}
			i += 1 + n
		case isLetter(c) || c == '_' || c == '$':
			n := nameLength(b[i:])
			if n >= minProperty && i+n < len(b) && b[i+n] == ':' {
				x.webName('.', b[i:i+n], int64(i))
			}
			i += n
		default:
			i++
		}
	}
}

// quoted returns the length of the quoted text that b begins with, or how many bytes it took to
// see that there is none.
func quoted(b []byte) (int, bool) {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case b[0]:
			return i + 1, true
		case '\\':
			i++
		case '\n':
			if b[0] != '`' {
				return i, false
			}
		}
	}
	return len(b), false
}

func nameLength(b []byte) int {
	n := 0
	for n < len(b) && (isLetter(b[n]) || isDigit(b[n]) || b[n] == '_' || b[n] == '$' || b[n] == '-' && n > 0) {
		n++
	}
	return n
}

func (x *extractor) webName(kind byte, name []byte, off int64) {
	if !x.omitted(bytes.ToLower(name)) && len(name) <= maxLiteral {
		x.add(Web, hash(uint64(Web)<<8|uint64(kind), name), off)
	}
}

// literal adds a quoted text; one that is all name, such as a key in quotes, counts as a property.
func (x *extractor) literal(b []byte, off int64) {
	if len(b) > maxLiteral {
		return
	}
	if len(b) >= minProperty && isName(b) {
		x.webName('.', b, off)
		return
	}
	s, letters := normalise(x.spare[:0], b)
	x.spare = s
	if len(s) >= minLiteral && letters >= minLetters && !x.omitted(s) {
		x.add(Web, hash(uint64(Web)<<8|'"', s), off)
	}
}
