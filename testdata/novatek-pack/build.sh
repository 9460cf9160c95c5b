#!/bin/sh
# Builds the fixture of novatek.Pack after the published layout, around made-up partitions. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import array, hashlib, os, struct
parts = [(1, b'device tree\n'), (2, b''.join(b'u-boot %d\n' % i for i in range(100))), (6, b'root file system')]
guid = bytes.fromhex('072e01d6bc10914fb28a352f82261a50')
table, body, at = b'', b'', 0x28 + 12 * len(parts)
for n, d in parts:
    table += struct.pack('<3I', at + len(body), len(d), n)
    body += d + bytes(-len(d) % 4)
def image(c):
    return guid + struct.pack('<6I', 0x16071515, 0x28, len(parts), at + len(body), 1, c) + table + body
w = array.array('H', image(0))
os.makedirs('three', exist_ok=True)
open('three/input', 'wb').write(image(-(sum(w) + sum(range(len(w)))) & 0xffff) + b'behind')
with open('three/truth.txt', 'w') as f:
    for n, d in parts:
        f.write('%s  %d\n' % (hashlib.sha256(d).hexdigest(), n))
PY
