# Writes a cabinet of three LZX folders, and their content into the folder lzx: no free program does.
# A plain encoder by [MS-PATCH], with blocks of all three kinds that take turns and go on over data
# blocks, matches by new and remembered distances, and calls of x86. Used by build.sh.
import os, struct, sys

class Bits:
    def __init__(self):
        self.v, self.n, self.out = 0, 0, b""
    def put(self, v, n):
        self.v, self.n = self.v << n | v, self.n + n
        while self.n >= 16:
            self.n -= 16
            self.out += struct.pack("<H", self.v >> self.n & 0xffff)
        self.v &= (1 << self.n) - 1
    def align(self, least=0):
        self.put(0, least + -(self.n + least) % 16)

def lengths(used, size): # of a full code, as alike as can be
    used = sorted(set(used))
    used += [c for c in range(3) if c not in used][:max(0, 2 - len(used))]
    k = (len(used) - 1).bit_length()
    short = 2 ** k - len(used)
    l = [0] * size
    for i, c in enumerate(sorted(used)):
        l[c] = k - (i < short)
    return l

def codes(l):
    code, out = 0, {}
    for n in range(1, 17):
        code <<= 1
        for c, m in enumerate(l):
            if m == n:
                out[c] = code, n
                code += 1
    return out

def extra(s):
    return 0 if s < 4 else 17 if s >= 36 else s // 2 - 1
def base(s):
    return s if s < 4 else (s - 34) << 17 if s >= 36 else (2 + s % 2) << extra(s)
def slot(d):
    s = next(s for s in range(49, -1, -1) if base(s) <= d + 2)
    return s, d + 2 - base(s), extra(s)

def send(w, old, new): # lengths as differences
    syms, i = [], 0
    while i < len(new):
        run = 1
        while i + run < len(new) and new[i + run] == new[i]:
            run += 1
        diff = (old[i] - new[i]) % 17
        if new[i] == 0 and run >= 20:
            run = min(run, 51); syms.append((18, run - 20, 5))
        elif new[i] == 0 and run >= 4:
            run = min(run, 19); syms.append((17, run - 4, 4))
        elif run >= 4:
            run = min(run, 5); syms += [(19, run - 4, 1), (diff, 0, 0)]
        else:
            run = 1; syms.append((diff, 0, 0))
        i += run
    l = lengths([s[0] for s in syms], 20)
    c = codes(l)
    for n in l:
        w.put(n, 4)
    for s, v, n in syms:
        w.put(*c[s])
        w.put(v, n)

