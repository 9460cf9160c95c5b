package facts

import (
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"unicode/utf16"
)

// der is a run of elements in the distinguished encoding of ITU-T X.690, and where it stands.
// crypto/x509 refuses certificates that devices do carry (negative serials, odd strings, times),
// so names are read from the elements themselves.
type der struct {
	b   []byte
	off int // of b in the certificate or signature
}

// next takes the first element off d: its tag, its content, and the whole of it with the header.
func (d *der) next() (tag byte, content, whole der, ok bool) {
	if len(d.b) < 2 {
		return 0, der{}, der{}, false
	}
	head, n := 2, int(d.b[1])
	if n >= 0x80 {
		k := n & 0x7f
		if k == 0 || k > 4 || len(d.b) < 2+k { // no indefinite length in DER
			return 0, der{}, der{}, false
		}
		n = 0
		for _, c := range d.b[2 : 2+k] {
			n = n<<8 | int(c)
		}
		head += k
	}
	if n < 0 || n > len(d.b)-head {
		return 0, der{}, der{}, false
	}
	tag = d.b[0]
	content = der{d.b[head : head+n], d.off + head}
	whole = der{d.b[:head+n], d.off}
	*d = der{d.b[head+n:], d.off + head + n}
	return tag, content, whole, true
}

// expect takes the first element off d if it has that tag.
func (d *der) expect(tag byte) (content, whole der, ok bool) {
	if len(d.b) == 0 || d.b[0] != tag {
		return der{}, der{}, false
	}
	_, content, whole, ok = d.next()
	return content, whole, ok
}

// Tags of X.690 and of X.509's context.
const (
	tagInteger  = 0x02
	tagOID      = 0x06
	tagSequence = 0x30
	tagSet      = 0x31
	tagContext0 = 0xa0
)

// attributeNames are the short names of RFC 4514 section 3, and what else is common in devices.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET",
	"2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.17": "POSTALCODE", "0.9.2342.19200300.100.1.25": "DC",
	"0.9.2342.19200300.100.1.1": "UID", "1.2.840.113549.1.9.1": "emailAddress",
}

// name writes a distinguished name as RFC 4514 does: the last attribute first.
func name(rdns der) string {
	var parts []string
	for {
		set, _, ok := rdns.expect(tagSet)
		if !ok {
			break
		}
		var pairs []string
		for {
			pair, _, ok := set.expect(tagSequence)
			if !ok {
				break
			}
			_, oid, ok := pair.expect(tagOID)
			tag, value, _, ok2 := pair.next()
			if ok && ok2 {
				pairs = append(pairs, attributeName(oid.b)+"="+escape(text(tag, value.b)))
			}
		}
		parts = append([]string{strings.Join(pairs, "+")}, parts...)
		if len(parts) > 64 {
			break
		}
	}
	return strings.Join(parts, ",")
}

func attributeName(whole []byte) string {
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(whole, &oid); err != nil {
		return "OID." + hex.EncodeToString(whole)
	}
	if short, ok := attributeNames[oid.String()]; ok {
		return short
	}
	return oid.String()
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
