#!/bin/sh
# Builds the fixture of what unpack/jffs2 recovers: files that were overwritten and deleted, which
# mkfs.jffs2 cannot make. Needs: python3.
set -eu
cd "$(dirname "$0")"
mkdir -p mixed
python3 - <<'PY'
import hashlib, struct, zlib

MAGIC, DIRENT, INODE, ACCURATE = 0x1985, 0xe001, 0xe002, 0x2000

def crc(b):
    return zlib.crc32(b, 0xffffffff) ^ 0xffffffff

flash, truth = b'', []

def node(kind, body, live=True):
    global flash
    head = struct.pack('<HHI', MAGIC, kind, 12 + len(body))
    b = head + struct.pack('<I', crc(head)) + body
    if not live:  # as the driver marks it on NOR flash
        b = b[:2] + struct.pack('<H', kind & ~ACCURATE) + b[4:]
    flash += b + b'\xff' * (-len(b) % 4)

def crcs(kind, body, data, covered):
    head = struct.pack('<HHI', MAGIC, kind, 12 + len(body) + 8 + len(data))
    return crc(head + struct.pack('<I', crc(head)) + body[:covered])

def name(pino, version, ino, text, live=True):
    body = struct.pack('<4I2B2x', pino, version, ino, 1600000000 + version, len(text), 8)
    node(DIRENT, body + struct.pack('<2I', crcs(DIRENT, body, text, 20), crc(text)) + text, live)

def write(ino, version, size, at=0, data=b'', mode=0o100644, live=True, packed=False):
    raw, n = data, len(data)
    if packed:
        data = zlib.compress(data, 9)
    body = struct.pack('<3I2H7I2BH', ino, version, mode, 0, 0, size, 0, 1600000000 + version, 0, at, len(data), n, 6 if packed else 0, 0, 0)
    node(INODE, body + struct.pack('<2I', crc(data), crcs(INODE, body, data, 48)) + data, live)

def sums(path, content):
    truth.append('%s  %s' % (hashlib.sha256(content).hexdigest(), path))

def past(path, content):
    sums('lost+found/versions/' + path, content)

page = lambda c, n=4096: bytes([c]) * n
flash += struct.pack('<HHII', MAGIC, 0x2003, 12, crc(struct.pack('<HHI', MAGIC, 0x2003, 12)))
write(2, 1, 0, mode=0o40755); name(1, 1, 2, b'etc')

# Cut to nothing and written anew, twice; the first text is marked obsolete.
texts = [b'password=' + b'abc'[i:i+1] * (90 * i + 40) for i in range(3)]
name(2, 1, 3, b'conf')
write(3, 1, 0)
write(3, 2, len(texts[0]), 0, texts[0], live=False)
write(3, 3, 0)
write(3, 4, len(texts[1]), 0, texts[1], packed=True)
write(3, 5, 0)
write(3, 6, len(texts[2]), 0, texts[2])
past('etc/conf~v2', texts[0]); past('etc/conf~v4', texts[1]); sums('etc/conf', texts[2])

# Pages overwritten in place by one rewrite of three nodes, then one byte; growth and a copy lose nothing.
name(1, 2, 4, b'data')
for i in range(3):
    write(4, 1 + i, 4096 * (i + 1), 4096 * i, page(65 + i), packed=True)
old = page(65) + page(66) + page(67)
for i in range(3):
    write(4, 4 + i, 12288, 4096 * i, page(97 + i), packed=True)
new = page(97) + page(98) + page(99)
write(4, 7, 12288, 4096, page(98), packed=True)
write(4, 8, 12288, 5000, b'!')
past('data~v3', old); past('data~v7', new); sums('data', new[:5000] + b'!' + new[5001:])

# Replaced by renaming another over it, then deleted with its directory.
write(5, 1, 0, mode=0o40755); name(1, 3, 5, b'tmp')
name(5, 1, 6, b'log'); write(6, 1, 5, 0, b'first')
name(5, 2, 7, b'log.new'); write(7, 1, 6, 0, b'second')
name(5, 3, 7, b'log'); name(5, 4, 0, b'log.new')
name(5, 5, 0, b'log'); name(1, 4, 0, b'tmp')
past('tmp/log~v1', b'first')
past('tmp/log~v1@%#x', b'second')  # place filled in below
at = flash.index(b'second') - 68
truth[-1] = truth[-1] % at

# A file without any name, and one whose first half was erased.
write(8, 3, 6, 0, b'orphan')
past('#8~v3', b'orphan')
name(1, 5, 9, b'half', live=False); name(1, 6, 0, b'half')
write(9, 4, 8, 4, b'tail')
open("mixed/input", "wb").write(flash + b'\xff' * (-len(flash) % 8192))
open('mixed/truth.txt', 'w').write('\n'.join(truth) + '\n')
PY
