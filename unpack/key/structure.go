package key

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"strings"

	"hallmark/artifact"
)

// parseKey reads the key that b is, private or public, in any of the structures for one.
func parseKey(b []byte) (key, bool) {
	for _, parse := range []func(der) (key, bool){parsePKCS8, parseEncrypted, parseRSA, parseSEC1, parseDSA, parsePublic, parsePublicRSA} {
		if k, ok := parse(der{b: b}); ok {
			return k, true
		}
	}
	return key{}, false
}

// algorithm is an AlgorithmIdentifier of a key.
type algorithm struct {
	oid, name string
	curve     string
	bits      int // of the curve
	whole     der
}

// takeAlgorithm takes an AlgorithmIdentifier.
func takeAlgorithm(d *der) (a algorithm, ok bool) {
	id, whole, ok := d.take(tagSequence)
	o, _, ok1 := id.take(tagOID)
	if a.oid = oid(o.b); !ok || !ok1 || a.oid == "" {
		return a, false
	}
	a.name, a.whole = algorithmName(a.oid), whole
	if a.oid == oidEC {
		if c, _, ok := id.take(tagOID); ok {
			a.curve, a.bits = curveOf(oid(c.b))
			a.name += " " + a.curve
		}
	}
	return a, true
}

// parsePublic reads a SubjectPublicKeyInfo.
func parsePublic(whole der) (key, bool) {
	d := whole
	info, _, ok := d.take(tagSequence)
	a, ok1 := takeAlgorithm(&info)
	value, valueWhole, ok2 := info.take(tagBits)
	if !ok || !ok1 || !ok2 || len(d.b)+len(info.b) > 0 || len(value.b) < 2 || value.b[0] != 0 {
		return key{}, false
	}
	k := key{form: "SubjectPublicKeyInfo", algorithm: a.name, bits: a.bits, public: whole.b, at: a.whole.at(), bitsAt: valueWhole.at()}
	value = der{value.b[1:], value.off + 1}
	switch a.oid {
	case oidRSA, oidPSS:
		pair, _, ok := value.take(tagSequence)
		n, _, ok1 := pair.number()
		_, _, ok2 := pair.number()
		if !ok || !ok1 || !ok2 {
			return key{}, false
		}
		k.bits = bitLen(n.b)
	case oidDSA:
		id, _, _ := a.whole.take(tagSequence)
		id.take(tagOID)
		group, _, _ := id.take(tagSequence)
		p, _, _ := group.number()
		k.bits = bitLen(p.b)
	case oidEC:
	default:
		if strings.HasPrefix(a.oid, "1.3.101.") {
			k.bits = len(value.b) * 8
		}
	}
	return k, true
}

// parsePublicRSA reads the RSAPublicKey of PKCS #1. Two numbers in a sequence are also what an
// ECDSA signature is, so they must be a modulus and an exponent.
func parsePublicRSA(d der) (key, bool) {
	pair, whole, ok := d.take(tagSequence)
	n, nWhole, ok1 := pair.number()
	e, _, ok2 := pair.number()
	if !ok || !ok1 || !ok2 || len(d.b)+len(pair.b) > 0 || !modulus(n.b, e.b) {
		return key{}, false
	}
	return key{form: "PKCS #1", algorithm: "RSA", bits: bitLen(n.b), public: rsaInfo(n.b, e.b), at: artifact.Range{Off: whole.off, Len: nWhole.off - whole.off}, bitsAt: nWhole.at()}, true
}

// modulus reports whether n and e may be a key of RSA: of a length that is in use, and odd.
func modulus(n, e []byte) bool {
	bits := bitLen(n)
	return bits >= 512 && bits <= 16384 && bits%8 == 0 && n[len(n)-1]&1 == 1 && len(e) <= 4 && bitLen(e) >= 2 && e[len(e)-1]&1 == 1
}

// parseRSA reads the RSAPrivateKey of PKCS #1.
func parseRSA(d der) (key, bool) {
	list, whole, ok := d.take(tagSequence)
	if !ok || len(d.b) > 0 || !list.version(0) {
		return key{}, false
	}
	n, nWhole, ok1 := list.number()
	e, _, ok2 := list.number()
	if !ok1 || !ok2 || !modulus(n.b, e.b) {
		return key{}, false
	}
	for range 6 { // d, p, q, d mod p-1, d mod q-1, q^-1 mod p
		if _, _, ok := list.number(); !ok {
			return key{}, false
		}
	}
	return key{
		form: "PKCS #1", private: true, algorithm: "RSA", bits: bitLen(n.b), public: rsaInfo(n.b, e.b),
		at: artifact.Range{Off: whole.off, Len: nWhole.off - whole.off}, bitsAt: nWhole.at(),
	}, len(list.b) == 0
}

// parseDSA reads the private key of OpenSSL for DSA: version, p, q, g, y, x.
func parseDSA(d der) (key, bool) {
	list, whole, ok := d.take(tagSequence)
	if !ok || len(d.b) > 0 || !list.version(0) {
		return key{}, false
	}
	var part [5]der
	for i := range part {
		if part[i], _, ok = list.number(); !ok {
			return key{}, false
		}
	}
	p, q := bitLen(part[0].b), bitLen(part[1].b)
	if len(list.b) > 0 || p < 512 || p > 4096 || q != 160 && q != 224 && q != 256 {
		return key{}, false
	}
	return key{
		form: "DSA", private: true, algorithm: "DSA", bits: p, public: dsaInfo(part[0].b, part[1].b, part[2].b, part[3].b),
		at: artifact.Range{Off: whole.off, Len: part[0].off - whole.off}, bitsAt: part[0].at(),
	}, true
}

