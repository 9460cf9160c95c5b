#!/bin/sh
# Builds the fixtures of unpack/dlink around made-up content, with keys that dlink_test.go knows. Needs python3 and openssl.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import os, struct, subprocess
def put(name, b):
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(b + b'behind')
def mh01(a, b, order='<'):
    return b'MH01' + struct.pack(order + 'IIH', len(a), len(b), 0x1a2b) + b'\x12\x34' + a + b
def enc(b, *args):
    return subprocess.run(['openssl', 'enc', *args], input=b, stdout=subprocess.PIPE, check=True, stderr=subprocess.DEVNULL).stdout
iv = b'00112233445566778899aabbccddee00'
plain = mh01(b'the firmware\n' * 50, b'a signature' * 20, '>')
sealed = enc(plain, '-aes-128-cbc', '-md', 'sha256', '-k', '00112233445566778899aabbccddeeff', '-iv', iv.decode(), '-S', '0102030405060708')
if not sealed.startswith(b'Salted__'): sealed = b'Salted__' + bytes(range(1, 9)) + sealed
inner = mh01(iv + b'\n', sealed)
put('plain', plain); put('inner', inner); put('outer', mh01(inner, b's' * 256))
image = b''.join(b'UBI#'.ljust(16, b'\0') + (b'content of a piece ' * 8000)[:131056] for _ in range(1)) + b'UBI#'.ljust(16, b'\0') + b'second piece'.ljust(64)
image = enc(image, '-aes-256-cbc', '-nopad', '-K', b'0123456789abcdef0123456789abcdef'.hex(), '-iv', b'initial vector..'.hex())
put('../encrpted_img/image', b'encrpted_img' + struct.pack('>I', len(image)) + image)
PY
