#!/bin/sh
# Builds the fixture of bosch.Format after the published layout, around made-up content. Needs: python3.
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
def header(target, size, kind=0, key=b""):
    b = bytearray(0x400)
    struct.pack_into(">8I", b, 0, 0x10122003, target, 2, 0x06320111, size, 0, 0, kind)
    b[588:588 + len(key)] = key
    return bytes(b)
def hide(d): return bytes(c ^ 0x42 for c in d)

a, b = archive(files), archive(files[:1])
case("one", header(0x999, len(a)) + hide(a), [("999", a)])
case("nested", header(0x10, 0) + header(0xa5, len(a)) + hide(a) + header(0xa6, len(b)) + hide(b) + header(0xa6, len(b)) + hide(b), [("A5", a), ("A6", b)])
case("encrypted", header(0xa7, 400, 0, bytes(range(1, 256))) + bytes(i * i % 251 for i in range(400)), [])
case("raw", header(0xa8, 15, 1) + hide(b"boot loader set"), [("A8", b"boot loader set")])
PY
