package key

// Object identifiers of keys, from RFC 3279, RFC 5480, RFC 8410 and RFC 5639.
const (
	oidRSA     = "1.2.840.113549.1.1.1"
	oidPSS     = "1.2.840.113549.1.1.10"
	oidDSA     = "1.2.840.10040.4.1"
	oidEC      = "1.2.840.10045.2.1"
	oidEd25519 = "1.3.101.112"
)

// algorithmName returns the name of an algorithm, or its object identifier.
func algorithmName(oid string) string {
	for _, a := range [...]struct{ oid, name string }{
		{oidRSA, "RSA"},
		{oidPSS, "RSASSA-PSS"},
		{oidDSA, "DSA"},
		{oidEC, "EC"},
		{oidEd25519, "Ed25519"},
		{"1.3.101.113", "Ed448"},
		{"1.3.101.110", "X25519"},
		{"1.3.101.111", "X448"},
		{"1.2.840.113549.1.3.1", "DH"},
		{"1.2.840.113549.1.1.2", "md2WithRSAEncryption"},
		{"1.2.840.113549.1.1.4", "md5WithRSAEncryption"},
		{"1.2.840.113549.1.1.5", "sha1WithRSAEncryption"},
		{"1.2.840.113549.1.1.11", "sha256WithRSAEncryption"},
		{"1.2.840.113549.1.1.12", "sha384WithRSAEncryption"},
		{"1.2.840.113549.1.1.13", "sha512WithRSAEncryption"},
		{"1.2.840.113549.1.1.14", "sha224WithRSAEncryption"},
		{"1.2.840.10040.4.3", "dsa-with-SHA1"},
		{"2.16.840.1.101.3.4.3.2", "dsa-with-SHA256"},
		{"1.2.840.10045.4.1", "ecdsa-with-SHA1"},
		{"1.2.840.10045.4.3.1", "ecdsa-with-SHA224"},
		{"1.2.840.10045.4.3.2", "ecdsa-with-SHA256"},
		{"1.2.840.10045.4.3.3", "ecdsa-with-SHA384"},
		{"1.2.840.10045.4.3.4", "ecdsa-with-SHA512"},
		{"1.2.156.10197.1.501", "SM2-with-SM3"},
	} {
		if a.oid == oid {
			return a.name
		}
	}
	return oid
}

// curveOf returns the name and the bits of a named curve.
func curveOf(oid string) (name string, bits int) {
	for _, c := range [...]struct {
		oid, name string
		bits      int
	}{
		{"1.2.840.10045.3.1.1", "P-192", 192},
		{"1.3.132.0.33", "P-224", 224},
		{"1.2.840.10045.3.1.7", "P-256", 256},
		{"1.3.132.0.34", "P-384", 384},
		{"1.3.132.0.35", "P-521", 521},
		{"1.3.132.0.10", "secp256k1", 256},
		{"1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256},
		{"1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384},
		{"1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512},
		{"1.2.156.10197.1.301", "SM2", 256},
	} {
		if c.oid == oid {
			return c.name, c.bits
		}
	}
	return oid, 0
}
