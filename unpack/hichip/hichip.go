// Package hichip reads the PIHC update (PKG) of Hichip, sold under the name CamHi and many
// others: a header of 512 bytes with the lengths and digests of up to six parts.
//
// There is no official specification. The layout was published with a writer,
// https://github.com/OpenIPC/coupler. The last part is a ZIP archive with altered magics whose
// every sixteenth KiB, from the second on, is under AES-128 in ECB mode and then XOR 3f, with three
// keys in turn. Whoever has the keys gives them the names hichip-1 to hichip-3: if the digest in
// the header then fits, the archive is handed out in clear, else as it stands.
package hichip

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "PIHC"

// Format is the update.
var Format = format.Format{
	Name:   "hichip",
	Title:  "Hichip update (PIHC)",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "OpenIPC coupler", URL: "https://github.com/OpenIPC/coupler"}},
	Limits: []string{
		"The ZIP part is decrypted only with keys that the user brings: hichip-1, hichip-2 and hichip-3.",
		"The layout is known from sources; no image was at hand.",
	},
	Open: func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian:
//
//	 0   4  magic
//	 4   4  type: 0x1001 restores a configuration, 0x1002 is an update
//	 8  24  lengths of boot, bootarg, kernel, rootfs, ipc and zip
//	32  40  file name
//	72 240  for each part 40 bytes: MD5 of the part and a trailer, in hexadecimal
const (
	headerSize = 512
	lengths    = 8
	fileName   = 32
	digests    = 72
	digestSize = 40
	parts      = 6
	zipPart    = 5
	clearZip   = 1024 // the first KiB of the ZIP part stands in clear
)

// trailer is hashed behind each part.
const trailer = "IPCAM"

type update struct {
	src      format.Source
	raw      []byte
	at       [parts]artifact.Range
	size     int64
	digests  [parts]string // outcome of the check
	problems []error
}

func open(src format.Source) (*update, error) {
	u := &update{src: src, raw: make([]byte, headerSize), size: headerSize}
	if n, _ := src.ReadAt(u.raw, 0); n < headerSize || string(u.raw[:4]) != magic {
		return nil, format.Not("hichip: header")
	}
	if kind := u.u32(4); kind != 0x1001 && kind != 0x1002 {
		return nil, format.Not("hichip: type %#x", kind)
	}
	for i := range parts {
		n := int64(u.u32(lengths + 4*i))
		if _, err := hex.Decode(make([]byte, digestSize), u.digest(i)); n > 0 && (err != nil || len(u.digest(i)) != 2*md5.Size) {
			return nil, format.Not("hichip: digest of part %s: %q", names[i], u.digest(i))
		}
		if left := src.Size() - u.size; n > left {
			u.problems = append(u.problems, format.Errorf(artifact.Truncated, u.size, "hichip: part %s at %#x: %d bytes, %d left", names[i], u.size, n, left))
			u.digests[i] = "not checked: part cut off"
			n = left
		}
		u.at[i] = artifact.Range{Off: u.size, Len: n}
		u.size += n
	}
	if u.size == headerSize {
		return nil, format.Not("hichip: no part")
	}
	return u, nil
}

var names = [parts]string{"boot", "bootarg", "kernel", "rootfs", "ipc", "zip"}

func (u *update) u32(off int) uint32 { return binary.LittleEndian.Uint32(u.raw[off:]) }

func (u *update) digest(i int) []byte {
	return bytes.TrimRight(u.raw[digests+i*digestSize:][:digestSize], "\x00")
}

func (u *update) Size() int64 { return u.size }

