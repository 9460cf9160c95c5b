#!/bin/sh
# Builds the NAND fixtures. Needs mtd-utils, squashfs-tools, u-boot-tools and python3, which puts in
# the spare areas and computes the Hamming code by its definition, bit by bit. BCH codes are those
# of Linux, by the Python package bchlib.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
umask 022
mkdir "$tmp/tree"
seq 1 1200 > "$tmp/tree/numbers"
head -c 9000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null > "$tmp/tree/noise"
seq 1 900 | tac > "$tmp/tree/down"
find "$tmp/tree" -exec touch -h -d '2024-01-01 UTC' {} +

cat > "$tmp/spare.py" <<'P'
import hashlib, os, random, sys
name, source, page, spare, ecc, flips = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
r = random.Random(1)
b = open(source, 'rb').read()
b += b'\xff' * (-len(b) % page)

def code(d): # of ecc bytes; each parity by its definition
    rows = ecc.bit_length() - 1
    bits = [(i, k) for i, c in enumerate(d) for k in range(8) if c >> k & 1]
    rp = [sum(1 for i, k in bits if (i >> n & 1) == v) & 1 for n in range(rows) for v in (0, 1)]
    cp = [sum(1 for i, k in bits if (k >> n & 1) == v) & 1 for n in range(3) for v in (0, 1)]
    pack = lambda p: sum((1 - v) << n for n, v in enumerate(p))
    last = pack(cp) << 2 | (pack(rp[16:18]) if rows == 9 else 3)
    return bytes([pack(rp[8:16]), pack(rp[0:8]), last])

out = bytearray()
for n, i in enumerate(range(0, len(b), page)):
    d = bytearray(b[i:i + page])
    s = bytearray(b'\xff' * spare)
    if ecc == 0 and d != b'\xff' * page:
        s[2:] = r.randbytes(spare - 2) # as a controller's code looks
    if ecc:
        c = b''.join(code(d[k:k + ecc]) for k in range(0, page, ecc))
        at = [0, 1, 2, 3, 6, 7] if page == 512 else range(spare - len(c), spare)
        for k, v in zip(at, c): s[k] = v
        if n < flips:
            d[r.randrange(page)] ^= 1 << r.randrange(8)
    out += d + s
os.makedirs(name, exist_ok=True)
open(name + '/input', 'wb').write(out)
open(name + '/truth.txt', 'w').write(hashlib.sha256(b).hexdigest() + '  nand\n')
P
spare() { python3 "$tmp/spare.py" "$@"; }

printf '[a]\nmode=ubi\nimage=%s\nvol_id=0\nvol_type=static\nvol_name=numbers\n' "$tmp/tree/numbers" > "$tmp/ini"
ubinize -o "$tmp/ubi" -p 16KiB -m 512 -Q 7 "$tmp/ini"
spare ubi-small-page "$tmp/ubi" 512 16 256 5
mkfs.jffs2 -q -l -n -e 16KiB -p -r "$tmp/tree" -o "$tmp/jffs2"
spare jffs2 "$tmp/jffs2" 2048 64 0 0
mkdir "$tmp/tree/many"; for i in $(seq 100 399); do : > "$tmp/tree/many/a-file-with-a-long-name-$i"; done
find "$tmp/tree/many" -exec touch -h -d '2024-01-01 UTC' {} +
mksquashfs "$tmp/tree" "$tmp/squashfs" -quiet -no-progress -noI -noD -noF -b 4096 -all-root -mkfs-time 0 > /dev/null
spare squashfs "$tmp/squashfs" 2048 128 512 2
mkimage -A arm -O linux -T kernel -C none -n sample -d "$tmp/tree/noise" "$tmp/uimage" > /dev/null
spare uimage "$tmp/uimage" 2048 64 0 0

cat > "$tmp/bch.py" <<'P'
import bchlib, hashlib, os, random, sys
name, source, page, spare, step, t, swap, first, flips = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
r = random.Random(2)
b = open(source, 'rb').read()
b += b'\xff' * (-len(b) % page)
bch = bchlib.BCH(t, m=(8 * step).bit_length(), swap_bits=bool(swap))
mask = bytes(c ^ 0xff for c in bch.encode(b'\xff' * step))
out = bytearray()
for n, i in enumerate(range(0, len(b), page)):
    d = bytearray(b[i:i + page])
    s = bytearray(b'\xff' * spare)
    c = b''.join(bytes(x ^ y for x, y in zip(bch.encode(bytes(d[k:k + step])), mask)) for k in range(0, page, step))
    s[first:first + len(c)] = c
    if n < 3 or n % 4 == 0: # in one step as many as the code corrects
        for bit in r.sample(range(8 * step), flips): d[bit >> 3] ^= 1 << (bit & 7)
    out += d + s
os.makedirs(name, exist_ok=True)
open(name + '/input', 'wb').write(out)
open(name + '/truth.txt', 'w').write(hashlib.sha256(b).hexdigest() + '  nand\n')
P
cp "$tmp/jffs2" "$tmp/twice"; cat "$tmp/jffs2" >> "$tmp/twice"
python3 "$tmp/bch.py" bch-4 "$tmp/twice" 2048 64 512 4 0 36 4
python3 "$tmp/bch.py" bch-8-low "$tmp/twice" 2048 128 512 8 1 2 8
