// Package base64 reads data that stands as base64 in other contents: in scripts, mails and the strings of programs.
//
// Specification: RFC 4648 section 4 (https://www.rfc-editor.org/rfc/rfc4648#section-4). Any text of letters could
// be base64, so only text of 1 KiB or more is read that begins with something known: a program, an archive, a
// compressed stream, a file system. Lines are of one length, the last one may be shorter.
package base64

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"iter"
	"strings"

	"hallmark/unpack/format"
)

// Format is base64.
var Format = format.Format{
	Name:   "base64",
	Title:  "Base64",
	Kind:   format.Stream,
	Magics: magics(),
	Refs:   []format.Ref{{Title: "RFC 4648", URL: "https://www.rfc-editor.org/rfc/rfc4648#section-4"}},
	Limits: []string{
		"Only text from 1 KiB that begins with a program, an archive, a compressed stream, a kernel or a file system is read.",
		"Lines that are indented or quoted are not joined.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

const minDigits = 1 << 10

// known are the first bytes of what is looked for.
var known = []string{
	"\x7fELF\x01\x01\x01", "\x7fELF\x01\x02\x01", "\x7fELF\x02\x01\x01", "\x7fELF\x02\x02\x01",
	"MZ\x90\x00\x03", "#!/bin/",
	"\x1f\x8b\x08\x00", "\x1f\x8b\x08\x08", "BZh91AY&SY", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd", "\x5d\x00\x00\x80\x00", "\x5d\x00\x00\x00\x01",
	"PK\x03\x04", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07", "MSCF\x00\x00\x00\x00", "070701", "!<arch>\n",
	"\x27\x05\x19\x56", "\xd0\x0d\xfe\xed", "hsqs", "sqsh",
}

// magics returns the digits that each of known begins with.
func magics() (list []format.Magic) {
	for _, b := range known {
		list = append(list, format.Magic{Bytes: base64.StdEncoding.EncodeToString([]byte(b))[:len(b)*8/6]})
	}
	return list
}

// text is the digits at the beginning of src.
type text struct {
	src    format.Source
	size   int64
	digits int64
}

func open(src format.Source) (*text, error) {
	t := measure(src)
	if t.digits < minDigits {
		return nil, format.Not("base64: %d digits", t.digits)
	}
	return t, nil
}

// measure finds the end of the text.
func measure(src format.Source) *text {
	t := &text{src: src}
	r := bufio.NewReaderSize(io.NewSectionReader(src, 0, src.Size()), 2*minDigits)
	var width, line int64 // of the first line, of the line at hand
	lines := *t           // up to the end of the last whole line
	for pos := int64(1); ; pos++ {
		c, err := r.ReadByte()
		switch {
		case err == nil && isDigit(c) && (width == 0 || line < width):
			line, t.digits, t.size = line+1, t.digits+1, pos
			continue
		case err == nil && c == '\r' && line > 0:
			continue
		case err == nil && c == '\n' && line > 0 && (width == 0 || line == width):
			width, line, lines = line, 0, *t
			continue
		case err == nil && width > 0 && strings.IndexByte("\r\n=\x00\"'<", c) < 0:
			*t = lines // the line at hand is something else
		case err == nil && c == '=' && t.digits%4 >= 2 && t.size == pos-1:
			if t.size++; t.digits%4 == 2 {
				if c, _ := r.ReadByte(); c == '=' {
					t.size++
				}
			}
		}
		if t.digits%4 == 1 {
			t.digits, t.size = t.digits-1, t.size-1
		}
		return t
	}
}

func isDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// Size returns the end of the last digit, and of what pads it.
func (t *text) Size() int64 { return t.size }

// Entries yields what the text stands for.
func (t *text) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		yield(format.Entry{Size: t.digits * 6 / 8, Open: func() (io.Reader, error) {
			return base64.NewDecoder(base64.RawStdEncoding, &unpadded{r: io.NewSectionReader(t.src, 0, t.size)}), nil
		}}, nil)
	}
}

// unpadded ends where padding begins.
type unpadded struct{ r io.Reader }

func (u *unpadded) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if i := bytes.IndexByte(p[:n], '='); i >= 0 {
		return i, io.EOF
	}
	return n, err
}
