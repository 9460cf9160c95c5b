#!/bin/sh
# Builds the fixture of unpack/anjvision after the published layout, around made-up content. Needs: python3.
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

kernel, fs, tgz = b"a kernel made up\n" * 9, b"a file system\n" * 20, b"an archive\n" * 3
def update(kinds, parts):
    fields = {1: 20, 2: 288, 4: 556, 8: 568, 16: 580}
    head, body = bytearray(1556), b""
    for bit, data in parts:
        struct.pack_into("<II", head, fields[bit], len(head) + len(body), len(data))
        body += data
    head[32:40], head[296:304], head[592:600] = b"4.9.37 a", b"rootfs 2", b"V1.2.3.4"
    head[:20] = struct.pack("<8s3I", b"ANJOY888", 7, len(head) + len(body), kinds)
    return bytes(head) + body
case("update", update(3, [(1, kernel), (2, fs)]) + b"behind", [("kernel", kernel), ("fs", fs)])
case("archive", update(8, [(8, tgz)]), [("tgz", tgz)])
# As far as the header was known first.
head = struct.pack("<8s6I", b"ANJOY888", 7, 64 + len(kernel), 1, 64, len(kernel), 0).ljust(64, b"\0")
case("short", head + kernel, [("kernel", kernel)])
PY
