#!/bin/sh
# Builds the fixtures of the ARM64 Image reader: the header, with and without an EFI one, around
# text. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct
text = b''.join(b'kernel line %d\n' % i for i in range(300))

def image(efi):
    code = b'MZ\0\x91' + b'\xff\x01\0\x14' if efi else b'\x40\0\0\x14' + bytes(4)
    h = code + struct.pack('<3Q24x4sI', 0, 0x8000, 0xa, b'ARM\x64', 0x40 if efi else 0)
    if efi:
        sec = lambda n, off, size: struct.pack('<8s6I2HI', n, size, off, size, off, 0, 0, 0, 0, 0)
        h += struct.pack('<4s2H3I2H', b'PE\0\0', 0xaa64, 2, 0, 0, 0, 0xa0, 0x206).ljust(24 + 0xa0, b'\0')
        h += sec(b'.text', 0x200, 0x800) + sec(b'.data', 0xa00, 0x200 + len(text) - 0xa00)
    return h.ljust(0x200, b'\0') + text

def case(name, b, behind):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(b + behind)
    open(name + '/truth.txt', 'w').write('%s  kernel\n' % hashlib.sha256(b[64:]).hexdigest())

case('efi', image(True), b'behind the image')
case('plain', image(False), b'')
PY
