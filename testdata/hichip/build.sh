#!/bin/sh
# Builds the fixture of unpack/hichip after the published layout, around made-up parts. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct
words = b''.join(b'%d camera\n' % i for i in range(200))
parts = [b'', b'bootargs=console\0', b'kernel bytes' * 20, words, b'', b'PK\x03\x07' + words]
head = struct.pack('<4sI6I40s', b'PIHC', 0x1002, *(len(p) for p in parts), b'V19.1.62.20.pkg')
for p in parts:
    head += (hashlib.md5(p + b'IPCAM').hexdigest().encode() if p else b'').ljust(40, b'\0')
os.makedirs('update', exist_ok=True)
open('update/input', 'wb').write(head.ljust(512, b'\0') + b''.join(parts) + b'behind the update')
with open('update/truth.txt', 'w') as f:
    for n, d in zip(('boot', 'bootarg', 'kernel', 'rootfs', 'ipc', 'zip'), parts):
        if d:
            f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n))
PY