func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, err := range u.problems {
			if !yield(format.Entry{}, err) {
				return
			}
		}
		for i, at := range u.at {
			if at.Len == 0 {
				continue
			}
			if plain := u.decrypt(i); plain != nil {
				if !yield(format.Entry{Path: "zip", Size: at.Len, Open: func() (io.Reader, error) { return bytes.NewReader(plain), nil }}, nil) {
					return
				}
				continue
			}
			e := format.Entry{Path: names[i], Size: at.Len, Window: &at, Problems: u.check(i)}
			if i == zipPart && at.Len > clearZip {
				e.Problems = append(e.Problems, artifact.Problem{Kind: artifact.Encrypted, At: at,
					Detail: fmt.Sprintf("hichip: part zip at %#x: every sixteenth KiB is encrypted", at.Off)})
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// decrypt returns the ZIP part in clear if the user's keys are right.
func (u *update) decrypt(i int) []byte {
	const kib, every = 1024, 16
	at := u.at[i]
	if i != zipPart || u.digests[i] != "" || at.Len > u.src.Memory()/2 {
		return nil
	}
	var ciphers []cipher.Block
	for n := range 3 {
		const keySize = 16
		key := u.src.Keys[fmt.Sprintf("hichip-%d", n+1)]
		c, err := aes.NewCipher(key)
		if err != nil || len(key) != keySize {
			return nil
		}
		ciphers = append(ciphers, c)
	}
	b, err := format.ReadAt(u.src, at.Off, at.Len, "hichip: part zip")
	if err != nil {
		return nil
	}
	for n, from := 0, kib; from < len(b); n, from = n+1, from+every*kib {
		part := b[from:min(from+kib, len(b))]
		for ; len(part) >= aes.BlockSize; part = part[aes.BlockSize:] {
			ciphers[n%len(ciphers)].Decrypt(part, part)
			for k := range aes.BlockSize {
				part[k] ^= 0x3f
			}
		}
	}
	for altered, magic := range zipMagics {
		b = bytes.ReplaceAll(b, []byte(altered), []byte(magic))
	}
	sum := md5.Sum(append(b[:len(b):len(b)], trailer...))
	if hex.EncodeToString(sum[:]) != string(bytes.ToLower(u.digest(i))) {
		return nil
	}
	u.digests[i] = "ok"
	return b
}

// zipMagics are the signatures of the ZIP part and what they were.
var zipMagics = map[string]string{"PK\x03\x07": "PK\x03\x04", "PK\x01\x08": "PK\x01\x02", "PK\x05\x09": "PK\x05\x06"}

// check compares part i with its digest.
func (u *update) check(i int) []artifact.Problem {
	if u.digests[i] != "" {
		return nil
	}
	h := md5.New()
	io.Copy(h, io.NewSectionReader(format.Summed(u.src), u.at[i].Off, u.at[i].Len))
	io.WriteString(h, trailer)
	got := hex.EncodeToString(h.Sum(nil))
	if u.digests[i] = "ok"; got == string(bytes.ToLower(u.digest(i))) {
		return nil
	}
	u.digests[i] = "bad"
	return []artifact.Problem{{Kind: artifact.Checksum, At: artifact.Range{Off: int64(digests + i*digestSize), Len: 2 * md5.Size},
		Detail: fmt.Sprintf("hichip: part %s at %#x: MD5 %s, want %s", names[i], u.at[i].Off, got, u.digest(i))}}
}

func (u *update) Describe() []artifact.Attr {
	name, _, _ := bytes.Cut(u.raw[fileName:digests], []byte{0})
	attrs := []artifact.Attr{
		{Name: "magic", Value: magic, At: artifact.Range{Off: 0, Len: 4}},
		{Name: "type", Value: fmt.Sprintf("%#x", u.u32(4)), At: artifact.Range{Off: 4, Len: 4}},
		{Name: "name", Value: string(name), At: artifact.Range{Off: fileName, Len: int64(len(name))}},
	}
	for i, s := range u.digests {
		if s != "" {
			attrs = append(attrs, artifact.Attr{Name: "md5", Value: names[i] + " " + s, At: artifact.Range{Off: int64(digests + i*digestSize), Len: 2 * md5.Size}})
		}
	}
	return attrs
}
