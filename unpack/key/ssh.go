package key

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// SSH is a key of SSH: a public one in a line of text, as in authorized_keys and known_hosts, or
// a file that Dropbear keeps a host's private key in. OpenSSH's private keys are PEM.
var SSH = format.Format{
	Name:  "sshkey",
	Title: "SSH key",
	Kind:  format.Crypto,
	Magics: []format.Magic{
		{Bytes: "ssh-rsa AAAA"},
		{Bytes: "ssh-dss AAAA"},
		{Bytes: "ssh-ed25519 AAAA"},
		{Bytes: "ecdsa-sha2-nistp256 AAAA"},
		{Bytes: "ecdsa-sha2-nistp384 AAAA"},
		{Bytes: "ecdsa-sha2-nistp521 AAAA"},
		{Bytes: "sk-ssh-ed25519@openssh.com AAAA"},
		{Bytes: "sk-ecdsa-sha2-nistp256@openssh.com AAAA"},
		{Bytes: "\x00\x00\x00\x07ssh-rsa\x00\x00\x00", Start: true},
		{Bytes: "\x00\x00\x00\x07ssh-dss\x00\x00\x00", Start: true},
		{Bytes: "\x00\x00\x00\x0bssh-ed25519\x00\x00\x00", Start: true},
		{Bytes: "\x00\x00\x00\x13ecdsa-sha2-nistp\x32\x35\x36\x00\x00\x00", Start: true},
		{Bytes: "\x00\x00\x00\x13ecdsa-sha2-nistp\x33\x38\x34\x00\x00\x00", Start: true},
		{Bytes: "\x00\x00\x00\x13ecdsa-sha2-nistp\x35\x32\x31\x00\x00\x00", Start: true},
	},
	Refs: []format.Ref{
		{Title: "RFC 4253 section 6.6, RFC 5656, RFC 8709: public keys", URL: "https://www.rfc-editor.org/rfc/rfc4253#section-6.6"},
		{Title: "OpenSSH, PROTOCOL.key and PROTOCOL.u2f", URL: "https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key"},
		{Title: "Dropbear, src/signkey.c", URL: "https://github.com/mkj/dropbear"},
	},
	Limits: []string{
		"A line's chunk ends with the key: the comment behind it is told and stays text that is searched.",
		"Private keys are told, not handed out.",
		"Certificates of OpenSSH and keys of SSH version 1 are not read.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return openSSH(src) },
}

func openSSH(src format.Source) (*chunk, error) {
	var first [1]byte
	if n, _ := src.ReadAt(first[:], 0); n == 0 {
		return nil, format.Not("sshkey: empty")
	}
	if first[0] == 0 {
		return openDropbear(src)
	}
	return openLine(src)
}

// maxLine holds an RSA key of 16,384 bits and a comment.
const maxLine = 8 << 10

func openLine(src format.Source) (*chunk, error) {
	b := make([]byte, min(maxLine, src.Size()))
	n, _ := src.ReadAt(b, 0)
	name, rest, ok := strings.Cut(string(b[:n]), " ")
	if !ok {
		return nil, format.Not("sshkey: no key behind the name")
	}
	coded := rest[:len(rest)-len(strings.TrimLeft(rest, base64Digits))]
	coded = rest[:len(coded)+padding(rest[len(coded):])]
	blob, err := base64.StdEncoding.DecodeString(coded)
	if err != nil {
		return nil, format.Not("sshkey: %v", err)
	}
	k, left, ok := parseBlob(blob)
	if !ok || k.form != name || len(left) > 0 {
		return nil, format.Not("sshkey: structure")
	}
	c := &chunk{size: int64(len(name) + 1 + len(coded))}
	k.at = artifact.Range{Len: int64(len(name))}
	k.bitsAt = artifact.Range{Off: int64(len(name)) + 1, Len: int64(len(coded))}
	c.tellKey(k)
	c.tell("fingerprint", fingerprint(blob), k.bitsAt)
	comment := rest[len(coded):]
	if i := strings.IndexAny(comment, "\r\n\x00\"'\\<"); i >= 0 {
		comment = comment[:i]
	}
	if text := strings.TrimLeft(comment, " \t"); text != "" && len(text) < len(comment) {
		c.tell("comment", text, artifact.Range{Off: c.size + int64(len(comment)-len(text)), Len: int64(len(text))})
	}
	return c, nil
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// padding counts the signs of equality that s begins with, two at most.
func padding(s string) int {
	n := 0
	for n < len(s) && n < 2 && s[n] == '=' {
		n++
	}
	return n
}

// fingerprint writes the digest of a public key as ssh-keygen does.
func fingerprint(blob []byte) string {
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// wire reads the strings of RFC 4251 section 5.
type wire struct {
	b   []byte
	bad bool
}

func (w *wire) word() uint32 {
	if len(w.b) < 4 {
		w.bad, w.b = true, nil
		return 0
	}
	n := binary.BigEndian.Uint32(w.b)
	w.b = w.b[4:]
	return n
}

func (w *wire) field() []byte {
	n := w.word()
	if w.bad || uint64(n) > uint64(len(w.b)) {
		w.bad, w.b = true, nil
		return nil
	}
	f := w.b[:n]
	w.b = w.b[n:]
	return f
}

// number reads a positive mpint, without the byte for its sign.
func (w *wire) number() []byte {
	f := w.field()
	if len(f) == 0 || f[0] >= 0x80 {
		w.bad = true
		return nil
	}
	if f[0] == 0 {
		f = f[1:]
	}
	return f
}

// parseBlob reads the public key that b begins with, and returns what is left.
func parseBlob(b []byte) (k key, left []byte, ok bool) {
	w := &wire{b: b}
	k.form = string(w.field())
	if k.form == "ecdsa-sha2-nistp256" || k.form == "ecdsa-sha2-nistp384" || k.form == "ecdsa-sha2-nistp521" {
		curve, point := string(w.field()), w.field()
		name, bits := curveOf(map[string]string{"nistp256": "1.2.840.10045.3.1.7", "nistp384": "1.3.132.0.34", "nistp521": "1.3.132.0.35"}[curve])
		if w.bad || !strings.HasSuffix(k.form, curve) || len(point) != 1+2*((bits+7)/8) {
			return key{}, nil, false
		}
		k.algorithm, k.bits = "EC "+name, bits
		k.public = publicInfo(encode(tagSequence, ecOID(), curveOID(name)), point)
		return k, w.b, true
	}
	switch k.form {
	case "ssh-rsa":
		e, n := w.number(), w.number()
		if w.bad || !modulus(n, e) {
			return key{}, nil, false
		}
		k.algorithm, k.bits, k.public = "RSA", bitLen(n), rsaInfo(n, e)
	case "ssh-dss":
		p, q, g, y := w.number(), w.number(), w.number(), w.number()
		k.algorithm, k.bits, k.public = "DSA", bitLen(p), dsaInfo(p, q, g, y)
	case "ssh-ed25519", "sk-ssh-ed25519@openssh.com":
		point := w.field()
		if len(point) != 32 {
			return key{}, nil, false
		}
		k.algorithm, k.bits = "Ed25519", 256
		k.public = publicInfo(encode(tagSequence, encode(tagOID, []byte{0x2b, 101, 112})), point)
	case "sk-ecdsa-sha2-nistp256@openssh.com":
		curve, point := string(w.field()), w.field()
		if curve != "nistp256" || len(point) != 65 {
			return key{}, nil, false
		}
		k.algorithm, k.bits = "EC P-256", 256
		k.public = publicInfo(encode(tagSequence, ecOID(), curveOID("P-256")), point)
	default:
		return key{}, nil, false
	}
	if strings.HasPrefix(k.form, "sk-") {
		w.field() // application
	}
	return k, w.b, !w.bad
}

// openDropbear reads a host key: the fields of the public key, then those that are private. Those
// of Ed25519 are one string of the seed and the public key.
func openDropbear(src format.Source) (*chunk, error) {
	b := make([]byte, min(maxKey, src.Size()))
	n, _ := src.ReadAt(b, 0)
	b = b[:n]
	w := &wire{b: b}
	kind := string(w.field())
	var k key
	var blob []byte
	if pair := w.field(); kind == "ssh-ed25519" && len(pair) == 64 {
		blob = append(binary.BigEndian.AppendUint32([]byte("\x00\x00\x00\x0bssh-ed25519"), 32), pair[32:]...)
		k, _, _ = parseBlob(blob)
		k.private = true
		k.bitsAt = artifact.Range{Off: int64(len(b) - len(w.b) - 32), Len: 32}
	} else {
		var left []byte
		var ok bool
		if k, left, ok = parseBlob(b); !ok {
			return nil, format.Not("sshkey: structure")
		}
		blob = b[:len(b)-len(left)]
		w.b = left
		k.bitsAt = artifact.Range{Off: int64(4 + len(kind)), Len: int64(len(blob) - 4 - len(kind))}
		for range privateFields(kind) {
			w.number()
		}
		k.private = !w.bad
		if w.bad {
			w.b = left
		}
	}
	c := &chunk{size: int64(len(b) - len(w.b))}
	k.at = artifact.Range{Off: 4, Len: int64(len(kind))}
	c.tellKey(k)
	c.tell("fingerprint", fingerprint(blob), k.bitsAt)
	return c, nil
}

// privateFields is how many numbers Dropbear writes behind the public ones: d, p and q of RSA.
func privateFields(kind string) int {
	if kind == "ssh-rsa" {
		return 3
	}
	return 1
}

const opensshMagic = "openssh-key-v1\x00"

// parseOpenSSH reads the content of an OPENSSH PRIVATE KEY.
func parseOpenSSH(b []byte) (k key, blob []byte, comment string, ok bool) {
	rest, ok := strings.CutPrefix(string(b), opensshMagic)
	w := &wire{b: []byte(rest)}
	cipher, _, _ := string(w.field()), w.field(), w.field()
	count := w.word()
	blob = w.field()
	if !ok || w.bad || count == 0 {
		return key{}, nil, "", false
	}
	k, left, ok := parseBlob(blob)
	if !ok || len(left) > 0 {
		return key{}, nil, "", false
	}
	k.private, k.encrypted = true, cipher != "none"
	if count > 1 || k.encrypted {
		return k, blob, "", true
	}
	w = &wire{b: w.field()}
	if check := w.word(); check != w.word() {
		return k, blob, "", true
	}
	fields := map[string]int{"ssh-rsa": 6, "ssh-dss": 5, "ssh-ed25519": 2}[string(w.field())]
	if fields == 0 {
		fields = 3 // of ECDSA: curve, point, number
	}
	for range fields {
		w.field()
	}
	if comment = string(w.field()); w.bad || strings.HasPrefix(k.form, "sk-") {
		comment = ""
	}
	return k, blob, comment, true
}
