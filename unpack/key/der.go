package key

import (
	"strings"

	"hallmark/unpack/format"
)

// DER is a key in DER, at any offset: private in PKCS #8, PKCS #1, SEC 1 or OpenSSL's form for
// DSA, public as SubjectPublicKeyInfo or in PKCS #1.
var DER = format.Format{
	Name:  "der",
	Title: "Key in DER",
	Kind:  format.Crypto,
	Magics: []format.Magic{
		{Bytes: "\x30\x82"},
		{Bytes: "\x30\x81"},
		{Bytes: "\x30\x77\x02\x01\x01\x04\x20"},                         // SEC 1, P-256
		{Bytes: "\x02\x01\x00\x30\x05\x06\x03\x2b\x65", Off: 2},         // PKCS #8, Ed25519 and its kin
		{Bytes: "\x30\x2a\x30\x05\x06\x03\x2b\x65"},                     // their public keys
		{Bytes: "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", Off: 2}, // public keys on P-256
		{Bytes: "\x30\x5c\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7"},         // of RSA with 512 bits
	},
	Refs: []format.Ref{
		{Title: "RFC 5958, asymmetric key packages", URL: "https://www.rfc-editor.org/rfc/rfc5958"},
		{Title: "RFC 8017, PKCS #1", URL: "https://www.rfc-editor.org/rfc/rfc8017#appendix-A"},
		{Title: "RFC 5915, elliptic curve private keys", URL: "https://www.rfc-editor.org/rfc/rfc5915"},
	},
	Limits: []string{
		"Private keys are told, not handed out.",
		"Keys of algorithms without a name here (GOST, post-quantum ones) are recognised in PEM only.",
		"RSA keys with more than two primes and moduli whose length is no multiple of 8 bits are not recognised.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return openDER(src) },
}

// maxKey holds an RSA key of 16,384 bits.
const maxKey = 16 << 10

func openDER(src format.Source) (*chunk, error) {
	b, err := readElement(src, "der", maxKey, beginsKey)
	if err != nil {
		return nil, err
	}
	k, ok := parseKey(b)
	if !ok || strings.HasPrefix(k.algorithm, "1.") { // of an unknown algorithm, it may be anything signed
		return nil, format.Not("der: structure")
	}
	c := &chunk{size: int64(len(b))}
	c.tellKey(k)
	return c, nil
}

// beginsKey reports whether b is what a key's outer header is followed by: a version of 0 or 1
// and another element, an AlgorithmIdentifier, or a modulus with the byte for its sign.
func beginsKey(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	switch b[0] {
	case tagInteger:
		if b[1] == 1 && b[2] <= 1 {
			return b[3] == tagInteger || b[3] == tagSequence || b[3] == tagOctets
		}
		h, n, ok := header(b)
		return ok && n >= 65 && b[h] == 0 && b[h+1] >= 0x80
	case tagSequence:
		h, _, ok := header(b)
		return ok && b[h] == tagOID
	}
	return false
}
