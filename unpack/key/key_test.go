package key

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hallmark/unpack/format"
	"hallmark/unpack/format/formattest"
)

func all() []format.Format {
	return []format.Format{PEM, Certificate, DER, SSH, PKCS12, JavaStore, OpenPGP}
}

func TestGolden(t *testing.T) {
	for _, f := range all() {
		t.Run(f.Name, func(t *testing.T) { formattest.Golden(t, f) })
	}
}

func TestTruncation(t *testing.T) {
	for _, f := range all() {
		t.Run(f.Name, func(t *testing.T) { formattest.Truncation(t, f) })
	}
}

func FuzzOpenPEM(f *testing.F)         { formattest.Fuzz(f, PEM) }
func FuzzOpenCertificate(f *testing.F) { formattest.Fuzz(f, Certificate) }
func FuzzOpenDER(f *testing.F)         { formattest.Fuzz(f, DER) }
func FuzzOpenSSH(f *testing.F)         { formattest.Fuzz(f, SSH) }
func FuzzOpenPKCS12(f *testing.F)      { formattest.Fuzz(f, PKCS12) }
func FuzzOpenJavaStore(f *testing.F)   { formattest.Fuzz(f, JavaStore) }
func FuzzOpenPGP(f *testing.F)         { formattest.Fuzz(f, OpenPGP) }

// No private key is kept with the tests: they are made when the tests run.

type signer struct {
	name, algorithm, bits string
	private, public       any
}

func signers(t *testing.T) []signer {
	r, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	list := []signer{{"rsa", "RSA", "1024", r, r.Public()}}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		e, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, signer{c.Params().Name, "EC " + c.Params().Name, fmt.Sprint(c.Params().BitSize), e, e.Public()})
	}
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	return append(list, signer{"ed25519", "Ed25519", "256", private, public})
}

func TestPrivateKeys(t *testing.T) {
	for _, s := range signers(t) {
		spki, _ := x509.MarshalPKIXPublicKey(s.public)
		sum := sha256.Sum256(spki)
		forms := map[string][]byte{}
		forms["PRIVATE KEY"], _ = x509.MarshalPKCS8PrivateKey(s.private)
		switch k := s.private.(type) {
		case *rsa.PrivateKey:
			forms["RSA PRIVATE KEY"] = x509.MarshalPKCS1PrivateKey(k)
		case *ecdsa.PrivateKey:
			forms["EC PRIVATE KEY"], _ = x509.MarshalECPrivateKey(k)
		}
		for label, raw := range forms {
			text := pem.EncodeToMemory(&pem.Block{Type: label, Bytes: raw})
			for _, tt := range []struct {
				f     format.Format
				input []byte
			}{{DER, raw}, {PEM, text}} {
				l := formattest.List(append(tt.input, "behind"...), tt.f, 1<<20)
				for _, want := range []string{
					fmt.Sprintf("size %d\n", len(tt.input)), `attr key="private"`, `attr algorithm="` + s.algorithm + `"`,
					`attr bits="` + s.bits + `"`, `attr encrypted="no"`, `attr public-sha256="` + hex.EncodeToString(sum[:]) + `"`,
				} {
					if l.Err != nil || !strings.Contains(l.String(), want) {
						t.Errorf("%s, %s of %s: %v\n%s\nlacks %s", tt.f.Name, label, s.name, l.Err, l, want)
					}
				}
				noSecret(t, l, tt.input, secretOf(s.private))
			}
		}
	}
}

func secretOf(private any) []byte {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		return k.D.Bytes()
	case *ecdsa.PrivateKey:
		b, _ := k.Bytes()
		return b
	case ed25519.PrivateKey:
		return k.Seed()
	}
	return nil
}

// noSecret checks that no entry came out and that neither a value nor its bytes tell the secret.
func noSecret(t *testing.T, l *formattest.Listing, input, secret []byte) {
	t.Helper()
	i := bytes.Index(input, secret)
	for line := range strings.Lines(l.String()) {
		var off, n int
		at := line[strings.LastIndexByte(line, '@')+1:]
		switch {
		case strings.HasPrefix(line, "size "):
			continue
		case !strings.HasPrefix(line, "attr "):
			t.Errorf("came out: %s", line)
		}
		if _, err := fmt.Sscanf(at, "%v+%d", &off, &n); err != nil {
			t.Fatal(line, err)
		}
		if i >= 0 && off < i+len(secret) && i < off+n {
			t.Errorf("%q stands on the secret at %#x+%d", line, i, len(secret))
		}
		if bytes.HasPrefix(input, []byte(pemBegin)) && bytes.ContainsAny(input[off:off+n], "\r\n") {
			t.Errorf("%q stands on more than a BEGIN line", line)
		}
	}
	if strings.Contains(l.String(), hex.EncodeToString(secret[:8])) {
		t.Error("the secret came out")
	}
}

