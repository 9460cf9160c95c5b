package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s with everything that a terminal could take as a command, or a reader could
// not tell apart, written as an escape: control characters, invalid UTF-8, and the characters
// that change the direction of text.
func Printable(s string) string {
	if clean(s) {
		return s
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1, r < 0x20, r == 0x7f:
			b.WriteString(`\x`)
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
			n = 1
		case !printable(r):
			b.WriteString(`\u{`)
			for shift := 20; shift >= 0; shift -= 4 {
				if r>>shift > 0 || shift < 16 {
					b.WriteByte(hex[r>>shift&15])
				}
			}
			b.WriteByte('}')
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func clean(s string) bool {
	for i, r := range s {
		if r < 0x20 || r == 0x7f || !printable(r) {
			return false
		}
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n <= 1 {
				return false
			}
		}
	}
	return true
}

// printable leaves out formatting characters, such as those that reverse the line (Cf), C1
// controls (Cc) and private use (Co).
func printable(r rune) bool { return unicode.IsPrint(r) || r == '\u00a0' }
