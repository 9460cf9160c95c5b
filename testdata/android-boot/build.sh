#!/bin/sh
# Builds the boot image fixtures. Needs mkbootimg and python3.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree"
seq 1 600 > kernel; seq 2 500 > ramdisk; seq 3 30 > second; seq 4 40 > dtb
build() {
	name=$1 files=$2; shift 2
	mkdir -p "$here/$name"
	mkbootimg --cmdline 'console=ttyS0 root=/dev/ram0' --os_version 9.0.0 --os_patch_level 2019-05 "$@"
	sha256sum $files > "$here/$name/truth.txt"
}
base='--kernel kernel --ramdisk ramdisk --second second --pagesize 2048 --board sample'
build v0 'kernel ramdisk second' --header_version 0 $base -o "$here/v0/input"
build v2 'kernel ramdisk second dtb' --header_version 2 $base --dtb dtb -o "$here/v2/input"
# mkbootimg of Debian 12 knows nothing newer: headers by hand, after bootimg.h.
python3 - "$here" <<-'P'
	import os, struct, sys
	read = lambda n: open(n, 'rb').read()
	pad = lambda b, n: b + bytes(-len(b) % n)
	def save(name, data):
	    os.makedirs(f'{sys.argv[1]}/{name}', exist_ok=True)
	    open(f'{sys.argv[1]}/{name}/input', 'wb').write(data)
	k, r, d, s = read('kernel'), read('ramdisk'), read('dtb'), read('second')
	h = b'ANDROID!' + struct.pack('<4I16xI', len(k), len(r), 12 << 25 | 22 << 4 | 3, 1584, 4) + b'console=ttyS0'.ljust(1536, b'\0') + struct.pack('<I', len(s))
	save('v4', b''.join(pad(x, 4096) for x in (h, k, r, s)))
	h = b'VNDRBOOT' + struct.pack('<5I', 4, 2048, 0x8000, 0x100000, len(r)) + b'console=ttyS0'.ljust(2048, b'\0') + struct.pack('<I16sIIQ4I', 0, b'sample', 2128, len(d), 0, 0, 0, 108, len(s))
	save('vendor', b''.join(pad(x, 2048) for x in (h, r, d, s)))
P
cp ramdisk vendor_ramdisk; cp second signature; cp second bootconfig
sha256sum kernel ramdisk signature > "$here/v4/truth.txt"
sha256sum vendor_ramdisk dtb bootconfig > "$here/vendor/truth.txt"
