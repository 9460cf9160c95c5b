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

boot, fs = b"U-Boot made up\n" * 9, b"a file system\n" * 20
head = struct.pack("<8s6I", b"ANJOY888", 7, 64 + len(boot) + len(fs), 3, 64, len(boot), 0).ljust(64, b"\0")
case("update", head + boot + fs + b"behind", [("u-boot", boot), ("fs", fs)])
PY
