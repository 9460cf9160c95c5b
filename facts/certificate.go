package facts

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"hallmark/artifact"
)

const maxCertificate = 64 << 10

// readPEM reads a certificate in the text encoding of RFC 7468. Line ends may be those of a
// string in source text, a backslash and an n.
func readPEM(c *content, off int64, within artifact.Range) {
	b := c.bytes(artifact.Range{Off: off, Len: min(2*maxCertificate, within.End()-off)})
	const begin = len("-----BEGIN ")
	if len(b) < begin {
		return
	}
	start := begin + bytes.Index(b[begin:], []byte("-----")) + 5 // the needle has both dashes
	n := bytes.Index(b[start:], []byte("-----END "))
	if n < 0 {
		return
	}
	body := b[start : start+n]
	for _, end := range []string{`\r`, `\n`} {
		body = bytes.ReplaceAll(body, []byte(end), nil)
	}
	body = bytes.Map(func(r rune) rune {
		if r <= ' ' || r == '"' || r == '\\' || r == '=' {
			return -1
		}
		return r
	}, body)
	raw, _ := base64.RawStdEncoding.DecodeString(string(body)) // what was decoded before an error may be enough
	end := bytes.Index(b[start+n+9:], []byte("-----"))
	at := artifact.Range{Off: off, Len: int64(start + n + 9 + end + 5)}
	if end < 0 {
		at.Len = int64(start + n)
	}
	if cert, ok := parseCertificate(raw); ok {
		c.sayCertificate(cert, func(der) artifact.Range { return at })
	}
}

// readDER reads a certificate by its signature algorithm, which stands at off: before it come
// the certificate's header, that of the part that is signed, a version and the serial number.
func readDER(c *content, off int64, within artifact.Range) {
	const reach = 4 + 4 + 5 + 2 + 64
	from := max(within.Off, off-reach)
	b := c.bytes(artifact.Range{Off: from, Len: off - from})
	for start := len(b) - 8; start >= 0; start-- {
		if !beginsCertificate(b[start:]) {
			continue
		}
		at := from + int64(start)
		raw := c.bytes(artifact.Range{Off: at, Len: min(maxCertificate, within.End()-at)})
		if cert, ok := parseCertificate(raw); ok {
			c.sayCertificate(cert, func(d der) artifact.Range {
				return artifact.Range{Off: at + int64(d.off), Len: int64(len(d.b))}
			})
		}
		return
	}
}

// beginsCertificate reports whether b is all that stands before a certificate's signature algorithm.
func beginsCertificate(b []byte) bool {
	for range 2 { // headers of Certificate and TBSCertificate
		if len(b) < 4 || b[0] != tagSequence || b[1] < 0x81 || b[1] > 0x83 {
			return false
		}
		b = b[2+b[1]&0x7f:]
	}
	if len(b) >= 5 && b[0] == tagContext0 { // [0] INTEGER, the version; missing in version 1
		b = b[5:]
	}
	d := der{b: b}
	_, _, ok := d.expect(tagInteger)
	return ok && len(d.b) == 0
}

// certificate is what of RFC 5280 section 4.1 makes a name.
type certificate struct {
	whole, serial, issuer, subject, notAfter der
	expires                                  string
}

// parseCertificate reads the certificate that b begins with.
func parseCertificate(b []byte) (certificate, bool) {
	var cert certificate
	all := der{b: b}
	outer, whole, ok := all.expect(tagSequence)
	if !ok {
		return cert, false
	}
	cert.whole = whole
	tbs, _, ok := outer.expect(tagSequence)
	if !ok {
		return cert, false
	}
	tbs.expect(tagContext0) // version; version 1 has none
	var ok1, ok2, ok3, ok4 bool
	cert.serial, _, ok = tbs.expect(tagInteger)
	_, _, ok1 = tbs.expect(tagSequence) // signature algorithm
	_, cert.issuer, ok2 = tbs.expect(tagSequence)
	validity, _, ok3 := tbs.expect(tagSequence)
	_, cert.subject, ok4 = tbs.expect(tagSequence)
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 {
		return cert, false
	}
	validity.next()
	if tag, value, _, ok := validity.next(); ok {
		cert.notAfter, cert.expires = value, instant(tag, string(value.b))
	}
	return cert, true
}

// instant reads a UTCTime or GeneralizedTime, also without seconds; "" if it is neither.
func instant(tag byte, s string) string {
	layouts := []string{"20060102150405Z0700", "200601021504Z0700"}
	if tag == 23 {
		layouts = []string{"060102150405Z0700", "0601021504Z0700"}
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if tag == 23 && t.Year() >= 2050 { // RFC 5280 section 4.1.2.5.1
			t = t.AddDate(-100, 0, 0)
		}
		return t.UTC().Format(time.RFC3339)
	}
	return ""
}

// sayCertificate keeps what names cert; place says where a part of it stands.
func (c *content) sayCertificate(cert certificate, place func(der) artifact.Range) {
	sum := sha256.Sum256(cert.whole.b)
	c.say("x509.subject", nameOf(cert.subject), place(cert.subject))
	c.say("x509.issuer", nameOf(cert.issuer), place(cert.issuer))
	c.say("x509.serial", hexInteger(cert.serial.b), place(cert.serial))
	c.say("x509.sha256", hex.EncodeToString(sum[:]), place(cert.whole))
	if cert.expires != "" {
		c.say("x509.not-after", cert.expires, place(cert.notAfter))
	}
}

// nameOf is name of the content of a whole element.
func nameOf(whole der) string {
	content, _, _ := whole.expect(tagSequence)
	return name(content)
}

func hexInteger(b []byte) string {
	if len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return hex.EncodeToString(b)
}
