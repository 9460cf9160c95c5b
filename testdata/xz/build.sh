#!/bin/sh
# Builds the fixtures of unpack/xz. Needs the Debian packages xz-utils and python3.
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

mkdir -p plain blocks arm delta streams cut
xz -c "$work/data" >plain/input
truth plain
{ xz -c -0 --check=sha256 --block-size=3000 "$work/data"; printf 'other bytes'; } >blocks/input
truth blocks
xz -c --check=crc32 --arm --lzma2=dict=64KiB "$work/data" >arm/input
truth arm
xz -c --check=none --delta=dist=4 --x86 --lzma2=lc=0,lp=2 "$work/data" >delta/input
truth delta
{ head -c 5000 "$work/data" | xz; tail -c +5001 "$work/data" | xz; } >streams/input
truth streams
head -c 2500 arm/input >cut/input
damage damaged blocks 4000
damage index plain -20
