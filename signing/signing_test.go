package signing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hallmark/signing"
)

// Test 1 of RFC 8032, section 7.1, as PKCS #8.
const rfc8032 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezKpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"

func key(t *testing.T, pem string) *signing.PrivateKey {
	t.Helper()
	k, err := signing.ParsePrivate([]byte(pem))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSignVerify(t *testing.T) {
	a := key(t, rfc8032)
	b, err := signing.Generate()
	if err != nil {
		t.Fatal(err)
	}
	env, err := signing.Sign("text/plain", []byte("hello"), a, b)
	if err != nil {
		t.Fatal(err)
	}
	payload, by, err := signing.Verify(env, "text/plain", []*signing.PublicKey{b.Public()})
	if err != nil || string(payload) != "hello" || len(by) != 1 || by[0].ID() != b.Public().ID() {
		t.Errorf("Verify = %q, %d keys, %v", payload, len(by), err)
	}
	c, _ := signing.Generate()
	if _, _, err := signing.Verify(env, "text/plain", []*signing.PublicKey{c.Public()}); !errors.Is(err, signing.ErrUnsigned) {
		t.Errorf("a stranger's key: %v", err)
	}
	if _, _, err := signing.Verify(env, "text/html", []*signing.PublicKey{a.Public()}); err == nil {
		t.Error("another type was accepted")
	}
	again, _ := signing.Sign("text/plain", []byte("hello"), a, b)
	if !bytes.Equal(env, again) {
		t.Error("two signings differ")
	}
}

// Every byte of the payload and its type is covered.
func TestAltered(t *testing.T) {
	k := key(t, rfc8032)
	env, err := signing.Sign("text/plain", []byte("hello"), k)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{"aGVsbG8=", "aGVsbE8="}, {"text/plain", "text/plaim"}} {
		bad := bytes.Replace(env, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(bad, env) {
			t.Fatalf("%s is not in the envelope", change[0])
		}
		kind := "text/plain"
		if change[0] == kind {
			kind = change[1]
		}
		if _, _, err := signing.Verify(bad, kind, []*signing.PublicKey{k.Public()}); !errors.Is(err, signing.ErrUnsigned) {
			t.Errorf("%s for %s: %v", change[1], change[0], err)
		}
	}
}

func TestStatement(t *testing.T) {
	k := key(t, rfc8032)
	subject := []signing.Subject{{Name: "camera.bin", Digest: map[string]string{"sha256": strings.Repeat("0", 64)}}}
	env, err := signing.SignStatement(subject, "https://example.org/p", []byte(`{"a": 1}`), k)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := signing.VerifyStatement(env, "https://example.org/p", []*signing.PublicKey{k.Public()})
	if err != nil || len(s.Subject) != 1 || s.Subject[0].Name != "camera.bin" || string(s.Predicate) != `{"a":1}` {
		t.Errorf("VerifyStatement = %+v, %v", s, err)
	}
	if _, _, err := signing.VerifyStatement(env, "https://example.org/q", []*signing.PublicKey{k.Public()}); err == nil {
		t.Error("another predicate was accepted")
	}
	if _, err := signing.SignStatement(subject, "x", []byte(`{`), k); err == nil {
		t.Error("a broken predicate was signed")
	}
}

func TestKeys(t *testing.T) {
	k := key(t, rfc8032)
	if got := string(k.PEM()); got != rfc8032 {
		t.Errorf("PEM = %s", got)
	}
	p, err := signing.ParsePublic(k.Public().PEM())
	if err != nil || p.ID() != k.Public().ID() {
		t.Errorf("ParsePublic: %v", err)
	}
	for name, bad := range map[string]string{
		"empty":      "",
		"public":     string(k.Public().PEM()),
		"two":        rfc8032 + rfc8032,
		"garbage":    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"elliptical": "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
	} {
		if _, err := signing.ParsePrivate([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// openssl reads our keys and verifies our signatures.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	k := key(t, rfc8032)
	env, err := signing.Sign("text/plain", []byte("hello"), k)
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ Signatures []struct{ Sig []byte } }
	if err := json.Unmarshal(env, &e); err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	// The pre-authentication encoding of DSSE's protocol.md.
	data := write("data", []byte("DSSEv1 10 text/plain 5 hello"))
	out, err := exec.Command(openssl, "pkeyutl", "-verify", "-pubin", "-inkey", write("pub", k.Public().PEM()), "-rawin", "-in", data, "-sigfile", write("sig", e.Signatures[0].Sig)).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func FuzzVerify(f *testing.F) {
	k, err := signing.ParsePrivate([]byte(rfc8032))
	if err != nil {
		f.Fatal(err)
	}
	env, _ := signing.Sign("text/plain", []byte("hello"), k)
	f.Add(env)
	f.Fuzz(func(t *testing.T, data []byte) {
		payload, _, err := signing.Verify(data, "text/plain", []*signing.PublicKey{k.Public()})
		if err == nil && string(payload) != "hello" {
			t.Errorf("%q passes for signed", payload)
		}
	})
}
