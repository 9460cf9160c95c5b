#!/bin/sh
# Builds the fixture of unpack/tvt: the published magic before made-up bytes. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os
noise = b''.join(hashlib.sha256(b'%d' % i).digest() for i in range(192))
os.makedirs('update', exist_ok=True)
open('update/input', 'wb').write(bytes.fromhex('a79927343ca5ae49893c88eb9b6afe23') + noise)
open('update/truth.txt', 'w').write('%s  firmware\n' % hashlib.sha256(noise[0x1000 - 16:]).hexdigest())
PY
