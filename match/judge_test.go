package match_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hallmark/artifact"
	"hallmark/facts"
	"hallmark/internal/literal"
	"hallmark/match"
)

// said makes facts of one name.
func said(name string, values ...string) (out [][2]string) {
	for _, v := range values {
		out = append(out, [2]string{name, v})
	}
	return out
}

func numbered(prefix string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint(prefix, i))
	}
	return out
}

var (
	module = file{path: "lib/modules/isp.ko", data: elf("author=HiMPP GRP version=Hi3516A_MPP_V1.0.5.0"),
		facts: append(said("modinfo.author", "HiMPP GRP"), said("modinfo.version", "Hi3516A_MPP_V1.0.5.0")...)}
	client = file{path: "opt/vms/libhcnetsdk.so", data: elf("libhcnetsdk.so"),
		facts: append(said("elf.soname", "libhcnetsdk.so"), said("elf.export", numbered("NET_DVR_Call", 60)...)...)}
	installDesc = file{path: "InstallDesc", data: `{"UpgradeCommand":[{"Command":"Burn","FileName":"romfs-x.squashfs.img"}],"Vendor":"General"}`}
	release     = file{path: "usr/lib/os-release", data: "NAME=Buildroot\nOPENIPC_VERSION=2.4.01.01\n"}
	signed      = file{path: "setup.exe", data: "MZ\x00 plug-in", facts: said("pe.signer.subject", "CN=Zhejiang Dahua Technology CO.\\,LTD.,O=Zhejiang Dahua Technology CO.\\,LTD.,C=CN")}
	authored    = file{path: "lib/modules/pdc.ko", data: elf("somebody@dahuatech.com"), facts: said("modinfo.author-domain", "dahuatech.com")}
	shell       = file{path: "etc/passwd", data: "root:x:0:0:root:/:/bin/psh\n"}
	hiroot      = file{path: "hroot.img", data: "ext2"}
	members     = []file{{path: "romfs-x.squashfs.img", data: "a"}, {path: "user-x.squashfs.img", data: "b"}}
	config      = file{path: "usr/sbin/upgraded", data: elf("\x00/mnt/mtd/Config/Account1\x00/mnt/custom/ProductDefinition\x00")}
)

func at(f file, path string) file { f.path = path; return f }

func with(files []file, more ...file) []file { return append(slices.Clone(files), more...) }

