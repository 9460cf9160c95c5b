// Package unpack takes an image apart, level by level, within limits.
package unpack

import (
	"hallmark/unpack/ar"
	"hallmark/unpack/cpio"
	"hallmark/unpack/cramfs"
	"hallmark/unpack/dahua"
	"hallmark/unpack/dtb"
	"hallmark/unpack/ext"
	"hallmark/unpack/format"
	"hallmark/unpack/hikvision"
	"hallmark/unpack/jffs2"
	"hallmark/unpack/kernel"
	"hallmark/unpack/mtdparts"
	"hallmark/unpack/novatek"
	"hallmark/unpack/romfs"
	"hallmark/unpack/squashfs"
	"hallmark/unpack/tar"
	"hallmark/unpack/ubi"
	"hallmark/unpack/ubootenv"
	"hallmark/unpack/uimage"
	"hallmark/unpack/zip"
)

// Formats returns every format, in order of precedence: where two claim the same offset, the
// earlier one is asked first. It is a list, written out.
func Formats() []format.Format {
	return []format.Format{
		mtdparts.Format,
		hikvision.Format,
		dahua.Format,
		novatek.Format,
		uimage.Format,
		dtb.FIT,
		dtb.Format,
		kernel.ZImage,
		kernel.Image,
		kernel.BzImage,
		kernel.Config,
		ubootenv.Format,
		ubi.Format,
		squashfs.Format,
		cramfs.Format,
		jffs2.Format,
		romfs.Format,
		ext.Format,
		zip.Format,
		tar.Format,
		cpio.Format,
		ar.Format,
	}
}
