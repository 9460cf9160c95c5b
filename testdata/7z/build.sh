#!/bin/sh
# Builds the 7z fixtures. Needs the Debian packages p7zip-full (or 7zip) and python3.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".7z' EXIT
umask 022

mkdir -p "$tree/etc/init.d" "$tree/bin" "$tree/empty"
seq 1 200 > "$tree/etc/numbers"
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$tree/etc/passwd"
printf '#!/bin/sh\necho start\n' > "$tree/etc/init.d/rcS"
chmod 755 "$tree/etc/init.d/rcS"
: > "$tree/etc/none"
head -c 3000 /dev/zero > "$tree/bin/zero"
printf 'gr\303\274n\n' > "$tree/etc/grün"
# Something with calls and jumps for the branch filters: E8, E9, 0F 8x, and BL of ARM, ARM64, PowerPC and Thumb.
python3 - "$tree/bin/code" <<'P'
import struct, sys
out = bytearray()
for i in range(60):
	out += b"\xe8" + struct.pack("<i", 5000 - len(out)) + b"\x55\xe9" + struct.pack("<i", 64 - len(out)) + b"\x0f\x84" + struct.pack("<i", i)
	out += b"\0" * (-len(out) % 4) + struct.pack("<I", 0xeb000000 | (700 - len(out) // 4) & 0xffffff)
	out += struct.pack("<I", 0x94000000 | (900 - len(out) // 4) & 0x3ffffff) + struct.pack(">I", 0x48000001 | 4096 - len(out) & 0x3fffffc)
	out += struct.pack(">I", 0x40000000 | i) + struct.pack("<HH", 0xf000, 0xf800 | i)
open(sys.argv[1], "wb").write(out)
P
ln -s ../etc/numbers "$tree/bin/numbers"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +

truth() (
	cd "$tree"
	find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
	find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
) > "$here/$1/truth.txt"
make() { # name, options
	name=$1; shift; rm -f "$tree.7z"
	(cd "$tree" && 7z a -t7z -snl -bd "$@" "$tree.7z" . > /dev/null)
	mkdir -p "$here/$name"; cp "$tree.7z" "$here/$name/input"; truth "$name"
}
export LC_ALL=C.UTF-8 TZ=UTC
make default
make lzma -m0=LZMA
make copy -m0=Copy
make plainheader -mhc=off -m0=LZMA2
make separate -ms=off
make two -ms=2f
make deflate -m0=Deflate
make bzip2 -m0=BZip2
make bcj -m0=BCJ -m1=LZMA2
make bcj2 -mf=off -m0=BCJ2 -m1=LZMA:d20 -m2=LZMA:d16 -m3=LZMA:d16 -mb0:1 -mb0s1:2 -mb0s2:3
make arm -m0=ARM -m1=LZMA2
make arm64 -m0=ARM64 -m1=LZMA2
make thumb -m0=ARMT -m1=LZMA2
make ppc -m0=PPC -m1=LZMA2
make sparc -m0=SPARC -m1=LZMA2
make ia64 -m0=IA64 -m1=LZMA2
make delta -m0=Delta:4 -m1=LZMA
make chain -m0=Delta:2 -m1=Deflate -m2=Copy
make ppmd -m0=PPMd
make deflate64 -m0=Deflate64
make aes -psecret; rm "$here/aes/truth.txt"
make sealed -psecret -mhe=on; rm "$here/sealed/truth.txt"
make nothing '-x!*'; rm "$here/nothing/truth.txt"
