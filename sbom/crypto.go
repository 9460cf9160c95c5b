package sbom

import (
	"cmp"
	"slices"
	"strconv"

	"hallmark/artifact"
)

// Kinds of cryptographic material.
const (
	Certificate = "certificate"
	PublicKey   = "public-key"
	PrivateKey  = "private-key"
)

// Crypto is a certificate or a key. Of a private key nothing is told but its kind and its public part.
type Crypto struct {
	Kind      string          `json:"kind"`
	Name      string          `json:"name"` // subject of a certificate; else comment, or algorithm
	Content   artifact.Digest `json:"content"`
	At        artifact.Range  `json:"at"`
	Place     string          `json:"place"` // of the first, for people
	Places    int             `json:"places"`
	Layer     int             `json:"layer"`
	Form      string          `json:"form,omitempty"` // "PKCS #8", "ssh-rsa", ... of a key
	Algorithm string          `json:"algorithm,omitempty"`
	Bits      int             `json:"bits,omitempty"`
	Encrypted bool            `json:"encrypted,omitempty"`     // a private key that wants a pass phrase
	SHA256    string          `json:"sha256,omitempty"`        // of a certificate
	Public    string          `json:"public_sha256,omitempty"` // of the key's SubjectPublicKeyInfo
	Subject   string          `json:"subject,omitempty"`
	Issuer    string          `json:"issuer,omitempty"`
	Serial    string          `json:"serial,omitempty"`
	NotBefore string          `json:"not_before,omitempty"`
	NotAfter  string          `json:"not_after,omitempty"`
	Signature string          `json:"signature_algorithm,omitempty"`
}

// MaxCrypto bounds the certificates and keys of an image that are listed.
const MaxCrypto = 2000

// crypto returns the certificates and keys that formats read, each once.
func (p *plan) crypto() []Crypto {
	out := []Crypto{}
	type identity struct{ kind, digest string }
	seen := map[identity]int{}
	for _, c := range p.t.Contents() {
		for _, x := range c.Chunks() {
			k, ok := cryptoOf(x.Chunk)
			if !ok {
				continue
			}
			id := identity{k.Kind, cmp.Or(k.SHA256, k.Public)}
			if i, ok := seen[id]; ok && id.digest != "" {
				out[i].Places += max(1, len(p.holders[c.Digest]))
				continue
			}
			if len(out) == MaxCrypto {
				return out
			}
			seen[id] = len(out)
			k.Content, k.At, k.Places = c.Digest, x.Range, max(1, len(p.holders[c.Digest]))
			k.Place = p.t.Locate(p.t.FirstPlace(c.Digest), x.Range)
			k.Layer = p.layerOf(c.Digest)
			out = append(out, k)
		}
	}
	return out
}

// cryptoOf reads what the attributes of a chunk say of a certificate or a key.
func cryptoOf(c *artifact.Chunk) (Crypto, bool) {
	get := func(name string) string {
		i := slices.IndexFunc(c.Attrs, func(a artifact.Attr) bool { return a.Name == name })
		if i < 0 {
			return ""
		}
		return c.Attrs[i].Value
	}
	k := Crypto{Form: get("form"), Algorithm: get("algorithm"), Encrypted: get("encrypted") == "yes", Public: get("public-sha256")}
	k.Bits, _ = strconv.Atoi(cmp.Or(get("bits"), get("key-size")))
	switch key := get("key"); {
	case key == "private":
		k.Kind = PrivateKey
	case key == "public":
		k.Kind = PublicKey
	case get("not-after") != "" && get("sha256") != "":
		k.Kind = Certificate
		k.Subject, k.Issuer, k.Serial = get("subject"), get("issuer"), get("serial")
		k.NotBefore, k.NotAfter, k.Signature = get("not-before"), get("not-after"), get("signature-algorithm")
		k.SHA256, k.Name = get("sha256"), k.Subject
	default:
		return Crypto{}, false
	}
	k.Name = cmp.Or(k.Name, get("comment"), k.Algorithm, k.Kind)
	return k, true
}
