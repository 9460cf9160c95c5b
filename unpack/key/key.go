// Package key reads keys and certificates: X.509 certificates and keys in DER, PEM blocks,
// OpenSSH and Dropbear keys, the key stores of PKCS #12 and Java, and OpenPGP armour.
//
// Specifications: RFC 5280 (certificates), RFC 5958 (PKCS #8), RFC 8017 appendix A (PKCS #1),
// RFC 5915 (SEC 1), RFC 7292 (PKCS #12), RFC 9580 (OpenPGP), RFC 7468 and RFC 1421 (PEM), RFC 4253 section 6.6
// (SSH public keys), OpenSSH's PROTOCOL.key, https://docs.oracle.com/javase/8/docs/api/java/security/KeyStore.html.
//
// What is private stays so: of a private key come out its kind, its length and the digest of its
// public part. It is not yielded as a file, and no attribute has its value or stands on its bytes.
// Signatures are not verified, nothing is decrypted.
package key

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"iter"
	"strconv"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// chunk is what all formats here come to.
type chunk struct {
	size    int64
	entries []format.Entry
	attrs   []artifact.Attr
	problem error
}

func (c *chunk) Size() int64               { return c.size }
func (c *chunk) Describe() []artifact.Attr { return c.attrs }

func (c *chunk) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if c.problem != nil && !yield(format.Entry{}, c.problem) {
			return
		}
		for _, e := range c.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (c *chunk) tell(name, value string, at artifact.Range) {
	if value != "" {
		c.attrs = append(c.attrs, artifact.Attr{Name: name, Value: value, At: at})
	}
}

// hold adds a file of bytes that do not stand in the chunk as they are.
func (c *chunk) hold(path string, b []byte) {
	if len(b) > 0 {
		c.entries = append(c.entries, format.Entry{Path: path, Size: int64(len(b)), Open: func() (io.Reader, error) { return bytes.NewReader(b), nil }})
	}
}

// key is what may be told of a key.
type key struct {
	form      string // "PKCS #8", "PKCS #1", ...
	private   bool
	encrypted bool
	algorithm string
	bits      int    // 0 if not known
	public    []byte // SubjectPublicKeyInfo, nil if not known
	// Where it says so, never on a private part.
	at, bitsAt artifact.Range
}

func (c *chunk) tellKey(k key) {
	kind := "public"
	if k.private {
		kind = "private"
	}
	c.tell("key", kind, k.at)
	c.tell("form", k.form, k.at)
	c.tell("algorithm", k.algorithm, k.at)
	if k.bits > 0 {
		c.tell("bits", strconv.Itoa(k.bits), k.bitsAt)
	}
	if k.private {
		c.tell("encrypted", yesNo(k.encrypted), k.at)
	}
	if k.public != nil {
		sum := sha256.Sum256(k.public)
		c.tell("public-sha256", hex.EncodeToString(sum[:]), k.bitsAt)
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
