package sbom

import (
	"fmt"
	"strings"
)

// names makes the package URL and the CPE of a component. Only an exact version is part of them.
func names(name, purl, cpe, version string, claim Claim) (string, string) {
	if purl == "" {
		purl = "pkg:generic/" + strings.ReplaceAll(name, "+", "%2B")
	}
	if claim != Exact {
		version = ""
	}
	part, ok := "a", cpe != ""
	if rest, is := strings.CutPrefix(cpe, "o/"); is {
		part, cpe = "o", rest
	}
	if !ok {
		cpe = ""
	} else {
		cpe = fmt.Sprintf("cpe:2.3:%s:%s:%s:*:*:*:*:*:*:*", part, strings.ReplaceAll(cpe, "/", `\/`), cpeVersion(version))
		cpe = strings.ReplaceAll(cpe, "+", `\+`)
	}
	if version != "" {
		purl += "@" + escapePurl(version)
	}
	return purl, cpe
}

func cpeVersion(v string) string {
	if v == "" {
		return "*"
	}
	var b strings.Builder
	for _, c := range strings.ToLower(v) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
			b.WriteRune(c)
		} else if c == ' ' {
			b.WriteByte('_')
		} else {
			b.WriteByte('\\')
			b.WriteRune(c)
		}
	}
	return b.String()
}

// escapePurl escapes what a package URL wants escaped in a version.
func escapePurl(s string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", "@", "%40", "?", "%3F", "#", "%23", "+", "%2B", ":", "%3A", "/", "%2F").Replace(s)
}
