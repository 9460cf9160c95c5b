#!/bin/sh
# Builds the fixtures of unpack/ubootenv with mkenvimage. Needs: u-boot-tools.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/vars" <<'ENV'
bootcmd=sf probe 0;sf read 0x82000000 0x40000 0x200000;bootm 0x82000000
bootargs=mem=40M console=ttyAMA0,115200 root=/dev/mtdblock2 mtdparts=hi_sfc:256K(boot),2M(kernel),-(rootfs)
ethaddr=00:00:00:00:00:01
empty=
ENV
mkdir -p plain redundant big-endian odd-size
mkenvimage -s 0x1000 -p 0 -o plain/input "$work/vars"; printf 'behind the environment' >> plain/input
mkenvimage -r -s 0x2000 -o redundant/input "$work/vars"
mkenvimage -b -s 0x800 -p 0xff -o big-endian/input "$work/vars"
mkenvimage -s 0x1f00 -p 0 -o odd-size/input "$work/vars"
