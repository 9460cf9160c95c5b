package key

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/codec"
	"hallmark/unpack/format"
)

// OpenPGP is one armoured block of OpenPGP. What a message holds comes out, encrypted as it may be; of
// keys their fingerprints and users are told; signatures are told.
var OpenPGP = format.Format{
	Name:   "openpgp",
	Title:  "OpenPGP armour",
	Kind:   format.Crypto,
	Magics: []format.Magic{{Bytes: pgpBegin}},
	Refs: []format.Ref{
		{Title: "RFC 9580", URL: "https://www.rfc-editor.org/rfc/rfc9580"},
		{Title: "RFC 4880", URL: "https://www.rfc-editor.org/rfc/rfc4880"},
	},
	Limits: []string{
		"Encrypted messages are yielded as they are stored; signatures are not verified.",
		"Messages without armour are not recognised.",
		"Private keys are told, not handed out.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return openPGP(src) },
}

const (
	pgpBegin = pemBegin + "PGP "
	maxPGP   = 64 << 20 // of text
)

// Tags of packets.
const (
	pgpKeyFor     = 1 // the session key, for a public key
	pgpSignature  = 2
	pgpPassphrase = 3 // the session key, by a passphrase
	pgpSecret     = 5
	pgpPublic     = 6
	pgpSecretSub  = 7
	pgpCompressed = 8
	pgpSealed     = 9
	pgpLiteral    = 11
	pgpUser       = 13
	pgpPublicSub  = 14
	pgpSealed2    = 18
	pgpSealed3    = 20
)

func openPGP(src format.Source) (*chunk, error) {
	label, size, b, err := readArmour(src)
	if err != nil {
		return nil, err
	}
	c := &chunk{size: size}
	at := artifact.Range{Len: int64(len(pgpBegin + label + pemDash))}
	first, ok := nextPacket(b)
	if !ok {
		return nil, format.Not("openpgp: no packet")
	}
	c.tell("block", "PGP "+label, at)
	switch first.tag {
	case pgpKeyFor, pgpPassphrase, pgpSealed, pgpSealed2, pgpSealed3:
		c.hold("message.pgp", b)
		c.entries[0].Problems = []artifact.Problem{{Kind: artifact.Encrypted, At: artifact.Range{Len: size}, Detail: "openpgp: encrypted message"}}
	}
	var users []byte
	for rest := b; len(rest) > 0; {
		p, ok := nextPacket(rest)
		if !ok {
			break
		}
		rest = p.rest
		switch p.tag {
		case pgpKeyFor:
			if len(p.body) > 9 && p.body[0] == 3 {
				c.tell("recipient", hex.EncodeToString(p.body[1:9]), at)
			}
		case pgpPassphrase:
			c.tell("recipient", "passphrase", at)
		case pgpPublic, pgpPublicSub, pgpSecret, pgpSecretSub:
			c.pgpKey(p, at)
		case pgpUser:
			c.tell("user", strings.ToValidUTF8(string(p.body), "\uFFFD"), at)
			users = append(append(users, p.body...), '\n')
		case pgpCompressed:
			c.pgpCompressed(p.body)
		case pgpLiteral:
			if name, text, ok := literal(p.body); ok {
				c.hold(name, text)
			}
		}
	}
	c.hold("users", users)
	return c, nil
}

// readArmour reads a BEGIN line, headers up to an empty line, base64, perhaps a checksum behind "=", and an END line.
func readArmour(src format.Source) (label string, size int64, b []byte, err error) {
	w := &window{src: src}
	line := func(off int64) (text []byte, next int64, ok bool) {
		b := w.at(off, 1024)
		line, rest, ok := cutLine(b)
		return bytes.TrimRight(line, " \t"), off + int64(len(b)-len(rest)), ok
	}
	begin, off, ok := line(0)
	label, ok1 := strings.CutPrefix(string(begin), pgpBegin)
	label, ok2 := strings.CutSuffix(label, pemDash)
	if !ok || !ok1 || !ok2 || strings.HasPrefix(label, "SIGNED") || len(label) > 64 || strings.Trim(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,/") != "" {
		return label, 0, nil, format.Not("openpgp: label")
	}
	var coded, sum []byte
	headers := true
	for limit := min(maxPGP, src.Memory()/4); off < limit; {
		text, next, ok := line(off)
		switch {
		case string(text) == pemEnd+"PGP "+label+pemDash:
			size = next
			if !ok { // the END line ends the content, without a line end
				size = off + int64(len(text))
			}
			b = make([]byte, base64.StdEncoding.DecodedLen(len(coded)))
			n, err := base64.StdEncoding.Decode(b, coded)
			if err != nil || n == 0 {
				return label, 0, nil, format.Not("openpgp: base64 of %d bytes: %v", len(coded), err)
			}
			b = b[:n]
			if sum != nil && string(sum[1:]) != crc24(b) {
				return label, 0, nil, format.Not("openpgp: checksum %s", sum)
			}
			return label, size, b, nil
		case !ok:
			return label, 0, nil, format.Not("openpgp: no end")
		case headers && bytes.Contains(text, []byte(": ")):
		case len(text) == 0:
			headers = false
		case len(text) == 5 && text[0] == '=':
			sum = bytes.Clone(text)
		case len(bytes.Trim(text, base64Digits+"=")) == 0:
			headers, coded = false, append(coded, text...)
		default:
			return label, 0, nil, format.Not("openpgp: a line at %#x that is no base64", off)
		}
		off = next
	}
	return label, 0, nil, format.Not("openpgp: no end")
}

// crc24 returns the checksum of armour, RFC 9580 section 6.1.
func crc24(b []byte) string {
	sum := uint32(0xb704ce)
	for _, c := range b {
		sum ^= uint32(c) << 16
		for range 8 {
			if sum <<= 1; sum&0x1000000 != 0 {
				sum ^= 0x1864cfb
			}
		}
	}
	return base64.StdEncoding.EncodeToString([]byte{byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

type packet struct {
	tag        byte
	body, rest []byte
}

// nextPacket reads the packet that b begins with. A body in pieces is joined, one that is cut off ends where b does.
func nextPacket(b []byte) (p packet, ok bool) {
	if len(b) < 2 || b[0]&0x80 == 0 {
		return p, false
	}
	if b[0]&0x40 == 0 { // the older form: the tag, and how long the length is
		p.tag = b[0] >> 2 & 15
		n := 1 << (b[0] & 3)
		if n == 8 || len(b) < 1+n {
			p.body = b[1:]
			return p, n == 8 && p.tag != 0
		}
		var size uint64
		for _, c := range b[1 : 1+n] {
			size = size<<8 | uint64(c)
		}
		p.body, p.rest = split(b[1+n:], size)
		return p, p.tag != 0
	}
	p.tag = b[0] & 0x3f
	for b = b[1:]; len(b) > 0; {
		var piece []byte
		switch n := b[0]; {
		case n < 192:
			p.body = append(p.body, cut(b[1:], uint64(n))...)
			_, p.rest = split(b[1:], uint64(n))
			return p, p.tag != 0
		case n < 224 && len(b) > 1:
			size := uint64(n-192)<<8 + uint64(b[1]) + 192
			p.body = append(p.body, cut(b[2:], size)...)
			_, p.rest = split(b[2:], size)
			return p, p.tag != 0
		case n == 255 && len(b) > 4:
			size := uint64(binary.BigEndian.Uint32(b[1:]))
			p.body = append(p.body, cut(b[5:], size)...)
			_, p.rest = split(b[5:], size)
			return p, p.tag != 0
		case n < 224 || n == 255:
			return p, false
		default: // a piece, and more behind it
			piece, b = split(b[1:], 1<<(n&0x1f))
			p.body = append(p.body, piece...)
		}
	}
	return p, p.tag != 0
}

func split(b []byte, n uint64) (head, tail []byte) {
	k := int(min(n, uint64(len(b))))
	return b[:k], b[k:]
}

func cut(b []byte, n uint64) []byte { head, _ := split(b, n); return head }

// pgpKey tells a key: version (1), time (4), before version 4 days of validity (2), algorithm (1), from 6 on a length (4), numbers.
func (c *chunk) pgpKey(p packet, at artifact.Range) {
	b := p.body
	if len(b) < 8 || b[0] != 4 {
		c.tellKey(key{form: "OpenPGP", private: p.tag == pgpSecret || p.tag == pgpSecretSub, at: at})
		return
	}
	k := key{form: "OpenPGP", private: p.tag == pgpSecret || p.tag == pgpSecretSub, at: at, bitsAt: at}
	algorithm, numbers, oid := pgpAlgorithm(b[5])
	k.algorithm = algorithm
	n := 6
	if oid && n < len(b) {
		n += 1 + int(b[n])
	}
	for i := range numbers {
		if n+2 > len(b) {
			return
		}
		bits := int(binary.BigEndian.Uint16(b[n:]))
		if n += 2 + (bits+7)/8; i == 0 && !oid {
			k.bits = bits
		}
	}
	if b[5] == 18 && n < len(b) { // how ECDH derives a key
		n += 1 + int(b[n])
	}
	k.encrypted = k.private && n < len(b) && b[n] != 0
	c.tellKey(k)
	if numbers > 0 && n <= len(b) {
		h := sha1.New()
		h.Write([]byte{0x99, byte(n >> 8), byte(n)})
		h.Write(b[:n])
		c.tell("fingerprint", hex.EncodeToString(h.Sum(nil)), at)
	}
}

// pgpAlgorithm tells an algorithm, how many numbers its public key has, and whether the name of a curve stands before them.
func pgpAlgorithm(id byte) (name string, numbers int, oid bool) {
	switch id {
	case 1, 2, 3:
		return "RSA", 2, false
	case 16:
		return "Elgamal", 3, false
	case 17:
		return "DSA", 4, false
	case 18:
		return "ECDH", 1, true
	case 19:
		return "ECDSA", 1, true
	case 22:
		return "EdDSA", 1, true
	}
	return "algorithm " + strconv.Itoa(int(id)), 0, false
}

// pgpCompressed yields what a compressed packet holds: packets again, in which others are found.
func (c *chunk) pgpCompressed(b []byte) {
	if len(b) < 2 {
		return
	}
	packed := b[1:]
	var stream func(io.ReaderAt, int64, int64) (codec.Stream, error)
	switch b[0] {
	case 1:
		stream = codec.NewDeflate
	case 2:
		stream = codec.NewZlib
	case 3:
		stream = codec.NewBzip2
	default:
		c.hold("compressed", packed)
		return
	}
	c.entries = append(c.entries, format.Entry{Path: "packets", Size: -1, Open: func() (io.Reader, error) {
		s, err := stream(bytes.NewReader(packed), int64(len(packed)), 32<<20)
		if err != nil {
			return nil, format.Errorf(artifact.Damaged, 0, "openpgp: %v", err)
		}
		return s, nil
	}})
}

// literal cuts literal data: kind (1), length of the name (1), name, time (4), data.
func literal(b []byte) (name string, text []byte, ok bool) {
	if len(b) < 2 || len(b) < 6+int(b[1]) {
		return "", nil, false
	}
	n := int(b[1])
	if name = string(b[2 : 2+n]); name == "" {
		name = "message"
	}
	return name, b[6+n:], true
}
