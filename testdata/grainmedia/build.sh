#!/bin/sh
# Builds the fixture of grainmedia.Format after the published layout, around made-up content. Needs: python3.
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

text = b"".join(b"kernel %d\n" % i for i in range(40))
case("kernel", struct.pack(">4sIII16s", b"\x80\x5a\x47\x4d", 0, len(text), 0, b"image name").ljust(256, b"\0") + text + b"behind", [("", text)])
PY
