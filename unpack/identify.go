package unpack

import (
	"bytes"
	"unicode/utf8"
)

// typeMagics names files that need no unpacking by how they begin. Longer before shorter.
// Sources: the formats' own specifications, as collected in file(1)'s magic.
var typeMagics = []struct{ magic, typ string }{
	{"\x7fELF", "elf"},
	{"\x89PNG\r\n\x1a\n", "png"},
	{"GIF87a", "gif"},
	{"GIF89a", "gif"},
	{"\xff\xd8\xff", "jpeg"},
	{"\x00\x00\x01\x00", "ico"},
	{"OTTO", "font"},
	{"\x00\x01\x00\x00\x00", "font"},
	{"wOFF", "font"},
	{"wOF2", "font"},
	{"OggS", "ogg"},
	{"ID3", "mp3"},
	{"%PDF-", "pdf"},
	{"-----BEGIN ", "pem"},
	{"#!", "script"},
	{"<?xml", "xml"},
	{"SQLite format 3\x00", "sqlite"},
}

// identify names the type of a file that needs no unpacking, by its bytes; "" if it is none known.
// A media type is only given to a file that is one to its end, so that nothing hides in it.
func identify(h *hot) string {
	head, _ := h.span(0, 4096)
	for _, m := range typeMagics {
		if bytes.HasPrefix(head, []byte(m.magic)) && complete(h, m.typ) {
			return m.typ
		}
	}
	switch {
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE" && complete(h, "wav"):
		return "wav"
	case len(head) >= 12 && string(head[4:8]) == "ftyp" && complete(h, "video"):
		return "video"
	case len(head) > 0x40 && string(head[:2]) == "MZ":
		return "pe"
	case len(head) > 0 && isText(head):
		return "text"
	}
	return ""
}

// complete checks what follows the magic, of types that say how they go on. It reads h at other
// places and then again where the search begins.
func complete(h *hot, typ string) bool {
	if typ == "ico" {
		b := part(h, 0, 6)
		return b[4] > 0 && b[4] < 32 && b[5] == 0
	}
	whole := media[typ]
	ok := whole == nil || whole(h)
	h.span(0, 1)
	return ok
}

// isText reports whether head reads as UTF-8 or, in GBK or another old encoding, as mostly
// printable bytes without a NUL.
func isText(head []byte) bool {
	if bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	printable := 0
	for _, c := range head {
		if c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t' {
			printable++
		}
	}
	if float64(printable) > 0.95*float64(len(head)) {
		return true
	}
	for i := 0; i < 4 && len(head) > 0 && !utf8.Valid(head); i++ {
		head = head[:len(head)-1] // a rune may be cut
	}
	control := 0
	for _, c := range head {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b {
			control++
		}
	}
	return utf8.Valid(head) && control == 0 && len(head) > 0
}

func quote(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	const hex = "0123456789abcdef"
	var b []byte
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == 0x7f {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
