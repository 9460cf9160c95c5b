// Package shrs reads D-Link's encrypted update files whose magic is SHRS: a header with digests
// and signatures, and AES-128-CBC.
//
// There is no official specification. The layout follows unblob's handler
// (https://github.com/onekey-sec/unblob/blob/main/python/unblob/handlers/archive/dlink/shrs.py).
// The digest of what is encrypted must hold. It is not decrypted.
package shrs

import (
	"bytes"
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
	Limits: []string{"What is encrypted is yielded as it is."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, big endian: 0 magic, 4 length, 8 length without padding, 12 initial vector (16), 28 SHA-512 of the plain
// content with the key (64), 92 of the plain content (64), 156 of what is encrypted, without padding (64), 220 zeros
// (512), 732 and 1244 signatures (512 each).
const (
	headerLen = 1756
	digestAt  = 156
	zerosAt   = 220
	zerosLen  = 512
	blockLen  = 16
)

type update struct {
	data artifact.Range
	iv   string
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
	u := &update{data: artifact.Range{Off: headerLen, Len: size}, iv: fmt.Sprintf("%x", h[12:28])}
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
	return u, nil
}

// Size returns the end of what is encrypted.
func (u *update) Size() int64 { return u.data.End() }

// Describe tells the initial vector.
func (u *update) Describe() []artifact.Attr {
	return []artifact.Attr{{Name: "iv", Value: u.iv, At: artifact.Range{Off: 12, Len: 16}}}
}

// Entries yields what is encrypted.
func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		yield(format.Entry{Size: u.data.Len, Window: &u.data, Problems: []artifact.Problem{
			{Kind: artifact.Encrypted, At: u.data, Detail: fmt.Sprintf("shrs: content at %#x: AES-128-CBC", u.data.Off)},
		}}, nil)
	}
}
