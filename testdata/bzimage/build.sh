#!/bin/sh
# Builds the fixture of the bzImage reader: a header of boot protocol 2.15 around text. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, lzma, os, struct
text = b''.join(b'kernel line %d\n' % i for i in range(900))
xz = lzma.compress(text)
piggy = xz + struct.pack('<I', len(text))
body = b'decompressor\0'.ljust(64, b'\xcc') + piggy
body += bytes(-len(body) % 16)
setup = bytearray(1024)
setup[0:2] = b'MZ'
setup[0x1f1] = 1
struct.pack_into('<I', setup, 0x1f4, len(body) // 16)
struct.pack_into('<H', setup, 0x1fe, 0xaa55)
struct.pack_into('<4sH', setup, 0x202, b'HdrS', 0x20f)
struct.pack_into('<H', setup, 0x20e, 0x100)
struct.pack_into('<2I', setup, 0x248, 64, len(piggy))
setup[0x300:0x320] = b'6.1.0-test (nobody@nowhere) #1\0\0'
os.makedirs('xz', exist_ok=True)
open('xz/input', 'wb').write(bytes(setup) + body + b'a signature')
open('xz/truth.txt', 'w').write('%s  piggy\n' % hashlib.sha256(xz).hexdigest())
PY
