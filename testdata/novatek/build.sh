#!/bin/sh
# Builds the fixture of unpack/novatek after the measured layout, around a made-up payload. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import array, hashlib, os, struct
body = b''.join(b'partition line %d\n' % i for i in range(200))
body += b'\0' * (-len(body) % 64)
head = lambda c: struct.pack('<4s7I', b'CKSM', 0x16040719, 0, c, 0x40, len(body), 0, 9).ljust(64, b'\0')
words = array.array('H', head(0) + body)
total = sum(words) + sum(range(len(words)))
os.makedirs('text', exist_ok=True)
open('text/input', 'wb').write(head(-total & 0xffff) + body + b'behind')
open('text/truth.txt', 'w').write('%s  \n' % hashlib.sha256(body).hexdigest())
PY
