#!/bin/sh
# Builds the fixtures of unpack/cfb: an MSI without an installation in it, and a file of version 4
# whose streams lie in pieces. Needs the Debian packages msitools and python3.
set -eu
cd "$(dirname "$0")"
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
seq 1 3000 > large
seq 1 100 > small
msibuild t.msi -s "Example Camera Tool" "Example Ltd" "Intel;1033" "{01234567-89AB-CDEF-0123-456789ABCDEF}"
msibuild t.msi -q 'CREATE TABLE `Property` (`Property` CHAR(72) NOT NULL, `Value` LONGCHAR NOT NULL PRIMARY KEY `Property`)'
msibuild t.msi -q "INSERT INTO \`Property\` (\`Property\`, \`Value\`) VALUES ('Manufacturer', 'Example Camera Ltd')"
msibuild t.msi -a Binary.large large
msibuild t.msi -a Binary.small small
mkdir -p "$root/msi"
cp t.msi "$root/msi/input"
sum() { sha256sum < "$1" | cut -d' ' -f1; }
printf '%s  Binary.large\n%s  Binary.small\n' "$(sum large)" "$(sum small)" > "$root/msi/truth.txt"
python3 - <<'PY'
import struct, os
F, E = 0xffffffff, 0xfffffffe
large, small = open('large', 'rb').read(), open('small', 'rb').read()
S = 4096
sectors, fat = {}, {}
def put(order, data):
    for i, n in enumerate(order):
        sectors[n] = data[i*S:(i+1)*S].ljust(S, b'\0')
        fat[n] = order[i+1] if i+1 < len(order) else E
put([7, 5, 3, 6], large)               # 13,893 bytes backwards
mini = [2, 0, 1, 4, 3]                 # 292 bytes in sectors of 64
stream = bytearray(5*64)
for i, n in enumerate(mini):
    stream[n*64:n*64+64] = small[i*64:i*64+64].ljust(64, b'\0')
put([4], bytes(stream))
table = [F]*(S//4)
for i, n in enumerate(mini):
    table[n] = mini[i+1] if i+1 < len(mini) else E
put([2], struct.pack('<%dI' % (S//4), *table))
def entry(name, kind, left, right, down, first, size):
    u = name.encode('utf-16-le') + b'\0\0'
    return u.ljust(64, b'\0') + struct.pack('<HBB3I16sIQQIQ', len(u), kind, 1, left, right, down, b'', 0, 0, 0, first, size)
d = entry('Root Entry', 5, F, F, 2, 4, 5*64) + entry('large', 2, F, F, F, 7, len(large))
d += entry('Folder', 1, 3, F, 1, 0, 0) + entry('small', 2, F, F, F, 2, len(small))
put([1], d.ljust(S, b'\0'))
fat[0] = 0xfffffffd
put0 = struct.pack('<%dI' % (S//4), *[fat.get(i, F) for i in range(S//4)])
sectors[0] = put0
h = struct.pack('<8s16s5H6x9I', b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', b'', 0x3e, 4, 0xfffe, 12, 6, 1, 1, 1, 0, 4096, 2, 1, E, 0)
h += struct.pack('<109I', 0, *[F]*108)
open('pieces', 'wb').write(h.ljust(S, b'\0') + b''.join(sectors[i] for i in range(8)) + b'behind')
PY
mkdir -p "$root/pieces"
cp pieces "$root/pieces/input"
printf '%s  Folder/large\n%s  small\n' "$(sum large)" "$(sum small)" > "$root/pieces/truth.txt"
