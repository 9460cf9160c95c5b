#!/bin/sh
# Builds the UDF fixtures. Needs genisoimage and python3.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".iso' EXIT
umask 022
mkdir -p "$tree/etc/sub"
seq 1 700 > "$tree/etc/numbers.txt"
printf 'odd' > "$tree/etc/sub/Grüße 日本"
: > "$tree/none"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +
# genisoimage writes bridge discs. Without its ISO 9660 descriptors one is plain UDF 1.02.
LC_ALL=C.UTF-8 genisoimage -quiet -no-pad -udf -input-charset utf-8 -J -V sample -o "$tree.iso" "$tree" 2> /dev/null
mkdir -p plain
python3 - "$tree.iso" <<'P'
import sys
b = bytearray(open(sys.argv[1], 'rb').read())
at, out = 32768, 32768
while b[at + 1:at + 6] in (b'CD001', b'BEA01', b'NSR02', b'TEA01'):
    block = bytes(b[at:at + 2048])
    b[at:at + 2048] = bytes(2048)
    if block[1:6] != b'CD001':
        b[out:out + 2048] = block
        out += 2048
    at += 2048
open('plain/input', 'wb').write(b)
P
cd "$tree"
find . -type f | LC_ALL=C sort | sed 's,^\./,,' | tr '\n' '\0' | xargs -0 sha256sum > "$here/plain/truth.txt"
