#!/bin/sh
# Builds the fixtures of unpack/lzma. Needs the Debian packages xz-utils and python3.
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

mkdir -p marker both other nodict cut
{ xz --format=lzma -c "$work/data"; printf 'other bytes'; } >marker/input
truth marker
# liblzma writes neither sizes nor streams without a marker; the LZMA SDK and its heirs do.
python3 - "$work/data" <<'PY'
import lzma, struct, sys
d = open(sys.argv[1], "rb").read()
b = bytearray(open("marker/input", "rb").read()[:-11])
b[5:13] = struct.pack("<Q", len(d))
open("both/input", "wb").write(b + b"other")
PY
truth both
xz --format=lzma --lzma1=lc=1,lp=2,pb=0,dict=96KiB -c "$work/data" >other/input
truth other
python3 -c 'b = bytearray(open("both/input", "rb").read()); b[1:5] = bytes(4); open("nodict/input", "wb").write(b)'
truth nodict
head -c 3000 marker/input >cut/input
damage damaged marker 3000
