package devicelist

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"regexp"

	"hallmark/policy"
	"hallmark/signing"
)

// Predicate is the type of the statement that signs a list or waivers.
const Predicate = "urn:hallmark:devicelist:v1"

// SignatureSuffix is behind a document's name in the name of its signature.
const SignatureSuffix = ".dsse.json"

// predicate repeats of the document what a reader of the signature wants to know.
type predicate struct {
	Kind    string      `json:"kind"`
	ID      string      `json:"id"`
	Version string      `json:"version"`
	Issued  policy.Date `json:"issued"`
	Expires policy.Date `json:"expires"`
}

// Document is a list or a document of waivers; the other is nil.
type Document struct {
	List    *List
	Waivers *Waivers
}

// waiversKind finds the line that tells the kinds apart; the parser then holds it to that.
var waiversKind = regexp.MustCompile(`(?m)^[ \t{]*"?kind"?[ \t]*:[ \t]*["']?Waivers\b`)

// ParseAny reads a document of either kind.
func ParseAny(file string, data []byte) (Document, error) {
	if waiversKind.Match(data) {
		w, err := ParseWaivers(file, data)
		return Document{Waivers: w}, err
	}
	l, err := Parse(file, data)
	return Document{List: l}, err
}

// Usable returns an error if the document does not hold on a day.
func (d Document) Usable(at policy.Date) error {
	if d.List != nil {
		return d.List.Usable(at)
	}
	return d.Waivers.Usable(at)
}

func (d Document) predicate() predicate {
	if d.List != nil {
		h := d.List.Header
		return predicate{KindDevices, h.ID, h.Version, h.Issued, h.Expires}
	}
	h := d.Waivers.Header
	return predicate{KindWaivers, h.ID, h.Version, h.Issued, h.Expires}
}

// Sign returns an envelope that signs a document which must be whole.
func Sign(file string, data []byte, keys ...*signing.PrivateKey) ([]byte, error) {
	d, err := ParseAny(file, data)
	if err != nil {
		return nil, err
	}
	p, err := json.Marshal(d.predicate())
	if err != nil {
		return nil, fmt.Errorf("devicelist: %w", err)
	}
	sum := sha256.Sum256(data)
	name := path.Base(filepath.ToSlash(file))
	return signing.SignStatement([]signing.Subject{{Name: name, Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}}}, Predicate, p, keys...)
}

// Verify returns which of the keys have signed a document. It fails if none has, or if the
// envelope is about other bytes.
func Verify(file string, data, envelope []byte, keys []*signing.PublicKey) ([]*signing.PublicKey, error) {
	s, by, err := signing.VerifyStatement(envelope, Predicate, keys)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", file, SignatureSuffix, err)
	}
	sum := sha256.Sum256(data)
	for _, x := range s.Subject {
		if x.Digest["sha256"] == hex.EncodeToString(sum[:]) {
			return by, nil
		}
	}
	return nil, fmt.Errorf("%s: the signature is of other bytes: the document was changed after it was signed", file)
}
