#!/bin/sh
# Builds the super partition fixtures. Needs python3. Debian has no lpmake: the metadata is written
# here, after AOSP's metadata_format.h. lpunpack of PyPI's liblp agrees on what has no zeros in "slots", checksums
# included; it reads no version 10.0 or 10.1 and no backups.
set -eu
cd "$(dirname "$0")"
python3 - <<'P'
import hashlib, os, struct

MAX, SECTOR = 2048, 512

def sealed(b, at):
    assert not any(b[at:at + 32])
    return b[:at] + hashlib.sha256(b).digest() + b[at + 32:]

def geometry(slots):
    return sealed(struct.pack('<II32x3I', 0x616c4467, 52, MAX, slots, SECTOR), 8)

def metadata(parts, first, size, minor):
    extents = [x for p in parts for x in p[2]]
    tables, at, n, descriptors = b'', 0, 0, b''
    rows = []
    for name, attributes, own in parts:
        rows.append(struct.pack('<36s4I', name, attributes, n, len(own), 0))
        n += len(own)
    groups = [struct.pack('<36sIQ', b'default', 0, 0)]
    devices = [struct.pack('<QIIQ36sI', first // SECTOR, 4096, 0, size, b'super', 0)]
    for table, width in (rows, 52), ([struct.pack('<QIQI', *x) for x in extents], 24), (groups, 48), (devices, 64):
        descriptors += struct.pack('<3I', len(tables), len(table), width)
        tables += b''.join(table)
    header = 256 if minor >= 2 else 128
    h = struct.pack('<IHHI32xI32s', 0x414c5030, 10, minor, header, len(tables), hashlib.sha256(tables).digest()) + descriptors
    return sealed(h.ljust(header, b'\0'), 12) + tables

def text(n, size):
    return b''.join(b'%d\n' % i for i in range(n, n + size))[:size]

def build(case, slots, size, minor, spoil=()):
    "slots: a list of partitions each: name, attributes, extents of (sectors, kind, first, device)"
    image = bytearray(size)
    first = 12288 + 2 * len(slots) * MAX
    image[4096:4148] = image[8192:8244] = geometry(len(slots))
    for copy in 0, 1:
        for i, parts in enumerate(slots):
            m = metadata(parts, first, size, minor)
            at = 12288 + (copy * len(slots) + i) * MAX
            assert len(m) <= MAX
            image[at:at + len(m)] = m
    image[first:] = text(100000, size - first)
    truth = {}
    for parts in slots:
        for name, attributes, own in parts:
            data = b''.join(bytes(n * SECTOR) if kind else bytes(image[at * SECTOR:(at + n) * SECTOR]) for n, kind, at, device in own)
            truth.setdefault(name.decode(), data)
    for at in spoil:
        image[at] ^= 0xff
    os.makedirs(case, exist_ok=True)
    open(f'{case}/input', 'wb').write(image)
    if attributes == 2:
        truth = {n + s: d for n, d in truth.items() for s in ('_a', '_b')}
    open(f'{case}/truth.txt', 'w').write(''.join(f'{hashlib.sha256(d).hexdigest()}  {n}\n' for n, d in truth.items()))

ab = [(b'system_a', 1, [(8, 0, 48, 0)]), (b'system_b', 1, []),
      (b'vendor_a', 1, [(2, 0, 60, 0), (4, 1, 0, 0), (3, 0, 56, 0)]), (b'product_a', 1, [(2, 0, 66, 0), (2, 0, 68, 0)])]
build('slots', [ab, ab], 36864, 2)
# The first geometry and the first copy of slot 0 are damaged; slot 1 has moved a partition.
moved = [(b'system_a', 1, [(8, 0, 48, 0)]), (b'vendor_a', 1, [(2, 0, 60, 0)])]
build('backups', [ab[:1] + [(b'vendor_a', 1, [(2, 0, 58, 0)])], moved], 32768, 0, (4110, 12288 + 200))
build('suffix', [[(b'odm', 2, [(1, 0, 40, 0)])]] * 2, 24576, 1)
P
