#!/bin/sh
# Builds the fixtures of unpack/tiandy after the published layout, around made-up entries. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import hashlib, os, struct

def box(entries, again=True):
    body = b''
    for name, data in entries:
        body += struct.pack('<128s2I', name, len(data), len(data)) + data
        body += bytes(-len(body) % 8)
    head = struct.pack('<8sI4s8s8x2I', b'Tiandy', len(body) + 40, b'\0\0\x03\0', b'\xff\xff\x1a\0\0\0\x01\0', len(body), len(body) if again else 0)
    return head + body

words = b''.join(b'%d camera\n' % i for i in range(200))
entries = [(b'ProductModule', b'[start]\n[mediadevice]\nproductmodel=528527;\nvideoinput=1;\n[end]\n'), (b'/dev/mtdblock1', words), (b'config.ini', b'a=1')]
for name, e, again in (('update', entries, True), ('nested', [(b'inner.box', box(entries[:1]))], False)):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(box(e, again) + b'behind the box')
    with open(name + '/truth.txt', 'w') as f:
        for n, d in e:
            f.write('%s  %s\n' % (hashlib.sha256(d).hexdigest(), n.decode().lstrip('/')))
PY
