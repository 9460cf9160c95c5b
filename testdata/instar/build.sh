#!/bin/sh
# Builds the fixture of unpack/instar after the published layout, around made-up parts. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct
first, second = b'kernel bytes', b''.join(b'%d camera\n' % i for i in range(200))
os.makedirs('update', exist_ok=True)
open('update/input', 'wb').write(struct.pack('<4s4I', b'BNEG', 1, 1, len(first), len(second)) + first + second + b'behind the update')
with open('update/truth.txt', 'w') as f:
    for n, d in (('part1', first), ('part2', second)):
        f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n))
PY
