#!/bin/sh
# Builds the LHA fixtures. Needs the Debian packages jlha-utils, python3, and lhasa, which checks the archives.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".lzh' EXIT
umask 022
export TZ=UTC
cd "$tree"
mkdir etc
seq 1 400 > etc/numbers
printf 'one line\n' > etc/motd
: > none
awk 'BEGIN { for (i = 0; i < 1000; i++) print i, "squared is", i * i }' > squares # more than the window of lh5, and than a block
head -c 3000 /dev/zero > zero
find . -exec touch -d '2024-02-29 12:34:56 UTC' {} +
files='etc/numbers etc/motd none squares zero'
put() { lhasa tq "$tree.lzh" > /dev/null; mkdir -p "$here/$1"; cp "$tree.lzh" "$here/$1/input"; sha256sum $files > "$here/$1/truth.txt"; rm "$tree.lzh"; }
for m in 5 6 7; do jlha aqo$m "$tree.lzh" $files; put lh$m; done
jlha aqz "$tree.lzh" $files; put stored
# jlha writes headers of level 2 only. These are the same members behind the others, with Unix' fields.
for level in 0 1 3; do
	jlha aqo5 "$tree.lzh" $files; python3 - "$tree.lzh" $level <<'P'
import struct, sys
b, pos, out = open(sys.argv[1], "rb").read(), 0, b""
level = int(sys.argv[2])
while b[pos]:
	size, = struct.unpack_from("<H", b, pos)
	method, packed, plain, crc = b[pos+2:pos+7], *struct.unpack_from("<II", b, pos+7), struct.unpack_from("<H", b, pos+21)[0]
	name, folder, at, n = b"", b"", pos + 26, struct.unpack_from("<H", b, pos+24)[0]
	while n:
		kind, data = b[at], b[at+1:at+n-2]
		if kind == 1: name = data
		if kind == 2: folder = data
		at, n = at + n, struct.unpack_from("<H", b, at+n-2)[0]
	data = b[pos+size:pos+size+packed]
	pos += size + packed
	dos = struct.pack("<HH", 0x645c, 0x585d)
	if level == 0:
		name = folder.replace(b"\xff", b"\\") + name
		h = method + struct.pack("<II", packed, plain) + dos + bytes([0x20, 0, len(name)]) + name + struct.pack("<H", crc)
		h += b"U\0" + struct.pack("<IHHH", 1709210096, 0o100640, 100, 33)
		out += bytes([len(h), sum(h) & 255]) + h + data
	elif level == 3: # with the CRC-16 of the headers, which is taken while it is 0
		ext = [b"\x50" + struct.pack("<H", 0o100644), b"\0\0\0", b"\1" + name] + ([b"\2" + folder] if folder else [])
		sizes = [len(x) + 4 for x in ext] + [0]
		h = b"\4\0" + method + struct.pack("<II", packed, plain) + struct.pack("<IBBHcII", 1709210096, 0x20, 3, crc, b"U", 32 + sum(sizes), sizes[0])
		h += b"".join(x + struct.pack("<I", n) for x, n in zip(ext, sizes[1:]))
		v = 0
		for c in h:
			v ^= c
			for _ in range(8): v = v >> 1 ^ (0xa001 if v & 1 else 0)
		out += h[:32 + sizes[0] + 1] + struct.pack("<H", v) + h[32 + sizes[0] + 3:] + data
	else:
		ext = [b"\x50" + struct.pack("<H", 0o100755), b"\x51" + struct.pack("<HH", 33, 100), b"\x54" + struct.pack("<I", 1709210096)]
		if folder: ext.append(b"\2" + folder)
		sizes = [len(x) + 2 for x in ext] + [0]
		tail = b"".join(x + struct.pack("<H", n) for x, n in zip(ext, sizes[1:]))
		h = method + struct.pack("<II", packed + len(tail), plain) + dos + bytes([0x20, 1, len(name)]) + name + struct.pack("<HcH", crc, b"U", sizes[0])
		out += bytes([len(h), sum(h) & 255]) + h + tail + data
open(sys.argv[1], "wb").write(out + b"\0")
P
	put level$level
done
jlha aqo5 "$tree.lzh" $files; head -c 300 /dev/urandom >> "$tree.lzh"; put trailing
# A method that is not read, and a member whose content was altered.
one() { jlha aqz "$tree.lzh" etc/motd; sed -i "$2" "$tree.lzh"; mkdir -p "$here/$1"; cp "$tree.lzh" "$here/$1/input"; rm "$tree.lzh"; }
one altered 's/one line/two line/'
