package match_test

import (
	"slices"
	"testing"

	"hallmark/artifact"
	"hallmark/match"
)

// TestGroups needs two parts that do not depend on each other for the top of the ladder.
func TestGroups(t *testing.T) {
	magic := []artifact.Attr{{Name: "first-magic", Value: "DH\x03\x04"}}
	plugin := at(signed, "www/webplugin.exe")
	for _, c := range []struct {
		name  string
		image *image
		want  match.Verdict
		parts []string
	}{
		{"container and kernel", newImage(t).add(t, "zip", magic, members...).add(t, "squashfs", nil, authored), match.VerdictRebadged, []string{"container", "kernel"}},
		{"kernel and web", newImage(t).add(t, "squashfs", nil, authored, plugin), match.VerdictRebadged, []string{"kernel", "web"}},
		{"two decisive marks of one part", newImage(t).add(t, "zip", magic, members...).
			add(t, "dahua", []artifact.Attr{{Name: "magic", Value: "BUHD"}, {Name: "crc", Value: "ok"}}), match.VerdictComponent, []string{"container"}},
		{"a path and an author in one module", newImage(t).add(t, "squashfs", nil, file{path: "lib/modules/prc.ko",
			data:  elf("dahuatech.com\x00/home/jenkins/jk_slave/workspace/IPC_DH3.RG/prc\x00"),
			facts: said("modinfo.author-domain", "dahuatech.com")}), match.VerdictComponent, []string{"kernel"}},
		{"a table and a path in one program", newImage(t).add(t, "squashfs", nil, file{path: "usr/bin/app",
			data: elf("\x00/home/jenkins/jk_slave/workspace/IPC_DH3.RG/prc\x00IPC-HFW4231B:01:02:02:36:1A:00:01:00:00:00:00:258:00:00:00:00:00:01:00:00:100\x00")}),
			match.VerdictComponent, []string{"application"}},
		{"a decisive one and a strong one", newImage(t).add(t, "squashfs", nil, authored, file{path: "usr/bin/sonia", data: elf("x")}), match.VerdictComponent, []string{"kernel"}},
	} {
		res := c.image.judge(t, rules(t), match.Options{}, 1)
		if res.Verdict != c.want || !slices.Equal(res.Findings[0].Groups, c.parts) {
			t.Errorf("%s: %q by %q, want %q by %q", c.name, res.Verdict, res.Findings[0].Groups, c.want, c.parts)
		}
	}
}

// TestLeads has likeness alone, with an authored mark beside it, and in code that others wrote.
func TestLeads(t *testing.T) {
	program := file{path: "usr/bin/sonia", data: elf("x")}
	chip := file{path: "lib/modules/isp.ko", data: elf("HiMPP GRP"), facts: said("modinfo.author", "HiMPP GRP")}
	judge := func(family string, f file, o match.Options) *match.Result {
		m := newImage(t).add(t, "squashfs", nil, f)
		m.finish(t)
		d := m.root.Extents[0].Chunk.Nodes[0].Digest
		o.Leads = []match.Lead{{Content: d, Family: family, Component: "main", LLR: 9}}
		if o.ThirdParty != nil {
			o.ThirdParty[d] = "libmad"
		}
		return m.judge(t, rules(t), o, 1)
	}
	for _, c := range []struct {
		name   string
		family string
		file   file
		opts   match.Options
		want   string
	}{
		{"alone", "dahua", file{path: "usr/bin/app", data: elf("x")}, match.Options{}, "lead: Dahua"},
		{"unknown family", "lab-42", file{path: "usr/bin/app", data: elf("x")}, match.Options{}, "lead: lab-42"},
		{"anchored", "dahua", program, match.Options{}, "contains device component of Dahua"},
		{"anchored by another maker", "hikvision", program, match.Options{}, "lead: Dahua and Hikvision"},
		{"in the code of a chip", "dahua", chip, match.Options{}, "no evidence at 100 % coverage; covered silicon: HiSilicon"},
		{"in a library of others", "dahua", file{path: "usr/lib/a.so", data: elf("x")}, match.Options{ThirdParty: map[artifact.Digest]string{}}, "no evidence at 100 % coverage"},
	} {
		res := judge(c.family, c.file, c.opts)
		if res.Statement != c.want {
			t.Errorf("%s: %q, want %q", c.name, res.Statement, c.want)
		}
		for _, f := range res.Findings {
			if f.Score > 3.01 {
				t.Errorf("%s: score %v of one file", c.name, f.Score)
			}
		}
	}
}

// TestDiscounts has words where they prove nothing.
func TestDiscounts(t *testing.T) {
	imported := file{path: "usr/bin/cgi", data: elf("\x00hikcgiHandler\x00"), facts: said("elf.import", "hikcgiHandler")}
	debug := file{path: "usr/bin/app", data: elf("text\x00hikcgiHandler\x00"), facts: said("elf.loaded", "text")}
	namespace := file{path: "usr/bin/onvif", data: elf(`<a xmlns:h="MWare/Demo/HideDeviceInfo">`)}
	for _, c := range []struct {
		file file
		why  string
	}{
		{imported, "is the name of a symbol that others define"},
		{debug, "stands in bytes of a program that are not loaded"},
		{namespace, "is the name of an XML namespace"},
	} {
		res := newImage(t).add(t, "squashfs", nil, c.file).judge(t, rules(t), match.Options{}, 1)
		if res.Verdict != match.VerdictNone || !slices.ContainsFunc(res.Demoted, func(d match.Demoted) bool { return d.Why == c.why }) {
			t.Errorf("%s: %q, demoted %v", c.why, res.Statement, res.Demoted)
		}
	}
}

// TestEmpty says nothing of nothing.
func TestEmpty(t *testing.T) {
	m := newImage(t)
	m.finish(t)
	if res := m.judge(t, rules(t), match.Options{}, 1); res.Verdict != match.VerdictInconclusive || res.Conclusive {
		t.Errorf("%q", res.Statement)
	}
}
