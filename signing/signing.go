// Package signing signs documents and verifies them: DSSE envelopes over ed25519 keys, and the
// in-toto statements that bind a document to the bytes it is about.
//
// It works without a network and keeps no state. A private key is a PEM block of PKCS #8, a
// public one of SubjectPublicKeyInfo, as `openssl genpkey -algorithm ed25519` and `openssl pkey
// -pubout` write them.
//
// DSSE: https://github.com/secure-systems-lab/dsse (protocol.md, envelope.md, v1.0.2). A
// signature is over the payload and its type, so that one kind of document cannot pass for
// another.
package signing

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// ErrUnsigned is returned by [Verify] for an envelope that none of the keys has signed.
var ErrUnsigned = errors.New("signing: no signature by a given key fits")

// Sign puts payload into an envelope (JSON, ends with a newline) that all keys sign. The same
// payload, type and keys give the same bytes: ed25519 has no randomness of its own.
func Sign(payloadType string, payload []byte, keys ...*PrivateKey) ([]byte, error) {
	if len(keys) == 0 {
		return nil, errors.New("signing: no key")
	}
	signers := make([]dsse.Signer, len(keys))
	for i, k := range keys {
		signers[i] = k
	}
	s, err := dsse.NewEnvelopeSigner(signers...)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	e, err := s.SignPayload(context.Background(), payloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	out, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return append(out, '\n'), nil
}

// Verify returns the payload of an envelope of the type wanted, and which of the keys have
// signed it, in the order of keys. The payload is returned only if at least one has; signatures
// by other keys are of no account.
func Verify(envelope []byte, payloadType string, keys []*PublicKey) (payload []byte, by []*PublicKey, err error) {
	e, err := parse(envelope)
	if err != nil {
		return nil, nil, err
	}
	if e.PayloadType != payloadType {
		return nil, nil, fmt.Errorf("signing: the envelope holds %q, want %q", e.PayloadType, payloadType)
	}
	if len(keys) == 0 {
		return nil, nil, errors.New("signing: no key to verify with")
	}
	payload, err = e.DecodeB64Payload()
	if err != nil {
		return nil, nil, fmt.Errorf("signing: payload: %w", err)
	}
	signed := dsse.PAE(e.PayloadType, payload)
	for _, k := range keys {
		for _, s := range e.Signatures {
			// A signature may name no key, or name it otherwise: only the bytes decide.
			sig, err := base64.StdEncoding.DecodeString(s.Sig)
			if err == nil && k.Verify(context.Background(), signed, sig) == nil {
				by = append(by, k)
				break
			}
		}
	}
	if len(by) == 0 {
		return nil, nil, ErrUnsigned
	}
	return payload, by, nil
}

// Payload returns what an envelope holds without looking at its signatures, for telling people
// what they have before them.
func Payload(envelope []byte) (payloadType string, payload []byte, err error) {
	e, err := parse(envelope)
	if err != nil {
		return "", nil, err
	}
	payload, err = e.DecodeB64Payload()
	if err != nil {
		return "", nil, fmt.Errorf("signing: payload: %w", err)
	}
	return e.PayloadType, payload, nil
}

// IsEnvelope says whether data looks like an envelope, and not like the bare document.
func IsEnvelope(data []byte) bool {
	_, err := parse(data)
	return err == nil
}

func parse(envelope []byte) (*dsse.Envelope, error) {
	d := json.NewDecoder(bytes.NewReader(envelope))
	d.DisallowUnknownFields()
	var e dsse.Envelope
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("signing: not a DSSE envelope: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("signing: not a DSSE envelope: data behind the object")
	}
	if e.PayloadType == "" || len(e.Signatures) == 0 {
		return nil, errors.New("signing: not a DSSE envelope: no payloadType or no signatures")
	}
	return &e, nil
}

// The methods below make keys usable by package dsse.

// Sign signs data as it is; documents go through the function [Sign].
func (k *PrivateKey) Sign(_ context.Context, data []byte) ([]byte, error) {
	return k.key.Sign(nil, data, crypto.Hash(0))
}

// KeyID is that of the public key.
func (k *PrivateKey) KeyID() (string, error) { return k.Public().ID(), nil }
