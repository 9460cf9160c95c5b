#!/bin/sh
# Builds the ISO 9660 fixtures. Needs genisoimage, zisofs-tools and python3, and to be root for owners and devices.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree.z"' EXIT
umask 022
dates() { find "$1" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +; }
truths() { # name
	cd "$tree"
	{
		find . -type f | LC_ALL=C sort | sed 's,^\./,,' | tr '\n' '\0' | xargs -0 sha256sum
		find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
	} > "$here/$1/truth.txt"
	cd "$here"
}
iso() { # name, tree, options
	name=$1 from=$2; shift 2
	mkdir -p "$name"
	dates "$from"
	genisoimage -quiet -no-pad -V sample -o "$name/input" "$@" "$from" 2> /dev/null
	# The dates in a descriptor: 16 digits and a zone.
	python3 - "$name/input" <<'P'
import sys
b = bytearray(open(sys.argv[1], 'rb').read())
at = 32768
while b[at] != 255:
    for off in (813, 830, 864):
        b[at + off:at + off + 17] = b'2024022912345600\0'
    at += 2048
open(sys.argv[1], 'wb').write(b)
P
}

# Joliet, and a file in two extents that do not follow each other: a long and c are made one.
mkdir "$tree/etc"
seq 1 900 | head -c 2048 > "$tree/etc/a long name.txt"; printf 'middle' > "$tree/etc/b"; seq 5000 6000 | head -c 100 > "$tree/etc/c"
iso joliet "$tree" -J
python3 - <<'P'
import struct
b = bytearray(open('joliet/input', 'rb').read())
name = 'a long name.txt'.encode('utf-16-be')
at = b.index(name) - 33
records = []
while b[at]:
    records.append(bytes(b[at:at + b[at]]))
    at += b[at]
a, m, c = records
rest = bytearray(a)
rest[2:18] = c[2:18]
a = a[:25] + b'\x80' + a[26:]
at = b.index(name) - 33
b[at:at + len(a) + len(rest) + len(m)] = a + rest + m
open('joliet/input', 'wb').write(b)
P
cat "$tree/etc/c" >> "$tree/etc/a long name.txt"; rm "$tree/etc/c"
truths joliet
rm -r "$tree"; mkdir "$tree"

mkdir -p "$tree/etc" "$tree/dev" "$tree/1/2/3/4/5/6/7/8"
seq 1 300 > "$tree/etc/numbers.txt"
printf 'odd' > "$tree/etc/odd"
: > "$tree/etc/none"
echo deep > "$tree/1/2/3/4/5/6/7/8/Deep File"
ln "$tree/etc/odd" "$tree/etc/same"
chown 100000:33 "$tree/etc/odd"; chmod 4711 "$tree/etc/odd"
ln -s numbers.txt "$tree/etc/link"
ln -s /one/../two/./"$(head -c 200 /dev/zero | tr '\0' t)"/"$(head -c 100 /dev/zero | tr '\0' u)" "$tree/etc/longlink"
mknod "$tree/dev/console" c 5 1; mknod "$tree/dev/far" b 260 70000; mkfifo "$tree/dev/pipe"
: > "$tree/$(head -c 240 /dev/zero | tr '\0' n)"
iso rock-ridge "$tree" -R
truths rock-ridge
rm -r "$tree"; mkdir "$tree"

seq 1 9000 > "$tree/numbers"
truncate -s 100000 "$tree/sparse"
dates "$tree"
mkzftree "$tree" "$tree.z"
iso zisofs "$tree.z" -R -z
truths zisofs

# A boot image that is in no directory.
rm -r "$tree"; mkdir "$tree"
seq 1 500 > "$tree/boot.img"; printf 'file' > "$tree/file"
iso boot "$tree" -b boot.img -c boot.cat -hide boot.img -hide boot.cat -no-emul-boot -boot-load-size 3
head -c 1536 "$tree/boot.img" | sha256sum | sed 's,-,[boot]/1-x86.img,' > boot/truth.txt
printf 'file' | sha256sum | sed 's,-,FILE,' >> boot/truth.txt
