#!/bin/sh
# Builds the fixtures of the FIT reader with mkimage. Needs: u-boot-tools, device-tree-compiler.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000
seq 1 1500 | gzip -n9 > "$work/kernel.gz"
seq 1 333 > "$work/ramdisk"
printf '/dts-v1/; / { model = "x"; };' | dtc -q -O dtb -o "$work/board.dtb"
cat > "$work/image.its" <<'ITS'
/dts-v1/;
/ {
	description = "Test FIT";
	#address-cells = <1>;
	images {
		kernel-1 {
			description = "Linux";
			data = /incbin/("kernel.gz");
			type = "kernel"; arch = "arm"; os = "linux"; compression = "gzip";
			load = <0x80008000>; entry = <0x80008000>;
			hash-1 { algo = "crc32"; };
			hash-2 { algo = "sha256"; };
			hash-3 { algo = "md5"; };
		};
		ramdisk@1 {
			description = "root";
			data = /incbin/("ramdisk");
			type = "ramdisk"; arch = "arm"; os = "linux"; compression = "none";
			hash@1 { algo = "sha1"; };
			hash@2 { algo = "sha384"; };
			hash@3 { algo = "sha512"; };
		};
		fdt-1 {
			description = "board";
			data = /incbin/("board.dtb");
			type = "flat_dt"; arch = "arm"; compression = "none";
		};
	};
	configurations {
		default = "conf-1";
		conf-1 {
			description = "Boot";
			kernel = "kernel-1"; ramdisk = "ramdisk@1"; fdt = "fdt-1";
			signature { algo = "sha256,rsa2048"; key-name-hint = "dev"; };
		};
	};
};
ITS
sum() { printf '%s  %s\n' "$(sha256sum < "$work/$1" | cut -d' ' -f1)" "$2"; }
for c in embedded external position; do
	case $c in embedded) how=;; external) how=-E;; position) how='-E -p 0x3000';; esac
	mkdir -p $c
	(cd "$work" && mkimage $how -f image.its out.itb >/dev/null 2>&1)
	{ cat "$work/out.itb"; printf 'behind the image, %s' $c; } > $c/input
	{ sum kernel.gz kernel-1; sum ramdisk ramdisk@1; sum board.dtb fdt-1; } > $c/truth.txt
done
