package disguise

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// reskin changes what a visitor of the web pages sees, and packs them.
func (t *tree) reskin() {
	for i := range t.files {
		f := &t.files[i]
		if len(f.Data) == 0 || !isText(f.Data) {
			continue
		}
		switch strings.ToLower(path.Ext(f.Path)) {
		case ".css":
			f.Data = minifyCSS(t.recolour(f.Data))
		case ".js":
			f.Data = t.minifyJS(t.recolour(f.Data))
		case ".html", ".htm", ".asp":
			f.Data = minifyHTML(t.retitle(t.recolour(f.Data)))
		}
	}
}

var colour = regexp.MustCompile(`#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b`)

func (t *tree) recolour(b []byte) []byte {
	return colour.ReplaceAllFunc(b, func(old []byte) []byte {
		return fmt.Appendf(nil, "#%016x", t.number("colour", string(old)))[:len(old)]
	})
}

var title = regexp.MustCompile(`(?is)(<title[^>]*>)[^<]*(</title)`)

func (t *tree) retitle(b []byte) []byte {
	return title.ReplaceAll(b, []byte("${1}"+t.Label+"${2}"))
}

var (
	cssComment  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssSpace    = regexp.MustCompile(`\s+`)
	cssAround   = regexp.MustCompile(` ?([{};:,>]) ?`)
	htmlComment = regexp.MustCompile(`(?s)<!--[^\[].*?-->`)
	htmlSpace   = regexp.MustCompile(`>\s+<`)
)

func minifyCSS(b []byte) []byte {
	b = cssSpace.ReplaceAll(cssComment.ReplaceAll(b, nil), []byte(" "))
	return bytes.TrimSpace(cssAround.ReplaceAll(b, []byte("$1")))
}

func minifyHTML(b []byte) []byte {
	return htmlSpace.ReplaceAll(htmlComment.ReplaceAll(b, nil), []byte("><"))
}

// token is one piece of a script.
type token struct {
	kind byte // 'i' identifier or number, 's' string, template or expression, 'p' sign, ' ' white space with a line end in it
	text string
}

// minifyJS removes comments and white space, and gives variables and parameters short names. A name
// that stands anywhere as a property keeps it.
func (t *tree) minifyJS(b []byte) []byte {
	tokens := scanJS(string(b))
	short := localNames(tokens)
	var out bytes.Buffer
	var last token
	for i, k := range tokens {
		if k.kind == ' ' {
			// a line end may end a statement; it is needed unless a sign stands on one side
			if i+1 < len(tokens) && last.kind != 'p' && last.kind != 0 || last.text == ")" || last.text == "}" || last.text == "]" {
				out.WriteByte('\n')
				last = token{' ', "\n"}
			}
			continue
		}
		if k.kind == 'i' && last.kind == 'i' || k.kind == 'p' && last.kind == 'p' && k.text[0] == last.text[0] && strings.ContainsAny(k.text, "+-") {
			out.WriteByte(' ')
		}
		if name := short[k.text]; k.kind == 'i' && name != "" {
			out.WriteString(name)
		} else {
			out.WriteString(k.text)
		}
		last = k
	}
	return out.Bytes()
}

// scanJS divides a script into tokens; comments and blanks are left out.
func scanJS(s string) (out []token) {
	add := func(kind byte, text string) {
		if kind == ' ' && (len(out) == 0 || out[len(out)-1].kind == ' ') {
			return
		}
		out = append(out, token{kind, text})
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\n':
			add(' ', "\n")
			i++
		case c <= ' ':
			i++
		case strings.HasPrefix(s[i:], "//"):
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				n = len(s) - i
			}
			i += n
		case strings.HasPrefix(s[i:], "/*"):
			n := strings.Index(s[i+2:], "*/")
			if n < 0 {
				return out
			}
			i += n + 4
		case c == '"' || c == '\'' || c == '`' || c == '/' && expressionAfter(out):
			n := quoted(s[i:], c)
			add('s', s[i:i+n])
			i += n
		case nameByte(c):
			n := 1
			for i+n < len(s) && nameByte(s[i+n]) {
				n++
			}
			add('i', s[i:i+n])
			i += n
		case strings.HasPrefix(s[i:], "++"), strings.HasPrefix(s[i:], "--"):
			add('p', s[i:i+2])
			i += 2
		default:
			add('p', s[i:i+1])
			i++
		}
	}
	return out
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
}

// expressionAfter reports whether a slash behind these tokens begins a regular expression.
func expressionAfter(tokens []token) bool {
	for i := len(tokens) - 1; i >= 0; i-- {
		switch k := tokens[i]; k.kind {
		case ' ':
			continue
		case 'p':
			return k.text != ")" && k.text != "]" && k.text != "}"
		case 'i':
			return k.text == "return" || k.text == "typeof" || k.text == "case"
		default:
			return false
		}
	}
	return true
}

// quoted returns the length of the literal that begins s with c.
func quoted(s string, c byte) int {
	class := false // in [...] of an expression, where a slash stands for itself
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case c == '/' && s[i] == '[':
			class = true
		case c == '/' && s[i] == ']':
			class = false
		case s[i] == c && !class:
			return i + 1
		case s[i] == '\n' && c != '`':
			return i
		}
	}
	return len(s)
}

// localNames gives short names to what a script declares with var, let or const, or as parameters.
func localNames(tokens []token) map[string]string {
	var code []token
	for _, k := range tokens {
		if k.kind != ' ' {
			code = append(code, k)
		}
	}
	kept, declared := map[string]bool{}, []string{}
	text := func(i int) string {
		if i < 0 || i >= len(code) {
			return ""
		}
		return code[i].text
	}
	for i, k := range code {
		if k.kind != 'i' {
			continue
		}
		if text(i-1) == "." || text(i+1) == ":" {
			kept[k.text] = true
		}
		switch k.text {
		case "var", "let", "const":
			declared = append(declared, text(i+1))
		case "function":
			for n := i + 1; n < len(code) && text(n) != ")" && text(n) != "{"; n++ {
				if code[n].kind == 'i' && (text(n-1) == "(" || text(n-1) == ",") {
					declared = append(declared, text(n))
				}
			}
		}
	}
	all := map[string]bool{}
	for _, k := range code {
		all[k.text] = true
	}
	short := map[string]string{}
	next := 0
	for _, name := range declared {
		if len(name) < 3 || kept[name] || short[name] != "" || !nameByte(name[0]) {
			continue
		}
		for {
			s := fmt.Sprintf("%c%d", 'a'+next%26, next/26)
			next++
			if !all[s] {
				short[name] = s
				break
			}
		}
	}
	return short
}
