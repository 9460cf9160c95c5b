#!/bin/sh
# Builds the YAFFS fixtures. Needs python3, which writes pages as "How YAFFS works" and the headers of the sources
# describe them: no distribution has a tool for it.
set -eu
cd "$(dirname "$0")"
python3 - <<'P'
import hashlib, os, struct

class Flash:
    def __init__(self, page, spare, tags, order, version=2, words=None):
        self.page, self.spare, self.tags, self.o, self.version, self.words = page, spare, tags, order, version, words or order
        self.out, self.seq, self.serial = [], 0x1000, {}
    def write(self, obj, chunk, data, n):
        data = data + b'\xff' * (self.page - len(data))
        s = bytearray(b'\xff' * self.spare)
        if self.version == 2:
            s[self.tags:self.tags + 16] = struct.pack(self.words + '4I', self.seq, obj, chunk, n)
        else:
            ser = self.serial[obj, chunk] = self.serial.get((obj, chunk), -1) + 1 & 3
            n = min(n, 0xfff)
            def tags(ecc):
                if self.o == '<':
                    return struct.pack('<2I', chunk | ser << 20 | (n & 0x3ff) << 22, obj | ecc << 18 | n >> 10 << 30)
                return struct.pack('>2I', chunk << 12 | ser << 10 | n & 0x3ff, obj << 14 | ecc << 2 | n >> 10)
            ecc = 0
            for i, c in enumerate(tags(0)):
                for k in range(8):
                    if c >> k & 1: ecc ^= 8 * i + k + 1
            t = tags(ecc)
            s[0:4], s[6:8], s[11:13] = t[:4], t[4:6], t[6:]
        self.out.append(data + bytes(s))
    def header(self, obj, typ, parent, name, mode=0, size=0, equiv=0, alias=b'', rdev=0, shrink=0, shadows=0, uid=0):
        h = struct.pack(self.o + '2IH', typ, parent, 0xffff) + name.ljust(256, b'\0') + b'\xff\xff'
        h += struct.pack(self.o + '8I', mode, uid, 33, 1709210096, 1709210096, 1709210096, size, equiv)
        h += alias.ljust(160, b'\0') + struct.pack(self.o + 'I', rdev) + b'\0' * 24 + b'\xff' * 8
        h += struct.pack(self.o + '2IiI', 0, 0, shadows, shrink)
        assert len(h) == 512
        self.write(obj, 0, h, 0xffff)
    def data(self, obj, b, chunk=1):
        for i in range(0, len(b), self.page):
            self.write(obj, chunk + i // self.page, b[i:i + self.page], len(b[i:i + self.page]))
    def file(self, obj, parent, name, b, **k):
        self.header(obj, 1, parent, name, 0o100644, len(b), **k)
        self.data(obj, b)
    def block(self):
        self.seq += 1
    def save(self, name, truth, root='.'):
        d = os.path.join(root, name)
        os.makedirs(d, exist_ok=True)
        open(d + '/input', 'wb').write(b''.join(self.out))
        with open(d + '/truth.txt', 'w') as f:
            for p, v in sorted(truth.items()):
                f.write(f'link {p} -> {v}\n' if isinstance(v, str) else f'{hashlib.sha256(v).hexdigest()}  {p}\n')

text = b''.join(b'%d\n' % i for i in range(1, 1200))
def tree(f):
    f.header(257, 3, 1, b'etc', 0o40755)
    f.file(258, 257, b'numbers', text, uid=100000)
    f.file(259, 257, b'none', b'')
    f.header(260, 2, 257, b'link', 0o120777, alias=b'numbers')
    f.header(261, 4, 1, b'hard', equiv=258)
    f.header(262, 3, 1, b'dev', 0o40755)
    f.header(263, 5, 262, b'console', 0o20600, rdev=5 << 8 | 1)
    f.header(264, 5, 262, b'far', 0o60600, rdev=260 << 8 | 70000 & 0xff | (70000 & 0xfff00) << 12)
    f.header(265, 5, 262, b'pipe', 0o10600)
    return {'etc/numbers': text, 'etc/none': b'', 'etc/link': 'numbers', 'hard': text}
f = Flash(2048, 64, 2, '<'); f.save('v2-little', tree(f))
f = Flash(1024, 32, 0, '>'); f.save('v2-big', tree(f))
f = Flash(1024, 32, 0, '>', words='<'); f.save('v2-big-little-tags', tree(f))
f = Flash(1008, 16, 0, '<'); f.save('v2-inband', tree(f))
f = Flash(512, 16, 0, '<', 1)
t = tree(f); f.data(258, b'NEW' + text[3:512]); t['etc/numbers'] = t['hard'] = b'NEW' + text[3:]
f.save('v1-little', t)
f = Flash(512, 16, 0, '>', 1); f.save('v1-big', tree(f))

# A partition that was written to for a while: blocks stand in another order than they were written in.
f = Flash(512, 16, 0, '<')
blocks = []
def block():
    blocks.append((f.seq, f.out)); f.out = []; f.block()
f.header(1, 3, 0, b'', 0o40755)
f.header(257, 3, 1, b'etc', 0o40755)
f.file(258, 257, b'grown', text[:600]); f.file(259, 257, b'gone', text[:700]); f.file(260, 257, b'cut', text[:2000])
block()
f.data(258, text[512:1500], 2); f.header(258, 1, 257, b'grown', 0o100644, 1500)          # goes on
f.header(259, 1, 4, b'deleted', 0, 0, shrink=1)                                           # deleted
f.header(260, 1, 257, b'cut', 0o100644, 512, shrink=1); f.header(260, 1, 257, b'cut', 0o100644, 3000)  # cut, then a hole
f.file(261, 257, b'new', text[100:300]); f.file(262, 257, b'old', text[:50])
block()
f.header(261, 1, 257, b'old', 0o100644, 200, shadows=262)                                 # takes the other's name
f.header(263, 1, 257, b'unfinished', 0o100644, 0); f.data(263, text[:900])               # its size was not written
f.file(264, 999, b'orphan', text[:20])
block()
f.out = []
for seq, pages in (blocks[1], (0, [b'\xff' * 528] * 4), blocks[2], blocks[0]): f.out += pages
f.save('written', {'etc/grown': text[:1500], 'etc/cut': text[:512] + b'\0' * 2488, 'etc/old': text[100:300], 'etc/unfinished': text[:900], 'lost+found/orphan': text[:20]}, '../yaffs-flash')
P
