#!/bin/sh
# Builds the fixtures of unpack/qnap after the published description of trailer and cipher, around made-up content and with
# made-up keys. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import gzip, hashlib, os, struct

def table(key, acc):
    # Pairs for each word of the key, in the arithmetic of 16 bits.
    rows, state = [], 0
    for i in range(0, len(key) - 1, 2):
        signed = key[i] ^ acc
        if signed > 127:
            signed -= 257
        x = (state ^ ((signed << 8) + (key[i + 1] ^ acc))) % 65536
        state = (0x4e35 * x + 1) % 65536
        rows.append((0x15a * x % 65536, state))
    return rows

def encrypt(key, plain):
    tables, acc, y, z, out = {}, 0, 0, 0, bytearray()
    for p in plain:
        if acc not in tables:
            tables[acc] = table(key, acc)
        mix = 0
        for i, (a, h) in enumerate(tables[acc]):
            y, z = a, (a + y + 0x4e35 * (z + i)) % 65536
            mix ^= h ^ z
        out.append(p ^ (mix >> 8) ^ (mix & 255))
        acc ^= p
    return bytes(out)

def put(case, key, plain, sealed, model, version, date, behind=b'', truth=False):
    image = encrypt(key, plain[:sealed]) + plain[sealed:]
    image += struct.pack('<6sI16s16s16s16s', b'icpnas', sealed, model, version, date, b'')
    os.makedirs(case, exist_ok=True)
    open(case + '/input', 'wb').write(image + behind)
    if truth:
        open(case + '/truth.txt', 'w').write('%s  \n' % hashlib.sha256(plain).hexdigest())

body = lambda word: gzip.compress(b''.join(b'%d %s\n' % (i, word) for i in range(1, 900)), mtime=0)
put('recorder', b'made-up key !', body(b'recorder'), 1024, b'VS-TEST', b'5.1.4', b'20231114')
put('router', b'QTest-301', body(b'router'), 1000, b'QTest-301', b'2.4.0', b'20231114', b'behind the image', True)
PY
