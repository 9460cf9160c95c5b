// Package unpack takes an image apart, level by level, within limits.
package unpack

import (
	"hallmark/unpack/dahua"
	"hallmark/unpack/dtb"
	"hallmark/unpack/format"
	"hallmark/unpack/hikvision"
	"hallmark/unpack/jffs2"
	"hallmark/unpack/novatek"
	"hallmark/unpack/squashfs"
	"hallmark/unpack/tar"
	"hallmark/unpack/ubootenv"
	"hallmark/unpack/uimage"
)

// Formats returns every format, in order of precedence: where two claim the same offset, the
// earlier one is asked first. It is a list, written out.
func Formats() []format.Format {
	return []format.Format{
		hikvision.Format,
		dahua.Format,
		novatek.Format,
		uimage.Format,
		dtb.FIT,
		dtb.Format,
		ubootenv.Format,
		squashfs.Format,
		jffs2.Format,
		tar.Format,
	}
}
