package sbom

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hallmark/artifact"
	"hallmark/facts"
)

// list writes components a line each.
func list(b *BOM) string {
	var s strings.Builder
	for _, c := range b.Components {
		fmt.Fprintf(&s, "%s %s %s", c.Name, c.Version, c.Claim)
		for _, j := range c.DependsOn {
			fmt.Fprintf(&s, " >%s", b.Components[j].Name)
		}
		s.WriteByte('\n')
	}
	return s.String()
}

const (
	libcrypto = "\x00OpenSSL 1.0.2f  28 Jan 2016\x00"
	busybox   = "BusyBox v1.22.1 (2017-06-29 11:15:20 CST)\x00udhcp 1.22.1\x00This is not GNU sed version 4.0\x00" +
		"BusyBox is a multi-call binary that combines many common Unix\x00"
)

func TestIdentify(t *testing.T) {
	for name, c := range map[string]struct {
		parts []part
		want  string
	}{
		"a library, and a client with the text of its header": {
			[]part{
				{path: "lib/libcrypto.so.1.0.0", bytes: elf("libcrypto.so.1.0.0", libcrypto)},
				{path: "usr/bin/client", bytes: elf("", "\x00OpenSSL 1.0.1e 11 Feb 2013\x00", "libcrypto.so.1.0.0")},
			},
			"openssl 1.0.2f exact\n",
		},
		"a client alone": {
			[]part{{path: "usr/bin/client", bytes: elf("", libcrypto, "libcrypto.so.1.0.0")}, {path: "x"}},
			"",
		},
		"a static link": {
			[]part{{path: "app", bytes: elf("", "\x00Big Number part of OpenSSL 1.0.2f  28 Jan 2016\x00")}, {path: "x"}},
			"openssl 1.0.2f exact\n",
		},
		"BusyBox and what its applets say": {
			[]part{{path: "bin/busybox", bytes: elf("", busybox)}, {path: "x"}},
			"busybox 1.22.1 exact\n",
		},
		"a script that names BusyBox": {
			[]part{{path: "etc/rc", bytes: "#!/bin/sh\n# made for BusyBox v1.22.1 (2017)\n"}, {path: "x"}},
			"",
		},
		"the short banner of gSOAP": {
			[]part{{path: "app", bytes: elf("", "gSOAP/2.8\x00")}, {path: "x"}},
			"gsoap 2.8 prefix\n",
		},
		"a short banner and a long name agree": {
			[]part{{path: "lib/libgsoap-2.8.124.so", bytes: elf("libgsoap-2.8.124.so", "gSOAP/2.8\x00")}, {path: "x"}},
			"gsoap 2.8.124 exact\n",
		},
		"a scanner's list": {
			[]part{{path: "app", bytes: elf("", "Boa/0.94.13\x00Boa/0.93.15\x00Boa/0.94.14rc21\x00lighttpd/1.4.31\x00lighttpd/1.4.35\x00lighttpd/1.4.69\x00")}, {path: "x"}},
			"",
		},
		"text of a scanner": {
			[]part{{path: "nmap-service-probes", bytes: "match http m|Server: Boa/0.94.13| SSH-2.0-dropbear_2022.83 lighttpd/1.4.69 expat_2.5.0"}, {path: "x"}},
			"",
		},
		"a program that another needs": {
			[]part{
				{path: "usr/sbin/lighttpd", bytes: elf("", "\x00lighttpd/1.4.69\x00", "libz.so.1", "libc.so.0")},
				{path: "lib/libz.so.1", bytes: elf("libz.so.1", " deflate 1.2.11 Copyright 1995-2017 Jean-loup Gailly and Mark Adler ", "libc.so.0")},
				{path: "lib/libuClibc-0.9.33.2.so", bytes: elf("libc.so.0", "")},
			},
			"lighttpd 1.4.69 exact >uclibc >zlib\nuclibc 0.9.33.2 exact\nzlib 1.2.11 exact >uclibc\n",
		},
		"what embeds a library does not need what the library needs": {
			[]part{
				{path: "app", bytes: elf("", " inflate 1.2.11 Copyright 1995-2017 Mark Adler ", "libcurl.so.4")},
				{path: "lib/libcurl.so.4", bytes: elf("libcurl.so.4", "\x00libcurl/7.36.0\x00")},
			},
			"curl 7.36.0 exact\nzlib 1.2.11 exact\n",
		},
		"two root filesystems": {
			[]part{
				{path: "a.squashfs", parts: []part{{path: "bin/busybox", bytes: elf("", busybox)}, {path: "x"}}},
				{path: "b.squashfs", parts: []part{{path: "bin/busybox", bytes: elf("", strings.ReplaceAll(busybox, "1.22.1", "1.31.0"))}, {path: "y"}}},
			},
			"busybox 1.22.1 exact\nbusybox 1.31.0 exact\n",
		},
		"a floor from versions of symbols, and a client that imports them": {
			[]part{
				{path: "lib/libjson-c.so.5", bytes: elf("libjson-c.so.5", "\x00JSONC_0.14\x00JSONC_0.16\x00JSONC_0.9\x00")},
				{path: "app", bytes: elf("", "\x00JSONC_0.17\x00", "libjson-c.so.5")},
			},
			"json-c 0.16 range\n",
		},
		"a kernel and a loader in the raw": {
			[]part{
				{path: "kernel", bytes: "\x00Linux version 3.10.14__isvp_swan_1.0__ (dev@build) (gcc version 4.7.2) #1 PREEMPT\n\x00"},
				{path: "uboot", bytes: "\x00U-Boot 2013.07 (Mar 08 2017 - 15:58:30)\x00"},
			},
			"linux 3.10.14 exact\nu-boot 2013.07 exact\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, list(newMade(t, c.parts...).identify(1))); d != "" {
				t.Errorf("components: -want +got\n%s", d)
			}
		})
	}
}

