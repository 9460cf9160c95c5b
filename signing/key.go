package signing

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// PrivateKey signs. It is safe for concurrent use.
type PrivateKey struct{ key ed25519.PrivateKey }

// PublicKey verifies. It is safe for concurrent use.
type PublicKey struct {
	key ed25519.PublicKey
	id  string
}

// Generate makes a new key from the system's randomness.
func Generate() (*PrivateKey, error) {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return &PrivateKey{k}, nil
}

// ParsePrivate reads a PEM block "PRIVATE KEY" with an ed25519 key.
func ParsePrivate(data []byte) (*PrivateKey, error) {
	block, err := single(data, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return nil, fmt.Errorf("signing: private key: %w", err)
	}
	e, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("signing: the private key is a %T; want ed25519 (openssl genpkey -algorithm ed25519)", k)
	}
	return &PrivateKey{e}, nil
}

// ParsePublic reads a PEM block "PUBLIC KEY" with an ed25519 key.
func ParsePublic(data []byte) (*PublicKey, error) {
	block, err := single(data, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKIXPublicKey(block)
	if err != nil {
		return nil, fmt.Errorf("signing: public key: %w", err)
	}
	e, ok := k.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("signing: the public key is a %T; want ed25519", k)
	}
	return public(e), nil
}

// single returns the only PEM block of data, which must be of the type wanted.
func single(data []byte, want string) ([]byte, error) {
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, fmt.Errorf("signing: no PEM block; want %q", want)
	case block.Type != want:
		return nil, fmt.Errorf("signing: the PEM block is %q; want %q", block.Type, want)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("signing: more than one PEM block")
	}
	return block.Bytes, nil
}

func public(k ed25519.PublicKey) *PublicKey {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		panic(err) // an ed25519 key always has an encoding
	}
	sum := sha256.Sum256(der)
	return &PublicKey{k, hex.EncodeToString(sum[:])}
}

// Public is the key that verifies what k signs.
func (k *PrivateKey) Public() *PublicKey { return public(k.key.Public().(ed25519.PublicKey)) }

// PEM writes the key as PKCS #8.
func (k *PrivateKey) PEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		panic(err) // as above
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// PEM writes the key as SubjectPublicKeyInfo.
func (k *PublicKey) PEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// ID is the SHA-256 of the key's SubjectPublicKeyInfo in DER, in hexadecimal digits:
// `openssl pkey -pubin -in key.pub -outform DER | sha256sum` prints the same.
func (k *PublicKey) ID() string { return k.id }

// Verify says whether sig is k's signature of data.
func (k *PublicKey) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(k.key, data, sig) {
		return ErrUnsigned
	}
	return nil
}
