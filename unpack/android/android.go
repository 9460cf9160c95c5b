// Package android reads Android boot images (versions 0 to 4, and vendor boot images 3 and 4),
// sparse images, and the super partition with its logical partitions.
//
// The layouts are in AOSP's system/tools/mkbootimg/include/bootimg/bootimg.h
// (https://source.android.com/docs/core/architecture/bootloader/boot-image-header), in
// system/core/libsparse/sparse_format.h and in system/core/fs_mgr/liblp/include/liblp/metadata_format.h.
// Signatures are yielded, not checked.
package android

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math/bits"
	"strings"

	"hallmark/artifact"
	"hallmark/unpack/format"
)

// Boot is the boot image.
var Boot = format.Format{
	Name:   "android-boot",
	Title:  "Android boot image",
	Kind:   format.Boot,
	Magics: []format.Magic{{Bytes: bootMagic}, {Bytes: vendorMagic}},
	Refs: []format.Ref{
		{Title: "AOSP, boot image header", URL: "https://source.android.com/docs/core/architecture/bootloader/boot-image-header"},
		{Title: "AOSP, bootimg.h", URL: "https://android.googlesource.com/platform/system/tools/mkbootimg/+/refs/heads/main/include/bootimg/bootimg.h"},
	},
	Limits: []string{"Digests and signatures are not checked."},
	Open:   openBoot,
}

const (
	bootMagic   = "ANDROID!"
	vendorMagic = "VNDRBOOT"
)

type boot struct {
	src   format.Source
	parts []part
	attrs []artifact.Attr
	end   int64
}

// part is a payload. Payloads follow the header and each other, each from the start of a page.
type part struct {
	name string
	at   artifact.Range
}

func openBoot(src format.Source) (format.Chunk, error) {
	b := make([]byte, 2128) // the longest header, of a vendor boot image 4
	n, _ := src.ReadAt(b, 0)
	if n < 1632 {
		return nil, format.Not("android-boot: %d bytes of header", n)
	}
	i := &boot{src: src}
	le := binary.LittleEndian
	var err error
	switch version := le.Uint32(b[40:]); {
	case string(b[:8]) == vendorMagic:
		err = i.vendor(b)
	case string(b[:8]) != bootMagic:
		err = format.Not("android-boot: magic %q", b[:8])
	case version == 3 || version == 4:
		err = i.modern(b, version)
	default:
		err = i.classic(b, version)
	}
	if err != nil {
		return nil, err
	}
	return i, nil
}

// classic reads versions 0 to 2:
//
//	8 kernel, 16 ramdisk, 24 second stage, 36 page, 40 version, 44 Android version, 48 name (16), 64 command line (512), 576 id (32),
//	608 more command line (1024), 1632 recovery DTBO, 1644 size of the header, 1648 DTB
//
// Before versions were invented Qualcomm kept the size of a device tree table where the version is.
func (i *boot) classic(b []byte, version uint32) error {
	le := binary.LittleEndian
	page := int64(le.Uint32(b[36:]))
	if page < 512 || page > 1<<17 || bits.OnesCount64(uint64(page)) != 1 || le.Uint32(b[8:]) == 0 {
		return format.Not("android-boot: pages of %d bytes, kernel of %d", page, le.Uint32(b[8:]))
	}
	sizes := []named{{"kernel", le.Uint32(b[8:])}, {"ramdisk", le.Uint32(b[16:])}, {"second", le.Uint32(b[24:])}}
	switch {
	case version > 4:
		sizes = append(sizes, named{"dt", version})
		version = 0
	case version >= 1:
		sizes = append(sizes, named{"recovery_dtbo", le.Uint32(b[1632:])})
		if version >= 2 {
			sizes = append(sizes, named{"dtb", le.Uint32(b[1648:])})
		}
	}
	if err := i.layOut(page, page, sizes); err != nil {
		return err
	}
	i.attr("header-version", fmt.Sprint(version), 40, 4)
	i.text(b, "name", 48, 16)
	i.text(b, "cmdline", 64, 512)
	i.text(b, "cmdline-extra", 608, 1024)
	i.osVersion(le.Uint32(b[44:]), 44)
	return nil
}

