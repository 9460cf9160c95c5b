#!/bin/sh
# Builds the fixtures of unpack/inno after Inno Setup's published sources, around made-up files: its compiler runs on
# Windows only. Needs: python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'PY'
import bz2, hashlib, lzma, os, struct, zlib
from zlib import crc32

def lzma1(b):
    s = lzma.compress(b, lzma.FORMAT_ALONE, filters=[{'id': lzma.FILTER_LZMA1, 'dict_size': 1 << 16}])
    return s[:5] + s[13:]
def lzma2(b): return b'\x08' + lzma.compress(b, lzma.FORMAT_RAW, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': 1 << 16}])

def calls(b, flip):
    b, at = bytearray(b), 0
    for start in range(0, len(b), 65536):
        at, end = start, min(start + 65536, len(b))
        while at + 5 <= end:
            if b[at] not in (0xe8, 0xe9): at += 1; continue
            at += 5
            if b[at - 1] not in (0, 0xff): continue
            v = int.from_bytes(b[at - 4:at - 1], 'little')
            if flip and v & 0x800000: b[at - 1] ^= 0xff
            b[at - 4:at - 1] = (v + at & 0xffffff).to_bytes(3, 'little')
    return bytes(b)

def calls_old(b):
    b, at = bytearray(b), 0
    while at < len(b):
        if b[at] in (0xe8, 0xe9) and at + 5 <= len(b):
            v = int.from_bytes(b[at + 1:at + 5], 'little')
            b[at + 1:at + 5] = (v + at & 0xffffffff).to_bytes(4, 'little')
            at += 5
        else: at += 1
    return bytes(b)

def block(b, form):
    out, b = b'', lzma1(b)
    for i in range(0, len(b), 4096):
        out += struct.pack('<I', crc32(b[i:i + 4096])) + b[i:i + 4096]
    h = struct.pack('<IB' if form < 3 else '<QB', len(out), 1)
    return struct.pack('<I', crc32(h)) + h + out

long = b''.join(b'\x90' * (i % 7) + b'\xe8' + struct.pack('<i', (i - 700) * 37) + b'\x55\x8b\xec' for i in range(6000))
text = b''.join(b'%d camera client\n' % i for i in range(400))
program = b'MZ' + long[:3000]

# A version: what its records look like, and how files are compressed.
versions = {
    'ansi-5.1':   dict(id='5.1.5', texts=9, flags=4, sum=hashlib.md5, tail=1, bits=(4, 6, 7), pack=bz2.compress, calls=calls_old),
    'ansi-5.2':   dict(id='5.2.3', texts=9, flags=4, sum=hashlib.md5, tail=2, bits=(4, 6, 7), pack=zlib.compress, calls=lambda b: calls(b, False)),
    'unicode-5.5': dict(id='5.5.0) (u', texts=10, flags=4, sum=hashlib.sha1, tail=2, bits=(4, 6, 7), pack=lzma1, calls=lambda b: calls(b, True)),
    'encrypted-5.6': dict(id='5.6.0) (u', texts=10, flags=4, sum=hashlib.sha1, tail=2, bits=(4, 6, 7), pack=lzma1, calls=lambda b: calls(b, True), sealed=True),
    'stored-6.3': dict(id='6.3.0', texts=10, flags=4, sum=hashlib.sha1, tail=3, bits=(4, 6, 7), pack=None, calls=lambda b: calls(b, True)),
    'unicode-6.4': dict(id='6.4.0.1', texts=10, flags=4, sum=hashlib.sha256, tail=3, bits=(4, 6, 7), pack=lzma2, calls=lambda b: calls(b, True)),
    'unicode-6.5': dict(id='6.5.2', texts=15, flags=5, sum=hashlib.sha256, tail=1, bits=(2, 3, 4), pack=lzma2, calls=lambda b: calls(b, True), form=2, start='q'),
    'unicode-7.0': dict(id='7.0.0.3', texts=15, flags=9, sum=hashlib.sha256, tail=1, bits=(2, 3, 4), pack=lzma2, calls=lambda b: calls(b, True), form=3, start='q'),
    'sealed-6.5': dict(id='6.5.2', texts=15, flags=5, sum=hashlib.sha256, tail=1, bits=(2, 3, 4), pack=lzma2, calls=lambda b: calls(b, True), form=2, start='q', whole=True),
}

for name, v in versions.items():
    wide, form = v['id'] >= '6' or '(u' in v['id'], v.get('form', 1)
    def t(s):
        b = s.encode('utf-16-le' if wide else 'ascii')
        return struct.pack('<I', len(b)) + b
    loader = b'MZP\0' + bytes(60) + b'the loader'.ljust(100)
    size = 44 if form == 1 else 64
    files = len(loader) + size
    code = long if v['pack'] else long[:5000]
    # The run that two files share, and one that is stored.
    shared = v['calls'](code) + text
    flag = lambda *b: sum(1 << i for i in b).to_bytes(v['tail'], 'little')
    call, seal, squeeze = v['bits']
    pack = v['pack'] or (lambda b: b)
    squeeze, seal = ([squeeze] if v['pack'] else []), ([seal] if v.get('sealed') else [])
    packed = pack(shared)
    salt = b'12345678' if seal else b''
    data = b'zlb\x1a' + salt + packed
    second = len(data)
    data += b'zlb\x1a' + text[:50]
    def part(start, off, b, stored, flags):
        return struct.pack('<II' + v.get('start', 'I') + 'QQQ', 0, 0, start, off, len(b), stored) + v['sum'](b).digest() + \
            struct.pack('<QII', 133500000000000000, 0, 0) + flag(*flags)
    parts = part(0, 0, code, len(packed), [call] + squeeze + seal) + part(0, len(code), text, len(packed), squeeze + seal) + part(second, 0, text[:50], 50, [])
    def file(dest, location, kind=0):
        return t('') + t(dest) + t('') * (v['texts'] - 2) + (struct.pack('<I', 0) + bytes(33) if v['texts'] == 15 else b'') + \
            bytes(20) + struct.pack('<iIQh', location, 0, 0, -1) + bytes(v['flags']) + bytes([kind])
    texts = t('Client') + t('Client 1.0') + t('{{id}') + t('Copyright someone') + t('Some Maker') + t('http://maker.example/')
    texts += t('a text that only the script holds') + struct.pack('<4I', 7, 0, 5, 3) + bytes(100)
    texts += file('', -1, 1) + file('{app}\\client.exe', 0) + file('{app}\\doc\\readme.txt', 1) + file('{win}\\copy.txt', 1) + file('{app}\\short.txt', 2)
    texts += t('an icon') + t('{app}\\client.exe') + bytes(60)
    script = ('Inno Setup Setup Data (%s)' % v['id']).encode().ljust(64, b'\0')
    if form > 1:
        h = bytes([2 if v.get('whole') else 0]) + bytes(48)
        script += struct.pack('<I', crc32(h)) + h
    script += b'sealed' * 50 if v.get('whole') else block(texts, form) + block(parts, form)
    setup = block(v['calls'](program), form)
    script_at = files + len(data)
    setup_at = script_at + len(script)
    total = setup_at + len(setup)
    if form == 1:
        table = b'rDlPtS\xcd\xe6\xd7{\x0b*' + struct.pack('<7I', 1, total, setup_at, len(program), crc32(program), script_at, files)
    else:
        table = b'rDlPtS\xcd\xe6\xd7{\x0b*' + struct.pack('<IqqIIqqI', 2, total, setup_at, len(program), crc32(program), script_at, files, 0)
    table += struct.pack('<I', crc32(table))
    assert len(table) == size
    os.makedirs(name, exist_ok=True)
    open(name + '/input', 'wb').write(loader + table + data + script + setup + b'a signature')
    with open(name + '/truth.txt', 'w') as f:
        def say(n, b): f.write('%s  %s\n' % (hashlib.sha256(b).hexdigest(), n))
        say('setup.exe', program)
        if v.get('whole'): continue
        say('app/short.txt', text[:50])
        if not seal:
            say('app/client.exe', code); say('app/doc/readme.txt', text)
PY