// TestOpenSSH holds keys against what ssh-keygen says of them.
func TestOpenSSH(t *testing.T) {
	tool, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct{ kind, bits, pass string }{
		{"rsa", "1024", ""}, {"rsa", "2048", "secret"}, {"ecdsa", "256", ""}, {"ecdsa", "384", ""}, {"ecdsa", "521", "secret"}, {"ed25519", "256", ""},
	} {
		file := filepath.Join(t.TempDir(), "k")
		if out, err := exec.Command(tool, "-q", "-t", tt.kind, "-b", tt.bits, "-N", tt.pass, "-C", "root@camera", "-f", file).CombinedOutput(); err != nil {
			t.Skipf("ssh-keygen -t %s: %v: %s", tt.kind, err, out)
		}
		said, err := exec.Command(tool, "-l", "-f", file+".pub").Output()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{`attr fingerprint="` + strings.Fields(string(said))[1] + `"`, `attr bits="` + tt.bits + `"`}
		private, _ := os.ReadFile(file)
		public, _ := os.ReadFile(file + ".pub")
		p, s := formattest.List(private, PEM, 1<<20), formattest.List(public, SSH, 1<<20)
		for _, w := range append(want, `comment="root@camera"`) {
			if !strings.Contains(s.String(), w) || tt.pass == "" && !strings.Contains(p.String(), w) {
				t.Errorf("%v: %v %v\n%s%s\nlacks %s", tt, p.Err, s.Err, p, s, w)
			}
		}
		encrypted := `encrypted="` + yesNo(tt.pass != "") + `"`
		if !strings.Contains(p.String(), encrypted) || !strings.Contains(p.String(), want[0]) {
			t.Errorf("%v: %s\nlacks %s", tt, p, encrypted)
		}
		block, _ := pem.Decode(private)
		noSecret(t, p, private, block.Bytes)
	}
}

// TestDropbear checks host keys as Dropbear writes them.
func TestDropbear(t *testing.T) {
	str := func(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
	num := func(b []byte) []byte { return str(append([]byte{0}, b...)) }
	for _, s := range signers(t) {
		var blob, private []byte
		switch k := s.private.(type) {
		case *rsa.PrivateKey:
			blob = bytes.Join([][]byte{str([]byte("ssh-rsa")), str([]byte{1, 0, 1}), num(k.N.Bytes())}, nil)
			private = bytes.Join([][]byte{blob, num(k.D.Bytes()), num(k.Primes[0].Bytes()), num(k.Primes[1].Bytes())}, nil)
		case *ecdsa.PrivateKey:
			curve := "nistp" + s.bits
			point, _ := k.PublicKey.Bytes()
			secret, _ := k.Bytes()
			blob = bytes.Join([][]byte{str([]byte("ecdsa-sha2-" + curve)), str([]byte(curve)), str(point)}, nil)
			private = append(blob[:len(blob):len(blob)], num(bytes.TrimLeft(secret, "\x00"))...)
		case ed25519.PrivateKey:
			blob = append(str([]byte("ssh-ed25519")), str(k[32:])...)
			private = append(str([]byte("ssh-ed25519")), str(k)...)
		}
		sum := sha256.Sum256(blob)
		l := formattest.List(append(private, "behind"...), SSH, 1<<20)
		for _, want := range []string{
			fmt.Sprintf("size %d\n", len(private)), `key="private"`, `bits="` + s.bits + `"`,
			`fingerprint="SHA256:` + base64.RawStdEncoding.EncodeToString(sum[:]) + `"`,
		} {
			if l.Err != nil || !strings.Contains(l.String(), want) {
				t.Errorf("%s: %v\n%s\nlacks %s", s.name, l.Err, l, want)
			}
		}
		noSecret(t, l, private, secretOf(s.private))
		if l := formattest.List(blob, SSH, 1<<20); l.Err != nil || !strings.Contains(l.String(), `key="public"`) {
			t.Errorf("%s, public part: %v\n%s", s.name, l.Err, l)
		}
	}
}

// TestEncrypted reads what openssl encrypts.
func TestEncrypted(t *testing.T) {
	tool, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip(err)
	}
	for _, args := range []string{
		"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -pass pass:secret",
		"genrsa -traditional -aes128 -passout pass:secret 1024",
	} {
		out, err := exec.Command(tool, strings.Fields(args)...).Output()
		if err != nil {
			t.Skipf("openssl %s: %v", args, err)
		}
		l := formattest.List(out, PEM, 1<<20)
		if l.Err != nil || !strings.Contains(l.String(), `encrypted="yes"`) || !strings.Contains(l.String(), fmt.Sprintf("size %d\n", len(out))) {
			t.Errorf("openssl %s: %v\n%s", args, l.Err, l)
		}
	}
}

