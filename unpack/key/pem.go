package key

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// PEM is a run of PEM blocks, with no more than a little text between them: one bundle is one chunk.
//
// All certificates of a run come out as one file, one behind the other, so that a store of
// trust remains one. Text between blocks comes out too, for it may name somebody.
var PEM = format.Format{
	Name:   "pem",
	Title:  "PEM blocks",
	Kind:   format.Crypto,
	Magics: []format.Magic{{Bytes: pemBegin}},
	Refs: []format.Ref{
		{Title: "RFC 7468", URL: "https://www.rfc-editor.org/rfc/rfc7468"},
		{Title: "RFC 1421 section 4.4, headers", URL: "https://www.rfc-editor.org/rfc/rfc1421"},
		{Title: "OpenSSH, PROTOCOL.key", URL: "https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key"},
	},
	Limits: []string{
		"Private keys are told, not handed out.",
		"Blocks inside quoted source text are not read.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return openPEM(src) },
}

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemDash  = "-----"

	maxBlock = 256 << 10 // of text; a list of revoked certificates may be long
	maxGap   = 512       // between blocks of a run: a name, underlined
	maxTail  = 64        // white space looked for behind an END line
	maxRun   = 16 << 20
)

// block is one PEM block.
type block struct {
	label   string
	size    int64 // in the source, with its line end
	mark    int64 // of the BEGIN line, without its line end
	headers string
	der     []byte
}

func openPEM(src format.Source) (*chunk, error) {
	w := &window{src: src}
	first, err := w.block(0)
	if err != nil {
		return nil, err
	}
	c := &chunk{size: first.size}
	r := run{chunk: c, seen: map[string]int{}}
	r.add(first, 0)
	for c.size < maxRun {
		gap, ok := w.gap(c.size)
		if !ok {
			break
		}
		at := c.size + int64(len(gap))
		next, err := w.block(at)
		if err != nil {
			break
		}
		if len(bytes.Trim(gap, " \t\r\n\x00")) > 0 {
			r.text = append(r.text, gap...)
		}
		r.add(next, at)
		c.size = at + next.size
	}
	c.hold(plural("certificate", r.count)+".der", r.certificates)
	c.hold("text", r.text)
	return c, nil
}

func plural(s string, n int) string {
	if n > 1 {
		s += "s"
	}
	return s
}

// run collects the blocks of a chunk.
type run struct {
	*chunk
	certificates, text []byte
	count              int
	seen               map[string]int
}

func (r *run) add(b block, off int64) {
	at := artifact.Range{Off: off, Len: b.mark}
	switch {
	case strings.HasSuffix(b.label, "PRIVATE KEY"):
		r.private(b, at)
	case strings.HasSuffix(b.label, "CERTIFICATE"):
		r.certificates = append(r.certificates, b.der...)
		r.count++
		if c, ok := parseFirst(b.der); ok {
			r.tell("certificate", c.subjectName, artifact.Range{Off: off, Len: b.size})
		}
	default:
		path := strings.ReplaceAll(strings.ToLower(b.label), " ", "-")
		if r.seen[path]++; r.seen[path] > 1 {
			path += "-" + strconv.Itoa(r.seen[path])
		}
		r.tell("block", b.label, at)
		if k, ok := parseKey(b.der); secret(b.label) || ok && k.private { // whatever the label says
			return
		}
		r.hold(path+".der", b.der)
	}
}

// secret reports whether a label, of nobody's standard, names something private.
func secret(label string) bool {
	for _, word := range []string{"PRIVATE", "SECRET", "PASSPHRASE", "PASSWORD"} {
		if strings.Contains(label, word) {
			return true
		}
	}
	return false
}

// parseFirst reads the certificate that b begins with; behind a trusted one stand OpenSSL's terms.
func parseFirst(b []byte) (certificate, bool) {
	h, n, ok := header(b)
	if !ok || h+n > len(b) {
		return certificate{}, false
	}
	return parseCertificate(b[:h+n])
}

// private tells a private key. Its base64 is private as a whole, so that the BEGIN line stands for it.
func (r *run) private(b block, at artifact.Range) {
	r.tell("block", b.label, at)
	if k, blob, comment, ok := parseOpenSSH(b.der); ok {
		k.at, k.bitsAt = at, at
		r.tellKey(k)
		r.tell("fingerprint", fingerprint(blob), at)
		r.tell("comment", strings.ToValidUTF8(comment, "\uFFFD"), at)
		return
	}
	k, ok := parseKey(b.der)
	if !ok {
		k = key{encrypted: strings.Contains(b.headers, "4,ENCRYPTED")}
		k.algorithm, _, _ = strings.Cut(b.label, " PRIVATE KEY")
		if k.algorithm == "PRIVATE KEY" || k.algorithm == "ENCRYPTED" {
			k.algorithm = ""
		}
	}
	k.private, k.at, k.bitsAt = true, at, at
	r.tellKey(k)
}

