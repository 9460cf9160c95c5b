package manifest

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"hallmark/artifact"
	"hallmark/elf"
)

const (
	near = 16 << 10 // bytes at either end of an ELF file: notes stand at its head, names of sections at its tail

	packageNote = 0xcafe1a7e // type of the note whose owner is FDO
)

// program reads what an ELF file says of what it was built of.
func program(s *artifact.Store, c *artifact.Content) (rule string, list []pack, text []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v) // debug/buildinfo reads a stranger's file
		}
	}()
	r, err := s.Open(c.Digest)
	if err != nil {
		return "", nil, nil, err
	}
	head, tail := make([]byte, min(near, c.Size)), make([]byte, min(near, c.Size))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return "", nil, nil, err
	}
	if _, err := r.ReadAt(tail, c.Size-int64(len(tail))); err != nil && err != io.EOF {
		return "", nil, nil, err
	}
	switch {
	case bytes.Contains(head, []byte("\x00Go\x00\x00")) || bytes.Contains(tail, []byte(".go.buildinfo\x00")):
		return "go-binary", golang(r), nil, nil
	case bytes.Contains(tail, []byte(".dep-v0\x00")):
		f, err := elf.Read(r, c.Size)
		if err != nil || f.Section(".dep-v0") == nil {
			return "", nil, nil, nil
		}
		at := f.Section(".dep-v0").File
		return "rust-binary", rust(io.NewSectionReader(r, at.Off, at.Len)), nil, nil
	case bytes.Contains(head, []byte("FDO\x00")):
		f, err := elf.Read(r, c.Size)
		if err != nil {
			return "", nil, nil, nil
		}
		for _, n := range f.Notes {
			if n.Owner != "FDO" || n.Type != packageNote || n.Desc.Len > near || !n.Desc.Within(c.Size) {
				continue
			}
			b := make([]byte, n.Desc.Len)
			if _, err := r.ReadAt(b, n.Desc.Off); err != nil && err != io.EOF {
				return "", nil, nil, err
			}
			return "elf-package-note", note(b), head, nil
		}
	}
	return "", nil, nil, nil
}

func golang(r io.ReaderAt) []pack {
	b, err := buildinfo.Read(r)
	if err != nil {
		return nil
	}
	std := strings.TrimPrefix(b.GoVersion, "go")
	std, _, _ = strings.Cut(std, " ")
	out := []pack{{name: "stdlib", title: "Go standard library", version: std, purl: purl("golang", "stdlib", std)}}
	if b.Main.Path != "" {
		p := pack{name: b.Main.Path, version: b.Main.Version, needs: []string{"stdlib"}}
		if p.version == "(devel)" {
			p.version = ""
		}
		p.purl = purl("golang", p.name, p.version)
		for _, d := range b.Deps {
			p.needs = append(p.needs, d.Path)
		}
		out = append(out, p)
	}
	for _, d := range b.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		out = append(out, pack{name: d.Path, version: d.Version, purl: purl("golang", d.Path, d.Version)})
	}
	return out
}

// rust reads the section of cargo-auditable: JSON, compressed.
func rust(r io.Reader) []pack {
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil
	}
	var x struct {
		Packages []struct {
			Name, Version, Kind string
			Dependencies        []int
		}
	}
	if json.NewDecoder(io.LimitReader(z, maxText)).Decode(&x) != nil {
		return nil
	}
	var out []pack
	for _, k := range x.Packages {
		if k.Kind == "build" {
			continue
		}
		p := pack{name: k.Name, version: k.Version, purl: purl("cargo", k.Name, k.Version)}
		for _, i := range k.Dependencies {
			if i >= 0 && i < len(x.Packages) {
				p.needs = append(p.needs, x.Packages[i].Name)
			}
		}
		out = append(out, p)
	}
	return out
}

func note(b []byte) []pack {
	var x struct{ Type, Name, Version, Architecture, OS, OSCPE string }
	if json.Unmarshal(bytes.TrimRight(b, "\x00"), &x) != nil || x.Name == "" {
		return nil
	}
	kind := cmp.Or(x.Type, "generic")
	name := x.Name
	if x.OS != "" && kind != "generic" {
		name = x.OS + "/" + name
	}
	return []pack{{name: x.Name, version: x.Version, purl: purl(kind, name, x.Version)}}
}
