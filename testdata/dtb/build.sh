#!/bin/sh
# Builds the fixtures of unpack/dtb with dtc. Needs: device-tree-compiler, python3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
seq 1 1200 > "$work/blob"

cat > "$work/board.dts" <<'DTS'
/dts-v1/;
/memreserve/ 0x81000000 0x1000;
/ {
	model = "Hallmark Test Camera";
	compatible = "hallmark,camera", "hisilicon,hi3518ev300";
	#address-cells = <1>;
	#size-cells = <1>;
	chosen { bootargs = "console=ttyAMA0,115200 root=/dev/mtdblock2"; };
	memory@80000000 { device_type = "memory"; reg = <0x80000000 0x04000000>; };
	flash@0 {
		compatible = "jedec,spi-nor";
		#address-cells = <1>;
		#size-cells = <1>;
		reg = <0>;
		partitions {
			compatible = "fixed-partitions";
			#address-cells = <1>;
			#size-cells = <1>;
			partition@0 { label = "boot"; reg = <0x0 0x40000>; read-only; };
			partition@40000 { label = "kernel"; reg = <0x40000 0x200000>; };
			rootfs@240000 { reg = <0x240000 0x500000>; };
		};
	};
	firmware { blob = /incbin/("blob"); };
};
DTS
printf '/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; memory@0 { device_type = "memory"; reg = <0x1 0x0 0x2 0x0 0x0 0x100 0x0 0x200>; }; };' > "$work/old.dts"

mkdir -p board version-16
(cd "$work" && dtc -q -O dtb -o board.dtb board.dts && dtc -q -O dtb -V 16 -o old.dtb old.dts)
{ cat "$work/board.dtb"; printf 'behind the blob'; } > board/input
printf '%s  firmware/blob\n' "$(sha256sum < "$work/blob" | cut -d' ' -f1)" > board/truth.txt
cp "$work/old.dtb" version-16/input