// parseSEC1 reads the ECPrivateKey of RFC 5915.
func parseSEC1(d der) (key, bool) { return parseEC(d, algorithm{}) }

func parseEC(d der, a algorithm) (key, bool) {
	list, whole, ok := d.take(tagSequence)
	if !ok || len(d.b) > 0 || !list.version(1) {
		return key{}, false
	}
	secret, secretWhole, ok := list.take(tagOctets)
	if !ok || len(secret.b) < 20 || len(secret.b) > 66 {
		return key{}, false
	}
	k := key{form: "SEC 1", private: true, algorithm: "EC", at: artifact.Range{Off: whole.off, Len: secretWhole.off - whole.off}}
	k.bitsAt = k.at
	if explicit, eWhole, ok := list.take(tagContext0); ok {
		if c, _, ok := explicit.take(tagOID); ok {
			a.curve, a.bits = curveOf(oid(c.b))
			k.bitsAt = eWhole.at()
		}
	}
	var point []byte
	if explicit, _, ok := list.take(tagContext1); ok {
		if v, _, ok := explicit.take(tagBits); ok && len(v.b) > 1 {
			point = v.b[1:]
		}
	}
	if len(list.b) > 0 || a.curve == "" && point == nil {
		return key{}, false
	}
	if a.curve != "" {
		k.algorithm += " " + a.curve
	}
	k.bits = a.bits
	if curve := ecdhCurve(a.curve); point == nil && curve != nil {
		if private, err := curve.NewPrivateKey(secret.b); err == nil {
			point = private.PublicKey().Bytes()
		}
	}
	if id := curveOID(a.curve); point != nil && id != nil {
		k.public = publicInfo(encode(tagSequence, ecOID(), id), point)
	}
	return k, true
}

func ecdhCurve(name string) ecdh.Curve {
	switch name {
	case "P-256":
		return ecdh.P256()
	case "P-384":
		return ecdh.P384()
	case "P-521":
		return ecdh.P521()
	}
	return nil
}

// parsePKCS8 reads a PrivateKeyInfo.
func parsePKCS8(d der) (key, bool) {
	list, _, ok := d.take(tagSequence)
	if !ok || len(d.b) > 0 || !list.version(0) && !(len(list.b) > 0 && list.version(1)) {
		return key{}, false
	}
	a, ok := takeAlgorithm(&list)
	value, _, ok1 := list.take(tagOctets)
	if !ok || !ok1 {
		return key{}, false
	}
	list.take(tagContext0) // attributes
	public, _, _ := list.take(tagImplicit1)
	if len(list.b) > 0 {
		return key{}, false
	}
	k := key{form: "PKCS #8", private: true, algorithm: a.name, bits: a.bits, at: a.whole.at(), bitsAt: a.whole.at()}
	switch a.oid {
	case oidRSA, oidPSS:
		inner, ok := parseRSA(value)
		if !ok {
			return key{}, false
		}
		k.bits, k.public, k.bitsAt = inner.bits, inner.public, inner.bitsAt
	case oidEC:
		inner, ok := parseEC(value, a)
		if !ok {
			return key{}, false
		}
		k.public = inner.public
	case oidEd25519:
		seed, _, ok := value.take(tagOctets)
		if !ok || len(seed.b) != ed25519.SeedSize {
			return key{}, false
		}
		k.bits = 256
		k.public = publicInfo(encode(tagSequence, encode(tagOID, []byte{0x2b, 101, 112})), ed25519.NewKeyFromSeed(seed.b)[ed25519.SeedSize:])
	default:
		if len(public.b) > 1 {
			k.public = publicInfo(a.whole.b, public.b[1:])
		}
	}
	return k, true
}

// parseEncrypted reads an EncryptedPrivateKeyInfo: an algorithm of PKCS #5 or PKCS #12, and octets.
func parseEncrypted(d der) (key, bool) {
	list, _, ok := d.take(tagSequence)
	a, ok1 := takeAlgorithm(&list)
	_, _, ok2 := list.take(tagOctets)
	if !ok || !ok1 || !ok2 || len(d.b)+len(list.b) > 0 ||
		!strings.HasPrefix(a.oid, "1.2.840.113549.1.5.") && !strings.HasPrefix(a.oid, "1.2.840.113549.1.12.1.") {
		return key{}, false
	}
	return key{form: "PKCS #8", private: true, encrypted: true, at: a.whole.at()}, true
}

// publicInfo writes a SubjectPublicKeyInfo.
func publicInfo(algorithm, value []byte) []byte {
	return encode(tagSequence, algorithm, encode(tagBits, []byte{0}, value))
}

func rsaInfo(n, e []byte) []byte {
	id := encode(tagSequence, encode(tagOID, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1}), []byte{5, 0})
	return publicInfo(id, encode(tagSequence, encodeNumber(n), encodeNumber(e)))
}

func dsaInfo(p, q, g, y []byte) []byte {
	group := encode(tagSequence, encodeNumber(p), encodeNumber(q), encodeNumber(g))
	return publicInfo(encode(tagSequence, encode(tagOID, []byte{0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1}), group), encodeNumber(y))
}

func ecOID() []byte { return encode(tagOID, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}) }

// curveOID writes the object identifier of the curves that SSH and Go have.
func curveOID(name string) []byte {
	switch name {
	case "P-256":
		return encode(tagOID, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})
	case "P-384":
		return encode(tagOID, []byte{0x2b, 0x81, 4, 0, 0x22})
	case "P-521":
		return encode(tagOID, []byte{0x2b, 0x81, 4, 0, 0x23})
	case "P-224":
		return encode(tagOID, []byte{0x2b, 0x81, 4, 0, 0x21})
	case "secp256k1":
		return encode(tagOID, []byte{0x2b, 0x81, 4, 0, 0x0a})
	}
	return nil
}
