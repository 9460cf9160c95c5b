package compare

import (
	"cmp"
	"strings"

	"hallmark/sbom"
)

// relation says how a declared version stands to one that was seen, best first.
type relation int

const (
	sameVersion relation = iota
	sameUpstream
	withinClaim
	noVersion // none declared
	notTold   // none seen
	otherVersion
)

// compareVersions holds a declared version against s.
func compareVersions(declared, purl string, s *Seen) relation {
	if declared == "" {
		return noVersion
	}
	switch s.Claim {
	case sbom.Presence:
		return notTold
	case sbom.Prefix:
		for _, v := range []string{declared, upstream(declared)} {
			if v == s.Version || strings.HasPrefix(v, s.Version+".") {
				return withinClaim
			}
		}
		return otherVersion
	case sbom.Range:
		if Order("", upstream(declared), upstream(s.Version)) >= 0 {
			return withinClaim
		}
		return otherVersion
	}
	if plainVersion(declared) == plainVersion(s.Version) {
		return sameVersion
	}
	if upstream(declared) != upstream(s.Version) {
		return otherVersion
	}
	// Two revisions of one upstream version differ, but only if both sides name one.
	if hasRevision(declared) && hasRevision(s.Version) && purlType(purl) == purlType(s.Purl) {
		return otherVersion
	}
	return sameUpstream
}

// plainVersion is v without what says nothing: a "v" before it, white space, case.
func plainVersion(v string) string {
	v = strings.ToLower(strings.TrimSpace(v))
	for _, lead := range []string{"version ", "release ", "release-", "rel-", "v.", "v"} {
		if rest, ok := strings.CutPrefix(v, lead); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return rest
		}
	}
	return v
}

// upstream is v without what a distribution adds: 1:1.2.3+dfsg-4+deb11u1 is 1.2.3.
func upstream(v string) string {
	v = plainVersion(v)
	if epoch, rest, ok := strings.Cut(v, ":"); ok && digits(epoch) {
		v = rest
	}
	if before, after := cutLast(v, '-'); after != "" && before != "" && before[0] >= '0' && before[0] <= '9' && revision(after) {
		v = before
	}
	for _, mark := range []string{"+dfsg", "~dfsg", ".dfsg", "+ds", "~ds", "+really", "+git", "~git", "+deb", "~deb"} {
		v, _, _ = strings.Cut(v, mark)
	}
	return v
}

func hasRevision(v string) bool { return upstream(v) != plainVersion(v) }

// revision reports whether s looks like the revision of a package (4+deb11u1, r2, 3.el8) and not
// like a part of the version (rc1, beta2).
func revision(s string) bool {
	s = strings.TrimPrefix(s, "r")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// Order compares two versions as their ecosystem does: "deb" and "opkg" by Debian's policy
// (https://www.debian.org/doc/debian-policy/ch-controlfields.html#version), "rpm" by
// https://rpm-software-management.github.io/rpm/man/rpm-version.7, others part by part: numbers
// as numbers, and alpha, beta, pre and rc before the release.
func Order(ecosystem, a, b string) int {
	switch ecosystem {
	case "deb", "opkg":
		return orderDebian(a, b)
	case "rpm":
		return orderRPM(a, b)
	}
	return orderUpstream(plainVersion(a), plainVersion(b))
}

// split takes epoch, version and revision apart.
func split(v string) (epoch, version, revision string) {
	epoch = "0"
	if e, rest, ok := strings.Cut(v, ":"); ok && digits(e) {
		epoch, v = e, rest
	}
	if before, after := cutLast(v, '-'); after != "" {
		return epoch, before, after
	}
	return epoch, v, ""
}

func orderDebian(a, b string) int {
	ea, va, ra := split(a)
	eb, vb, rb := split(b)
	return cmp.Or(orderNumber(ea, eb), debianPart(va, vb), debianPart(ra, rb))
}

// debianPart compares by turns what is no digit, where ~ stands before the end and letters before
// other characters, and numbers.
func debianPart(a, b string) int {
	weight := func(s string, i int) int {
		switch {
		case i >= len(s) || s[i] >= '0' && s[i] <= '9':
			return 0
		case s[i] == '~':
			return -1
		case s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z':
			return int(s[i])
		}
		return int(s[i]) + 256
	}
	for a != "" || b != "" {
		i := 0
		for weight(a, i) != 0 || weight(b, i) != 0 {
			if c := cmp.Compare(weight(a, i), weight(b, i)); c != 0 {
				return c
			}
			i++
		}
		a, b = a[min(i, len(a)):], b[min(i, len(b)):]
		na, nb := number(a), number(b)
		if c := orderNumber(na, nb); c != 0 {
			return c
		}
		a, b = a[len(na):], b[len(nb):]
	}
	return 0
}

// number returns the digits that s begins with.
func number(s string) string {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i]
}

