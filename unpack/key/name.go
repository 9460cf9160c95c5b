package key

import (
	"encoding/hex"
	"strings"
	"unicode/utf16"
)

// attribute returns the short name of an attribute type: those of RFC 4514 section 3, and what
// else is common in devices.
func attribute(oid string) string {
	switch oid {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.5":
		return "SERIALNUMBER"
	case "2.5.4.6":
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "ST"
	case "2.5.4.9":
		return "STREET"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "2.5.4.17":
		return "POSTALCODE"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "1.2.840.113549.1.9.1":
		return "emailAddress"
	}
	return oid
}

// maxParts bounds the parts of a distinguished name.
const maxParts = 64

// name writes a distinguished name as RFC 4514 does: the last attribute first. ok is false if
// d is not one.
func name(d der) (s string, ok bool) {
	var parts []string
	for len(d.b) > 0 {
		set, _, ok := d.take(tagSet)
		if !ok || len(set.b) == 0 || len(parts) == maxParts {
			return "", false
		}
		var pairs []string
		for len(set.b) > 0 {
			pair, _, ok1 := set.take(tagSequence)
			id, _, ok2 := pair.take(tagOID)
			tag, value, _, ok3 := pair.next()
			if !ok1 || !ok2 || !ok3 || len(pairs) == maxParts || oid(id.b) == "" {
				return "", false
			}
			pairs = append(pairs, attribute(oid(id.b))+"="+escape(text(tag, value.b)))
		}
		parts = append([]string{strings.Join(pairs, "+")}, parts...)
	}
	return strings.Join(parts, ","), true
}

// text decodes a string by its tag.
func text(tag byte, b []byte) string {
	switch tag {
	case 30: // BMPString
		u := make([]uint16, len(b)/2)
		for i := range u {
			u[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		}
		return string(utf16.Decode(u))
	case 20: // T61String, in practice Latin-1
		r := make([]rune, len(b))
		for i, c := range b {
			r[i] = rune(c)
		}
		return string(r)
	case 12, 18, 19, 22, 26: // UTF8String, NumericString, PrintableString, IA5String, VisibleString
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return "#" + hex.EncodeToString(b)
}

func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case strings.ContainsRune(`,+"\<>;`, r), r == '#' && i == 0, r == ' ' && (i == 0 || i == len(s)-1):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == 0:
			b.WriteString(`\00`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// instant writes a UTCTime or GeneralizedTime in UTC, with or without seconds, as RFC 3339 does.
// It returns "" if the time has another zone, which DER forbids, or is none.
func instant(tag byte, b []byte) string {
	s, ok := strings.CutSuffix(string(b), "Z")
	if !ok || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	switch {
	case tag == tagUTC && (len(s) == 10 || len(s) == 12) && s >= "5": // RFC 5280 section 4.1.2.5.1
		s = "19" + s
	case tag == tagUTC && (len(s) == 10 || len(s) == 12):
		s = "20" + s
	case tag != tagTime || len(s) != 12 && len(s) != 14:
		return ""
	}
	if len(s) == 12 {
		s += "00"
	}
	for _, part := range []struct{ value, min, max string }{
		{s[4:6], "01", "12"}, {s[6:8], "01", "31"}, {s[8:10], "00", "23"}, {s[10:12], "00", "59"}, {s[12:], "00", "59"},
	} {
		if part.value < part.min || part.value > part.max {
			return ""
		}
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:8] + "T" + s[8:10] + ":" + s[10:12] + ":" + s[12:] + "Z"
}
