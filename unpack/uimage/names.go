package uimage

import (
	"fmt"
	"strings"
)

// The names that mkimage prints for the values of the header's four byte fields, in order from 0
// (enumerations IH_OS, IH_ARCH, IH_TYPE and IH_COMP in include/image.h).
const (
	systems = "invalid openbsd netbsd freebsd 4_4bsd linux svr4 esix solaris irix sco dell ncr lynxos vxworks psos qnx " +
		"u-boot rtems artos unity integrity ose plan9 openrtos arm-trusted-firmware tee opensbi efi elf"
	machines = "invalid alpha arm x86 ia64 mips mips64 powerpc s390 sh sparc sparc64 m68k nios microblaze nios2 blackfin " +
		"avr32 st200 sandbox nds32 or1k arm64 arc x86_64 xtensa riscv"
	types = "invalid standalone kernel ramdisk multi firmware script filesystem flat_dt kwbimage imximage ublimage " +
		"omapimage aisimage kernel_noload pblimage mxsimage gpimage atmelimage socfpgaimage x86_setup lpc32xximage " +
		"loadable rkimage rksd rkspi zynqimage zynqmpimage zynqmpbif fpga vybridimage tee firmware_ivt pmmc " +
		"stm32image socfpgaimage_v1 mtk_image imx8mimage imx8image copro sunxi_egon sunxi_toc0"
	methods = "none gzip bzip2 lzma lzo lz4 zstd"
)

// lookup returns name number b of list, or the number of one that has no name.
func lookup(list string, b byte) string {
	names := strings.Fields(list)
	if int(b) < len(names) {
		return names[b]
	}
	return fmt.Sprint("unknown-", b)
}
