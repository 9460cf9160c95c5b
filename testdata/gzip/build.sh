#!/bin/sh
# Builds the fixtures of unpack/gzip. Needs the Debian packages gzip and python3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Numbers, branches as ARM code has them, and noise.
python3 - "$work/data" <<'PY'
import random, struct, sys
r = random.Random(1)
b = " ".join(map(str, r.choices(range(10**6), k=700))).encode()
for i in range(800):
    b += struct.pack("<II", 0xe92d4010, 0xeb000000 | (0x1234 - i * 2) & 0xffffff)
b += r.randbytes(600)
open(sys.argv[1], "wb").write(b)
PY
touch -d 2024-05-06T07:08:09Z "$work/data"
# truth CASE [PATH]: what must come out of it, once.
truth() { echo "$(sha256sum <"$work/data" | cut -d' ' -f1)  ${2-}" >"$1/truth.txt"; }
# damage CASE FROM OFFSET: a copy with one byte changed, whose offset counts from the end if below 0.
damage() {
	mkdir -p "$1"
	python3 -c 'import sys; b = bytearray(open(sys.argv[2], "rb").read()); b[int(sys.argv[3])] ^= 0x10; open(sys.argv[1], "wb").write(b)' "$1/input" "$2/input" "$3"
}

mkdir -p named bare members header
gzip -9 -c "$work/data" >named/input
truth named data
{ gzip -n -1 <"$work/data"; printf 'other bytes'; } >bare/input
truth bare
{ head -c 5000 "$work/data" | gzip -n; tail -c +5001 "$work/data" | gzip -n; } >members/input
truth members
# All optional fields.
python3 - "$work/data" <<'PY'
import struct, sys, zlib
d = open(sys.argv[1], "rb").read()
h = b"\x1f\x8b\x08\x1e" + struct.pack("<I", 1700000000) + b"\x02\x00" + struct.pack("<H", 6) + b"AB\x02\x00xy" + b"fw.bin\0" + b"a comment\0"
c = zlib.compressobj(9, zlib.DEFLATED, -15)
open("header/input", "wb").write(h + struct.pack("<H", zlib.crc32(h) & 0xffff) + c.compress(d) + c.flush() + struct.pack("<II", zlib.crc32(d), len(d)))
PY
truth header fw.bin
damage checksum bare -13
mkdir -p cut
head -c 5000 named/input >cut/input
