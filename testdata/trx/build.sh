#!/bin/sh
# Builds the fixtures of unpack/trx, around made-up parts. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct, zlib

def trx(parts, version, slots):
    head = 16 + 4 * slots
    offs, body = [], b''
    for d in parts:
        offs.append(head + len(body))
        body += d + bytes(-len(d) % 4)
    tail = struct.pack('<2H%dI' % slots, 0, version, *(offs + [0] * slots)[:slots]) + body
    return struct.pack('<4s2I', b'HDR0', head + len(body), zlib.crc32(tail) ^ 0xffffffff) + tail

words = b''.join(b'%d camera\n' % i for i in range(200))
for name, parts, version, slots in (('update', [b'kernel bytes', words], 1, 3), ('version-2', [b'loader', words, b'x' * 40, words[::-1]], 2, 4)):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(trx(parts, version, slots) + b'behind the image')
    with open(name + '/truth.txt', 'w') as f:
        for i, d in enumerate(parts):
            f.write('%s  %d\n' % (hashlib.sha256(d + bytes(-len(d) % 4)).hexdigest(), i))
PY
