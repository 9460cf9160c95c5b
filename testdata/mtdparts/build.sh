#!/bin/sh
# Builds the fixtures of unpack/mtdparts: flash images of 64 KiB. Needs: squashfs-tools, u-boot-tools, python3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000
mkdir "$work/root"; seq 1 99 > "$work/root/numbers"
mksquashfs "$work/root" "$work/root.sq" -all-root -noappend -quiet >/dev/null
seq 1 500 > "$work/kernel"
mkimage -A mips -O linux -T kernel -C none -n Linux -d "$work/kernel" "$work/kernel.img" >/dev/null
printf 'bootargs=console=ttyS1 mtdparts=jz_sfc:16k(boot),4k@0x4000(env),12k(kernel)ro,16k@0xa000(root),-(data);nand0:1M(a),-(b)\nbootdelay=1\n' > "$work/vars"
mkenvimage -s 0x1000 -p 0 -o "$work/env" "$work/vars"
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

# The boot loader has an older table; the one in the environment holds. There is a gap at 0x8000.
boot = b'boot loader\0console=ttyS1 mtdparts=jz_sfc:16k(boot),24k(kernel),20k(root),-(appfs)\0usage: mtdparts=<mtd-def>[;<mtd-def>...]\0'
case('environment', [(0x2000, boot), (0x4000, rd('env')), (0x5000, rd('kernel.img')), (0xa000, rd('root.sq'))],
     [('boot', 0, 0x4000), ('env', 0x4000, 0x5000), ('kernel', 0x5000, 0x8000), ('gap@0x8000', 0x8000, 0xa000), ('root', 0xa000, 0xe000), ('data', 0xe000, 0x10000)])

# Partitions that hold others, a name twice, no rest.
boot = b'mtdparts=spi0.0:0x4000(boot),0x4000(kernel),0x4000(root),0x4000(root),64k@0(all),32k@16k(firmware)\0'
case('nested', [(0x2000, boot), (0x4000, rd('kernel.img')), (0x8000, rd('root.sq')), (0xc000, rd('root.sq'))],
     [('boot', 0, 0x4000), ('kernel', 0x4000, 0x8000), ('root', 0x8000, 0xc000), ('root@0xc000', 0xc000, 0x10000)])
PY
