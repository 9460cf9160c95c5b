package key

import (
	"encoding/binary"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// PKCS12 is a file of keys and certificates under a password. What it holds is not decrypted.
var PKCS12 = format.Format{
	Name:   "pkcs12",
	Title:  "PKCS #12 key store",
	Kind:   format.Crypto,
	Magics: []format.Magic{{Bytes: "\x02\x01\x03\x30", Off: 4}, {Bytes: "\x02\x01\x03\x30", Off: 3}, {Bytes: "\x30\x80\x02\x01\x03\x30\x80", Start: true}},
	Refs:   []format.Ref{{Title: "RFC 7292", URL: "https://www.rfc-editor.org/rfc/rfc7292"}},
	Limits: []string{"Recognised, not decrypted.", "Of one with indefinite lengths (BER) the end is that of the content."},
	Open:   func(src format.Source) (format.Chunk, error) { return openPKCS12(src) },
}

const (
	oidData    = "1.2.840.113549.1.7.1"
	maxStore   = 16 << 20
	digestSize = 20 // SHA-1 of a password and the store
)

func openPKCS12(src format.Source) (*chunk, error) {
	head := make([]byte, min(64, src.Size()))
	n, _ := src.ReadAt(head, 0)
	head = head[:n]
	c := &chunk{problem: format.Errorf(artifact.Encrypted, 0, "pkcs12: keys and certificates under a password")}
	version := artifact.Range{Off: 2, Len: 3}
	if strings.HasPrefix(string(head), "\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07") {
		c.size = src.Size()
		c.tell("version", "3", version)
		return c, nil
	}
	h, size, ok := header(head)
	if !ok || head[0] != tagSequence || size > maxStore || int64(h+size) > src.Size() || len(head) < h+32 {
		return nil, format.Not("pkcs12: header")
	}
	// Of what follows the first bytes are enough: version 3, a ContentInfo within the file.
	rest := head[h+3:]
	if string(head[h:h+3]) != "\x02\x01\x03" || rest[0] != tagSequence {
		return nil, format.Not("pkcs12: version")
	}
	ih, inner, ok := header(rest)
	if !ok || 3+ih+inner > size || ih+11 > len(rest) {
		return nil, format.Not("pkcs12: content")
	}
	info := der{b: rest[ih:]}
	if id, _, ok := info.take(tagOID); !ok || oid(id.b) != oidData && oid(id.b) != "1.2.840.113549.1.7.2" {
		return nil, format.Not("pkcs12: content type")
	}
	c.size = int64(h + size)
	c.tell("version", "3", artifact.Range{Off: int64(h), Len: 3})
	return c, nil
}

// JavaStore is a key store of Java, JKS or JCEKS. Certificates come out as one file, one behind
// the other; private keys are encrypted and not handed out.
var JavaStore = format.Format{
	Name:   "jks",
	Title:  "Java key store",
	Kind:   format.Crypto,
	Magics: []format.Magic{{Bytes: "\xfe\xed\xfe\xed\x00\x00\x00"}, {Bytes: "\xce\xce\xce\xce\x00\x00\x00"}},
	Refs:   []format.Ref{{Title: "OpenJDK, sun/security/provider/JavaKeyStore.java", URL: "https://github.com/openjdk/jdk/blob/master/src/java.base/share/classes/sun/security/provider/JavaKeyStore.java"}},
	Limits: []string{"Secret keys of JCEKS end the reading: their length is not told.", "The digest needs the password and is not checked."},
	Open:   func(src format.Source) (format.Chunk, error) { return openJava(src) },
}

// javaReader reads what Java's DataOutputStream wrote.
type javaReader struct {
	src format.Source
	off int64
	bad bool
}

func (r *javaReader) take(n int64) artifact.Range {
	at := artifact.Range{Off: r.off, Len: n}
	if r.bad || n > r.src.Size()-r.off {
		r.bad = true
		return artifact.Range{}
	}
	r.off += n
	return at
}

func (r *javaReader) bytes(at artifact.Range) []byte {
	b := make([]byte, at.Len)
	if n, _ := r.src.ReadAt(b, at.Off); n < len(b) {
		r.bad = true
	}
	return b
}

func (r *javaReader) word() uint32 {
	if b := r.bytes(r.take(4)); len(b) == 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// text reads a string behind its length of 16 bits.
func (r *javaReader) text() (string, artifact.Range) {
	b := r.bytes(r.take(2))
	if len(b) < 2 {
		return "", artifact.Range{}
	}
	at := r.take(int64(binary.BigEndian.Uint16(b)))
	return string(r.bytes(at)), at
}

func openJava(src format.Source) (*chunk, error) {
	r := &javaReader{src: src}
	magic, version, count := r.word(), r.word(), r.word()
	if r.bad || magic != 0xfeedfeed && magic != 0xcececece || version < 1 || version > 2 || count > 1<<16 {
		return nil, format.Not("jks: header")
	}
	c := &chunk{}
	kind := "JKS"
	if magic == 0xcececece {
		kind = "JCEKS"
	}
	c.tell("kind", kind, artifact.Range{Len: 4})
	c.tell("version", strconv.Itoa(int(version)), artifact.Range{Off: 4, Len: 4})
	c.tell("entries", strconv.Itoa(int(count)), artifact.Range{Off: 8, Len: 4})
	var certificates []byte
	n := 0
	certificate := func() {
		if version == 2 {
			r.text() // "X.509"
		}
		if size := int64(r.word()); size <= maxCertificate && len(certificates) < maxStore {
			certificates = append(certificates, r.bytes(r.take(size))...)
			n++
		} else {
			r.bad = true
		}
	}
	secret := false
	for i := uint32(0); i < count && !r.bad && !secret; i++ {
		tag := r.word()
		alias, at := r.text()
		r.take(8) // date
		switch tag {
		case 1:
			r.take(int64(r.word()))
			for chain := r.word(); chain > 0 && !r.bad; chain-- {
				certificate()
			}
			c.tell("private-key", alias, at)
		case 2:
			certificate()
			c.tell("certificate", alias, at)
		case 3:
			secret = magic == 0xcececece
			c.tell("secret-key", alias, at)
			r.bad = !secret
		default:
			r.bad = true
		}
	}
	switch {
	case r.bad && n == 0:
		return nil, format.Not("jks: entries")
	case r.bad, secret:
		c.problem = format.Errorf(artifact.Unsupported, r.off, "jks: entries at %#x: cut off, or of a kind that is not read", r.off)
	default:
		r.take(digestSize)
	}
	c.size = r.off
	c.hold(plural("certificate", n)+".der", certificates)
	return c, nil
}
