package facts

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/internal/literal"
	"hallmark/internal/work"
)

// tree holds contents that no format read any of.
func tree(t testing.TB, contents ...[]byte) (*artifact.Tree, *artifact.Store) {
	t.Helper()
	tr, s := artifact.NewTree("test"), artifact.NewStore(t.TempDir())
	t.Cleanup(func() { s.Close() })
	for _, b := range contents {
		d, err := s.Add(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))))
		if err != nil {
			t.Fatal(err)
		}
		all := artifact.Range{Len: int64(len(b))}
		tr.Add(&artifact.Content{Digest: d, Size: all.Len, Extents: []artifact.Extent{{Range: all, Kind: artifact.Unknown}}})
	}
	return tr, s
}

// factsOf collects from one content and fails on problems.
func factsOf(t testing.TB, b []byte) *Facts {
	t.Helper()
	tr, s := tree(t, b)
	all, problems := Collect(context.Background(), tr, s, nil, nil)
	if len(problems) > 0 {
		t.Errorf("problems %v, want none", problems)
	}
	f := all[tr.Root]
	if f == nil {
		return &Facts{Content: tr.Root}
	}
	for _, x := range f.Facts {
		if !x.At.Within(int64(len(b))) {
			t.Errorf("%s %q stands at %v of %d bytes", x.Name, x.Value, x.At, len(b))
		}
	}
	return f
}

// lines writes facts as tests want them; those whose bytes are not their value with a "~".
func lines(b []byte, f *Facts) []string {
	out := []string{}
	for _, x := range f.Facts {
		sign := "="
		if string(b[x.At.Off:x.At.End()]) != x.Value {
			sign = "~"
		}
		out = append(out, x.Name+" "+sign+" "+x.Value)
	}
	return out
}

