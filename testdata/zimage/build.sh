#!/bin/sh
# Builds the fixtures of the zImage reader: headers and tables as the kernel's own build lays
# them out, around text. Needs: python3, lzop, lz4.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import gzip, hashlib, lzma, os, struct, subprocess

text = b''.join(b'kernel line %d\n' % i for i in range(900))
run = lambda *cmd: subprocess.run(cmd, input=text, stdout=subprocess.PIPE, check=True).stdout
size = struct.pack('<I', len(text))
code = b'code' * 300 + b'\xfd7zXZ\0\0\0XZ decoder\0' + b'\x89LZO\0\r\n\x1a\n' + b'\x02\x21\x4c\x18' + bytes(31)  # magics as decompressors hold them

def zimage(piggy, end, order='<', old=False, tail=b'got and data' * 4):
    """piggy ends with its length word, which starts at end."""
    start = 0x40 + 8 * 4 + len(code) + 1 & ~3
    total = start + len(piggy) + len(tail)
    if old:   # addresses that the decompressor relocates itself with
        table, head = struct.pack(order + '8I', 0x100, total, total, total, start + end, start + len(piggy), start + len(piggy) + 8, 0), (0, 0)
    else:     # the table of Linux 4.15
        table, head = struct.pack(order + '8I', 6, 0x5a534c4b, start + end, 0, 0, 0, 0, 0), (0x45454545, 0x40)
    h = struct.pack(order + '8I', *[0xe1a00000] * 8) + struct.pack(order + '2I', 0xea000002, 0x016f2818)
    h = h.ljust(0x24, b'\0')[:0x24] + struct.pack(order + '4I', 0x016f2818, 0, total, 0x04030201) + struct.pack(order + '2I', *head) + bytes(4)
    b = h + table
    return b + code[:start - len(b)].ljust(start - len(b), b'\0') + piggy + tail

def case(name, image, payload, behind=b'a device tree behind the image'):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(image + behind)
    open(name + '/truth.txt', 'w').write('%s  piggy\n' % hashlib.sha256(payload).hexdigest())

gz = gzip.compress(text, 9, mtime=0)
case('gzip', zimage(gz, len(gz) - 4), gz)
xz = lzma.compress(text)
case('xz-big-endian', zimage(xz + size, len(xz), '>'), xz)
lz = lzma.compress(text, lzma.FORMAT_ALONE)
case('lzma-old', zimage(lz + size, len(lz), old=True), lz)
lzo = run('lzop', '-9')
case('lzop', zimage(lzo + size, len(lzo)), lzo)
lz4 = run('lz4', '-l', '-9')
case('lz4-old', zimage(lz4 + size, len(lz4), old=True), lz4)
PY
