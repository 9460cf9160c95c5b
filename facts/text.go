package facts

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"hallmark/artifact"
)

// readScript reads the interpreter of a script, as the kernel's binfmt_script does.
func readScript(c *content) {
	rest, ok := bytes.CutPrefix(c.head, []byte("#!"))
	if !ok {
		return
	}
	line, _, _ := bytes.Cut(rest[:min(len(rest), 256)], []byte("\n"))
	if value := bytes.Trim(line, " \t\r"); len(value) > 0 {
		c.say("script.interp", string(value), artifact.Range{Off: 2 + int64(bytes.Index(line, value)), Len: int64(len(value))})
	}
}

const maxTitleAt = 64 << 10

var title = regexp.MustCompile(`(?is)<title[^<>]*>([^<]*)</title`)

// readHTML reads the title of a page.
func readHTML(c *content) {
	if !looksLikeHTML(c.head) {
		return
	}
	b := c.bytes(artifact.Range{Len: maxTitleAt})
	m := title.FindSubmatchIndex(b)
	if m == nil {
		return
	}
	value := strings.Join(strings.Fields(html.UnescapeString(string(b[m[2]:m[3]]))), " ")
	if value != "" {
		c.say("html.title", value, artifact.Range{Off: int64(m[2]), Len: int64(m[3] - m[2])})
	}
}

func looksLikeHTML(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 || head[0] != '<' {
		return false
	}
	head = bytes.ToLower(head)
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<title"} {
		if bytes.Contains(head, []byte(tag)) {
			return true
		}
	}
	return false
}
