#!/bin/sh
# Builds the fixtures of unpack/zlib. Needs the Debian package python3.
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

mkdir -p plain best
python3 -c 'import sys, zlib; d = open(sys.argv[1], "rb").read(); open("plain/input", "wb").write(zlib.compress(d) + b"other bytes"); open("best/input", "wb").write(zlib.compress(d, 9))' "$work/data"
truth plain
truth best
