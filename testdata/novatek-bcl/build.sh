#!/bin/sh
# Builds the fixtures of novatek.BCL after the published layout, around made-up payloads. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import array, hashlib, lzma, os, struct, zlib

def check(b, at, form):
    w = array.array('H', b + b'\0' * (len(b) & 1))[:len(b) // 2]
    return b[:at] + struct.pack(form, -(sum(w) + sum(range(len(w)))) & 0xffff) + b[at + struct.calcsize(form):]

def number(n):
    out = [n & 0x7f]
    while n > 0x7f:
        n >>= 7
        out.insert(0, n & 0x7f | 0x80)
    return bytes(out)

def lz77(d):
    marker = min(range(256), key=d.count)
    out, i = bytearray([marker]), 0
    while i < len(d):
        n = 4
        at = d.rfind(d[i:i + n], max(0, i - 5000), i + n - 1) if i + n <= len(d) else -1
        if 0 <= at < i:
            while i + n < len(d) and d[at + n] == d[i + n]:
                n += 1
            out += bytes([marker]) + number(n) + number(i - at)
            i += n
        else:
            out += bytes([d[i]]) + (b'\0' if d[i] == marker else b'')
            i += 1
    return bytes(out)

def bcl(d, method, packed, good=True):
    packed += bytes(-len(packed) % 4)
    b = struct.pack('<4sH', b'BCL1', 0) + struct.pack('>HII', method, len(d), len(packed)) + packed
    return check(b, 4, '<H') if good else b[:4] + b'\x12\x34' + b[6:]

def alone(d):
    b = lzma.compress(d, lzma.FORMAT_ALONE)
    return b[:5] + struct.pack('<II', len(d), len(d)) + b[13:]

def case(name, data, truth):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(data)
    with open(name + '/truth.txt', 'w') as f:
        for n, d in truth:
            f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n))

text = b''.join(b'camera %d says %d\n' % (i, i * i) for i in range(200)) + bytes(range(256)) * 2 + bytes(500)
case('lz77', bcl(text, 9, lz77(text)) + b'behind', [('', text)])
case('own-base', bcl(text, 9, lz77(text), False), [('', text)])
case('lzma', bcl(text, 11, alone(text)), [('', text)])
case('zlib', bcl(text, 12, zlib.compress(text, 9)), [('', text)])

# Firmware of the older kind: partition 0, then the table, then the others.
first = bcl(text, 9, lz77(text))
more = [(3, b'partition three'), (7, b'and seven')]
guid = bytes.fromhex('90be2788cd36c24fa98773a8484e84b1')
size = 28 + 12 * len(more)
table, body, at = b'', b'', len(first) + size
for n, d in more:
    table += struct.pack('<3I', at + len(body), len(d), n)
    body += d + bytes(-len(d) % 4)
head = check(guid + struct.pack('<3I', size, 0, len(more)) + table, 20, '<I')
case('table', first + head + body, [('0', text)] + [(str(n), d) for n, d in more])
PY
