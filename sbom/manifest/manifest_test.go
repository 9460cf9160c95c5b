package manifest

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/sbom"
)

func tree(t *testing.T, files ...string) (*artifact.Tree, *artifact.Store) {
	t.Helper()
	s := artifact.NewStore(t.TempDir())
	t.Cleanup(func() { s.Close() })
	add := func(text string) artifact.Digest {
		d, err := s.Add(io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	c := &artifact.Chunk{Format: "squashfs"}
	for i := 0; i < len(files); i += 2 {
		c.Nodes = append(c.Nodes, artifact.Node{Path: files[i], Digest: add(files[i+1]), Size: int64(len(files[i+1]))})
	}
	out := artifact.NewTree("rootfs.bin")
	out.Add(&artifact.Content{Digest: add("root"), Size: 4, Extents: []artifact.Extent{{Range: artifact.Range{Len: 4}, Kind: artifact.InChunk, Chunk: c}}})
	for i := range c.Nodes {
		kind := ""
		if strings.HasPrefix(files[2*i+1], "\x7fELF") {
			kind = "elf"
		}
		out.Add(&artifact.Content{Digest: c.Nodes[i].Digest, Size: c.Nodes[i].Size, Type: kind, First: artifact.Step{Content: out.Root, Node: i}})
	}
	return out, s
}

func TestFind(t *testing.T) {
	tree, store := tree(t,
		"usr/lib/python3/dist-packages/Foo_Bar-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.2\nLicense: MIT\nRequires-Dist: six (>=1.9)\nRequires-Dist: pytest; extra == 'test'\n\nName: not this\n",
		"usr/lib/node_modules/@a/b/package.json", `{"name": "@a/b", "version": "3.4.5", "license": "ISC", "dependencies": {"ms": "^2"}}`,
		"srv/app/package.json", `{"name": "app", "version": "1.0.0"}`,
		"var/www/vendor/composer/installed.json", `{"packages": [{"name": "monolog/monolog", "version": "v2.9.1", "license": ["MIT"]}]}`,
		"var/www/old/vendor/composer/installed.json", `[{"name": "twig/twig", "version": "1.0"}]`,
		"usr/share/lua/lpeg-1.0.2-1.rockspec", "package = \"LPeg\"\nversion = \"1.0.2-1\"\n",
		"META-INF/maven/org.slf4j/slf4j-api/pom.properties", "#Generated\nversion=1.7.36\ngroupId=org.slf4j\nartifactId=slf4j-api\n",
		"usr/lib/node_modules/broken/package.json", `{"name": [`,
		"usr/lib/node_modules/pointer/package.json", `{"type": "module"}`,
	)
	list, err := Finder{}.Find(context.Background(), tree, store)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range list {
		got = append(got, strings.Join([]string{f.Name, f.Version, f.Purl, strings.Join(f.Needs, ","), f.Evidence[0].Rule}, " | "))
		if err := store.Check(f.Evidence[0].Evidence); err != nil || f.Evidence[0].At.Len == 0 {
			t.Errorf("%s: %v at %v", f.Name, err, f.Evidence[0].At)
		}
	}
	want := []string{
		"Foo_Bar | 1.2 | pkg:pypi/foo-bar@1.2 | six | python-package",
		"@a/b | 3.4.5 | pkg:npm/%40a/b@3.4.5 | ms | node-package",
		"monolog/monolog | 2.9.1 | pkg:composer/monolog/monolog@2.9.1 |  | php-composer",
		"twig/twig | 1.0 | pkg:composer/twig/twig@1.0 |  | php-composer",
		"LPeg | 1.0.2-1 | pkg:luarocks/lpeg@1.0.2-1 |  | lua-rock",
		"slf4j-api | 1.7.36 | pkg:maven/org.slf4j/slf4j-api@1.7.36 |  | java-archive",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Find: -want +got\n%s", d)
	}
}

// TestGo reads this test, which is a Go program.
func TestGo(t *testing.T) {
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip(err)
	}
	tree, store := tree(t, "usr/bin/server", string(b))
	list, err := Finder{}.Find(context.Background(), tree, store)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]sbom.Found{}
	for _, f := range list {
		names[f.Name] = f
	}
	if names["stdlib"].Version == "" || names["hallmark"].Name == "" {
		t.Errorf("Find = %v", names)
	}
}

func TestRust(t *testing.T) {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(`{"packages":[{"name":"app","version":"0.1.0","source":"local","dependencies":[1,9],"root":true},{"name":"libc","version":"0.2.151","source":"crates.io"},{"name":"cc","version":"1.0.0","kind":"build"}]}`))
	z.Close()
	got := rust(&b)
	if len(got) != 2 || got[0].name != "app" || len(got[0].needs) != 1 || got[1].purl != "pkg:cargo/libc@0.2.151" {
		t.Errorf("rust = %+v", got)
	}
}

func TestNote(t *testing.T) {
	got := note([]byte(`{"type":"rpm","os":"fedora","name":"coreutils","version":"8.32-31.fc35","architecture":"armhfp"}` + "\x00\x00"))
	if len(got) != 1 || got[0].purl != "pkg:rpm/fedora/coreutils@8.32-31.fc35" {
		t.Errorf("note = %+v", got)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("Name: a\nVersion: 1\n", "{}")
	f.Fuzz(func(t *testing.T, a, b string) {
		tree, store := tree(t, "x.egg-info", a, "node_modules/x/package.json", b, "composer/installed.json", b, "x.rockspec", a, "META-INF/maven/x/pom.properties", a, "bin/x", "\x7fELF"+a+"\x00Go\x00\x00", "bin/y", "\x7fELF"+b+".dep-v0\x00")
		Finder{}.Find(context.Background(), tree, store)
	})
}