def tokens(b, bits): # (position, length, distance or literal, number of the remembered distance, those after it)
    last, recent, i, out = {}, [1, 1, 1], 0, []
    while i < len(b):
        end = min(len(b), (i // 32768 + 1) * 32768)
        best = (0, 0, None)
        for r, d in [(r, recent[r]) for r in range(3)] + [(None, i - last.get(b[i:i+3], i))]:
            n = 0
            while 0 < d <= min(i, (1 << bits) - 3) and i + n < end and n < 257 and b[i+n] == b[i+n-d]:
                n += 1
            if n > best[0] and n >= (3 if r is None else 2):
                best = n, d, r
        n, d, r = best
        if r is not None:
            recent[0], recent[r] = recent[r], recent[0]
        elif n:
            recent = [d] + recent[:2]
        out.append((i, n, d if n else b[i], r, list(recent)))
        for k in range(i, i + max(n, 1)):
            last[b[k:k+3]] = k
        i += max(n, 1)
    return out

def translate(b, size): # calls, absolute
    b = bytearray(b)
    for frame in range(0, len(b), 32768):
        i, end = frame, min(frame + 32768, len(b)) - 10
        while i < end:
            if b[i] == 0xe8:
                to = struct.unpack_from("<i", b, i + 1)[0]
                if -i <= to < size - i:
                    struct.pack_into("<i", b, i + 1, to + i)
                elif size - i <= to < size:
                    struct.pack_into("<i", b, i + 1, to - size)
                i += 4
            i += 1
    return bytes(b)

SLOTS = {15: 30, 18: 36, 21: 50}

def lzx(b, bits, e8):
    w, frames = Bits(), []
    def frame():
        w.align()
        frames.append(w.out)
        w.out = b""
    main, lens = [0] * (256 + 8 * SLOTS[bits]), [0] * 249
    w.put(1 if e8 else 0, 1)
    if e8:
        w.put(e8, 32)
        b = translate(b, e8)
    todo, kinds = tokens(b, bits), [1, 2, 3, 2, 1, 3, 3]
    while todo:
        kind = kinds[0]
        kinds = kinds[1:] + kinds[:1]
        n = next((k for k, t in enumerate(todo) if t[0] - todo[0][0] >= 9999), len(todo))
        block, todo = todo[:n], todo[n:]
        at, to = block[0][0], todo[0][0] if todo else len(b)
        if at and at % 32768 == 0:
            frame()
        w.put(kind, 3)
        w.put(to - at, 24)
        if kind == 3:
            w.align(1)
            w.out += struct.pack("<3I", *block[-1][4]) # as if its matches had been sent
            for x in range(at, to):
                if x > at and x % 32768 == 0:
                    frame()
                w.out += b[x:x+1]
            if (to - at) % 2:
                w.out += b"\0"
            continue
        syms = []
        for i, n, d, r, after in block:
            if not n:
                syms.append((d,))
                continue
            s, v, x = slot(d) if r is None else (r, 0, 0)
            syms.append((256 + 8 * s + min(n - 2, 7), n - 9 if n >= 9 else None, v, x))
        newmain = lengths([s[0] for s in syms], len(main))
        newlens = lengths([s[1] for s in syms if len(s) > 1 and s[1] is not None], 249)
        if kind == 2:
            aligned = [3] * 8 if to % 2 else [2, 2, 3, 3, 4, 4, 4, 4]
            for n in aligned:
                w.put(n, 3)
            ac = codes(aligned)
        send(w, main[:256], newmain[:256])
        send(w, main[256:], newmain[256:])
        send(w, lens, newlens)
        main, lens, mc, lc = newmain, newlens, codes(newmain), codes(newlens)
        for t, s in zip(block, syms):
            if t[0] > at and t[0] % 32768 == 0:
                frame()
            w.put(*mc[s[0]])
            if len(s) == 1:
                continue
            if s[1] is not None:
                w.put(*lc[s[1]])
            if kind == 2 and s[3] >= 3:
                w.put(s[2] >> 3, s[3] - 3)
                w.put(*ac[s[2] & 7])
            else:
                w.put(s[2], s[3])
    frame()
    return frames

def checksum(b, s=0):
    for i in range(0, len(b) - 3, 4):
        s ^= struct.unpack_from("<I", b, i)[0]
    return s ^ int.from_bytes(b[len(b) & ~3:], "big")

def noise(n, x=1):
    out = bytearray()
    for _ in range(n):
        x = x * 6364136223846793005 + 1442695040888963407 & 2**64 - 1
        out.append(x >> 56)
    return bytes(out)

squares = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(2000))
code = b"".join(b"\x55\xe8" + struct.pack("<i", 4000 - 7 * i) + bytes([i & 3]) for i in range(1500))
near = noise(300)
far = near + squares + near + code + noise(701) + near + squares[:7001] + b"ab" * 4000
cases = {"small": (squares[:501], 15, 0), "code": (code + squares[:3000] + code, 18, 12000000), "far": (far, 21, 70000)}
head = 36 + 8 * len(cases)
files = b"".join(struct.pack("<IIHHHH", len(c[0]), 0, i, 0x585d, 0x645c, 0x20) + n.encode() + b"\0" for i, (n, c) in enumerate(cases.items()))
folders, data = b"", b""
for plain, bits, e8 in cases.values():
    frames = lzx(plain, bits, e8)
    folders += struct.pack("<IHH", head + len(files) + len(data), len(frames), 3 | bits << 8)
    for i, f in enumerate(frames):
        h = struct.pack("<HH", len(f), min(32768, len(plain) - 32768 * i))
        data += struct.pack("<I", checksum(h, checksum(f))) + h + f
size = head + len(files + data)
with open(sys.argv[1], "wb") as out:
    out.write(b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, size, 0, head, 0, 3, 1, len(cases), len(cases), 0, 7, 0) + folders + files + data)
os.makedirs("lzx", exist_ok=True)
for n, c in cases.items():
    with open("lzx/" + n, "wb") as out:
        out.write(c[0])
