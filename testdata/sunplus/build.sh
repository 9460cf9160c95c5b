#!/bin/sh
# Builds the fixture of unpack/sunplus after the published layout, around made-up content. Needs: python3.
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

def burn(parts):
    head, body = [], bytes(1024)
    for name, d in parts:
        if name:
            head.append(len(body) if d is not None else 0)
        body += d or b""
    return struct.pack("<16sI6I", b"SUNP BURN FILE", len(body), *head).ljust(1024, b"\0") + body[1024:], [(n or "isp_bootloader", d) for n, d in parts if d]

parts = [("", b"boot loader" * 20), ("aimg", b"A" * 99), ("bimg", b"B" * 50), ("cimg", b"C" * 7), ("bin", b"code" * 30), ("bad_pixel", b""), ("dram", b"timing")]
case("all", *burn(parts))
case("some", *burn([(n, None if n in ("cimg", "bin") else d) for n, d in parts]))
PY
