package disguise

import (
	"bytes"
	"debug/elf"
	"os"
	"slices"
	"strings"
	"testing"
)

var options = Options{Seed: 7, Brands: []string{"examplecam"}, Label: "harbour"}

func apply(t *testing.T, files []File, names ...string) []File {
	t.Helper()
	before := slices.Clone(files)
	out, err := Apply(files, names, options)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Apply(before, names, options)
	if !slices.EqualFunc(out, again, func(a, b File) bool { return a.Path == b.Path && a.Link == b.Link && bytes.Equal(a.Data, b.Data) }) {
		t.Errorf("%q: another result the second time", names)
	}
	return out
}

func text(path, data string) File { return File{Path: path, Mode: 0o644, Data: []byte(data)} }

// self is a program of many symbols: the test itself, or what it is linked with.
func self(t *testing.T, path string) File {
	t.Helper()
	for _, name := range []string{"/usr/lib/x86_64-linux-gnu/libz.so.1", "/lib/x86_64-linux-gnu/libc.so.6", "/proc/self/exe"} {
		if b, err := os.ReadFile(name); err == nil && isELF(b) {
			return File{Path: path, Mode: 0o755, Data: b}
		}
	}
	t.Skip("no ELF file to be had here")
	return File{}
}

func TestBrands(t *testing.T) {
	out := apply(t, []File{text("www/ExampleCam.js", "a='ExampleCam';b='EXAMPLECAM.com';c='examplecams'")}, "brands")
	if got, want := string(out[0].Data), "a='HarbourhAr';b='HARBOURHAR.com';c='harbourhars'"; !strings.EqualFold(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if strings.Contains(strings.ToLower(out[0].Path+string(out[0].Data)), "examplecam") {
		t.Errorf("%s keeps the name", out[0].Path)
	}
}

func TestPrograms(t *testing.T) {
	f := self(t, "lib/a.so")
	want, err := elf.NewFile(bytes.NewReader(f.Data))
	if err != nil {
		t.Fatal(err)
	}
	symbols, _ := want.DynamicSymbols()
	out := apply(t, []File{f}, "prefix", "strings", "strip")[0]
	got, err := elf.NewFile(bytes.NewReader(out.Data))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Sections) != 0 || len(got.Progs) != len(want.Progs) || len(out.Data) > len(f.Data) {
		t.Errorf("%d sections, %d segments, %d bytes", len(got.Sections), len(got.Progs), len(out.Data))
	}
	p := program(out.Data)
	if p == nil || len(p.Exports) == 0 {
		t.Fatal("symbols are lost")
	}
	was := map[string]bool{}
	for _, s := range symbols {
		was[s.Name] = true
	}
	renamed := 0
	for _, s := range p.Exports {
		if !was[s.Name] {
			renamed++
		}
	}
	if renamed == 0 {
		t.Error("no symbol has another prefix")
	}
}

func TestWeb(t *testing.T) {
	script := `// made by ExampleCam
var firstValue = 1; /* two */ let other = { keepMe: firstValue, "x y": /a\/b/ };
function send(channel, mode) {
  return window.api.send("/cgi-bin/x?a=1", channel) + mode // end
}
a = b
++c`
	out := apply(t, []File{text("www/a.js", script), text("www/a.css", "/* c */ a > b { color: #336699;\n}\n"),
		text("www/i.html", "<html><!-- c --><title>Cam</title>\n  <p>x</p>")}, "reskin")
	js := string(out[0].Data)
	for _, keep := range []string{"keepMe:", `"x y"`, `/a\/b/`, "window.api.send(", `"/cgi-bin/x?a=1"`, "a=b\n++c"} {
		if !strings.Contains(js, keep) {
			t.Errorf("lost %s in %s", keep, js)
		}
	}
	for _, gone := range []string{"firstValue", "channel", "made by", "two", "  "} {
		if strings.Contains(js, gone) {
			t.Errorf("kept %s in %s", gone, js)
		}
	}
	if css := string(out[1].Data); !strings.HasPrefix(css, "a>b{color:#") || strings.Contains(css, "336699") {
		t.Errorf("css %s", css)
	}
	if html := string(out[2].Data); html != "<html><title>harbour</title><p>x</p>" {
		t.Errorf("html %s", html)
	}
}

func TestTree(t *testing.T) {
	files := []File{text("etc/net.conf", "host=cam.example.com"), text("bin/run.sh", "#!/bin/sh\nping cam.example.com\n"),
		{Path: "bin/sh", Link: "run.sh"}, {Path: "fw.img", Data: append([]byte("\x27\x05\x19\x56\x00"), make([]byte, 100)...)}}
	out := apply(t, files, "config", "hosts", "rename", "magic")
	if len(out[0].Data) > 0 {
		t.Error("settings are kept")
	}
	if s := string(out[1].Data); strings.Contains(s, "cam.example") || !strings.Contains(s, ".com") || len(s) != len(files[1].Data) {
		t.Errorf("hosts: %q", s)
	}
	if out[1].Path == "bin/run.sh" || !strings.HasPrefix(out[1].Path, "bin/") || out[2].Link != strings.TrimPrefix(out[1].Path, "bin/") {
		t.Errorf("names: %q, %q", out[1].Path, out[2].Link)
	}
	if bytes.HasPrefix(out[3].Data, []byte("\x27\x05\x19\x56")) {
		t.Error("magic is kept")
	}
	if f := apply(t, append(files, self(t, "bin/app")), "only"); len(f) != 1 || f[0].Path != "bin/app" {
		t.Errorf("only: %v", f[0].Path)
	}
	if _, err := Apply(files, []string{"moon"}, options); err == nil {
		t.Error("a kind that there is not")
	}
}
