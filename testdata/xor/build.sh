#!/bin/sh
# Builds the fixtures of unpack/xor around programs that do nothing. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct

def elf(order, wide):
    text = b''.join(b'%d words in a program\n' % i for i in range(60))
    head = 64 if wide else 52
    seg = 56 if wide else 32
    n = head + seg + len(text)
    ident = b'\x7fELF' + bytes([2 if wide else 1, 1 if order == '<' else 2, 1]) + bytes(9)
    h = struct.pack(order + ('HHIQQQIHHHHHH' if wide else 'HHIIIIIHHHHHH'), 2, 40, 1, 0x8000, head, 0, 0, head, seg, 1, 0, 0, 0)
    p = struct.pack('<IIQQQQQQ', 1, 5, 0, 0, 0, n, n, 4096) if wide else struct.pack(order + '8I', 1, 0, 0, 0, n, n, 5, 4096)
    return ident + h + p + text

for name, key, order, wide in (('one', b'\x5a', '<', False), ('four', b'\xde\xad\xbe\xef', '>', False), ('sixteen', bytes(range(7, 23)), '<', True)):
    plain = elf(order, wide)
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(bytes(c ^ key[i % len(key)] for i, c in enumerate(plain)) + b'behind')
    open(name + '/truth.txt', 'w').write(hashlib.sha256(plain).hexdigest() + '  \n')
PY
