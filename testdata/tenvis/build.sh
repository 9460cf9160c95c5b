#!/bin/sh
# Builds the fixture of unpack/tenvis after the published layout, around made-up content. Needs: python3.
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

KEY = bytes.fromhex("a1832478b3414356")
def hide(d): return bytes(c ^ KEY[i % 8] for i, c in enumerate(d))
def section(kind, clear, d, good=True):
    md5 = hashlib.md5(clear + d).digest() if good else bytes(16)
    return struct.pack("<4s16sI", kind, md5, len(clear) + len(d)) + clear + hide(d)
def file(path, d, good=True):
    path += b"\0"
    return section(b"FILE", struct.pack("<I", len(path)) + path + struct.pack("<I", len(d)), d, good)
def pk2(*sections):
    return struct.pack("<4sII4s8xI", b"PK2", 1234, 1700000000, b"\1\2\3\4", len(sections)) + b"".join(sections)

stop, text = b"killall camera\0", b"".join(b"setting %d=1\n" % i for i in range(60))
case("update", pk2(section(b"CMD", b"", stop), file(b"/mnt/app/conf.ini", text), file(b"/mnt/app/empty", b"")) + b"behind",
     [("command-0", stop), ("mnt/app/conf.ini", text), ("mnt/app/empty", b"")])
case("bad-sum", pk2(section(b"CMD", b"", stop), file(b"/mnt/app/conf.ini", text, False)), [("mnt/app/conf.ini", text)])
PY
