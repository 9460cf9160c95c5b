#!/bin/sh
# Builds the fixture of unpack/xiaomi after the published layout, around made-up content. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct

def case(name, data, truth):
    os.makedirs(name, exist_ok=True)
    open(name + "/input", "wb").write(data)
    with open(name + "/truth.txt", "w") as f:
        for n, d in truth:
            f.write("%s  %s\n" % (hashlib.sha256(d).hexdigest(), n))

import zlib
parts = [("uboot.bin", 0, 1, b"U-Boot " * 20), ("firmware.bin", 0x270000, 6, b"".join(b"root %d\n" % i for i in range(60)))]
def image(head):
    body, offs = b"", []
    start = len(head) + 12 + 32
    for name, flash, kind, d in parts:
        offs.append(start + len(body))
        body += struct.pack("<3I2H32s", 0xbabe, flash, len(d), kind, 0, name.encode()) + d + bytes(-len(d) % 4)
    rest = head + struct.pack("<8I", *offs, *[0] * 6) + body + struct.pack("<I12x256s", 256, bytes(range(256)))
    return lambda magic: magic + struct.pack("<2I", start + len(body), zlib.crc32(rest) ^ 0xffffffff) + rest
truth = [(p[0], p[3]) for p in parts]
case("hdr1", image(struct.pack("<2H", 0, 0x11))(b"HDR1") + b"behind", truth)
case("hdr2", image(struct.pack("<I8s8s16x", 0, b"RA70", b"EU"))(b"HDR2"), truth)
PY
