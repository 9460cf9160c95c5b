#!/bin/sh
# Builds the fixture of reolink-paks after the published layout, around made-up sections.
# Needs: python3. The result was checked with pakler (GitHub) when it was made.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct
words = b''.join(b'%d camera\n' % i for i in range(200))
sections = [(b'uboot', b'v1.0.0.1', b'boot loader'), (b'fs', b'v1.0.0.442', words), (b'app', b'v1.0.0.421', words[::-1])]
body = b''.join(struct.pack('<II32s32s4I', 0x53474d49, 0, n, v, len(d), i, 0, 0) + d for i, (n, v, d) in enumerate(sections))
head = struct.pack('<7I32s32s3I', 0x50414b53, 0, len(body) + 104, 1, 0, 7, 0, b'RN16NA2', b'v3.6.0.1', len(body), len(sections), 0)
os.makedirs('three', exist_ok=True)
open('three/input', 'wb').write(head + body)
open('three/truth.txt', 'w').write(''.join('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n.decode()) for n, _, d in sections))
PY