// modern reads versions 3 and 4, which have pages of 4096 bytes:
//
//	8 kernel, 12 ramdisk, 16 Android version, 20 size of the header, 40 version, 44 command line (1536), 1580 signature
func (i *boot) modern(b []byte, version uint32) error {
	le := binary.LittleEndian
	if size := le.Uint32(b[20:]); size < 1580 || size > 4096 {
		return format.Not("android-boot: header of %d bytes", size)
	}
	sizes := []named{{"kernel", le.Uint32(b[8:])}, {"ramdisk", le.Uint32(b[12:])}}
	if version == 4 {
		sizes = append(sizes, named{"signature", le.Uint32(b[1580:])})
	}
	if err := i.layOut(4096, 4096, sizes); err != nil {
		return err
	}
	i.attr("header-version", fmt.Sprint(version), 40, 4)
	i.text(b, "cmdline", 44, 1536)
	i.osVersion(le.Uint32(b[16:]), 16)
	return nil
}

// vendor reads vendor boot images:
//
//	8 version, 12 page, 24 ramdisk, 28 command line (2048), 2080 name (16), 2096 size of the header, 2100 DTB,
//	in version 4 also 2112 size of the table of ramdisks, 2124 size of the boot configuration
func (i *boot) vendor(b []byte) error {
	le := binary.LittleEndian
	version, page, header := le.Uint32(b[8:]), int64(le.Uint32(b[12:])), int64(le.Uint32(b[2096:]))
	if version < 3 || version > 4 || page < 512 || page > 1<<17 || bits.OnesCount64(uint64(page)) != 1 || header < 2112 || header > 1<<16 {
		return format.Not("android-boot: vendor image of version %d with pages of %d bytes", version, page)
	}
	sizes := []named{{"vendor_ramdisk", le.Uint32(b[24:])}, {"dtb", le.Uint32(b[2100:])}}
	if version == 4 {
		sizes = append(sizes, named{"vendor_ramdisk_table", le.Uint32(b[2112:])}, named{"bootconfig", le.Uint32(b[2124:])})
	}
	if err := i.layOut(page, (header+page-1)/page*page, sizes); err != nil {
		return err
	}
	i.attr("header-version", fmt.Sprint(version), 8, 4)
	i.text(b, "name", 2080, 16)
	i.text(b, "cmdline", 28, 2048)
	return nil
}

type named struct {
	name string
	size uint32
}

// layOut places the payloads behind a header of at bytes.
func (i *boot) layOut(page, at int64, sizes []named) error {
	for _, s := range sizes {
		if s.size == 0 {
			continue
		}
		i.parts = append(i.parts, part{s.name, artifact.Range{Off: at, Len: int64(s.size)}})
		at += (int64(s.size) + page - 1) / page * page
	}
	if len(i.parts) == 0 || i.parts[0].at.Off >= i.src.Size() {
		return format.Not("android-boot: no payload")
	}
	i.end = at
	return nil
}

func (i *boot) attr(name, value string, off, n int64) {
	i.attrs = append(i.attrs, artifact.Attr{Name: name, Value: value, At: artifact.Range{Off: off, Len: n}})
}

func (i *boot) text(b []byte, name string, off, n int64) {
	s, _, _ := bytes.Cut(b[off:off+n], []byte{0})
	if v := strings.TrimSpace(string(s)); v != "" {
		i.attr(name, v, off, int64(len(s)))
	}
}

// osVersion reads 7 bits each of version A.B.C, 7 of the year of the patch level from 2000 and 4 of its month.
func (i *boot) osVersion(v uint32, off int64) {
	if v != 0 {
		i.attr("os-version", fmt.Sprintf("%d.%d.%d, patch level %d-%02d", v>>25, v>>18&127, v>>11&127, 2000+(v>>4&127), v&15), off, 4)
	}
}

// Size returns the end of the last payload's last page, or the end of the payload if what is there ends before.
func (i *boot) Size() int64 { return min(i.end, i.src.Size()) }

func (i *boot) Describe() []artifact.Attr { return i.attrs }

// Entries yields the payloads.
func (i *boot) Entries() iter.Seq2[format.Entry, error] {
	return func(yield func(format.Entry, error) bool) {
		for _, p := range i.parts {
			w := p.at
			e := format.Entry{Path: p.name, Size: w.Len, Window: &w}
			if w.Off > i.src.Size() || w.Len > i.src.Size()-w.Off {
				w.Off = min(w.Off, i.src.Size())
				w.Len = i.src.Size() - w.Off
				e.Problems = []artifact.Problem{{Kind: artifact.Truncated, At: artifact.Range{Off: w.Off}, Detail: fmt.Sprintf("android-boot: %s at %#x: %d bytes, %d left", p.name, p.at.Off, p.at.Len, w.Len)}}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
