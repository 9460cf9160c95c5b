#!/bin/sh
# Builds the fixture of unpack/longse after the published layout, around a made-up flash. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct
flash = b''.join(b'%d camera\n' % i for i in range(200))
os.makedirs('update', exist_ok=True)
open('update/input', 'wb').write(struct.pack('<8s8s2I10s10x', b'TESTNAME', b'IMX335', len(flash), 1, b'BURNER_BIN') + flash + b'behind the update')
open('update/truth.txt', 'w').write('%s  flash\n' % hashlib.sha256(flash).hexdigest())
PY
