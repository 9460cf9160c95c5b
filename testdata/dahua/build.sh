#!/bin/sh
# Builds the fixture of unpack/dahua after the measured layout, around a made-up body. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct, zlib
body = b''.join(b'boot loader line %d\n' % i for i in range(200))
head = struct.pack('<4s6I32s', b'BUHD', 1481271787, len(body), 0x82000000, 0, zlib.crc32(body), 0, b'uboot').ljust(2048, b'\0')
os.makedirs('boot', exist_ok=True)
open('boot/input', 'wb').write(head + body + b'\xff' * 64)
open('boot/truth.txt', 'w').write('%s  uboot\n' % hashlib.sha256(body).hexdigest())
PY
