package key

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"

	"hallmark/artifact"
)

// der is a run of elements in the distinguished encoding of ITU-T X.690, and where it stands.
// crypto/x509 refuses certificates that devices do carry (negative serials, odd strings, times),
// so elements are read one by one.
type der struct {
	b   []byte
	off int64
}

// Tags of X.690.
const (
	tagInteger   = 0x02
	tagBits      = 0x03
	tagOctets    = 0x04
	tagOID       = 0x06
	tagUTC       = 0x17
	tagTime      = 0x18
	tagSequence  = 0x30
	tagSet       = 0x31
	tagContext0  = 0xa0
	tagContext1  = 0xa1
	tagContext3  = 0xa3
	tagImplicit1 = 0x81
	tagImplicit2 = 0x82
)

// header reads an element's tag and length: bytes of the header and of the content. ok is false
// if the length is not in its shortest form.
func header(b []byte) (head, n int, ok bool) {
	if len(b) < 2 {
		return 0, 0, false
	}
	switch c := b[1]; {
	case c < 0x80:
		return 2, int(c), true
	case c == 0x81 && len(b) >= 3:
		return 3, int(b[2]), b[2] >= 0x80
	case c == 0x82 && len(b) >= 4:
		return 4, int(binary.BigEndian.Uint16(b[2:])), b[2] != 0
	case c == 0x83 && len(b) >= 5:
		return 5, int(b[2])<<16 | int(b[3])<<8 | int(b[4]), b[2] != 0
	}
	return 0, 0, false
}

// take takes the first element off d, if it has that tag: its content, and the whole of it.
func (d *der) take(tag byte) (content, whole der, ok bool) {
	if len(d.b) == 0 || d.b[0] != tag {
		return der{}, der{}, false
	}
	_, content, whole, ok = d.next()
	return content, whole, ok
}

func (d *der) next() (tag byte, content, whole der, ok bool) {
	head, n, ok := header(d.b)
	if !ok || n > len(d.b)-head {
		return 0, der{}, der{}, false
	}
	tag, whole = d.b[0], der{d.b[:head+n], d.off}
	content = der{d.b[head : head+n], d.off + int64(head)}
	*d = der{d.b[head+n:], d.off + int64(head+n)}
	return tag, content, whole, true
}

func (d der) at() artifact.Range { return artifact.Range{Off: d.off, Len: int64(len(d.b))} }

// number takes a positive INTEGER and returns its content without the byte for the sign.
func (d *der) number() (content, whole der, ok bool) {
	content, whole, ok = d.take(tagInteger)
	if !ok || len(content.b) == 0 || content.b[0] >= 0x80 {
		return der{}, der{}, false
	}
	if content.b[0] == 0 && len(content.b) > 1 {
		if content.b[1] < 0x80 {
			return der{}, der{}, false
		}
		content = der{content.b[1:], content.off + 1}
	}
	return content, whole, true
}

// version takes an INTEGER that is v.
func (d *der) version(v byte) bool {
	c, _, ok := d.take(tagInteger)
	return ok && len(c.b) == 1 && c.b[0] == v
}

func bitLen(b []byte) int {
	for i, c := range b {
		if c != 0 {
			return (len(b)-i-1)*8 + bits.Len8(c)
		}
	}
	return 0
}

// oid writes the content of an OBJECT IDENTIFIER with dots; "" if it is none.
func oid(b []byte) string {
	if len(b) == 0 || len(b) > 64 || b[len(b)-1] >= 0x80 {
		return ""
	}
	var parts []string
	var n uint64
	for _, c := range b {
		if n > 1<<56 {
			return ""
		}
		n = n<<7 | uint64(c&0x7f)
		if c >= 0x80 {
			continue
		}
		if parts == nil {
			first := min(n/40, 2)
			parts = append(parts, strconv.FormatUint(first, 10))
			n -= first * 40
		}
		parts = append(parts, strconv.FormatUint(n, 10))
		n = 0
	}
	return strings.Join(parts, ".")
}

// encode writes one element.
func encode(tag byte, content ...[]byte) []byte {
	n := 0
	for _, c := range content {
		n += len(c)
	}
	b := []byte{tag}
	switch {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 0x100:
		b = append(b, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	for _, c := range content {
		b = append(b, c...)
	}
	return b
}

// encodeNumber writes the INTEGER whose magnitude is b.
func encodeNumber(b []byte) []byte {
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 || b[0] >= 0x80 {
		return encode(tagInteger, []byte{0}, b)
	}
	return encode(tagInteger, b)
}
