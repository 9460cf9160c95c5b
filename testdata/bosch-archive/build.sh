#!/bin/sh
# Builds the fixture of bosch.Archive after the published layout, around made-up content. Needs: python3.
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

def archive(files, last=True):
    out = b""
    for name, d in files:
        n = (0x40 + len(d) + 15) & ~15
        out += struct.pack(">2I32sI", 0xdeadaffe, n, name, len(d)).ljust(0x40, b"\0") + d + bytes(n - 0x40 - len(d))
    return out + (struct.pack(">2I", 0xdeadaffe, 0).ljust(0x40, b"\0") if last else b"")

files = [(b"arm.app1", b"code " * 30), (b"www/index.html", b"<html>camera</html>\n"), (b"RomFS", archive([(b"a.css", b"b{}")]))]
truth = [(n.decode(), d) for n, d in files]
case("files", archive(files) + b"behind", truth)
case("no-end", archive(files, False), truth)
PY
