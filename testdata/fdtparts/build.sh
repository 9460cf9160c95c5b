#!/bin/sh
# Builds the fixtures of mtdparts.DeviceTree: flash images of 64 KiB. Needs: device-tree-compiler, squashfs-tools, u-boot-tools, python3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000
mkdir "$work/root"; seq 1 99 > "$work/root/numbers"
mksquashfs "$work/root" "$work/root.sq" -all-root -noappend -quiet >/dev/null
seq 1 500 > "$work/kernel"
mkimage -A arm -O linux -T kernel -C none -n Linux -d "$work/kernel" "$work/kernel.img" >/dev/null

# As boards have it; one partition is divided further, which is left to what it holds.
dtc -q -O dtb -o "$work/board.dtb" - <<'DTS'
/dts-v1/;
/ {
	model = "Made-up Camera";
	soc { spi@1000 { flash@0 {
		compatible = "jedec,spi-nor";
		partitions {
			compatible = "fixed-partitions";
			#address-cells = <1>;
			#size-cells = <1>;
			partition@0 { label = "boot"; reg = <0x0 0x4000>; read-only; };
			partition@4000 { label = "fdt"; reg = <0x4000 0x1000>; };
			partition@5000 { label = "kernel"; reg = <0x5000 0x3000>; };
			partition@a000 { label = "root/fs"; reg = <0xa000 0x4000>;
				partitions { compatible = "fixed-partitions"; #address-cells = <1>; #size-cells = <1>;
					partition@0 { reg = <0x0 0x1000>; }; };
			};
			partition@e000 { label = "data"; reg = <0xe000 0x0>; };
		};
	}; }; };
};
DTS
# The old binding, with 64-bit addresses, and before it a tree for another chip.
dtc -q -O dtb -o "$work/old.dtb" - <<'DTS'
/dts-v1/;
/ { nand@0 { #address-cells = <2>; #size-cells = <2>;
	partition@0 { label = "boot"; reg = <0 0x0 0 0x4000>; };
	partition@4000 { reg = <0 0x4000 0 0x4000>; };
	kernel@8000 { label = "kernel"; reg = <0 0x8000 0 0x4000>; };
	partition@c000 { label = "root"; reg = <0 0xc000 0 0x4000>; };
}; };
DTS
dtc -q -O dtb -o "$work/other.dtb" - <<'DTS'
/dts-v1/;
/ { nand@0 { partitions { compatible = "fixed-partitions"; #address-cells = <1>; #size-cells = <1>;
	partition@0 { label = "all"; reg = <0 0x1000000>; };
	partition@8000 { label = "half"; reg = <0x8000 0x8000>; };
}; }; };
DTS
export work
python3 - <<'PY'
import hashlib, os
w = os.environ['work']
rd = lambda n: open(w + '/' + n, 'rb').read()

def case(name, pieces, parts, size=64 << 10):
    b = bytearray(b'\xff' * size)
    for off, d in pieces:
        b[off:off + len(d)] = d
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(b)
    with open(name + '/truth.txt', 'w') as f:
        for n, lo, hi in parts:
            f.write('%s  %s\n' % (hashlib.sha256(b[lo:hi]).hexdigest(), n))

case('board', [(0x2000, b'boot loader'), (0x4000, rd('board.dtb')), (0x5000, rd('kernel.img')), (0xa000, rd('root.sq'))],
     [('boot', 0, 0x4000), ('fdt', 0x4000, 0x5000), ('kernel', 0x5000, 0x8000), ('gap@0x8000', 0x8000, 0xa000), ('root_fs', 0xa000, 0xe000), ('data', 0xe000, 0x10000)])
case('old', [(0x1003, rd('other.dtb')), (0x2000, b'boot loader'), (0x4000, rd('old.dtb')), (0x8000, rd('kernel.img')), (0xc000, rd('root.sq'))],
     [('boot', 0, 0x4000), ('partition', 0x4000, 0x8000), ('kernel', 0x8000, 0xc000), ('root', 0xc000, 0x10000)])
PY