func TestJudge(t *testing.T) {
	type chunk struct {
		format string
		attrs  []artifact.Attr
		files  []file
	}
	attr := func(pairs ...string) (out []artifact.Attr) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, artifact.Attr{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	for _, c := range []struct {
		name   string
		chunks []chunk
		opaque int
		want   string // the statement
		not    []match.Class
	}{
		// Made by.
		{"container with a fitting sum", []chunk{{"hikvision", attr("magic", "SWKH", "checksum", "ok"), nil}}, 0, "contains device component of Hikvision", nil},
		{"container recognised, body encrypted", []chunk{{"hikvision", attr("magic", "02KH", "checksum", "ok"), nil}}, 4096, "contains device component of Hikvision", nil},
		{"first magic of a ZIP", []chunk{{"zip", attr("first-magic", "DH\x03\x04"), members}}, 0, "contains device component of Dahua", nil},
		{"module of the maker's own build", []chunk{{"squashfs", nil, []file{authored}}}, 0, "contains device component of Dahua", nil},
		{"two strong marks of two kinds in two files", []chunk{{"squashfs", nil, []file{shell, hiroot}}}, 0, "contains device component of Hikvision", nil},
		{"signature in a web root", []chunk{{"squashfs", nil, []file{at(signed, "www/webplugin.exe")}}}, 0, "contains device component of Dahua", []match.Class{match.SDKClient}},
		{"two makers at once", []chunk{{"hikvision", attr("magic", "SWKH", "checksum", "ok"), nil}, {"squashfs", nil, []file{authored}}}, 0, "contains device component of Dahua and Hikvision", nil},

		// Not enough.
		{"one strong mark", []chunk{{"squashfs", nil, []file{shell}}}, 0, "lead: Hikvision", []match.Class{match.Rebadged, match.Component}},
		{"two strong marks of one kind", []chunk{{"squashfs", nil, []file{hiroot, {path: "IElang.tar", data: "x"}, {path: "_cfgUpgClass", data: "y"}}}}, 0, "lead: Hikvision", []match.Class{match.Rebadged, match.Component}},
		{"two kinds in one file", []chunk{{"squashfs", nil, []file{{path: "hroot.img", data: "\x01\x00HKVS # \x00"}}}}, 0, "lead: Hikvision", []match.Class{match.Rebadged, match.Component}},
		{"many weak marks", []chunk{{"squashfs", nil, []file{{path: "dav", data: "x"}, {path: "da_info", data: "y"}, {path: "home/initrun.sh", data: "z"}}}}, 0, "no evidence at 100 % coverage", []match.Class{match.Rebadged, match.Component, match.LeadOnly}},
		{"a name and an unread rest", []chunk{{"squashfs", nil, []file{hiroot}}}, 4096, "lead: Hikvision", []match.Class{match.Rebadged, match.Component}},
		{"nothing, all read", []chunk{{"squashfs", nil, []file{{path: "bin/sh", data: elf("sh")}}}}, 0, "no evidence at 100 % coverage", nil},
		{"nothing, some unread", []chunk{{"squashfs", nil, []file{{path: "bin/sh", data: elf("sh")}}}}, 1 << 20, "inconclusive: no evidence in the ", nil},
		{"a damaged header", []chunk{{"dahua", attr("magic", "BUHD", "crc", "bad: 1 stored, 2 found"), nil}}, 0, "lead: Dahua", []match.Class{match.Rebadged, match.Component}},

		// The family that shares code.
		{"shared marks of one kind", []chunk{{"zip", attr("first-magic", "PK\x03\x04"), members}}, 0, "no evidence at 100 % coverage", []match.Class{match.Undetermined}},
		{"shared marks of two kinds", []chunk{{"zip", attr("first-magic", "PK\x03\x04"), members}, {"squashfs", nil, []file{config}}}, 0, "family undetermined: Dahua or Xiongmai", []match.Class{match.Rebadged, match.Component}},
		{"shared marks and an update list", []chunk{{"zip", attr("first-magic", "PK\x03\x04"), with(members, installDesc)}}, 0, "family undetermined: Dahua or Xiongmai", []match.Class{match.Rebadged, match.Component}},
		{"shared marks and a proof of one", []chunk{{"zip", attr("first-magic", "DH\x03\x04"), members}, {"squashfs", nil, []file{config}}}, 0, "contains device component of Dahua", []match.Class{match.Undetermined}},
		{"proofs of both", []chunk{{"zip", attr("first-magic", "DH\x03\x04"), with(members, installDesc)},
			{"ubootenv", attr("ua", "mw.b 0x82000000 ff 1000000;tftp 0x82000000 upall_verify.img;sf probe 0;flwrite"), nil}}, 0, "family undetermined: Dahua or Xiongmai", []match.Class{match.Rebadged, match.Component}},
		{"the other of the two", []chunk{{"zip", attr("first-magic", "PK\x03\x04"), with(members, installDesc)},
			{"squashfs", nil, []file{{path: "usr/bin/Sofia", data: elf("x")}}}}, 0, "contains device component of Xiongmai", nil},
		{"protocol of another maker in a release name", []chunk{{"zip", attr("first-magic", "PK\x03\x04"), []file{{path: "General_IPC_XM530_50X20-WG.Nat.dss.OnvifS.HIK_V5.00.R02.20210818_all.bin", data: "x"}}}}, 0, "lead: Xiongmai", []match.Class{match.Rebadged, match.Component}},

		// Free firmware.
		{"conversion package", []chunk{{"zip", attr("first-magic", "PK\x03\x04"), with(members, installDesc)},
			{"ubootenv", attr("manufacturer", "Xiongmai", "ua", "tftp 0x82000000 upall_verify.img;flwrite"), nil}, {"squashfs", nil, []file{release, module}}}, 0, "lead: Xiongmai; converted device: Xiongmai; replacement firmware: OpenIPC; covered silicon: HiSilicon", []match.Class{match.Rebadged, match.Component}},
		{"free firmware alone", []chunk{{"squashfs", nil, []file{release, module}}}, 0, "no evidence at 100 % coverage; replacement firmware: OpenIPC; covered silicon: HiSilicon", []match.Class{match.Rebadged, match.Component, match.Converted}},
		{"free firmware beside the maker's own build", []chunk{{"squashfs", nil, []file{release, authored}}}, 0, "contains device component of Dahua", []match.Class{match.Converted}},
		{"env names a maker", []chunk{{"ubootenv", attr("manufacturer", "Xiongmai"), nil}}, 0, "no evidence at 100 % coverage", nil},

		// Clients, kits, chips.
		{"modules of a chip", []chunk{{"squashfs", nil, []file{module}}}, 0, "no evidence at 100 % coverage; covered silicon: HiSilicon", []match.Class{match.Rebadged, match.Component}},
		{"recorder that bundles a kit", []chunk{{"squashfs", nil, []file{client, module}}}, 0, "contains SDK client of Hikvision", []match.Class{match.Rebadged, match.Component, match.LeadOnly}},
		{"program that calls a kit", []chunk{{"squashfs", nil, []file{{path: "opt/vms/server", data: elf("x"), facts: said("elf.import", numbered("NET_DVR_Call", 5)...)}}}}, 0, "compatible with devices of Hikvision", []match.Class{match.Rebadged, match.Component, match.SDKClient}},
		{"signed installer in a folder", []chunk{{"tar", nil, []file{signed}}}, 0, "contains SDK client of Dahua", []match.Class{match.Rebadged, match.Component}},
		{"streaming server with routes of many", []chunk{{"squashfs", nil, []file{{path: "usr/bin/stream", data: elf("rtspdvripSofiaHash/ISAPI/System/RPC2_Login/cam/realmonitorhikvisiondahuaApp-webs/isapi")}}}}, 0, "compatible with devices of Dahua", []match.Class{match.Rebadged, match.Component, match.SDKClient, match.LeadOnly}},
		{"a store of trust", []chunk{{"squashfs", nil, []file{{path: "etc/ssl/all.pem", data: "x", facts: said("x509.subject",
			append(numbered("CN=Example ", 10), "CN=cn.uniview.com,O=uniview", "CN=www.hikvision.com,O=HIKVISION")...)}}}}, 0, "no evidence at 100 % coverage", []match.Class{match.Rebadged, match.Component}},
		{"a list of makers in a program", []chunk{{"squashfs", nil, []file{{path: "usr/bin/nvr", data: elf("\x00Hikvision\x00Panasonic\x00Reolink\x00/proc/dahua/bootpara\x00")}}}}, 0, "no evidence at 100 % coverage", []match.Class{match.Rebadged, match.Component}},
		{"a script on a device", []chunk{{"squashfs", nil, []file{{path: "etc/init.d/rcS", data: "#!/bin/sh\ncat /proc/dahua/bootpara\n"}}}}, 0, "contains device component of Dahua", nil},
		{"the same script in an archive", []chunk{{"tar", nil, []file{{path: "etc/init.d/rcS", data: "#!/bin/sh\ncat /proc/dahua/bootpara\n"}}}}, 0, "no evidence at 100 % coverage", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newImage(t)
			for _, k := range c.chunks {
				m.add(t, k.format, k.attrs, k.files...)
			}
			if c.opaque > 0 {
				m.opaque(c.opaque)
			}
			res := m.judge(t, rules(t), match.Options{}, 1)
			if !strings.HasPrefix(res.Statement, c.want) {
				t.Errorf("statement %q, want %q", res.Statement, c.want)
			}
			for _, f := range res.Findings {
				if slices.Contains(c.not, f.Class) {
					t.Errorf("finding %q %s, because %s", f.Class, f.Name, f.Because)
				}
				if f.Because == "" || f.WouldChange == "" {
					t.Errorf("finding %q does not say why, or what would change it", f.Class)
				}
			}
			if text, _ := json.Marshal(res); strings.Contains(strings.ToLower(string(text)), `"clean`) {
				t.Error("the result says clean")
			}
		})
	}
}

