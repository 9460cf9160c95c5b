#!/bin/sh
# Builds the fixtures of the Ambarella readers, here and in ../ambarella-romfs, after the
# published layouts, around made-up files. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct, zlib

def case(name, data, members):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(data + b'behind')
    with open(name + '/truth.txt', 'w') as f:
        for n, d in members:
            f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n))

words = b''.join(b'%d camera\n' % i for i in range(250))
files = [('orccode.bin', words), ('default.bin', b'bin'), ('dir/a.bin', words[::-1])]
off, table, body = 2048 + 128 * len(files), b'', b''
for n, d in files:
    table += struct.pack('<116s3I', n.encode(), off + len(body), len(d), 0x2387ab76)
    body += d + b'\xff' * (-len(d) % 64)
fs = struct.pack('<2I', len(files), 0x66fc328a).ljust(2048, b'\xff') + table + body
fs = fs[:off + len(body) - (-len(files[-1][1]) % 64)]
case('../ambarella-romfs/files', fs, files)
section = struct.pack('<7I', zlib.crc32(fs), 0x00010002, 2017 << 16 | 8 << 8 | 15, len(fs), 0xc0100000, 3, 0xa324eb90).ljust(256, b'\0') + fs
case('section', section, [('', fs)])
PY
