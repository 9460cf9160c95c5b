#!/bin/sh
# Builds the fixtures of unpack/lzop. Needs the Debian packages lzop and python3.
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

mkdir -p plain crc cut
(cd "$work" && { lzop -c data; printf 'other bytes'; }) >plain/input
truth plain data
lzop -9 --crc32 -c <"$work/data" >crc/input
truth crc
head -c 5000 plain/input >cut/input
damage checksum plain 4000
