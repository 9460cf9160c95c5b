#!/bin/sh
# Builds the fixture of unpack/instar after the published layout, around made-up parts. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct
first, second = b'kernel bytes', b''.join(b'%d camera\n' % i for i in range(200))
for name, minor in (('update', 1), ('update-1.2', 2)):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(struct.pack('<4s4I', b'BNEG', 1, minor, len(first), len(second)) + first + second + b'behind the update')
    with open(name + '/truth.txt', 'w') as f:
        for n, d in (('part1', first), ('part2', second)):
            f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n))
PY