// orderNumber compares digits of any length.
func orderNumber(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func orderRPM(a, b string) int {
	ea, va, ra := split(a)
	eb, vb, rb := split(b)
	c := cmp.Or(orderNumber(ea, eb), rpmPart(va, vb))
	if c == 0 && ra != "" && rb != "" {
		return rpmPart(ra, rb)
	}
	return c
}

func rpmPart(a, b string) int {
	for {
		a, b = rpmSkip(a), rpmSkip(b)
		switch ta, tb := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~"); {
		case ta && tb:
			a, b = a[1:], b[1:]
			continue
		case ta:
			return -1
		case tb:
			return 1
		}
		switch ca, cb := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^"); {
		case ca && cb:
			a, b = a[1:], b[1:]
			continue
		case ca || cb:
			if a == "" || b == "" || ca == cb {
				return cmp.Compare(len(a), len(b))
			}
			if ca {
				return -1
			}
			return 1
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b))
		}
		na, nb := number(a), number(b)
		if (na == "") != (nb == "") {
			return cmp.Compare(len(na), len(nb)) // numbers are newer than letters
		}
		c, la, lb := orderNumber(na, nb), len(na), len(nb)
		if na == "" {
			wa, wb := letters(a), letters(b)
			c, la, lb = strings.Compare(wa, wb), len(wa), len(wb)
		}
		if c != 0 {
			return c
		}
		a, b = a[la:], b[lb:]
	}
}

// rpmSkip drops what separates parts.
func rpmSkip(s string) string {
	return strings.TrimLeftFunc(s, func(r rune) bool {
		return !(r == '~' || r == '^' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
}

func letters(s string) string {
	i := 0
	for i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z') {
		i++
	}
	return s[:i]
}

// early are words for what comes before a release, in order.
var early = []string{"dev", "alpha", "beta", "pre", "preview", "rc"}

// orderUpstream compares as most projects count: 1.9 < 1.10, 1.0rc1 < 1.0, 1.0.2 < 1.0.2k.
func orderUpstream(a, b string) int {
	pa, pb := parts(a), parts(b)
	for i := 0; i < len(pa) || i < len(pb); i++ {
		var x, y string
		if i < len(pa) {
			x = pa[i]
		}
		if i < len(pb) {
			y = pb[i]
		}
		if c := orderPart(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// parts cuts a version into numbers and words.
func parts(v string) []string {
	var out []string
	for v != "" {
		n := max(len(number(v)), len(letters(v)))
		if n == 0 {
			v = v[1:]
			continue
		}
		out = append(out, v[:n])
		v = v[n:]
	}
	return out
}

// rankPart sorts early words before the end, the end before other words, and words before numbers.
func rankPart(s string) int {
	for i, w := range early {
		if s == w {
			return i - len(early)
		}
	}
	switch {
	case s == "":
		return 0
	case digits(s):
		return 2
	}
	return 1
}

func orderPart(x, y string) int {
	if digits(x) && digits(y) {
		return orderNumber(x, y)
	}
	if digits(x) && y == "" || x == "" && digits(y) { // 1.0 and 1.0.0
		return orderNumber(x, y)
	}
	return cmp.Or(cmp.Compare(rankPart(x), rankPart(y)), strings.Compare(x, y))
}
