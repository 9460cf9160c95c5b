#!/bin/sh
# Builds the cabinet fixtures. Needs the Debian packages gcab, python3 and, as a check, cabextract and p7zip-full (or 7zip).
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".cab' EXIT
umask 022
export TZ=UTC
mkdir -p "$tree/etc"
cd "$tree"
seq 1 400 > etc/numbers
printf 'one line\n' > etc/motd
: > none
python3 -c 'import sys; sys.stdout.write("".join("%d squared is %d\n" % (i, i * i) for i in range(3500)))' > squares # three blocks
printf 'gr\303\274n\n' > grün
find . -exec touch -d '2024-02-29 12:34:56 UTC' {} +
truth() { (cd "$tree"; find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum) > "$here/$1/truth.txt"; }
put() { mkdir -p "$here/$1"; cp "$tree.cab" "$here/$1/input"; truth "$1"; }
export LC_ALL=C.UTF-8
files='etc/numbers etc/motd none squares grün'
gcab -c "$tree.cab" $files; put stored
rm "$tree.cab"; gcab -cz "$tree.cab" $files; put mszip
head -c 500 /dev/zero >> "$tree.cab"; put trailing
# Reserved bytes in header, folder and data blocks, a checksum that does not fit, a folder of
# Quantum that is damaged, and a file that continues in another cabinet: gcab makes none of these.
python3 - "$tree.cab" <<'P'
import struct, sys
def csum(b, s=0):
	while len(b) >= 4:
		s ^= struct.unpack("<I", b[:4])[0]; b = b[4:]
	return s ^ int.from_bytes(b, "big")
def data(b, reserve=b"ab", bad=0):
	h = struct.pack("<HH", len(b), len(b))
	return struct.pack("<I", csum(h + reserve + b) ^ bad) + h + reserve + b
one, two = data(b"first") + data(b"second"), data(b"broken", bad=1)
quantum = data(b"not really Quantum")
names = [(b"dir\\first", 5, 0, 0), (b"second", 6, 5, 0), (b"broken", 6, 0, 1), (b"quantum", 18, 0, 2), (b"next", 9, 9, 0xfffe)]
head = 36 + 4 + 7 + 3 * (8 + 1)
files = b"".join(struct.pack("<IIHHHH", n, off, f, 0x585d, 0x645c, 0x20) + name + b"\0" for name, n, off, f in names)
at = head + len(files)
folders = b"".join(struct.pack("<IHH", o, n, m) + b"r" for o, n, m in ((at, 2, 0), (at + len(one), 1, 0), (at + len(one) + len(two), 1, 2 | 15 << 8)))
size = at + len(one + two + quantum)
h = b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, size, 0, head, 0, 3, 1, 3, len(names), 4, 77, 0) + struct.pack("<HBB", 7, 1, 2) + b"headers"
open(sys.argv[1], "wb").write(h + folders + files + one + two + quantum)
P
put reserved
printf first | sha256sum | sed 's/-$/dir\/first/' > "$here/reserved/truth.txt"
printf second | sha256sum | sed 's/-$/second/' >> "$here/reserved/truth.txt"
python3 "$here/lzx.py" "$tree.cab"
mkdir -p "$here/lzx"; cp "$tree.cab" "$here/lzx/input"
(cd lzx; sha256sum -- *) > "$here/lzx/truth.txt"
[ "$(cabextract -pq "$tree.cab" | sha256sum)" = "$(cat lzx/small lzx/code lzx/far | sha256sum)" ]
7z t "$tree.cab" > /dev/null
python3 "$here/quantum.py" "$tree.cab"
mkdir -p "$here/quantum"; cp "$tree.cab" "$here/quantum/input"
(cd quantum; sha256sum -- *) > "$here/quantum/truth.txt"
[ "$(cabextract -pq "$tree.cab" | sha256sum)" = "$(cat quantum/small quantum/far | sha256sum)" ]