func TestReaders(t *testing.T) {
	icon := append([]byte("\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00\x04\x00\x00\x00\x16\x00\x00\x00"), "icon"...)
	iconSum := md5.Sum(icon)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"script", "#! /bin/sh -e\necho", []string{"script.interp = /bin/sh -e"}},
		{"empty", "", nil},
		{"no script", "#!\n", nil},
		{"html", "\xef\xbb\xbf<!DOCTYPE html><html><head>\n<TITLE lang=en>Net &amp;\n Camera</TITLE>", []string{"html.title ~ Net & Camera"}},
		{"text about html", "the <title>x</title> of a page", nil},
		{"json", `{"model": "OL-2", // the model` + "\n" + ` "n": [1, {"a.b": true},], "none": null, "s": "a\u0041\"",}` + "\n", []string{
			"json.model = OL-2", "json.n.0 = 1", "json.n.1.a.b = true", `json.s ~ aA"`}},
		{"json with rubbish behind", `{"a": "b"} x`, nil},
		{"json cut", `{"a": "b", "c": [1, 2`, nil},
		{"c source", "{ int a = 1; }", nil},
		{"json, deep", strings.Repeat("[", 1000) + "1" + strings.Repeat("]", 1000), nil},
		{"icon", string(icon), []string{"image.md5 ~ " + hex.EncodeToString(iconSum[:])}},
		{"no icon", "\x00\x00\x01\x00" + strings.Repeat("\x80", 100), nil},
		{"kernel", "\x00\x01Linux version 3.4.35 (lens@build) (gcc version 4.8.3) #1 Tue May 5\n\x00more", []string{
			"kernel.banner = Linux version 3.4.35 (lens@build) (gcc version 4.8.3) #1 Tue May 5"}},
		{"kernel, format", "\x00Linux version %s (%s)\n\x00", nil},
		{"log", "boot: Linux version 3.4.35 (lens@build)\n", nil},
		{"u-boot", "\x00U-Boot 2013.07 (Jan 02 2015 - 03:04:05)\x00\x00U-Boot SPL 2013.07 (x)\x00U-Boot 20xx\x00U-Boot 1.1.4-lens\n\x00", []string{
			"uboot.banner = U-Boot 2013.07 (Jan 02 2015 - 03:04:05)", "uboot.banner = U-Boot SPL 2013.07 (x)", "uboot.banner = U-Boot 1.1.4-lens"}},
		{"environment", "\x01\x02\x00" + "baudrate=115200\x00bootargs=root=/dev/mtdblock2 mem=64M\x00bootcmd=sf probe; bootm\x00ipaddr=192.0.2.1\x00\x00\xff", []string{
			"text.env.baudrate ~ 115200", "text.env.bootargs ~ root=/dev/mtdblock2 mem=64M", "text.env.bootcmd ~ sf probe; bootm", "text.env.ipaddr ~ 192.0.2.1"}},
		{"environment at the start", "bootcmd=a\x00bootdelay=1\x00", []string{"text.env.bootcmd ~ a", "text.env.bootdelay ~ 1"}},
		{"no environment", "\x00usage: bootcmd=x\x00bootargs=one\x00\x00altbootcmd=y\x00", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := []byte(tt.text)
			if d := cmp.Diff(append([]string{}, tt.want...), lines(b, factsOf(t, b))); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestELF(t *testing.T) {
	for _, tt := range []struct {
		fixture string
		want    map[string]string
	}{
		{"shared64", map[string]string{
			"elf.machine": "x86-64", "elf.soname": "liblens.so.2", "elf.needed": "libm.so.6,libc.so.6", "elf.runpath": "/opt/lens/lib",
			"elf.buildid": "0123456789abcdef0123456789abcdef01234567", "elf.import": "puts,cos", "elf.source-path": "src/optics/lens.c",
		}},
		{"program32", map[string]string{"elf.machine": "x86", "elf.interp": "/lib/ld-uClibc.so.0", "elf.rpath": "$ORIGIN/lib", "elf.import": "lens_open"}},
		{"module64", map[string]string{
			"modinfo.license": "GPL", "modinfo.author": "A. Nother <a@example.com>", "modinfo.author-domain": "example.com", "modinfo.depends": "i2c-core", "elf.export": "init_module", "elf.import": "printk",
		}},
	} {
		b, err := os.ReadFile(filepath.Join("..", "testdata", "elf", tt.fixture, "input"))
		if err != nil {
			t.Fatal(err)
		}
		f := factsOf(t, b)
		for name, want := range tt.want {
			var got []string
			for _, x := range f.Named(name) {
				got = append(got, x.Value)
			}
			if s := strings.Join(got, ","); s != want {
				t.Errorf("%s: %s is %q, want %q", tt.fixture, name, s, want)
			}
		}
		for _, x := range f.Named("modinfo.author-domain") { // the domain is cited, not the person before it
			if got := string(b[x.At.Off:x.At.End()]); got != x.Value {
				t.Errorf("%s: %q is cited for %q", tt.fixture, got, x.Value)
			}
		}
		if len(f.Named("elf.loaded")) == 0 {
			t.Errorf("%s: nothing is loaded", tt.fixture)
		}
	}
}

func TestReadsLikePath(t *testing.T) {
	for path, want := range map[string]bool{
		"lens.c": true, "../../src/Base/Control.cpp": true, `D:\My Work\net\Session.cc`: true, "/home/build/a.h": true,
		"crypto/x509/v3.S": true, "a%s.c": false, "open lens.c": false, ".c": false, "42.c": false, "x.S": false, "a,b.c": false,
	} {
		t.Run(path, func(t *testing.T) {
			n := 0
			eachSourcePath([]byte("\x00"+path+"\x00"), 0, func(start, end int) { n++ })
			if (n == 1) != want {
				t.Errorf("found %d times, want %v", n, want)
			}
		})
	}
}

// issue makes a certificate for subject that signs itself.
func issue(t testing.TB, subject pkix.Name) ([]byte, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x00c0ffee), Subject: subject,
		NotBefore: time.Unix(1500000000, 0), NotAfter: time.Unix(1900000000, 0),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return raw, cert
}

