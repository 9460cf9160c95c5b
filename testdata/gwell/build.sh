#!/bin/sh
# Builds the fixture of grainmedia.Gwell after the published layout, around made-up content. Needs: python3.
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

fs, exe = b"\x85\x19\x03\x20\x0c\0\0\0\xb1\xb0\x1e\xe4" + b"\xff" * 500, b"\x7fELF made up" + bytes(80)
case("update", struct.pack("<3I16s4B", 0, len(fs), len(exe), bytes(range(16)), 75, 0, 0, 14) + fs + exe, [("app.jffs2", fs), ("updater", exe)])
PY
