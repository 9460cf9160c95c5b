package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// purl makes a package URL of kind, whose name may have a namespace before a slash.
func purl(kind, name, version string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(parts[i]), "@", "%40")
	}
	out := "pkg:" + kind + "/" + strings.Join(parts, "/")
	if version != "" {
		out += "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
	}
	return out
}

var separators = regexp.MustCompile(`[-_.]+`)

// python reads the header of core metadata, up to the first empty line.
func python(text []byte, _ string) []pack {
	var p pack
	in := bufio.NewScanner(bytes.NewReader(text))
	in.Buffer(nil, 1<<20)
	for in.Scan() && in.Text() != "" {
		key, value, ok := strings.Cut(in.Text(), ":")
		if !ok || strings.HasPrefix(key, " ") {
			continue
		}
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			p.name, p.near = value, in.Text()
		case "Version":
			p.version = value
		case "License-Expression", "License":
			if value != "UNKNOWN" {
				p.licence = value
			}
		case "Summary":
			p.title = value
		case "Requires-Dist":
			if !strings.Contains(value, "extra ==") {
				p.needs = append(p.needs, requirement.FindString(value))
			}
		}
	}
	p.purl = purl("pypi", strings.ToLower(separators.ReplaceAllString(p.name, "-")), p.version)
	return []pack{p}
}

var requirement = regexp.MustCompile(`^[A-Za-z0-9._-]*`)

func node(text []byte, _ string) []pack {
	var x struct {
		Name, Version, Description string
		License                    any
		Dependencies               map[string]any
	}
	if json.Unmarshal(text, &x) != nil || x.Version == "" { // without one it only says how to load a folder
		return nil
	}
	p := pack{name: x.Name, version: x.Version, title: x.Description, purl: purl("npm", x.Name, x.Version)}
	p.licence, _ = x.License.(string)
	for name := range x.Dependencies {
		p.needs = append(p.needs, name)
	}
	return []pack{p}
}

type composed struct {
	Name, Version, Description string
	License                    []string
	Require                    map[string]any
}

// composer reads vendor/composer/installed.json, a list until Composer 2.
func composer(text []byte, _ string) []pack {
	var two struct{ Packages []composed }
	if json.Unmarshal(text, &two) != nil && json.Unmarshal(text, &two.Packages) != nil {
		return nil
	}
	var out []pack
	for _, x := range two.Packages {
		version := strings.TrimPrefix(x.Version, "v")
		p := pack{name: x.Name, version: version, title: x.Description, purl: purl("composer", x.Name, version), licence: strings.Join(x.License, " OR ")}
		for name := range x.Require {
			p.needs = append(p.needs, name)
		}
		out = append(out, p)
	}
	return out
}

var rock = regexp.MustCompile(`(?m)^\s*(package|version)\s*=\s*["']([^"'\n]+)["']`)

// rockspec reads two assignments of a Lua program, without running it.
func rockspec(text []byte, _ string) []pack {
	var p pack
	for _, m := range rock.FindAllStringSubmatch(string(text), 16) {
		if m[1] == "package" && p.name == "" {
			p.name = m[2]
		} else if m[1] == "version" && p.version == "" {
			p.version = m[2]
		}
	}
	p.purl = purl("luarocks", strings.ToLower(p.name), p.version)
	return []pack{p}
}

// maven reads the properties that Maven puts into an archive.
func maven(text []byte, _ string) []pack {
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(k, "#") {
			fields[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	name, group := fields["artifactId"], fields["groupId"]
	return []pack{{name: name, version: fields["version"], purl: purl("maven", group+"/"+name, fields["version"])}}
}
