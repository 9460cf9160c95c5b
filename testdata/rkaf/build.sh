#!/bin/sh
# Builds the fixtures of the RKAF and, in ../rkfw, the RKFW reader after the layout of public
# tools, around made-up parts. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct

def crc(data):
    c = 0
    for x in data:
        c ^= x << 24
        for _ in range(8):
            c = (c << 1 ^ (0x04c10db7 if c >> 31 else 0)) & 0xffffffff
    return c

def rkaf(parts):
    body, table = b'', b''
    for name, path, addr, data in parts:
        if data is None:
            table += struct.pack('<32s60s5I', name, path, 0, 0, 0xffffffff, 0, 0)
            continue
        pos = 2048 + len(body)
        body += data + bytes(-len(data) % 2048)
        table += struct.pack('<32s60s5I', name, path, 0x2000, pos, addr, len(data) + -len(data) % 2048, len(data))
    length = 2048 + len(body)
    head = struct.pack('<4sI34s30s56s3I', b'RKAF', length, b'RV1126', b'007', b'HALLMARK', 0, 0x01020003, len(parts)) + table
    data = head.ljust(2048, b'\0') + body
    return data + struct.pack('<I', crc(data))

def case(name, data, members):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(data + b'behind')
    with open(name + '/truth.txt', 'w') as f:
        for n, d in members:
            f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n))

words = b''.join(b'%d camera\n' % i for i in range(250))
text = b'FIRMWARE_VER: 1.2.3\nCMDLINE: mtdparts=rk29xxnand:0x2000@0x2000(uboot),-@0x8000(rootfs)\n'
parameter = b'PARM' + struct.pack('<I', len(text)) + text + struct.pack('<I', crc(text))
image = rkaf([(b'package-file', b'package-file', 0xffffffff, b'package-file package-file\n'), (b'parameter', b'parameter.txt', 0, parameter),
              (b'rootfs', b'Image/rootfs.img', 0x8000, words), (b'backup', b'SELF', 0, None)])
members = [('package-file', b'package-file package-file\n'), ('parameter.txt', text), ('Image/rootfs.img', words)]
case('update', image, members)
loader = b'LDR ' + words[:300]
head = struct.pack('<4sHIIH5BI8I45x', b'RKFW', 0x66, 0x01020003, 0x02000000, 2023, 11, 14, 22, 13, 20, 0x31313236, 0x66, len(loader), 0x66 + len(loader), len(image), 0, 1, 0, 0)
fw = head + loader + image
case('../rkfw/update', fw + hashlib.md5(fw).hexdigest().encode(), [('loader', loader), ('image', image)])
PY
