package sbom

import (
	"crypto/sha512"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
)

// TestCrypto reads certificates and keys from what formats tell of their chunks.
func TestCrypto(t *testing.T) {
	m := newMade(t,
		part{path: "cert.pem", parts: []part{{path: "certificate.der", bytes: "c"}}},
		part{path: "again.pem", parts: []part{{path: "certificate.der", bytes: "d"}}},
		part{path: "key.pem", parts: []part{{path: "x", bytes: "k"}}},
		part{path: "other", parts: []part{{path: "x", bytes: "o"}}},
	)
	attrs := map[string][]artifact.Attr{
		"cert.pem":  {{Name: "subject", Value: "CN=a"}, {Name: "not-after", Value: "2036-11-19T00:19:13Z"}, {Name: "sha256", Value: "aa"}, {Name: "key-size", Value: "2048"}},
		"again.pem": {{Name: "not-after", Value: "2036-11-19T00:19:13Z"}, {Name: "sha256", Value: "aa"}},
		"key.pem":   {{Name: "key", Value: "private"}, {Name: "algorithm", Value: "RSA"}, {Name: "bits", Value: "1024"}, {Name: "encrypted", Value: "yes"}},
		"other":     {{Name: "subject", Value: "no certificate"}},
	}
	for _, n := range m.tree.Contents()[0].Extents[0].Chunk.Nodes {
		m.tree.Content(n.Digest).Extents[0].Chunk.Attrs = attrs[n.Path]
	}
	type told struct {
		Kind, Name, Place string
		Bits, Places      int
		Encrypted         bool
	}
	var got []told
	for _, k := range m.identify(1).Crypto {
		got = append(got, told{k.Kind, k.Name, k.Place, k.Bits, k.Places, k.Encrypted})
	}
	want := []told{
		{Certificate, "CN=a", "camera.bin > squashfs@0x0:/cert.pem @0x0+18", 2048, 2, false},
		{PrivateKey, "RSA", "camera.bin > squashfs@0x0:/key.pem @0x0+4", 1024, 1, true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestFiles wants the files of components with their digests, and one digest of all of them.
func TestFiles(t *testing.T) {
	m := newMade(t, camera...)
	for _, c := range m.identify(2).Components {
		switch c.Name {
		case "busybox":
			f := c.Files[0]
			r, err := m.store.Open(f.Content)
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, r.Size())
			if _, err := r.ReadAt(b, 0); err != nil {
				t.Fatal(err)
			}
			if len(c.Files) != 1 || f.Path != "bin/busybox" || f.SHA512 != sha512.Sum512(b) || f.Size != r.Size() || c.Build == nil || c.Build.Files != 1 || c.Build.Digest.IsZero() {
				t.Errorf("busybox = %+v, %+v", c.Files, c.Build)
			}
		case "gsoap":
			if c.Files != nil || c.Build != nil {
				t.Errorf("gsoap, which is linked in, has files of its own: %+v", c.Files)
			}
		}
	}
}

// TestUnread says in which layer bytes stayed unread.
func TestUnread(t *testing.T) {
	b := newMade(t, camera...).identify(1)
	if len(b.Unread) != 1 || b.Unread[0].Layer != 0 || b.Unread[0].Content.IsZero() {
		t.Errorf("unread = %+v in %+v", b.Unread, b.Layers)
	}
}