func TestPEMEdges(t *testing.T) {
	block := func(label, body string) string {
		return "-----BEGIN " + label + "-----\n" + body + "-----END " + label + "-----"
	}
	for _, tt := range []struct{ name, input, want string }{
		{"DOS line ends", "-----BEGIN X-----\r\nAAAA\r\n-----END X-----\r\nrest", "size 42\n"},
		{"no last line end", block("X", "AAAA\n"), "size 38\n"},
		{"NUL behind", block("X", "AAAA\n") + "\x00rest", "size 38\n"},
		{"padding by spaces", block("X", "AAAA  \n") + "  \nrest", "size 43\n"},
		{"two", block("X", "AAAA\n") + "\n\n" + block("X", "AAAA\n"), `"x-2.der" 3`},
		{"text between", block("X", "AAAA\n") + "\nName\n====\n" + block("X", "AAAA\n"), `10 "text" 10`},
		{"strings of a program", block("X", "AAAA\n") + "\x00\x00" + block("X", "AAAA\n"), "size 78\n"},
		{"program between", block("X", "AAAA\n") + "\n\x00a\x00" + block("X", "AAAA\n"), "size 39\n"},
		{"much text between", block("X", "AAAA\n") + "\n" + strings.Repeat("word ", 200) + block("X", "AAAA\n"), "size 39\n"},
		{"header", block("X", "Proc-Type: 4,CLEAR\n\nAAAA\n"), "size 58\n"},
		{"other end", "-----BEGIN X-----\nAAAA\n-----END Y-----\n", ""},
		{"no end", "-----BEGIN X-----\nAAAA\n", ""},
		{"no base64", block("X", "AA!A\n"), ""},
		{"odd base64", block("X", "AAA\n"), ""},
		{"nothing", block("X", ""), ""},
		{"OpenPGP", block("PGP MESSAGE", "AAAA\n"), ""},
		{"words", "-----BEGIN of a long story-----\n", ""},
	} {
		l := formattest.List([]byte(tt.input), PEM, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("%s: %v\n%s\nlacks %q", tt.name, l.Err, l, tt.want)
		}
	}
	large := block("X", strings.Repeat(strings.Repeat("A", 64)+"\n", 500)) + "\n"
	for i := range 70 { // the end of the first window at each byte of the END line
		s := block("X", strings.Repeat("AAAA", 1001+i/4)+strings.Repeat(" ", i%4)+"\n") + "\n"
		if l := formattest.List([]byte(s+"rest"), PEM, 1<<20); l.Err != nil || !strings.HasPrefix(l.String(), fmt.Sprintf("size %d\n", len(s))) {
			t.Errorf("block of %d bytes: %v %s", len(s), l.Err, l)
		}
	}
	if l := formattest.List([]byte(large), PEM, 1<<20); l.Err != nil || l.Size != int64(len(large)) {
		t.Errorf("large block: %v, size %d, want %d", l.Err, l.Size, len(large))
	}
}

