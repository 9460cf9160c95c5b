#!/bin/sh
# Builds the exFAT fixture. Needs exfatprogs, which makes an empty volume and checks the result, and python3,
# which fills it as the specification says.
set -eu
cd "$(dirname "$0")"
mkdir -p files
rm -f files/input
truncate -s 64K files/input
mkfs.exfat -q -b 512 -c 512 -L sample -U 0x12345678 files/input > /dev/null 2>&1 || mkfs.exfat -b 512 -c 512 -L sample files/input > /dev/null
python3 - <<'P'
import hashlib, struct
b = bytearray(open('files/input', 'rb').read())
u32 = lambda at: struct.unpack_from('<I', b, at)[0]
fat, heap, root = u32(80) * 512, u32(88) * 512, u32(96)
struct.pack_into('<I', b, 100, 0x12345678)
# The checksum of the boot region changed with the serial number; the backup is the same.
def boot(base):
    s = 0
    for i in range(11 * 512):
        if i not in (106, 107, 112): s = ((s << 31 | s >> 1) + b[base + i]) & 0xffffffff
    b[base + 11 * 512:base + 12 * 512] = struct.pack('<I', s) * 128
b[12 * 512:24 * 512] = b[:12 * 512]
boot(0); boot(12 * 512)

where = lambda c: heap + (c - 2) * 512
bitmap = next(u32(where(root) + 32 * i + 20) for i in range(16) if b[where(root) + 32 * i] == 0x81)
used = lambda c: b[where(bitmap) + (c - 2) // 8] >> (c - 2) % 8 & 1
free = iter([c for c in range(root + 1, 100) if not used(c)])
def take(n, scattered):
    got = []
    while len(got) < n:
        c = next(free)
        got.append(c)
        if scattered: next(free)
    for c in got: b[where(bitmap) + (c - 2) // 8] |= 1 << (c - 2) % 8
    return got
def fill(data, scattered=False):
    got = take(-(-len(data) // 512), scattered)
    for i, c in enumerate(got):
        b[where(c):where(c) + 512] = data[512 * i:512 * i + 512].ljust(512, b'\0')
        if scattered: struct.pack_into('<I', b, fat + 4 * c, got[i + 1] if i + 1 < len(got) else 0xffffffff)
    return got[0] if got else 0
def hash16(s, skip):
    h = 0
    for i, c in enumerate(s):
        if i not in skip: h = ((h << 15 | h >> 1) + c) & 0xffff
    return h
def entry(name, attr, first, size, written=None, plain=True):
    u = name.encode('utf-16-le')
    names = -(-len(u) // 30)
    t = (2024 - 1980) << 25 | 2 << 21 | 29 << 16 | 12 << 11 | 34 << 5 | 56 // 2
    s = struct.pack('<BBHHHIII5B7x', 0x85, 1 + names, 0, attr, 0, t, t, t, 100, 100, 0x80 | 4, 0x80 | 4, 0x80)
    s += struct.pack('<BBxBHHQxxxxIQ', 0xc0, (3 if plain else 1) if size else 1, len(u) // 2, hash16(name.upper().encode('utf-16-le'), ()), 0, size if written is None else written, first, size)
    for i in range(names): s += struct.pack('<BB', 0xc1, 0) + u[30 * i:30 * i + 30].ljust(30, b'\0')
    return s[:2] + struct.pack('<H', hash16(s, (2, 3))) + s[4:]

text = b''.join(b'%d\n' % i for i in range(1, 500))
truth = {'text': text[:1300], 'scattered.txt': text[:1700], 'empty': b'', 'folder/A name that is longer than fifteen.bin': text[100:700], 'folder/half': text[:600] + b'\0' * 400}
inner = entry('A name that is longer than fifteen.bin', 0x20, fill(text[100:700]), 600) + entry('half', 0x20, fill(text[:600]), 1000, 600)
inner += bytes([0x05]) + entry('gone', 0x20, 0, 0)[1:32]  # deleted
b_root = entry('text', 0x20, fill(text[:1300]), 1300) + entry('scattered.txt', 0x21, fill(text[:1700], True), 1700, plain=False)
b_root += entry('empty', 0x20, 0, 0) + entry('folder', 0x10, fill(inner.ljust(512, b'\0')), 512)
at = where(root)
while b[at]: at += 32
# The root goes on in a second cluster.
room = where(root) + 512 - at
b[at:at + room] = b_root[:room].ljust(room, b'\0')
if len(b_root) > room:
    c = take(1, False)[0]
    rest = b_root[room:]
    b[where(c):where(c) + 512] = rest.ljust(512, b'\0')
    struct.pack_into('<II', b, fat + 4 * root, c, 0) if c == root + 1 else struct.pack_into('<I', b, fat + 4 * root, c)
    struct.pack_into('<I', b, fat + 4 * c, 0xffffffff)
open('files/input', 'wb').write(b)
open('files/truth.txt', 'w').write(''.join(f'{hashlib.sha256(v).hexdigest()}  {k}\n' for k, v in truth.items()))
P
fsck.exfat -n files/input
