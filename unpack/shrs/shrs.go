// Package shrs reads D-Link's encrypted update files whose magic is SHRS: a header with digests
// and signatures, and AES-128-CBC.
//
// There is no official specification. The layout follows unblob's handler
// (https://github.com/onekey-sec/unblob/blob/main/python/unblob/handlers/archive/dlink/shrs.py).
// The digest of what is encrypted must hold. It is decrypted with a key of the user's, named dlink-shrs,
// if the digest of what comes out holds too.
package shrs

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "SHRS"

// Format is the update file.
var Format = format.Format{
	Name:   "shrs",
	Title:  "D-Link SHRS",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "unblob, D-Link SHRS", URL: "https://github.com/onekey-sec/unblob/blob/main/python/unblob/handlers/archive/dlink/shrs.py"}},
	Limits: []string{"Without the key dlink-shrs, of 16 bytes, what is encrypted is yielded as it is."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, big endian: 0 magic, 4 length, 8 length without padding, 12 initial vector (16), 28 SHA-512 of the plain
// content with the key (64), 92 of the plain content (64), 156 of what is encrypted, without padding (64), 220 zeros
// (512), 732 and 1244 signatures (512 each).
const (
	headerLen = 1756
	plainAt   = 92
	digestAt  = 156
	zerosAt   = 220
	zerosLen  = 512
	blockLen  = 16
)

// Key is the name of the key that a user may bring.
const Key = "dlink-shrs"

type update struct {
	src   format.Source
	data  artifact.Range
	used  int64 // of it, without padding
	iv    []byte
	plain []byte       // SHA-512 of the content
	block cipher.Block // nil without a key that fits
}

func open(src format.Source) (*update, error) {
	var h [headerLen]byte
	if n, _ := src.ReadAt(h[:], 0); n < len(h) || string(h[:4]) != magic {
		return nil, format.Not("shrs: header of %d bytes", n)
	}
	size, used := int64(binary.BigEndian.Uint32(h[4:])), int64(binary.BigEndian.Uint32(h[8:]))
	if size%blockLen != 0 || used == 0 || used > size || size-used > blockLen || len(bytes.Trim(h[zerosAt:zerosAt+zerosLen], "\x00")) > 0 {
		return nil, format.Not("shrs: %d bytes, %d without padding", size, used)
	}
	u := &update{src: src, data: artifact.Range{Off: headerLen, Len: size}, used: used, iv: h[12:28], plain: h[plainAt : plainAt+sha512.Size]}
	if !u.data.Within(src.Size()) {
		return nil, format.Not("shrs: %d bytes, %d left", size, src.Size()-headerLen)
	}
	sum := sha512.New()
	if _, err := io.Copy(sum, io.NewSectionReader(format.Summed(src), headerLen, used)); err != nil {
		return nil, format.Errorf(artifact.Damaged, headerLen, "shrs: content at %#x: %v", headerLen, err)
	}
	if want := h[digestAt : digestAt+sha512.Size]; !bytes.Equal(sum.Sum(nil), want) {
		return nil, format.Not("shrs: SHA-512 of %d bytes is not %x...", used, want[:8])
	}
	if k := src.Keys[Key]; len(k) == blockLen {
		u.block, _ = aes.NewCipher(k)
		sum.Reset()
		if _, err := io.Copy(sum, u.decrypt()); err != nil || !bytes.Equal(sum.Sum(nil), u.plain) {
			u.block = nil
		}
	}
	return u, nil
}

// decrypt reads the content.
func (u *update) decrypt() io.Reader {
	return io.LimitReader(&decrypted{r: io.NewSectionReader(u.src, u.data.Off, u.data.Len), mode: cipher.NewCBCDecrypter(u.block, u.iv)}, u.used)
}

// decrypted decrypts whole blocks of what it reads.
type decrypted struct {
	r    io.Reader
	mode cipher.BlockMode
	buf  [32 << 10]byte
	left []byte // of buf
}

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
	}
	n := copy(p, d.left)
	d.left = d.left[n:]
	return n, nil
}

// Size returns the end of what is encrypted.
func (u *update) Size() int64 { return u.data.End() }

// Describe tells the initial vector.
func (u *update) Describe() []artifact.Attr {
	return []artifact.Attr{{Name: "iv", Value: fmt.Sprintf("%x", u.iv), At: artifact.Range{Off: 12, Len: 16}}}
}

// Entries yields the content, or what is encrypted.
func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if u.block != nil {
			yield(format.Entry{Size: u.used, Open: func() (io.Reader, error) { return u.decrypt(), nil }}, nil)
			return
		}
		yield(format.Entry{Size: u.data.Len, Window: &u.data, Problems: []artifact.Problem{
			{Kind: artifact.Encrypted, At: u.data, Detail: fmt.Sprintf("shrs: content at %#x: AES-128-CBC", u.data.Off)},
		}}, nil)
	}
}