// TestMislabelled keeps back what is private under any label.
func TestMislabelled(t *testing.T) {
	for _, s := range signers(t) {
		raw, _ := x509.MarshalPKCS8PrivateKey(s.private)
		for _, label := range []string{"DATA", "PASSPHRASE", "PUBLIC KEY"} {
			text := pem.EncodeToMemory(&pem.Block{Type: label, Bytes: raw})
			l := formattest.List(text, PEM, 1<<20)
			if want := fmt.Sprintf("size %d\nattr block=%q @0x0+%d\n", len(text), label, len(label)+16); l.Err != nil || l.String() != want {
				t.Errorf("%s as %s: %v\n%s\nwant\n%s", s.name, label, l.Err, l, want)
			}
		}
	}
	l := formattest.List(pem.EncodeToMemory(&pem.Block{Type: "PASSPHRASE", Bytes: []byte("secret")}), PEM, 1<<20)
	if l.Err != nil || strings.Contains(l.String(), ".der") {
		t.Errorf("pass phrase: %v\n%s", l.Err, l)
	}
}

func TestInstant(t *testing.T) {
	for _, tt := range []struct {
		tag        byte
		text, want string
	}{
		{tagUTC, "491231235959Z", "2049-12-31T23:59:59Z"}, {tagUTC, "5001010000Z", "1950-01-01T00:00:00Z"},
		{tagTime, "20500101000000Z", "2050-01-01T00:00:00Z"}, {tagUTC, "491331235959Z", ""}, {tagUTC, "49123123595Z", ""},
		{tagTime, "20500101000000", ""}, {tagUTC, "491231235959+0100", ""}, {tagOID, "491231235959Z", ""},
	} {
		if got := instant(tt.tag, []byte(tt.text)); got != tt.want {
			t.Errorf("instant(%#x, %q) = %q, want %q", tt.tag, tt.text, got, tt.want)
		}
	}
}

// TestCertificateEdges changes one byte of a certificate at a time, and where elements begin.
func TestCertificateEdges(t *testing.T) {
	b, err := os.ReadFile("../../testdata/x509/rsa/input")
	if err != nil {
		t.Fatal(err)
	}
	b = b[:len(b)-len("behind")]
	for _, tt := range []struct {
		off  int
		b    byte
		want string // "" if it is none
	}{
		{3, b[3] + 1, ""}, {7, b[7] - 1, ""}, // lengths of the certificate and of what is signed
		{8, 0xa1, ""}, {12, 7, `serial="`}, // tag and value of the version
		{13, 0x03, ""}, {0x75 + 5, 'x', `not-after="`}, // tag of the serial number, time
		{0x32, 0x31, ""}, {0xd0, 0x31, ""}, // tags of the issuer and the key
		{len(b) - 1, 0, `sha256="`},
	} {
		c := bytes.Clone(b)
		c[tt.off] = tt.b
		l := formattest.List(c, Certificate, 1<<20)
		if tt.want == "" && l.Err == nil || tt.want != "" && (l.Err != nil || !strings.Contains(l.String(), tt.want)) {
			t.Errorf("byte %#x: %v\n%s\nlacks %q", tt.off, l.Err, l, tt.want)
		}
	}
	short := encode(tagSequence, b[4:]) // a certificate within a certificate's header is none
	if l := formattest.List(encode(tagSequence, short), Certificate, 1<<20); l.Err == nil {
		t.Errorf("wrapped: %s", l)
	}
}

func TestPGPPrivateKeysAreKeptBack(t *testing.T) {
	body := []byte{4, 0, 0, 0, 0, 1, 0, 9, 1, 0xff, 0, 2, 3, 0xfe, 's', 'e', 'c', 'r', 'e', 't'}
	p := append([]byte{0xc0 | pgpSecret, byte(len(body))}, body...)
	text := "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n" + base64.StdEncoding.EncodeToString(p) + "\n=" + crc24(p) + "\n-----END PGP PRIVATE KEY BLOCK-----\n"
	l := formattest.List([]byte(text), OpenPGP, 1<<20)
	for _, want := range []string{`key="private"`, `algorithm="RSA"`, `bits="9"`, `encrypted="yes"`} {
		if !strings.Contains(l.String(), want) {
			t.Errorf("%s is not in\n%s", want, l)
		}
	}
	if l.Err != nil || strings.Contains(l.String(), "----------") {
		t.Errorf("%v, or something is handed out:\n%s", l.Err, l)
	}
	for _, bad := range []string{strings.Replace(text, "=", "=A", 1), strings.Replace(text, "-----END", "-----AND", 1), strings.Replace(text, "PRIVATE", "SIGNED", 2)} {
		if l := formattest.List([]byte(bad), OpenPGP, 1<<20); l.Err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
