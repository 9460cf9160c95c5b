#!/bin/sh
# Builds the fixture of mtdparts.Anyka, a flash image of 128 KiB, after the published layout. Needs: squashfs-tools, python3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000
mkdir "$work/root"; seq 1 99 > "$work/root/numbers"
mksquashfs "$work/root" "$work/root.sq" -all-root -noappend -quiet >/dev/null
export work
python3 - <<'PY'
import hashlib, os, struct
root = open(os.environ['work'] + '/root.sq', 'rb').read()
jffs2 = b'\x85\x19\x03\x20\x0c\0\0\0\xb1\xb0\x1e\xe4'
parts = [(1, 1, b'KERNEL', 40, 0x4000, b'kernel ' * 99), (0, 1, b'MAC', 4, 0xe000, b'00:00:5e:00:53:01'), (2, 0, b'A', 16, 0xf000, root), (2, 0, b'B', 16, 0x13000, root), (2, 1, b'C', 32, 0x17000, jffs2)]
b = bytearray(b'\xff' * (128 << 10))
b[:12] = b'\x10\xf9\x9f\xe5ANYKAXXX'
b[0x220:0x224] = b'SPIP'
table = struct.pack('<I', len(parts))
for kind, rw, name, k, start, d in parts:
    table += struct.pack('<BB6sII3IBB2x', kind, rw, name, k, start, len(d), 0, 0, 0, 0)
    b[start:start + len(d)] = d
b[0x3000:0x3000 + len(table)] = table
b[0x2100:0x2108] = struct.pack('<2I', 3, 0)  # looks like one for a moment
os.makedirs('nor', exist_ok=True)
open('nor/input', 'wb').write(b)
with open('nor/truth.txt', 'w') as f:
    for name, lo, hi in [('gap@0x0', 0, 0x4000)] + [(p[2].decode(), p[4], p[4] + p[3] * 1024) for p in parts] + [('gap@0x1f000', 0x1f000, 0x20000)]:
        f.write('%s  %s\n' % (hashlib.sha256(b[lo:hi]).hexdigest(), name))
PY