// TestWorkers judges one image with several numbers of workers: not a byte may differ.
func TestWorkers(t *testing.T) {
	m := newImage(t).add(t, "zip", nil, with(members, installDesc, hiroot)...).
		add(t, "squashfs", nil, config, client, module, authored, at(signed, "www/a.exe"), shell).opaque(4096)
	r := rules(t)
	var want []byte
	for _, n := range []int{1, 2, 8} {
		got, err := json.Marshal(m.judge(t, r, match.Options{ClaimedBrand: "Amcrest"}, n))
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if string(got) != string(want) {
			t.Errorf("%d workers:\n%s\nwant\n%s", n, got, want)
		}
	}
}

// TestUpdateHandedOn has the same container as an update and as a file of a device: a recorder may
// hold updates for cameras of other makers.
func TestUpdateHandedOn(t *testing.T) {
	magic := []artifact.Attr{{Name: "magic", Value: "SWKH"}, {Name: "checksum", Value: "ok"}}
	for _, c := range []struct{ around, want string }{
		{"zip", "contains device component of Hikvision"},
		{"squashfs", "contains SDK client of Hikvision"},
	} {
		inner := newImage(t).add(t, "hikvision", magic)
		m := newImage(t).add(t, c.around, nil, file{path: "opt/updates/camera.dav", data: inner.data.String()})
		m.finish(t)
		d := m.root.Extents[0].Chunk.Nodes[0].Digest
		m.tree.Content(d).Extents = inner.root.Extents
		if got := m.judge(t, rules(t), match.Options{}, 1); got.Statement != c.want {
			t.Errorf("in %s: %q, want %q", c.around, got.Statement, c.want)
		}
	}
}

