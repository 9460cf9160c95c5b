// Package xiaomi reads HDR1 and HDR2, the update files of Xiaomi's routers and gateways, cameras
// among them: a header with a CRC-32, up to eight named parts, and a signature.
//
// Specification: xiaomifw.c of OpenWrt's firmware-utils for HDR1,
// https://git.openwrt.org/?p=project/firmware-utils.git;a=blob;f=src/xiaomifw.c. HDR2 follows the
// unpackers unblob, https://github.com/onekey-sec/unblob, and BANG,
// https://github.com/armijnhemel/binaryanalysis-ng.
package xiaomi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Format is the update file.
var Format = format.Format{
	Name:   "xiaomi",
	Title:  "Xiaomi HDR1, HDR2",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: "HDR1"}, {Bytes: "HDR2"}},
	Refs: []format.Ref{
		{Title: "OpenWrt firmware-utils, xiaomifw.c", URL: "https://git.openwrt.org/?p=project/firmware-utils.git;a=blob;f=src/xiaomifw.c"},
		{Title: "unblob", URL: "https://github.com/onekey-sec/unblob"},
	},
	Limits: []string{"The signature is not verified."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, little endian: magic, offset of the signature, CRC-32 of all behind it without
// final inversion; in HDR1 then 0 u16 and the device u16, in HDR2 0 u32, device[8], region[8] and
// 16 opaque bytes; 8 offsets of parts, 0 if there is none. A part: 0xbabe, offset in the flash,
// size, type u16, 0 u16, name[32], data. The signature: size, 12 bytes, and so many.
const (
	crcStart      = 12
	partHeader    = 48
	partMagic     = 0xbabe
	signatureHead = 16
	maxSignature  = 4096
	offsets       = 8
)

type update struct {
	src     format.Source
	raw     []byte // up to the offsets
	parts   []part
	size    int64
	crc     string
	problem error
}

type part struct {
	name   string
	flash  uint32
	header artifact.Range
	at     artifact.Range
}

func open(src format.Source) (*update, error) {
	b := make([]byte, 80)
	n, _ := src.ReadAt(b, 0)
	u := &update{src: src}
	switch {
	case n >= 48 && string(b[:4]) == "HDR1":
		u.raw = b[:16]
	case n == 80 && string(b[:4]) == "HDR2":
		u.raw = b[:48]
	default:
		return nil, format.Not("xiaomi: header")
	}
	first, signature := int64(len(u.raw)+4*offsets), u.u32(4)
	if u.raw[12] != 0 || u.raw[13] != 0 || signature < first+partHeader || signature > src.Size() {
		return nil, format.Not("xiaomi: signature at %#x of %#x bytes", signature, src.Size())
	}
	for list := b[len(u.raw):first]; len(list) > 0; list = list[4:] {
		off := int64(binary.LittleEndian.Uint32(list))
		if off == 0 {
			continue
		}
		p, err := readPart(src, off, first, signature)
		if err != nil {
			return nil, err
		}
		u.parts = append(u.parts, p)
		first = p.at.End()
	}
	if len(u.parts) == 0 {
		return nil, format.Not("xiaomi: no part")
	}
	return u, u.check(signature)
}

func (u *update) u32(off int) int64 { return int64(binary.LittleEndian.Uint32(u.raw[off:])) }

// readPart reads the part at off. Parts stand in order between first and end.
func readPart(src format.Source, off, first, end int64) (p part, err error) {
	var b [partHeader]byte
	if n, _ := src.ReadAt(b[:], off); n < len(b) || off < first || binary.LittleEndian.Uint32(b[:]) != partMagic {
		return p, format.Not("xiaomi: part at %#x", off)
	}
	name, _, _ := bytes.Cut(b[16:], []byte{0})
	p = part{string(name), binary.LittleEndian.Uint32(b[4:]), artifact.Range{Off: off, Len: partHeader}, artifact.Range{Off: off + partHeader, Len: int64(binary.LittleEndian.Uint32(b[8:]))}}
	if p.at.Len == 0 || p.at.End() > end {
		return p, format.Not("xiaomi: part at %#x: %d bytes, signature at %#x", off, p.at.Len, end)
	}
	return p, nil
}

// check finds the end and compares the CRC.
func (u *update) check(signature int64) error {
	var b [signatureHead]byte
	n, _ := u.src.ReadAt(b[:], signature)
	size := int64(binary.LittleEndian.Uint32(b[:]))
	u.size = signature + signatureHead + size
	if n < len(b) || u.size > u.src.Size() {
		u.size, u.crc = min(signature, u.src.Size()), "not checked: file cut off"
		u.problem = format.Errorf(artifact.Truncated, u.size, "xiaomi: signature at %#x: %d bytes left", signature, u.src.Size()-signature)
		return nil
	}
	if size > maxSignature {
		return format.Not("xiaomi: signature of %d bytes", size)
	}
	h := crc32.NewIEEE()
	if _, err := io.Copy(h, io.NewSectionReader(format.Summed(u.src), crcStart, u.size-crcStart)); err != nil {
		return format.Errorf(artifact.Damaged, crcStart, "xiaomi: %v", err)
	}
	u.crc = "ok"
	if got, want := ^h.Sum32(), uint32(u.u32(8)); got != want {
		u.crc = "bad"
		u.problem = format.Errorf(artifact.Checksum, 8, "xiaomi: CRC %#x, want %#x", got, want)
	}
	return nil
}

func (u *update) Size() int64 { return u.size }

// Entries yields the parts, those without a name as part@0xOFFSET.
func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		if u.problem != nil && !yield(format.Entry{}, u.problem) {
			return
		}
		for _, p := range u.parts {
			path := p.name
			if path == "" {
				path = fmt.Sprintf("part@%#x", p.header.Off)
			}
			if !yield(format.Entry{Path: path, Size: p.at.Len, Window: &p.at}, nil) {
				return
			}
		}
	}
}

func (u *update) Describe() []artifact.Attr {
	at := func(off, n int64) artifact.Range { return artifact.Range{Off: off, Len: n} }
	attrs := []artifact.Attr{{Name: "magic", Value: string(u.raw[:4]), At: at(0, 4)}, {Name: "crc", Value: u.crc, At: at(8, 4)}}
	if len(u.raw) == 16 {
		attrs = append(attrs, artifact.Attr{Name: "device", Value: fmt.Sprintf("%#04x", binary.LittleEndian.Uint16(u.raw[14:])), At: at(14, 2)})
	} else {
		text := func(b []byte) string { return string(bytes.TrimRight(b, "\x00")) }
		attrs = append(attrs, artifact.Attr{Name: "device", Value: text(u.raw[16:24]), At: at(16, 8)}, artifact.Attr{Name: "region", Value: text(u.raw[24:32]), At: at(24, 8)})
	}
	for _, p := range u.parts {
		attrs = append(attrs, artifact.Attr{Name: "part", Value: fmt.Sprintf("%s, %d bytes, flash %#x", p.name, p.at.Len, p.flash), At: p.header})
	}
	return attrs
}
