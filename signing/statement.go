package signing

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// StatementType is the payload type of an in-toto statement in an envelope.
const StatementType = "application/vnd.in-toto+json"

// statementV1 is the only version that is read and written.
const statementV1 = "https://in-toto.io/Statement/v1"

// Statement says something, the predicate, of some bytes, the subjects. See
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Subject       `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// Subject names bytes by their digests: "sha256" and "sha512" to hexadecimal digits.
type Subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// SignStatement signs a statement about subjects. The predicate is a JSON document and is kept
// as it is, apart from white space.
func SignStatement(subject []Subject, predicateType string, predicate []byte, keys ...*PrivateKey) ([]byte, error) {
	payload, err := json.Marshal(Statement{statementV1, subject, predicateType, predicate})
	if err != nil {
		return nil, fmt.Errorf("signing: predicate: %w", err)
	}
	return Sign(StatementType, payload, keys...)
}

// VerifyStatement is [Verify] for an envelope that holds a statement with at least one subject.
func VerifyStatement(envelope []byte, predicateType string, keys []*PublicKey) (*Statement, []*PublicKey, error) {
	payload, by, err := Verify(envelope, StatementType, keys)
	if err != nil {
		return nil, nil, err
	}
	var s Statement
	if err := json.NewDecoder(bytes.NewReader(payload)).Decode(&s); err != nil {
		return nil, nil, fmt.Errorf("signing: statement: %w", err)
	}
	switch {
	case s.Type != statementV1:
		return nil, nil, fmt.Errorf("signing: the statement is of type %q, want %q", s.Type, statementV1)
	case s.PredicateType != predicateType:
		return nil, nil, fmt.Errorf("signing: the statement's predicate is %q, want %q", s.PredicateType, predicateType)
	case len(s.Subject) == 0:
		return nil, nil, fmt.Errorf("signing: the statement names no subject")
	}
	return &s, by, nil
}
