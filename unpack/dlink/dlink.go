// Package dlink reads two kinds of D-Link's encrypted update files: MH01, which are two parts behind a header, and
// encrpted_img, which are a UBI image.
//
// There is no official specification. The layouts follow FACT's plug-in for MH01
// (https://github.com/fkie-cad/fact_extractor/tree/master/fact_extractor/plugins/unpacking/dlink) and unblob's handler for encrpted_img
// (https://github.com/onekey-sec/unblob/blob/main/python/unblob/handlers/archive/dlink/encrpted_img.py).
// What is encrypted is decrypted with keys that the user brings.
package dlink

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// MH01 is an update file, or one of the containers within it.
var MH01 = format.Format{
	Name:   "mh01",
	Title:  "D-Link MH01",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magicMH01}},
	Refs:   []format.Ref{{Title: "FACT, D-Link MH01", URL: "https://github.com/fkie-cad/fact_extractor/blob/master/fact_extractor/plugins/unpacking/dlink/code/dlink_mh01.py"}},
	Limits: []string{"Without the key " + KeyMH01 + ", of 16 bytes, what is encrypted is yielded as it is; signatures are not verified."},
	Open:   func(src format.Source) (format.Chunk, error) { return openMH01(src) },
}

// Encrypted is the update file whose magic is encrpted_img.
var Encrypted = format.Format{
	Name:   "encrpted_img",
	Title:  "D-Link encrpted_img",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magicImage}},
	Refs:   []format.Ref{{Title: "unblob, D-Link encrpted_img", URL: "https://github.com/onekey-sec/unblob/blob/main/python/unblob/handlers/archive/dlink/encrpted_img.py"}},
	Limits: []string{"Without the key " + KeyImage + ", of 32 bytes and an initial vector of 16, what is encrypted is yielded as it is."},
	Open:   func(src format.Source) (format.Chunk, error) { return openImage(src) },
}

// Names of keys that a user may bring. That of MH01 is used as a passphrase, in hexadecimal digits.
const (
	KeyMH01  = "dlink-mh01"
	KeyImage = "dlink-encrpted-img"
)

const (
	magicMH01  = "MH01"
	magicImage = "encrpted_img"
	blockLen   = aes.BlockSize
)

// parts is a file of parts.
type parts struct {
	size    int64
	entries []format.Entry
	attrs   []artifact.Attr
}

func (p *parts) Size() int64               { return p.size }
func (p *parts) Describe() []artifact.Attr { return p.attrs }

func (p *parts) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, e := range p.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// openMH01 reads the header: magic (4), size of the first part (4), of the second (4), 1A2B in the byte order of all (2), unknown (2).
// The first part of an inner container is an initial vector, in hexadecimal digits, for the second: AES-128-CBC as
// OpenSSL writes it, with "Salted__" and the salt (8) before it.
func openMH01(src format.Source) (*parts, error) {
	const (
		headerLen = 16
		vectorLen = 2 * blockLen // in digits, with a line end
		saltMark  = "Salted__"
		saltLen   = len(saltMark) + 8
	)
	var h [headerLen]byte
	if n, _ := src.ReadAt(h[:], 0); n < headerLen || string(h[:4]) != magicMH01 {
		return nil, format.Not("mh01: header of %d bytes", n)
	}
	var o binary.ByteOrder = binary.LittleEndian
	switch string(h[12:14]) {
	case "\x2b\x1a":
	case "\x1a\x2b":
		o = binary.BigEndian
	default:
		return nil, format.Not("mh01: byte order %x", h[12:14])
	}
	first := artifact.Range{Off: headerLen, Len: int64(o.Uint32(h[4:]))}
	second := artifact.Range{Off: first.End(), Len: int64(o.Uint32(h[8:]))}
	if first.Len == 0 || second.Len == 0 || !second.Within(src.Size()) {
		return nil, format.Not("mh01: parts of %d and %d bytes, %d left", first.Len, second.Len, src.Size()-headerLen)
	}
	p := &parts{size: second.End(), entries: []format.Entry{
		{Path: "part1", Size: first.Len, Window: &first},
		{Path: "part2", Size: second.Len, Window: &second},
	}}
	var text [vectorLen + 1]byte
	var salt [saltLen]byte
	if first.Len > int64(len(text)) || second.Len <= int64(saltLen) {
		return p, nil
	}
	n, _ := src.ReadAt(text[:first.Len], first.Off)
	src.ReadAt(salt[:], second.Off) // a salt that cannot be read is no salt
	iv, err := hex.DecodeString(string(bytes.TrimSpace(text[:n])))
	if err != nil || len(iv) != blockLen || string(salt[:len(saltMark)]) != saltMark {
		return p, nil
	}
	sealed := artifact.Range{Off: second.Off + int64(saltLen), Len: second.Len - int64(saltLen)}
	e := &p.entries[1]
	if k := src.Keys[KeyMH01]; len(k) == aes.BlockSize {
		// EVP_BytesToKey with SHA-256: one round is enough for 16 bytes.
		sum := sha256.Sum256(append([]byte(hex.EncodeToString(k)), salt[len(saltMark):]...))
		block, _ := aes.NewCipher(sum[:16]) // the length fits
		open := func() io.Reader {
			return &decrypted{r: io.NewSectionReader(src, sealed.Off, sealed.Len), mode: cipher.NewCBCDecrypter(block, iv)}
		}
		var head [4]byte
		if _, err := io.ReadFull(open(), head[:]); err == nil && string(head[:]) == magicMH01 {
			*e = format.Entry{Path: "part2", Size: sealed.Len, Open: func() (io.Reader, error) { return open(), nil }}
			return p, nil
		}
	}
	e.Problems = []artifact.Problem{{Kind: artifact.Encrypted, At: sealed, Detail: fmt.Sprintf("mh01: part at %#x: AES-128-CBC", second.Off)}}
	return p, nil
}

