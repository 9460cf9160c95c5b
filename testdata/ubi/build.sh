#!/bin/sh
# Builds the fixtures of unpack/ubi. Needs the Debian packages mtd-utils and python3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$work" <<'PY'
import random, sys
rnd = random.Random(64)
words = [bytes(rnd.choices(b"abcdefghijklmnop", k=rnd.randint(2, 9))) for _ in range(60)]
open(sys.argv[1] + "/kernel", "wb").write(b" ".join(rnd.choices(words, k=1400)))
# A dynamic volume has no end of its own, so its content fills whole blocks.
open(sys.argv[1] + "/data", "wb").write((b" ".join(rnd.choices(words, k=2000)))[:2 * 3072])
PY
cat >"$work/ubi.ini" <<INI
[kernel]
mode=ubi
image=$work/kernel
vol_id=0
vol_type=static
vol_name=kernel
[data]
mode=ubi
image=$work/data
vol_id=3
vol_size=20KiB
vol_type=dynamic
vol_name=data
vol_flags=autoresize
INI
mkdir -p plain subpage used damaged
ubinize -o plain/input -p 4KiB -m 512 -Q 1234 "$work/ubi.ini"
ubinize -o subpage/input -p 4KiB -m 1024 -s 512 -O 512 -Q 99 "$work/ubi.ini"
for c in plain subpage used; do
	(cd "$work" && sha256sum kernel data) >"$c/truth.txt"
done

python3 - <<'PY'
import random, struct, zlib
def crc(b): return (zlib.crc32(b) ^ 0xffffffff) & 0xffffffff
image = open("plain/input", "rb").read()
pebs = [image[i:i + 4096] for i in range(0, len(image), 4096)]
def vid(p): return struct.unpack(">II", p[512 + 8:512 + 16])
def edit(p, sequence, payload, copy=None):
    h = bytearray(p[512:576])
    h[40:48] = struct.pack(">Q", sequence)
    if copy is not None:
        h[6] = 1
        h[20:24] = struct.pack(">I", len(payload))
        h[32:36] = struct.pack(">I", copy)
    h[60:64] = struct.pack(">I", crc(bytes(h[:60])))
    return p[:512] + bytes(h) + p[576:1024] + payload + p[1024 + len(payload):]

# As after use: any order, erased blocks between, an older block 0 of data, and a newer one whose copy was torn.
first = next(p for p in pebs if vid(p) == (3, 0))
torn = edit(first, 9, b"torn", copy=0)
others = [edit(p, 5, b"") if vid(p) == (3, 0) else p for p in pebs]
used = others + [edit(first, 3, b"older"), torn, b"\xff" * 4096, b"\xff" * 4096]
random.Random(3).shuffle(used)
while used[0][:4] != b"UBI#":
    used.append(used.pop(0))
while used[-1][:4] != b"UBI#":
    used.insert(1, used.pop())
open("used/input", "wb").write(b"".join(used) + b"\xff" * 4096)

# A block of the static volume gone, the header of another with a wrong bit, no volume table.
damaged = []
for p in pebs:
    v = vid(p)
    if v == (0, 1):
        p = b"\x00" * 4096
    elif v == (3, 1):
        p = p[:530] + bytes([p[530] ^ 1]) + p[531:]
    elif v[0] == 0x7fffefff:
        p = p[:1024 + 20] + b"X" + p[1024 + 21:]
    damaged.append(p)
open("damaged/input", "wb").write(b"".join(damaged))
PY
