// Package chk reads Netgear's update files (.chk): a header with checksums, kernel and root file system.
//
// The layout is that of OpenWrt's writer, mkchkimg
// (https://git.openwrt.org/?p=openwrt/svn-archive/archive.git;a=blob;f=tools/firmware-utils/src/mkchkimg.c;hb=HEAD).
package chk

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

const magic = "*#$^"

// Format is the update file.
var Format = format.Format{
	Name:   "chk",
	Title:  "Netgear CHK",
	Kind:   format.Container,
	Magics: []format.Magic{{Bytes: magic}},
	Refs:   []format.Ref{{Title: "OpenWrt, mkchkimg", URL: "https://git.openwrt.org/?p=openwrt/svn-archive/archive.git;a=blob;f=tools/firmware-utils/src/mkchkimg.c;hb=HEAD"}},
	Limits: []string{"A header whose own checksum does not fit is taken for something else."},
	Open:   func(src format.Source) (format.Chunk, error) { return open(src) },
}

// The header, big endian: 0 magic, 4 its length, 8 region, 9 version (7), 16 checksum of the kernel, 20 of the root
// file system, 24 length of the kernel, 28 of the root file system, 32 checksum of both, 36 of the header with this
// field 0, 40 the board's name, to the header's end.
const (
	fixedLen  = 40
	maxHeader = 256
)

type update struct {
	src    format.Source
	header []byte
	parts  []part
	end    int64
}

type part struct {
	name string
	at   artifact.Range
	sum  uint32
}

func open(src format.Source) (*update, error) {
	var h [maxHeader]byte
	n, _ := src.ReadAt(h[:], 0)
	if n < fixedLen || string(h[:4]) != magic {
		return nil, format.Not("chk: header of %d bytes", n)
	}
	be := binary.BigEndian
	size := be.Uint32(h[4:])
	if size < fixedLen || size > uint32(n) {
		return nil, format.Not("chk: header of %d bytes, %d left", size, n)
	}
	u := &update{src: src, header: h[:size]}
	want := be.Uint32(h[36:])
	clear(h[36:40])
	var s checksum
	if s.Write(u.header); s.sum() != want {
		return nil, format.Not("chk: header: checksum %08x, want %08x", s.sum(), want)
	}
	be.PutUint32(h[36:], want)
	kernel, rootfs := int64(be.Uint32(h[24:])), int64(be.Uint32(h[28:]))
	u.parts = append(u.parts, part{"kernel", artifact.Range{Off: int64(size), Len: kernel}, be.Uint32(h[16:])})
	if rootfs > 0 {
		u.parts = append(u.parts, part{"rootfs", artifact.Range{Off: int64(size) + kernel, Len: rootfs}, be.Uint32(h[20:])})
	}
	u.end = int64(size) + kernel + rootfs
	return u, nil
}

// Size returns the end of the parts.
func (u *update) Size() int64 { return min(u.end, u.src.Size()) }

// Describe tells the board, the region and the version of the header.
func (u *update) Describe() []artifact.Attr {
	attrs := []artifact.Attr{
		{Name: "region", Value: fmt.Sprint(u.header[8]), At: artifact.Range{Off: 8, Len: 1}},
		{Name: "version", Value: fmt.Sprintf("%d.%d.%d.%d", u.header[9], u.header[10], u.header[11], u.header[12]), At: artifact.Range{Off: 9, Len: 4}},
	}
	if board := u.header[fixedLen:]; len(board) > 0 {
		attrs = append(attrs, artifact.Attr{Name: "board", Value: string(board), At: artifact.Range{Off: fixedLen, Len: int64(len(board))}})
	}
	return attrs
}

// Entries yields kernel and root file system.
func (u *update) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range u.parts {
			e := format.Entry{Path: p.name}
			if problem := u.check(&p); problem != nil {
				e.Problems = []artifact.Problem{{Kind: problem.Kind, At: p.at, Detail: problem.Text}}
			}
			e.Window, e.Size = &p.at, p.at.Len
			if !yield(e, nil) {
				return
			}
		}
	}
}

// check compares a part with its checksum, or shortens it to what is there.
func (u *update) check(p *part) *format.Error {
	if left := max(0, u.src.Size()-p.at.Off); p.at.Len > left {
		err := format.Errorf(artifact.Truncated, p.at.Off, "chk: %s at %#x: %d bytes, %d left", p.name, p.at.Off, p.at.Len, left)
		p.at.Off = min(p.at.Off, u.src.Size())
		p.at.Len = left
		return err
	}
	var s checksum
	if _, err := io.Copy(&s, io.NewSectionReader(format.Summed(u.src), p.at.Off, p.at.Len)); err != nil {
		return format.Errorf(artifact.Damaged, p.at.Off, "chk: %s at %#x: %v", p.name, p.at.Off, err)
	}
	if s.sum() != p.sum {
		return format.Errorf(artifact.Checksum, p.at.Off, "chk: %s at %#x: checksum %08x, want %08x", p.name, p.at.Off, s.sum(), p.sum)
	}
	return nil
}

// checksum adds up bytes, and the sums so far. Each sum is folded to 16 bits in the end.
type checksum struct{ low, high uint32 }

func (c *checksum) Write(b []byte) (int, error) {
	for _, x := range b {
		c.low += uint32(x)
		c.high += c.low
	}
	return len(b), nil
}

func (c *checksum) sum() uint32 {
	fold := func(v uint32) uint32 {
		v = v&0xffff + v>>16
		return (v + v>>16) & 0xffff
	}
	return fold(c.high)<<16 | fold(c.low)
}
