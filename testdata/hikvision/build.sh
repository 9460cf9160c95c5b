#!/bin/sh
# Builds the fixtures of unpack/hikvision after the published layouts, around made-up members.
# Needs: python3. No vendor's tool is public, so header and sums are written here anew.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct

MASK = bytes.fromhex('bacdbcfed6caddd3bab9a3abbfcbb5be')

def masked(b):
    return bytes(c ^ MASK[(i + i // 16) % 16] for i, c in enumerate(b))

def table(members, start):
    out, off = b'', start
    for name, data in members:
        out += name.ljust(32, b'\0') + struct.pack('<3I', off, len(data), sum(data))
        off += len(data)
    return out, off

def finish(fixed, tab, members, clear=False, no_sum=False, size=None):
    head = bytearray(fixed + tab)
    struct.pack_into('<I', head, 8, size or len(head))
    if not no_sum:
        struct.pack_into('<I', head, 4, sum(head[12:]))
    return (bytes(head) if clear else masked(head)) + b''.join(d for _, d in members)

def package(members, **kw):
    tab, total = table(members, 0x40 + 44 * len(members))
    fixed = struct.pack('<4s10I20s', b'SWKH', 0, 0, len(members), 1, 0x2c, 7, 0xffffffff, total, 170312, 0x04050029, b'1140050031111110011')
    return finish(fixed, tab, members, **kw)

def recorder(members):  # the variant of 2015: fields from 0x18 empty, date in BCD
    tab, _ = table(members, 0x40 + 44 * len(members))
    fixed = struct.pack('<4s5I', b'SWKH', 0, 0, len(members), 2, 0x2c) + b'\xff' * 20 + bytes(8) + struct.pack('<3I', 0x20150315, 1, 0)
    return finish(fixed, tab, members)

def access(members):  # in clear, table not counted in, no sum, hardly a field set
    tab, _ = table(members, 0x40 + 44 * len(members))
    fixed = struct.pack('<4s7I32x', b'SWKH', 0, 0, len(members), 0xff, 0x352, 1, 1)
    return finish(fixed, tab, members, clear=True, no_sum=True, size=0x40)

def wrapper(packages, names):
    members = list(zip(names, packages))
    tab, total = table(members, 0x40 + 44 * len(members))
    fixed = struct.pack('<4s5I', b'02KH', 0, 0, 0, total, len(members)) + b'\xff' * 20 + b'1330030011111110011\0'
    return finish(fixed, tab, members)

def sealed(files):
    body = b''.join(hashlib.sha256(b'%d' % i).digest() for i in range(200))
    return masked(struct.pack('<4sIII', b'03KH', 0x12345678, 0x100 + 0x40 * files, files)) + body

def case(name, data, members, tail=b''):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(data + tail)
    with open(name + '/truth.txt', 'w') as f:
        for n, d in members:
            f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n))

words = b''.join(b'%d camera\n' % i for i in range(300))
files = [(b'_cfgUpgClass', b'class=0x2c\n'), (b'initrun.sh', b'#!/bin/sh\nexit 0\n'), (b'app.img', words)]
named = [(n.decode(), d) for n, d in files]
case('camera', package(files), named, b'bytes behind the package')
case('recorder-2015', recorder(files), named)
case('access-control', access([(b'', words)]), [('member0', words)])
pair = [package(files[:1]), sealed(55)]
case('wrapper', wrapper(pair, [b'1330030011111110011', struct.pack('<2I20sI', 0x100, 0x850000, b'1330030011111110022', 1)]),
     [('package0', pair[0]), ('package1', pair[1])])
case('sealed', sealed(55), [('encrypted', sealed(55)[16:])])
bad = bytearray(package(files)); bad[-3] ^= 1
case('damaged-member', bytes(bad), named[:2])
PY