// TestFirstPattern searches for others' patterns in the same pass.
func TestFirstPattern(t *testing.T) {
	r := rules(t)
	set := literal.Compile(append([]literal.Pattern{{Bytes: "others' text"}}, r.Patterns()...))
	m := newImage(t).add(t, "squashfs", nil, shell, hiroot, file{path: "a", data: "others' text"})
	m.finish(t)
	found, _ := facts.Collect(t.Context(), m.tree, m.store, nil, set)
	for first, want := range map[int]string{1: "contains device component of Hikvision", len(r.Patterns()) + 1: "lead: Hikvision"} {
		res, err := match.Judge(t.Context(), m.tree, m.store, found, r, nil, match.Options{FirstPattern: first})
		if err != nil || res.Statement != want {
			t.Errorf("first pattern %d: %q, %v, want %q", first, res.Statement, err, want)
		}
	}
}

func TestWhiteLabel(t *testing.T) {
	r := rules(t)
	dahua := newImage(t).add(t, "squashfs", nil, authored)
	none := newImage(t).add(t, "squashfs", nil, module)
	for _, c := range []struct {
		image       *image
		brand, want string
	}{
		{dahua, "", ""},
		{dahua, "Amcrest", "Sold as Amcrest, but the bytes say: contains device component of Dahua; on record as OEM product of Dahua ("},
		{dahua, "dahua", "Sold as dahua; the bytes agree: contains device component of Dahua."},
		{dahua, "Lechange", "Sold as Lechange; the bytes agree"},
		{dahua, "Annke", "Sold as Annke, but the bytes say: contains device component of Dahua; on record, differently, as OEM product of Hikvision, some models"},
		{dahua, "Example", "Sold as Example, but the bytes say: contains device component of Dahua; no relation between the two is on record here."},
		{none, "Annke", "Sold as Annke; the bytes name no maker; on record as OEM product of Hikvision"},
	} {
		if got := c.image.judge(t, r, match.Options{ClaimedBrand: c.brand}, 1).WhiteLabel; !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%q: %q, want %q", c.brand, got, c.want)
		}
	}
}

// TestClaimedModel has what is claimed beside a model name that the bytes hold.
func TestClaimedModel(t *testing.T) {
	table := file{path: "etc/hwid", data: "IPC-HFW4231B:01:02:02:36:1A:00:01:00:00:00:00:258:00:00:00:00:00:01:00:00:100\n"}
	image := newImage(t).add(t, "squashfs", nil, authored, table)
	for _, c := range []struct{ brand, model, want string }{
		{"Amcrest", "IP4M-1041", "Sold as Amcrest IP4M-1041, but the bytes say: rebadged device of Dahua, with the model name IPC-HFW4231B in it; on record as OEM product of Dahua ("},
		{"", "IP4M-1041", "Sold as IP4M-1041; the bytes say: rebadged device of Dahua, with the model name IPC-HFW4231B in it."},
		{"Dahua", "IPC-HFW4231B", "Sold as Dahua IPC-HFW4231B; the bytes agree: device of Dahua."},
	} {
		got := image.judge(t, rules(t), match.Options{ClaimedBrand: c.brand, ClaimedModel: c.model}, 1)
		if !strings.HasPrefix(got.WhiteLabel, c.want) {
			t.Errorf("%q, want %q", got.WhiteLabel, c.want)
		}
	}
}