// openImage reads the header: magic (12), length of what follows (4, big endian). It is AES-256-CBC. In each piece of 128 KiB
// the first block stands for the start of a UBI header and does not decrypt to it.
func openImage(src format.Source) (*parts, error) {
	const headerLen = 16
	var h [headerLen]byte
	if n, _ := src.ReadAt(h[:], 0); n < headerLen || string(h[:12]) != magicImage {
		return nil, format.Not("encrpted_img: header of %d bytes", n)
	}
	at := artifact.Range{Off: headerLen, Len: int64(binary.BigEndian.Uint32(h[12:]))}
	if at.Len == 0 || at.Len%blockLen != 0 {
		return nil, format.Not("encrpted_img: %d bytes", at.Len)
	}
	p := &parts{entries: []format.Entry{{Size: at.Len, Window: &at}}}
	e := &p.entries[0]
	if left := src.Size() - headerLen; at.Len > left {
		e.Problems = []artifact.Problem{{Kind: artifact.Truncated, At: at, Detail: fmt.Sprintf("encrpted_img: %d bytes, %d left", at.Len, left)}}
		at.Len = left
	}
	p.size = at.End()
	if k := src.Keys[KeyImage]; len(k) == 32+blockLen {
		block, _ := aes.NewCipher(k[:32]) // the length fits
		e.Window = nil
		e.Open = func() (io.Reader, error) {
			return &decrypted{r: io.NewSectionReader(src, at.Off, at.Len), mode: cipher.NewCBCDecrypter(block, k[32:]), ubi: true}, nil
		}
		return p, nil
	}
	e.Problems = append(e.Problems, artifact.Problem{Kind: artifact.Encrypted, At: at, Detail: fmt.Sprintf("encrpted_img: content at %#x: AES-256-CBC", at.Off)})
	return p, nil
}

// decrypted decrypts whole blocks of what it reads.
type decrypted struct {
	r    io.Reader
	mode cipher.BlockMode
	ubi  bool // each piece begins with a UBI header
	buf  [128 << 10]byte
	left []byte // of buf
}

const ubiHeader = "UBI#\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func (d *decrypted) Read(p []byte) (int, error) {
	if len(d.left) == 0 {
		n, err := io.ReadFull(d.r, d.buf[:])
		if n -= n % blockLen; n == 0 {
			if err == io.ErrUnexpectedEOF {
				err = io.EOF
			}
			return 0, err
		}
		d.left = d.buf[:n]
		d.mode.CryptBlocks(d.left, d.left)
		if d.ubi {
			copy(d.left, ubiHeader)
		}
	}
	n := copy(p, d.left)
	d.left = d.left[n:]
	return n, nil
}
