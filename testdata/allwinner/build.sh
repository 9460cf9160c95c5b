#!/bin/sh
# Builds the fixture of unpack/allwinner after the published layout, around made-up content. Needs: python3.
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

items = [("sys_config.fex", "COMMON", "SYS_CONFIG100000", b"[product]\nversion = 1\n"), ("boot.fex", "RFSFAT16", "BOOT_FEX00000000", b"kernel" * 33), ("rootfs.fex", "RFSFAT16", "ROOTFS_FEX000000", b"root file system " * 20)]
def add_sum(d):
    d += bytes(-len(d) % 4)
    return struct.pack("<I", sum(struct.unpack("<%dI" % (len(d) // 4), d)) & 0xffffffff)
items.append(("Vboot.fex", "RFSFAT16", "VBOOT_FEX0000000", add_sum(items[1][3])))

def image(version):
    body, table, first = b"", b"", 1024 * (1 + len(items))
    for name, main, sub, d in items:
        stored = (len(d) + 15) & ~15
        h = struct.pack("<2I8s16sI", 0x100, 1024, main.encode(), sub.encode(), 0)
        if version == 0x100:
            h += struct.pack("<4I256s", stored, len(d), first + len(body), 0, name.encode())
        else:
            h += struct.pack("<256s3Q64sI", name.encode(), stored, len(d), first + len(body), b"", 0)
        table += h.ljust(1024, b"\0")
        body += d.ljust(stored, b"\0")
        body += bytes(-len(body) % 1024)
    size = first + len(body)
    head = struct.pack("<8s4I", b"IMAGEWTY", version, 0x50 if version == 0x100 else 0x60, 0x04d00000, 0x100234)
    head += struct.pack("<I", size) if version == 0x100 else struct.pack("<Q", size)
    head += struct.pack("<9I", 1024, 0x1234, 0x8743, 0x100, 0x100, 1, 1024, len(items), 1024)
    return head.ljust(1024, b"\0") + table + body

truth = [(i[0], i[3]) for i in items]
case("v300", image(0x300) + b"behind", truth)
case("v100", image(0x100), truth)
case("encrypted", bytes.fromhex("36d7a954f598aaaf76575e5f54a3155d") + bytes(i * i % 253 for i in range(4096)), [])
PY
