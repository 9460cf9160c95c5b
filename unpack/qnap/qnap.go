// Package qnap reads firmware images of QNAP's storage devices, recorders and routers: an archive, as a rule a
// compressed tar, whose first part is encrypted, and a trailer with model, version and date.
//
// There is no official specification. The trailer follows unblob's handlers
// (https://github.com/onekey-sec/unblob/tree/main/python/unblob/handlers/archive/qnap), the cipher a public reimplementation
// (https://gist.github.com/ulidtko/966277a465f1856109b2d2674dcee741) of QNAP's own tool PC1.
//
// Storage devices and recorders share a key, which the user brings. That of routers is the model's name in the trailer.
package qnap

import (
	"bytes"
	"encoding/binary"
	"io"
	"iter"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is the image.
var Format = format.Format{
	Name:   "qnap",
	Title:  "QNAP firmware",
	Kind:   format.Container,
	Whole:  true,
	Magics: []format.Magic{{Bytes: magic}},
	Refs: []format.Ref{
		{Title: "unblob, QNAP", URL: "https://github.com/onekey-sec/unblob/tree/main/python/unblob/handlers/archive/qnap"},
		{Title: "QNAP QTS firmware encryptor and decryptor", URL: "https://gist.github.com/ulidtko/966277a465f1856109b2d2674dcee741"},
	},
	Limits: []string{
		"Without the key " + Key + ", which is a text, images of storage devices and recorders are yielded as they are. Those of routers need none: their key is the model's name in the trailer.",
		"Signatures are not verified.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// Key is the name of the key that a user may bring.
const Key = "qnap"

// The trailer, little endian: magic (6), length of what is encrypted (4), model (16), version (16), date (16), revision (16).
const (
	magic      = "icpnas"
	trailerLen = 74
	fieldLen   = 16
	fieldsOff  = 10
)

var fields = [...]string{"model", "version", "date", "revision"}

// gzipSealed is what a header of gzip begins with under the key of storage devices.
const gzipSealed = "\xf5\x7b\x47\x03"

type image struct {
	src    format.Source
	body   artifact.Range
	sealed int64 // bytes of body that are encrypted
	text   [len(fields)]string
	key    []byte // nil if none fits
	named  bool   // key is the model's name
}

func open(src format.Source) (*image, error) {
	for _, off := range src.Occurrences([]format.Magic{{Bytes: magic}})[0] {
		if m, ok := trailer(src, off); ok {
			return m, nil
		}
	}
	return nil, format.Not("qnap: no trailer")
}

// trailer reads the trailer at off. One that stands before the end, or has no date, is believed if what it is about begins as it should.
func trailer(src format.Source, off int64) (*image, bool) {
	var b [trailerLen]byte
	if n, _ := src.ReadAt(b[:], off); n < len(b) || string(b[:len(magic)]) != magic {
		return nil, false
	}
	m := &image{src: src, body: artifact.Range{Len: off}, sealed: int64(binary.LittleEndian.Uint32(b[len(magic):]))}
	if m.sealed < int64(len(gzipSealed)) || m.sealed > off {
		return nil, false
	}
	for i := range m.text {
		var ok bool
		if m.text[i], ok = text(b[fieldsOff+i*fieldLen:][:fieldLen]); !ok {
			return nil, false
		}
	}
	if m.text[0] == "" || m.text[1] == "" {
		return nil, false
	}
	switch {
	case m.fits(src.Keys[Key]):
		m.key = src.Keys[Key]
	case m.fits([]byte(m.text[0])):
		m.key, m.named = []byte(m.text[0]), true
	default:
		var head [len(gzipSealed)]byte
		src.ReadAt(head[:], 0) // within the body
		return m, string(head[:]) == gzipSealed || off+trailerLen == src.Size() && isDate(m.text[2])
	}
	return m, true
}

// text returns what stands before the first NUL of b, and whether it is printable.
func text(b []byte) (string, bool) {
	s, _, _ := strings.Cut(string(b), "\x00")
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return "", false
		}
	}
	return s, true
}

func isDate(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return len(s) == len("20060102") && err == nil
}

// fits reports whether what key decrypts begins as something.
func (m *image) fits(key []byte) bool {
	const tarMagic = 257
	if len(key) < 2 {
		return false
	}
	var head [512]byte
	n, _ := io.ReadFull(m.plain(key), head[:])
	for _, magic := range [...]string{"\x1f\x8b\x08", "BZh", "\xfd7zXZ\x00", "PK\x03\x04", "hsqs", "\xd0\x0d\xfe\xed", "\x27\x05\x19\x56"} {
		if bytes.HasPrefix(head[:n], []byte(magic)) {
			return true
		}
	}
	return bytes.HasPrefix(head[tarMagic:], []byte("ustar"))
}

// plain reads the body as key decrypts it.
func (m *image) plain(key []byte) io.Reader {
	sealed := &decrypted{r: io.NewSectionReader(m.src, 0, m.sealed), c: newPC1(key)}
	return io.MultiReader(sealed, io.NewSectionReader(m.src, m.sealed, m.body.Len-m.sealed))
}

func (m *image) Size() int64 { return m.body.Len + trailerLen }

func (m *image) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		e := format.Entry{Size: m.body.Len}
		if m.key != nil {
			e.Open = func() (io.Reader, error) { return m.plain(m.key), nil }
		} else {
			at := artifact.Range{Len: m.sealed}
			e.Window = &m.body
			e.Problems = []artifact.Problem{{Kind: artifact.Encrypted, At: at, Detail: "qnap: first " + strconv.FormatInt(m.sealed, 10) + " bytes: PC1"}}
		}
		yield(e, nil)
	}
}

func (m *image) Describe() []artifact.Attr {
	var attrs []artifact.Attr
	for i, name := range fields {
		if m.text[i] != "" {
			attrs = append(attrs, artifact.Attr{Name: name, Value: m.text[i], At: artifact.Range{Off: m.body.Len + fieldsOff + int64(i)*fieldLen, Len: fieldLen}})
		}
	}
	attrs = append(attrs, artifact.Attr{Name: "encrypted", Value: strconv.FormatInt(m.sealed, 10), At: artifact.Range{Off: m.body.Len + int64(len(magic)), Len: 4}})
	if m.named {
		attrs = append(attrs, artifact.Attr{Name: "key", Value: fields[0], At: artifact.Range{Off: m.body.Len + fieldsOff, Len: fieldLen}})
	}
	return attrs
}