// window keeps the last bytes read, because blocks follow one another.
type window struct {
	src format.Source
	off int64
	b   []byte
}

// at returns up to n bytes at off.
func (w *window) at(off int64, n int) []byte {
	n = int(min(int64(n), w.src.Size()-off))
	if n <= 0 {
		return nil
	}
	if off < w.off || off+int64(n) > w.off+int64(len(w.b)) {
		w.off, w.b = off, make([]byte, min(max(4096, 2*int64(n)), w.src.Size()-off))
		got, _ := w.src.ReadAt(w.b, off)
		w.b = w.b[:got]
	}
	b := w.b[off-w.off:]
	return b[:min(n, len(b))]
}

// gap returns the bytes from off to the next block, if they are few and text, or NULs alone.
func (w *window) gap(off int64) ([]byte, bool) {
	b := w.at(off, maxGap+len(pemBegin))
	n := bytes.Index(b, []byte(pemBegin))
	if n < 0 {
		return nil, false
	}
	nul, printed := false, false
	for _, c := range b[:n] {
		switch {
		case c == 0:
			nul = true
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c < ' ' || c == 0x7f:
			return nil, false
		default:
			printed = true
		}
	}
	return b[:n], !nul || !printed
}

// block reads the block at off. What it looks at beyond the block holds no other block's start,
// so that looking at all of them takes time in proportion to the content.
func (w *window) block(off int64) (block, error) {
	for n := 4096; ; n *= 4 {
		b := w.at(off, min(n, maxBlock))
		k, err := parseBlock(b)
		cut := err == errShort || err == nil && k.size >= int64(len(b)-maxTail)
		if !cut || n >= maxBlock || len(b) < n {
			return k, err
		}
	}
}

// errShort is that of a block that may go on behind the bytes at hand.
var errShort = format.Not("pem: no end")

func parseBlock(b []byte) (block, error) {
	var k block
	line, rest, ok := cutLine(b)
	if !ok {
		return k, errShort
	}
	label, ok := strings.CutPrefix(strings.TrimRight(string(line), " \t"), pemBegin)
	label, ok1 := strings.CutSuffix(label, pemDash)
	if !ok || !ok1 || !isLabel(label) {
		return k, format.Not("pem: label")
	}
	k.label, k.mark = label, int64(len(line))
	var coded []byte
	var at int // of the line at hand
	for {
		at = len(b) - len(rest)
		line, rest, ok = cutLine(rest)
		if bytes.HasPrefix(line, []byte(pemEnd+label+pemDash)) {
			break
		}
		if !ok {
			if bytes.IndexByte(line, 0) >= 0 {
				return k, format.Not("pem: NUL")
			}
			return k, errShort
		}
		text := bytes.TrimRight(line, " \t")
		switch {
		case len(bytes.Trim(text, base64Digits+"=")) == 0:
			coded = append(coded, text...)
		case len(coded) == 0 && isHeader(text) && len(k.headers) < 4096:
			k.headers += string(text) + "\n"
		default:
			return k, format.Not("pem: a line that is no base64")
		}
	}
	// The rest of the END line belongs to it if it is white space.
	end := at + len(pemEnd+label+pemDash)
	if line, rest, ok := cutLine(b[end:]); ok && len(bytes.Trim(line, " \t")) == 0 {
		end = len(b) - len(rest)
	}
	k.size = int64(end)
	k.der = make([]byte, base64.StdEncoding.DecodedLen(len(coded)))
	n, err := base64.StdEncoding.Decode(k.der, coded)
	if err != nil || n == 0 {
		return k, format.Not("pem: base64 of %d bytes: %v", len(coded), err)
	}
	k.der = k.der[:n]
	return k, nil
}

// cutLine cuts the first line off b. ok is false if b has no line end.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexAny(b, "\r\n")
	if i < 0 {
		return b, nil, false
	}
	rest = b[i+1:]
	if b[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return b[:i], rest, true
}

func isLabel(s string) bool {
	return len(s) > 0 && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") == "" && !strings.HasPrefix(s, "PGP ")
}

// isHeader reports whether line is one of RFC 1421's, or goes on with one.
func isHeader(line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	return ok && len(name) < 32 && !bytes.Contains(line, []byte(pemDash)) && bytes.IndexByte(line, 0) < 0
}
