// Package unpack takes an image apart, level by level, within limits.
package unpack

import (
	"hallmark/unpack/ambarella"
	"hallmark/unpack/ar"
	"hallmark/unpack/bzip2"
	"hallmark/unpack/compress"
	"hallmark/unpack/cpio"
	"hallmark/unpack/cramfs"
	"hallmark/unpack/dahua"
	"hallmark/unpack/dtb"
	"hallmark/unpack/ext"
	"hallmark/unpack/fat"
	"hallmark/unpack/format"
	"hallmark/unpack/gzip"
	"hallmark/unpack/hichip"
	"hallmark/unpack/hikvision"
	"hallmark/unpack/instar"
	"hallmark/unpack/jffs2"
	"hallmark/unpack/kernel"
	"hallmark/unpack/longse"
	"hallmark/unpack/lz4"
	"hallmark/unpack/lzip"
	"hallmark/unpack/lzma"
	"hallmark/unpack/lzop"
	"hallmark/unpack/mtdparts"
	"hallmark/unpack/novatek"
	"hallmark/unpack/reolink"
	"hallmark/unpack/rockchip"
	"hallmark/unpack/romfs"
	"hallmark/unpack/squashfs"
	"hallmark/unpack/tar"
	"hallmark/unpack/tiandy"
	"hallmark/unpack/trx"
	"hallmark/unpack/tvt"
	"hallmark/unpack/ubi"
	"hallmark/unpack/ubifs"
	"hallmark/unpack/ubootenv"
	"hallmark/unpack/uimage"
	"hallmark/unpack/xz"
	"hallmark/unpack/zip"
	"hallmark/unpack/zlib"
	"hallmark/unpack/zstd"
)

// Formats returns every format, in order of precedence: where two claim the same offset, the
// earlier one is asked first. It is a list, written out.
func Formats() []format.Format {
	return []format.Format{
		mtdparts.Format,
		hikvision.Format,
		dahua.Format,
		tiandy.Format,
		reolink.Format,
		novatek.Format,
		hichip.Format,
		longse.Format,
		instar.Format,
		tvt.Format,
		trx.Format,
		rockchip.Firmware,
		rockchip.Package,
		ambarella.Section,
		ambarella.ROMFS,
		uimage.Format,
		dtb.FIT,
		dtb.Format,
		kernel.ZImage,
		kernel.Image,
		kernel.BzImage,
		kernel.Config,
		ubootenv.Format,
		ubi.Format,
		ubifs.Format,
		squashfs.Format,
		cramfs.Format,
		jffs2.Format,
		romfs.Format,
		ext.Format,
		fat.Format,
		zip.Format,
		tar.Format,
		cpio.Format,
		ar.Format,
		gzip.Format,
		xz.Format,
		bzip2.Format,
		lz4.Format,
		lz4.Legacy,
		zstd.Format,
		lzop.Format,
		lzip.Format,
		compress.Format,
		lzma.Format,
		zlib.Format,
	}
}