// TestWorkers wants the same from any number of workers.
func TestWorkers(t *testing.T) {
	m := newMade(t, camera...)
	want := m.identify(1)
	for _, n := range []int{2, 8} {
		if got := m.identify(n); !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers give another result than one", n)
		}
	}
}

// TestPackages lets a package take up what marks show in its own files.
func TestPackages(t *testing.T) {
	m := newMade(t, camera...)
	status := m.tree.Contents()[2].Digest
	box := m.tree.Contents()[3].Digest
	f := Found{Needs: []string{"libz"}}
	f.Component = Component{Name: "busybox-tiny", Type: "application", Version: "1:1.22.1-9", Claim: Exact, Purl: "pkg:deb/debian/busybox-tiny@1:1.22.1-9"}
	f.Evidence = []Evidence{{}}
	f.Evidence[0].Content, f.Evidence[0].Technique, f.Evidence[0].Rule = status, "package", "test"
	f.Files = append(f.Files, box)
	b := m.identify(1, finder{f})
	for _, c := range b.Components {
		if c.Name == "busybox" {
			t.Error("busybox is a component beside its package")
		}
		if c.Name == "busybox-tiny" {
			if len(c.Evidence) < 2 || c.Evidence[0].Relation != Records || c.CPE == "" {
				t.Errorf("package = %+v, want a record, a banner and a CPE", c)
			}
			return
		}
	}
	t.Error("no package")
}

// TestForeignPackage keeps a library that a maker's package holds as a component of its own.
func TestForeignPackage(t *testing.T) {
	m := newMade(t, camera...)
	f := Found{}
	f.Component = Component{Name: "camera-app", Type: "application", Version: "1.22.1", Claim: Exact}
	f.Evidence = []Evidence{{}}
	f.Evidence[0].Content, f.Evidence[0].Technique = m.tree.Contents()[2].Digest, "package"
	for _, c := range m.tree.Contents() {
		f.Files = append(f.Files, c.Digest)
	}
	got := list(m.identify(1, finder{f}))
	for _, want := range []string{"busybox 1.22.1", "json-c ", "camera-app 1.22.1"} {
		if !strings.Contains(got, want) {
			t.Errorf("components have no %q:\n%s", want, got)
		}
	}
}

