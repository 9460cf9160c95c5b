package compare

import (
	_ "embed"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
)

//go:embed aliases.json
var aliasText []byte

// aliases maps each other name, in its plain form, to the name that stands first in its group.
var aliases = sync.OnceValue(func() map[string]string {
	var groups [][]string
	if err := json.Unmarshal(aliasText, &groups); err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	out := map[string]string{}
	for _, g := range groups {
		for _, name := range g {
			out[plain(name)] = plain(g[0])
		}
	}
	return out
})

// plain is a name without what projects and distributions write differently.
func plain(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '+' || r > 0x7f {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// canonical is the one form of a name that all of its forms have in common.
func canonical(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	for _, form := range forms(name) {
		if to, ok := aliases()[form]; ok {
			return to
		}
	}
	all := forms(name)
	return all[len(all)-1]
}

// forms are a name as it is, without the version of its ABI and without what a distribution
// splits off, from the most to the least exact.
func forms(name string) []string {
	p := plain(name)
	out := []string{p}
	lower := strings.ToLower(name)
	for _, tail := range []string{"-dev", "-bin", "-utils", "-tools", "-common", "-data", "-base", "-libs", "-lib", "-core", "-library", "-sdk", "-doc", "-conf"} {
		if cut, ok := strings.CutSuffix(lower, tail); ok && cut != "" {
			lower = cut
			out = append(out, plain(lower))
			break
		}
	}
	if cut, _, ok := strings.Cut(lower, ".so"); ok && cut != "" {
		lower = cut
		out = append(out, plain(lower))
	}
	// libfoo1.2, libfoo-3, libfoo3t64; but not libx264
	lower = strings.TrimSuffix(lower, "t64")
	if cut := strings.TrimRight(strings.TrimRight(lower, "0123456789."), "-"); len(cut) >= 3 && cut != lower && !strings.HasSuffix(cut, "x") {
		lower = cut
		out = append(out, plain(lower))
	}
	if cut, ok := strings.CutPrefix(lower, "lib"); ok && len(cut) >= 2 {
		out = append(out, plain(cut))
	}
	return out
}

// keys are what a component is found by, strongest first.
func keys(name, purl, cpe, source string) []string {
	var out []string
	add := func(k string) {
		for _, have := range out {
			if have == k {
				return
			}
		}
		out = append(out, k)
	}
	kind, space, short, upstream := splitPurl(purl)
	if kind != "" && kind != "generic" {
		add("purl:" + kind + "/" + space + "/" + short)
	}
	if vendor, product := splitCPE(cpe); product != "" {
		add("cpe:" + vendor + ":" + product)
		add("name:" + canonical(product))
	}
	if languages[kind] {
		add("name:" + kind + ":" + plain(short))
	}
	for _, n := range []string{source, upstream, name, short} {
		if n != "" {
			add("name:" + canonical(n))
		}
	}
	return out
}

// languages are the kinds of packages whose names say nothing outside of their own registry: the
// npm package tar is not the program.
var languages = map[string]bool{
	"cargo": true, "composer": true, "cpan": true, "cran": true, "gem": true, "golang": true, "hackage": true, "hex": true,
	"maven": true, "npm": true, "nuget": true, "pub": true, "pypi": true, "swift": true,
}

// asked are the keys by which a declared component is looked for.
func (d *Declared) asked() []string {
	all := keys(d.Name, d.Purl, d.CPE, "")
	kind := purlType(d.Purl)
	if !languages[kind] {
		return all
	}
	return slices.DeleteFunc(all, func(k string) bool { return strings.HasPrefix(k, "name:") && !strings.HasPrefix(k, "name:"+kind+":") })
}

// splitPurl takes a package URL apart (https://github.com/package-url/purl-spec). upstream is the
// qualifier that names the source package.
func splitPurl(purl string) (kind, space, name, upstream string) {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return "", "", "", ""
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, qualifiers, _ := strings.Cut(rest, "?")
	rest, _ = cutLast(rest, '@')
	kind, rest, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/")
	space, name = "", rest
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		space, name = rest[:i], rest[i+1:]
	}
	for _, q := range strings.Split(qualifiers, "&") {
		if v, ok := strings.CutPrefix(q, "upstream="); ok {
			upstream, _ = cutLast(unescape(v), '@')
		}
	}
	return strings.ToLower(kind), strings.ToLower(unescape(space)), strings.ToLower(unescape(name)), upstream
}

func purlType(purl string) string {
	kind, _, _, _ := splitPurl(purl)
	return kind
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

func cutLast(s string, sep byte) (before, after string) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// splitCPE returns vendor and product of a CPE, 2.3 or 2.2.
func splitCPE(cpe string) (vendor, product string) {
	rest, ok := strings.CutPrefix(cpe, "cpe:2.3:")
	if !ok {
		if rest, ok = strings.CutPrefix(cpe, "cpe:/"); !ok {
			return "", ""
		}
	}
	parts := strings.Split(strings.ReplaceAll(rest, `\:`, "\x00"), ":")
	if len(parts) < 3 || parts[2] == "*" || parts[2] == "" {
		return "", ""
	}
	clean := strings.NewReplacer(`\`, "", "\x00", ":")
	return clean.Replace(strings.ToLower(parts[1])), clean.Replace(strings.ToLower(parts[2]))
}
