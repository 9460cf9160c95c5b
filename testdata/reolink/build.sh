#!/bin/sh
# Builds the fixtures of unpack/reolink after the published layout, around made-up sections.
# Needs: python3. The result was checked with pakler (PyPI) when it was made.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct, zlib

def pak(sections, wide, magic=0x32725913):
    w = 'Q' if wide else 'I'
    head = 3 * struct.calcsize(w)
    each = 56 + 2 * struct.calcsize(w)
    off = head + len(sections) * (each + 76)
    secs = parts = b''
    for i, (name, version, data) in enumerate(sections):
        secs += struct.pack('<32s24s2' + w, name, version, off, len(data))
        parts += struct.pack('<32sI32s2I', name, i << 16, b'/dev/mtd%d' % i if data else b'', 0, 0x10000)
        off += len(data)
    body = b''.join(d for _, _, d in sections)
    crc = zlib.crc32(body + b'\x02\0\0\0' + secs, 0xffffffff) ^ 0xffffffff
    return struct.pack('<3' + w, magic, crc, 0x2302) + secs + parts + body

words = b''.join(b'%d camera\n' % i for i in range(200))
sections = [(b'uboot1', b'v1.0.0.1', b'boot loader'), (b'', b'', b''), (b'fs', b'v1.0.0.442', words), (b'app', b'v1.0.0.421', words[::-1])]
for name, wide, magic in (('narrow', False, 0x32725913), ('wide', True, 0x32725913), ('recorder', False, 0x32725923)):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(pak(sections, wide, magic))
    with open(name + '/truth.txt', 'w') as f:
        for n, _, d in sections:
            if d:
                f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n.decode()))
PY