// TestAltered holds files against what a record says of them.
func TestAltered(t *testing.T) {
	files := []part{
		{path: "var/lib/dpkg/status", bytes: "Package: app\n"},
		{path: "usr/bin/app", bytes: "as it was packed"},
		{path: "usr/bin/tool", bytes: "not as it was packed"},
		{path: "etc/app.conf", bytes: "changed by its user"},
	}
	m := newMade(t, files...)
	at := func(path string) artifact.Digest {
		for _, f := range files {
			if f.path == path {
				return sha256.Sum256([]byte(f.bytes))
			}
		}
		return artifact.Digest{}
	}
	f := Found{Component: Component{Name: "app", Version: "1", Claim: Exact}}
	f.Evidence = []Evidence{{Evidence: artifact.Evidence{Content: at("var/lib/dpkg/status"), Technique: "package", Rule: "test"}}}
	f.Recorded = []Recorded{
		{"usr/bin/app", at("usr/bin/app"), "sha256", at("usr/bin/app").String(), false},
		{"usr/bin/tool", at("usr/bin/tool"), "md5", "0cc175b9c0f1b6a831c399e269772661", false},
		{"usr/bin/gone", artifact.Digest{}, "md5", "0cc175b9c0f1b6a831c399e269772661", false},
		{"etc/app.conf", at("etc/app.conf"), "sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", true},
		{"usr/bin/odd", at("usr/bin/app"), "whirlpool", "00", false},
	}
	b := m.identify(2, finder{f})
	want := []Altered{
		{Path: "etc/app.conf", Config: true, Content: at("etc/app.conf"), Recorded: "sha1:86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", Found: "sha1:SUM"},
		{Path: "usr/bin/gone", Missing: true, Recorded: "md5:0cc175b9c0f1b6a831c399e269772661"},
		{Path: "usr/bin/tool", Content: at("usr/bin/tool"), Recorded: "md5:0cc175b9c0f1b6a831c399e269772661", Found: "md5:SUM"},
	}
	for i := range b.Altered {
		if name, _, ok := strings.Cut(b.Altered[i].Found, ":"); ok {
			b.Altered[i].Found = name + ":SUM"
		}
	}
	if d := cmp.Diff(want, b.Altered); d != "" {
		t.Errorf("Altered: -want +got\n%s", d)
	}
}

// TestLinks follows what scripts start and which modules modules want.
func TestLinks(t *testing.T) {
	files := []part{
		{path: "etc/init.d/S90app", bytes: "#!/bin/sh\n/usr/bin/app -d\n/usr/bin/app -x\n/sbin/gone\n"},
		{path: "usr/bin/app", bytes: elf("", "the program")},
		{path: "usr/share/readme", bytes: "run /usr/bin/app"},
		{path: "lib/modules/usb-cam.ko", bytes: "a module"},
		{path: "lib/modules/videobuf2_core.ko", bytes: "another"},
	}
	m := newMade(t, files...)
	digest := func(i int) artifact.Digest { return sha256.Sum256([]byte(files[i].bytes)) }
	vermagic := facts.Fact{Name: "modinfo.vermagic", Value: "4.9.37"}
	l := linker{plan: newPlan(m.tree), found: map[artifact.Digest]*facts.Facts{
		digest(3): {Facts: []facts.Fact{{Name: "modinfo.depends", Value: "videobuf2-core,gone"}, vermagic}},
		digest(4): {Facts: []facts.Fact{vermagic}},
	}}
	starts, err := l.starts(m.tree, m.store)
	if err != nil {
		t.Fatal(err)
	}
	got := append(l.modules(m.tree), starts...)
	want := []Link{
		{Kind: Module, From: digest(3), Needed: "videobuf2-core", To: []artifact.Digest{digest(4)}},
		{Kind: Module, From: digest(3), Needed: "gone"},
		{Kind: Starts, From: digest(0), Needed: "/usr/bin/app", At: artifact.Range{Off: 10, Len: 12}, To: []artifact.Digest{digest(1)}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("links: -want +got\n%s", d)
	}
}
