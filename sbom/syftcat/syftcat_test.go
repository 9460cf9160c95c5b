package syftcat

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/sbom"
)

// tree makes a tree of one root filesystem; a value that begins with "->" is a link.
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
		n := artifact.Node{Path: files[i]}
		if link, ok := strings.CutPrefix(files[i+1], "->"); ok {
			n.Mode, n.Link = fs.ModeSymlink, link
		} else {
			n.Digest, n.Size = add(files[i+1]), int64(len(files[i+1]))
		}
		c.Nodes = append(c.Nodes, n)
	}
	root := "root filesystem"
	out := artifact.NewTree("rootfs.bin")
	out.Add(&artifact.Content{Digest: add(root), Size: int64(len(root)), Extents: []artifact.Extent{
		{Range: artifact.Range{Len: int64(len(root))}, Kind: artifact.InChunk, Chunk: c},
	}})
	for i := range c.Nodes {
		if n := &c.Nodes[i]; n.HasContent() {
			out.Add(&artifact.Content{Digest: n.Digest, Size: n.Size, First: artifact.Step{Content: out.Root, Node: i}})
		}
	}
	return out, s
}

const dpkgStatus = `Package: busybox
Status: install ok installed
Maintainer: Nobody <nobody@example.org>
Architecture: armhf
Version: 1:1.35.0-4
Depends: libc6 (>= 2.34)
Description: Tiny utilities

Package: libc6
Status: install ok installed
Architecture: armhf
Source: glibc
Version: 2.36-9
Description: GNU C Library

Package: gone
Status: deinstall ok config-files
Architecture: armhf
Version: 1.0
`

const opkgControl = `Package: dropbear
Version: 2022.82-2
Depends: libc
License: MIT
CPE-ID: cpe:/a:matt_johnston:dropbear_ssh_server
Section: net
Architecture: mipsel_24kc
Description:  A small SSH2 server/client.
`

const opkgStatus = `Package: dropbear
Version: 2022.82-2
Depends: libc
Status: install user installed
Architecture: mipsel_24kc

Package: libc
Version: 1.2.3-4
Status: install user installed
Architecture: mipsel_24kc
`

const apkInstalled = `C:Q1p78yvTLG094tHE1+dToJGbmYzQE=
P:musl
V:1.2.3-r4
A:armhf
S:383152
I:622592
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
F:lib
R:ld-musl-armhf.so.1
`

