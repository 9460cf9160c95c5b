#!/bin/sh
# Builds the fixture of unpack/milbeaut after the published layout, around made-up content. Needs: python3.
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

text = b"".join(b"line %d\n" % i for i in range(50))
case("text", struct.pack("<8s2I", b"MILBEAUT", 0x20200101, len(text)) + text + b"behind", [("", text)])
PY
