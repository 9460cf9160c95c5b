#!/bin/sh
# Builds the fixtures of unpack/uimage with mkimage. Needs: u-boot-tools, xz-utils, python3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000

seq 1 3000 > "$work/kernel"
printf '#!/bin/sh\nexec /bin/init\n' > "$work/init"
seq 1 77 > "$work/ramdisk"
gzip -n9 < "$work/kernel" > "$work/kernel.gz"
sum() { printf '%s  %s\n' "$(sha256sum < "$1" | cut -d' ' -f1)" "$2"; }

mkdir -p kernel-gzip standalone multi script
mkimage -A arm -O linux -T kernel -C gzip -a 0x80008000 -e 0x80008000 -n Linux-3.10.14 -d "$work/kernel.gz" kernel-gzip/input >/dev/null
printf 'bytes behind the image' >> kernel-gzip/input
sum "$work/kernel.gz" Linux-3.10.14 > kernel-gzip/truth.txt

# As some cameras have it: load and entry hold the flash range, the payload is not gzip.
mkimage -A arm -O linux -T standalone -C gzip -a 0x2f0000 -e 0x3d0000 -n romfs -d "$work/init" standalone/input >/dev/null
sum "$work/init" romfs > standalone/truth.txt

mkimage -A mips -O linux -T multi -C none -n 'kernel and ramdisk' -d "$work/kernel.gz:$work/ramdisk:$work/init" multi/input >/dev/null
{ sum "$work/kernel.gz" 0; sum "$work/ramdisk" 1; sum "$work/init" 2; } > multi/truth.txt

mkimage -A arm -O linux -T script -C none -n 'boot script' -d "$work/init" script/input >/dev/null
sum "$work/init" 'boot script' > script/truth.txt
