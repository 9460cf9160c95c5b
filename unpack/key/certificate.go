package key

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Certificate is an X.509 certificate in DER, at any offset. Its attributes are the facts x509.*
// in name and in writing, so that who asks for them need not know whether a format or a search
// found them.
var Certificate = format.Format{
	Name:   "x509",
	Title:  "X.509 certificate",
	Kind:   format.Crypto,
	Magics: []format.Magic{{Bytes: "\x30\x82"}, {Bytes: "\x30\x81"}},
	Refs:   []format.Ref{{Title: "RFC 5280", URL: "https://www.rfc-editor.org/rfc/rfc5280"}},
	Limits: []string{"Signatures are not verified.", "Of the extensions only the alternative names are told.", "Certificates above 64 KiB are not read."},
	Open:   func(src format.Source) (format.Chunk, error) { return openCertificate(src) },
}

const maxCertificate = 64 << 10

func openCertificate(src format.Source) (*chunk, error) {
	b, err := readElement(src, "x509", maxCertificate, beginsCertificate)
	if err != nil {
		return nil, err
	}
	c, ok := parseCertificate(b)
	if !ok {
		return nil, format.Not("x509: structure")
	}
	k := &chunk{size: int64(len(b))}
	k.tellCertificate(c)
	return k, nil
}

// readElement reads the one element that src begins with, if begins says so after its first bytes.
func readElement(src format.Source, what string, most int, begins func(head []byte) bool) ([]byte, error) {
	var head [16]byte
	n, _ := src.ReadAt(head[:], 0)
	h, size, ok := header(head[:n])
	size += h
	if !ok || size < n || size > most || int64(size) > src.Size() || !begins(head[h:n]) {
		return nil, format.Not("%s: first bytes", what)
	}
	b, err := format.ReadAt(src, 0, int64(size), what)
	if err != nil {
		return nil, format.Not("%v", err)
	}
	return b, nil
}

// beginsCertificate reports whether b is what a certificate's outer header is followed by: that
// of the part which is signed, then a version or, in version 1, a serial number.
func beginsCertificate(b []byte) bool {
	h, _, ok := header(b)
	if !ok || b[0] != tagSequence || len(b) < h+2 {
		return false
	}
	b = b[h:]
	return b[0] == tagContext0 && b[1] == 3 || b[0] == tagInteger && b[1] > 0 && b[1] <= maxSerial
}

const maxSerial = 64 // bytes; RFC 5280 allows 20, not everybody minds

// certificate is what is told of one.
type certificate struct {
	whole, version, serial, issuer, notBefore, notAfter, subject, signature, key der
	issuerName, subjectName, from, to                                            string
	names                                                                        []der
	public                                                                       key
}

// parseCertificate reads the certificate that b is. Every element of it must be in its place.
func parseCertificate(b []byte) (certificate, bool) {
	var c certificate
	all := der{b: b}
	outer, whole, ok := all.take(tagSequence)
	tbs, _, ok1 := outer.take(tagSequence)
	algorithm, _, ok2 := outer.take(tagSequence)
	_, _, ok3 := outer.take(tagBits)
	if !ok || !ok1 || !ok2 || !ok3 || len(all.b)+len(outer.b) > 0 {
		return c, false
	}
	c.whole = whole
	if explicit, _, ok := tbs.take(tagContext0); ok {
		if c.version, _, ok = explicit.take(tagInteger); !ok || len(c.version.b) != 1 || len(explicit.b) > 0 {
			return c, false
		}
	}
	c.serial, _, ok = tbs.take(tagInteger)
	_, _, ok1 = tbs.take(tagSequence)
	issuer, issuerWhole, ok2 := tbs.take(tagSequence)
	validity, _, ok3 := tbs.take(tagSequence)
	subject, subjectWhole, ok4 := tbs.take(tagSequence)
	_, keyWhole, ok5 := tbs.take(tagSequence)
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || len(c.serial.b) == 0 || len(c.serial.b) > maxSerial {
		return c, false
	}
	c.issuer, c.subject, c.key = issuerWhole, subjectWhole, keyWhole
	if c.issuerName, ok = name(issuer); !ok {
		return c, false
	}
	if c.subjectName, ok = name(subject); !ok {
		return c, false
	}
	if c.public, ok = parsePublic(keyWhole); !ok {
		return c, false
	}
	if c.signature, _, ok = algorithm.take(tagOID); !ok || oid(c.signature.b) == "" {
		return c, false
	}
	for _, t := range []struct {
		at   *der
		text *string
	}{{&c.notBefore, &c.from}, {&c.notAfter, &c.to}} {
		tag, value, _, ok := validity.next()
		if !ok || tag != tagUTC && tag != tagTime {
			return c, false
		}
		*t.at, *t.text = value, instant(tag, value.b)
	}
	tbs.take(tagImplicit1)
	tbs.take(tagImplicit2)
	if explicit, _, ok := tbs.take(tagContext3); ok {
		c.names = alternativeNames(explicit)
	}
	return c, len(tbs.b)+len(validity.b) == 0
}

// alternativeNames returns the DNS names, addresses of mail and URIs of extension 2.5.29.17.
func alternativeNames(explicit der) (names []der) {
	extensions, _, _ := explicit.take(tagSequence)
	for {
		x, _, ok := extensions.take(tagSequence)
		if !ok {
			return names
		}
		if id, _, ok := x.take(tagOID); !ok || oid(id.b) != "2.5.29.17" {
			continue
		}
		x.take(0x01) // critical
		value, _, _ := x.take(tagOctets)
		list, _, _ := value.take(tagSequence)
		for len(names) < 100 {
			tag, n, _, ok := list.next()
			if !ok {
				break
			}
			if tag == 0x81 || tag == 0x82 || tag == 0x86 {
				names = append(names, n)
			}
		}
	}
}

func (k *chunk) tellCertificate(c certificate) {
	sum := sha256.Sum256(c.whole.b)
	k.attrs = append(k.attrs, // both may be empty, and are told
		artifact.Attr{Name: "subject", Value: c.subjectName, At: c.subject.at()},
		artifact.Attr{Name: "issuer", Value: c.issuerName, At: c.issuer.at()})
	serial := c.serial.b
	if len(serial) > 1 && serial[0] == 0 {
		serial = serial[1:]
	}
	k.tell("serial", hex.EncodeToString(serial), c.serial.at())
	k.tell("not-before", c.from, c.notBefore.at())
	k.tell("not-after", c.to, c.notAfter.at())
	k.tell("signature-algorithm", algorithmName(oid(c.signature.b)), c.signature.at())
	k.tell("algorithm", c.public.algorithm, c.public.at)
	if c.public.bits > 0 {
		k.tell("key-size", strconv.Itoa(c.public.bits), c.public.bitsAt)
	}
	public := sha256.Sum256(c.key.b)
	k.tell("public-sha256", hex.EncodeToString(public[:]), c.key.at())
	for _, n := range c.names {
		k.tell("alternative-name", text(22, n.b), n.at())
	}
	k.tell("sha256", hex.EncodeToString(sum[:]), c.whole.at())
}