// summary writes what matters of packages, a line each.
func summary(t *testing.T, s *artifact.Store, list []sbom.Found) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range list {
		b.WriteString(strings.Join([]string{f.Name, f.Version, f.Purl, f.CPE, strings.Join(f.Needs, ","), string(f.Claim)}, " | "))
		for _, l := range f.Licences {
			b.WriteString(" | " + l.Value)
		}
		for _, e := range f.Evidence {
			b.WriteString(" | " + string(e.Excerpt))
			if err := s.Check(e.Evidence); err != nil {
				t.Error(err)
			}
		}
		b.WriteString(strings.Repeat(" file", len(f.Files)) + "\n")
	}
	return b.String()
}

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"dpkg": {
			[]string{
				"etc/os-release", "->../usr/lib/os-release",
				"usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n",
				"var/lib/dpkg/status", dpkgStatus,
				"var/lib/dpkg/info/busybox.list", "/.\n/bin\n/bin/busybox\n",
				"bin", "->usr/bin",
				"usr/bin/busybox", "a program",
			},
			`busybox | 1:1.35.0-4 | pkg:deb/debian/busybox@1%3A1.35.0-4?arch=armhf&distro=debian-12 |  | libc6 | exact | Package: busybox file
libc6 | 2.36-9 | pkg:deb/debian/libc6@2.36-9?arch=armhf&distro=debian-12&upstream=glibc |  |  | exact | Package: libc6
`,
		},
		"opkg": {
			[]string{
				"etc/os-release", "NAME=\"OpenWrt\"\nID=\"openwrt\"\n",
				"usr/lib/opkg/status", opkgStatus,
				"usr/lib/opkg/info/dropbear.control", opkgControl,
				"usr/lib/opkg/info/dropbear.list", "/usr/sbin/dropbear\n",
				"usr/sbin/dropbear", "a server",
			},
			`dropbear | 2022.82-2 | pkg:opkg/openwrt/dropbear@2022.82-2?arch=mipsel_24kc | cpe:2.3:a:matt_johnston:dropbear_ssh_server:2022.82:*:*:*:*:*:*:* | libc | exact | MIT | Package: dropbear | Package: dropbear file
libc | 1.2.3-4 | pkg:opkg/openwrt/libc@1.2.3-4?arch=mipsel_24kc |  |  | exact | Package: libc
`,
		},
		"damage": {
			[]string{"usr/lib/opkg/status", " of nothing\nPackage: a\nPackage: b\n of a field twice\nVersion: 1\n\x00\xff\nInstalled-Size: many\n\n" + opkgStatus},
			`a | 1 | pkg:opkg/a@1 |  |  | exact | Package: a
dropbear | 2022.82-2 | pkg:opkg/dropbear@2022.82-2?arch=mipsel_24kc |  | libc | exact | Package: dropbear
libc | 1.2.3-4 | pkg:opkg/libc@1.2.3-4?arch=mipsel_24kc |  |  | exact | Package: libc
`,
		},
		"ipkg, where opkg looks": {
			[]string{"usr/lib/ipkg/status", opkgStatus},
			`dropbear | 2022.82-2 | pkg:opkg/dropbear@2022.82-2?arch=mipsel_24kc |  | libc | exact | Package: dropbear
libc | 1.2.3-4 | pkg:opkg/libc@1.2.3-4?arch=mipsel_24kc |  |  | exact | Package: libc
`,
		},
		"apk": {
			[]string{
				"etc/os-release", "ID=alpine\nVERSION_ID=3.17.0\n",
				"lib/apk/db/installed", apkInstalled,
				"lib/ld-musl-armhf.so.1", "a loader",
			},
			`musl | 1.2.3-r4 | pkg:apk/alpine/musl@1.2.3-r4?arch=armhf&distro=alpine-3.17.0 |  |  | exact | MIT | P:musl file
`,
		},
		"links that leave the root": {
			[]string{
				"var/lib/dpkg/status", "->/../../../../../../var/lib/dpkg/status",
				"etc/os-release", "->/../../../etc/os-release",
				"lib/apk/db/installed", "->installed",
			},
			"",
		},
		"no database": {[]string{"bin/busybox", "a program"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree, store := tree(t, c.files...)
			list, err := Finder{}.Find(context.Background(), tree, store)
			if err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(c.want, summary(t, store, list)); d != "" {
				t.Errorf("Find: -want +got\n%s", d)
			}
		})
	}
}

// TestHostile reads databases that were made to hurt, and wants an end soon.
func TestHostile(t *testing.T) {
	for name, status := range map[string]string{
		"continuations": "Package: a\nVersion: 1\nDescription: x\n" + strings.Repeat(" a line\n", 1_000_000),
		"long line":     "Package: a\nVersion: " + strings.Repeat("9", 20<<20) + "\n",
		"no end":        strings.Repeat("Package: a\nPackage: a\n", 1000),
		"patterns":      "Package: *\nVersion: 1\n\nPackage: [\nVersion: 2\n\nPackage: ../../etc/passwd\nVersion: 3\n",
		"all need all":  allNeedAll(),
		"binary":        strings.Repeat("\x00\xff:\n", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			tree, store := tree(t, "var/lib/dpkg/status", status, "var/lib/dpkg/info/a.md5sums", strings.Repeat("d41d8cd98f00b204e9800998ecf8427e  a\n", 200_000))
			start := time.Now()
			_, err := Finder{}.Find(context.Background(), tree, store)
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("Find took %v", d)
			}
			t.Log(err, time.Since(start))
		})
	}
}

func allNeedAll() string {
	var b strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&b, "Package: p%d\nVersion: 1\nProvides: x\nDepends: x, p%d\n\n", i, i/2)
	}
	return b.String()
}

// FuzzFind reads any bytes as the databases of a root filesystem.
func FuzzFind(f *testing.F) {
	for _, s := range []string{dpkgStatus, opkgStatus, opkgControl, apkInstalled} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, store := tree(t,
			"var/lib/dpkg/status", text, "usr/lib/opkg/info/a.control", text, "lib/apk/db/installed", text,
			"var/lib/dpkg/info/a.list", text, "var/lib/dpkg/info/a.md5sums", text, "usr/share/doc/a/copyright", text,
			"etc/os-release", text, "link", "->"+text)
		list, _ := Finder{}.Find(context.Background(), tree, store)
		summary(t, store, list)
	})
}
