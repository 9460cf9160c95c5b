// Package bosch reads the firmware of Bosch's cameras: a header of 1,024 bytes, or one with
// several behind it, one for each kind of camera, each with a payload under a one-byte XOR or,
// from version 6.50 on, AES; and the archive that the payload is, which also serves as RomFS.
//
// There is no public specification. The layouts follow
// https://github.com/anvilsecure/BoschFirmwareTool.
package bosch

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "\x10\x12\x20\x03"

// Format is the firmware file.
var Format = format.Format{
	Name:   "bosch",
	Title:  "Bosch camera firmware",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic, Start: true}},
	Refs:   []format.Ref{{Title: "BoschFirmwareTool", URL: "https://github.com/anvilsecure/BoschFirmwareTool"}},
	Limits: []string{"Payloads under AES are not decrypted.", "Checksum and signature are not verified.", "It is found only at the start of a file."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, big endian: magic, target, variant, version[4], size of the payload, base,
// checksum, type, 44 bytes, signature[256]; at 588 the wrapped AES key, zero if there is none.
const (
	headerSize = 0x400
	keyAt      = 588
	keySize    = 256
	nested     = 0x10 // the target of a header that others follow
	rawFile    = 1    // the type of one whose payload is a file, no archive
	pattern    = 0x42
	maxHeaders = 256
)

type firmware struct {
	src      format.Source
	payloads []payload
	attrs    []artifact.Attr
	end      int64
	problem  error
}

type payload struct {
	path      string
	at        artifact.Range
	encrypted bool
}

func open(src format.Source) (*firmware, error) {
	f := &firmware{src: src}
	for inner := false; len(f.payloads) < maxHeaders; inner = true {
		more, err := f.next(inner)
		if err != nil && len(f.attrs) == 0 {
			return nil, err
		}
		if err != nil || !more {
			break
		}
	}
	if len(f.payloads) == 0 {
		return nil, format.Not("bosch: no payload")
	}
	return f, nil
}

// next reads the header at end. It reports whether another may follow.
func (f *firmware) next(inner bool) (more bool, err error) {
	b := make([]byte, headerSize)
	if n, _ := f.src.ReadAt(b, f.end); n < headerSize || string(b[:4]) != magic {
		return false, format.Not("bosch: header at %#x", f.end)
	}
	u32 := func(off int) uint32 { return binary.BigEndian.Uint32(b[off:]) }
	at := artifact.Range{Off: f.end + headerSize, Len: int64(u32(16))}
	if !inner && u32(4) == nested {
		f.describe(b)
		f.end = at.Off
		return true, nil
	}
	left := f.src.Size() - at.Off
	p := payload{fmt.Sprintf("%X", u32(4)), at, strings.Trim(string(b[keyAt:keyAt+keySize]), "\x00") != ""}
	if at.Len == 0 || !p.encrypted && u32(28) != rawFile && !f.archive(at.Off) {
		return false, format.Not("bosch: payload of %d bytes at %#x is no archive", at.Len, at.Off)
	}
	if at.Len > left {
		f.problem = format.Errorf(artifact.Truncated, at.Off+left, "bosch: payload at %#x: %d bytes, %d left", at.Off, at.Len, left)
		p.at.Len = left
	}
	f.describe(b)
	f.payloads = append(f.payloads, p)
	f.end = p.at.End()
	return inner && f.problem == nil, nil
}

// archive reports whether a hidden archive begins at off.
func (f *firmware) archive(off int64) bool {
	var b [4]byte
	f.src.ReadAt(b[:], off)
	for i := range b {
		b[i] ^= pattern
	}
	return string(b[:]) == fileMagic
}

func (f *firmware) describe(b []byte) {
	add := func(name string, off, n int64, value string) {
		f.attrs = append(f.attrs, artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: f.end + off, Len: n}})
	}
	hex := func(off int) string { return fmt.Sprintf("%#x", binary.BigEndian.Uint32(b[off:])) }
	add("target", 4, 4, hex(4))
	add("variant", 8, 4, hex(8))
	add("version", 12, 4, fmt.Sprintf("%x.%02x.%x", b[12], b[13], b[14:16])) // 6.32.0111 in BCD
	add("type", 28, 4, hex(28))
}

func (f *firmware) Size() int64 { return f.end }

// Entries yields the payloads, named by their target in hexadecimal; a second one for the same
// target has its offset added.
func (f *firmware) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if f.problem != nil && !yield(format.Entry{}, f.problem) {
			return
		}
		seen := map[string]bool{}
		for _, p := range f.payloads {
			e := format.Entry{Path: p.path, Size: p.at.Len}
			if seen[p.path] {
				e.Path += fmt.Sprintf("@%#x", p.at.Off)
			}
			seen[p.path] = true
			if p.encrypted {
				e.Window = &p.at
				e.Problems = []artifact.Problem{{Kind: artifact.Encrypted, At: p.at, Detail: fmt.Sprintf("bosch: payload at %#x: encrypted with AES", p.at.Off)}}
			} else {
				e.Open = func() (io.Reader, error) { return plain{io.NewSectionReader(f.src, p.at.Off, p.at.Len)}, nil }
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// plain takes the pattern away.
type plain struct{ io.Reader }

func (p plain) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	for i := range b[:n] {
		b[i] ^= pattern
	}
	return n, err
}

func (f *firmware) Describe() []artifact.Attr { return f.attrs }