func TestCertificates(t *testing.T) {
	raw, cert := issue(t, pkix.Name{CommonName: "Lens, Inc. ü", Organization: []string{"Open Lens"}, Country: []string{"DE"}})
	sum := sha256.Sum256(raw)
	want := []string{
		"x509.issuer ~ " + cert.Issuer.String(), "x509.not-after ~ 2030-03-17T17:46:40Z", "x509.serial ~ c0ffee",
		"x509.sha256 ~ " + hex.EncodeToString(sum[:]), "x509.subject ~ " + cert.Subject.String(),
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	for name, b := range map[string]string{
		"DER alone":             string(raw),
		"DER in a binary":       "\x00\x30\x82\x01" + string(raw) + "\x00",
		"PEM":                   text,
		"PEM in a binary":       "\x7fx\x00" + text + "\x00tail",
		"PEM in source text":    `cert = "` + strings.ReplaceAll(text, "\n", `\n`) + `"`,
		"PEM with DOS line end": strings.ReplaceAll(text, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(want, lines([]byte(b), factsOf(t, []byte(b)))); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
	t.Run("cut", func(t *testing.T) {
		for n := range len(raw) {
			factsOf(t, raw[:n])
		}
	})
}

// TestOddCertificate is one that the standard library refuses: a negative serial, a name in a
// string type that is not text, a day that does not exist.
func TestOddCertificate(t *testing.T) {
	raw, _ := issue(t, pkix.Name{CommonName: "odd"})
	odd := bytes.Replace(raw, []byte("\x02\x04\x00\xc0\xff\xee"), []byte("\x02\x04\x80\xc0\xff\xee"), 1)
	odd = bytes.Replace(odd, []byte("\x0c\x03odd"), []byte("\x14\x03\xf6dd"), -1)
	odd = bytes.Replace(odd, []byte("\x13\x03odd"), []byte("\x14\x03\xf6dd"), -1)
	if _, err := x509.ParseCertificate(odd); err == nil {
		t.Log("the standard library takes it now")
	}
	if got := factsOf(t, odd).Named("x509.subject"); len(got) != 1 || got[0].Value != "CN=ödd" {
		t.Errorf("subject %v, want CN=ödd", got)
	}
}

func TestSigner(t *testing.T) {
	raw, cert := issue(t, pkix.Name{CommonName: "Open Lens Co., Ltd."})
	other, _ := issue(t, pkix.Name{CommonName: "A time stamp"})
	mustMarshal := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	wrap := func(tag byte, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
	}
	one := []byte{2, 1, 1}
	signer := wrap(0x30, one, wrap(0x30, cert.RawIssuer, mustMarshal(cert.SerialNumber)))
	signed := wrap(0x30, one, wrap(0x31), wrap(0x30), wrap(0xa0, other, raw), wrap(0x31, signer))
	pkcs7 := wrap(0x30, mustMarshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}), wrap(0xa0, signed))

	b := make([]byte, 0x200)
	copy(b, "MZ")
	b[0x3c] = 0x80
	copy(b[0x80:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(b[0x80+24:], 0x10b)
	binary.LittleEndian.PutUint32(b[0x80+24+96+32:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[0x80+24+96+36:], uint32(8+len(pkcs7)))
	b = binary.LittleEndian.AppendUint32(b, uint32(8+len(pkcs7)))
	b = append(b, 0, 2, 2, 0)
	b = append(b, pkcs7...)
	f := factsOf(t, b)
	got := f.Named("pe.signer.subject")
	if len(got) != 1 || got[0].Value != cert.Subject.String() {
		t.Fatalf("signers %v, want %s", got, cert.Subject)
	}
	if at := got[0].At; !bytes.Equal(b[at.Off:at.End()], cert.RawSubject) {
		t.Errorf("signer is said to stand at %v", at)
	}
	if n := len(f.Named("x509.subject")); n != 2 {
		t.Errorf("%d certificates, want 2", n)
	}
	for n := 0; n < len(b); n += 7 {
		factsOf(t, b[:n])
	}
}

// TestUnclaimed searches only what no format read, and across a change of class.
func TestUnclaimed(t *testing.T) {
	b := []byte("mark-one mark-two mark-three")
	s := artifact.NewStore(t.TempDir())
	defer s.Close()
	d, _ := s.Add(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))))
	extent := func(from, to int64, kind artifact.ExtentKind) artifact.Extent {
		x := artifact.Extent{Range: artifact.Range{Off: from, Len: to - from}, Kind: kind}
		if kind == artifact.InChunk {
			x.Chunk = &artifact.Chunk{Format: "box", Attrs: []artifact.Attr{{Name: "name", Value: "mark", At: artifact.Range{Off: from, Len: 4}}}}
		}
		return x
	}
	tr := artifact.NewTree("test")
	tr.Add(&artifact.Content{Digest: d, Size: int64(len(b)), Extents: []artifact.Extent{
		extent(0, 9, artifact.Unknown), extent(9, 18, artifact.InChunk), extent(18, 21, artifact.Unknown), extent(21, 28, artifact.Unknown),
	}})
	got, problems := Collect(context.Background(), tr, s, nil, literal.Compile([]literal.Pattern{{Bytes: "mark-"}, {Bytes: "MARK-three", Fold: true}}))
	want := map[artifact.Digest]*Facts{d: {
		Content: d,
		Facts:   []Fact{{"box.name", "mark", artifact.Range{Off: 9, Len: 4}}},
		Hits:    []Hit{{0, artifact.Range{Off: 0, Len: 5}}, {0, artifact.Range{Off: 18, Len: 5}}, {1, artifact.Range{Off: 18, Len: 10}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("problems %v, -want +got:\n%s", problems, diff)
	}
	if hits := got[d].HitsOf(1); len(hits) != 1 {
		t.Errorf("HitsOf(1) = %v, want one", hits)
	}
}

func TestLimits(t *testing.T) {
	b := []byte(strings.Repeat("needle! ", 1000))
	tr, s := tree(t, b)
	got, _ := Collect(context.Background(), tr, s, nil, literal.Compile([]literal.Pattern{{Bytes: "needle"}}))
	if n := len(got[tr.Root].Hits); n != MaxHits {
		t.Errorf("%d hits, want %d", n, MaxHits)
	}
	long := []byte(`{"k": "` + strings.Repeat("\xff", 10_000) + `"}`)
	if f := factsOf(t, long).Named("json.k"); len(f) != 1 || len(f[0].Value) > MaxValue {
		t.Errorf("%d values, want one of at most %d bytes", len(f), MaxValue)
	}
}

// TestWorkers collects with many workers what one collects, also where a content is missing.
func TestWorkers(t *testing.T) {
	var contents [][]byte
	for i := range 200 {
		contents = append(contents, fmt.Appendf(nil, "#!/bin/sh\n# lens %d of 200 %s", i, strings.Repeat("lens ", i%7)))
	}
	tr, s := tree(t, contents...)
	missing := artifact.Digest{1}
	tr.Add(&artifact.Content{Digest: missing, Size: 1})
	set := literal.Compile([]literal.Pattern{{Bytes: "lens"}})
	want, problems := Collect(context.Background(), tr, s, nil, set)
	if len(problems) != 1 || problems[0].Content != missing {
		t.Errorf("problems %v, want one of the missing content", problems)
	}
	for _, n := range []int{1, 2, 8} {
		got, again := Collect(context.Background(), tr, s, work.NewPool(n), set)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d workers:\n%s", n, d)
		}
		if d := cmp.Diff(problems, again); d != "" {
			t.Errorf("%d workers:\n%s", n, d)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, problems := Collect(ctx, tr, s, nil, set); len(problems) != len(contents)+1 || problems[0].Kind != artifact.Limit {
		t.Errorf("after cancelling: %d problems, want one for each content", len(problems))
	}
}

func FuzzCollect(f *testing.F) {
	raw, _ := issue(f, pkix.Name{CommonName: "lens"})
	f.Add(raw)
	f.Add([]byte(`{"a": [1, "b"], // c` + "\n}"))
	f.Add([]byte("\x00a=b\x00bootcmd=x\x00c=d\x00\x00U-Boot 2013.07 (x)\x00"))
	f.Add([]byte("<html><title>x</title>"))
	f.Fuzz(func(t *testing.T, b []byte) { factsOf(t, b) })
}
