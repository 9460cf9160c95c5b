# Writes RAR 5 archives of compressed members, for want of a free program: matches of all kinds, filters
# of all kinds and several blocks, plain and solid. Used by build.sh.
import hashlib, os, struct, zlib

class Bits:
    def __init__(self):
        self.s = []
    def put(self, v, n):
        if n:
            self.s.append(format(v, "0%db" % n))
    def bytes(self):
        s = "".join(self.s)
        last = (len(s) - 1) % 8 + 1
        s += "0" * (-len(s) % 8)
        return int(s, 2).to_bytes(len(s) // 8, "big"), last

def codes(l):
    code, out = 0, {}
    for n in range(1, 16):
        code <<= 1
        for c, m in enumerate(l):
            if m == n:
                out[c] = code, n
                code += 1
    return out

# Codes that are nearly even: nobody asks this encoder to be good.
LENGTHS = [9] * 256 + [7] * 50, [6] * 64, [4] * 16, [6] * 44
MAIN, REACH, LOW, REPEAT = map(codes, LENGTHS)

def number(w, v):
    n = max(1, (v.bit_length() + 7) // 8)
    w.put(n - 1, 2)
    for i in range(n):
        w.put(v >> 8 * i & 255, 8)

def length(n): # of a match, less 2: symbol and extra bits
    for c in range(43, -1, -1):
        extra = 0 if c < 8 else c // 4 - 1
        base = c if c < 8 else (4 | c & 3) << extra
        if base <= n:
            return c, n - base, extra

def block(tokens, last, table):
    w = Bits()
    if table:
        for _ in range(16):
            w.put(4, 4)
        w.put(15, 4); w.put(2, 4) # four zeros
        for l in LENGTHS:
            for n in l:
                w.put(n, 4)
    for t in tokens:
        if t[0] == "byte":
            w.put(*MAIN[t[1]])
        elif t[0] == "filter":
            w.put(*MAIN[256]); number(w, t[1]); number(w, t[2]); w.put(t[3], 3)
            if t[3] == 0:
                w.put(t[4] - 1, 5)
        elif t[0] == "again":
            w.put(*MAIN[257])
        elif t[0] == "recent":
            c, v, n = length(t[2] - 2)
            w.put(*MAIN[258 + t[1]]); w.put(*REPEAT[c]); w.put(v, n)
        else:
            d = t[2]
            c, v, n = length(t[1] - 2 - sum(d > far for far in (0x100, 0x2000, 0x40000)))
            w.put(*MAIN[262 + c]); w.put(v, n)
            s = next(s for s in range(63, -1, -1) if (s if s < 4 else (2 | s & 1) << s // 2 - 1) <= d - 1)
            extra = 0 if s < 4 else s // 2 - 1
            rest = d - 1 - (s if s < 4 else (2 | s & 1) << extra)
            w.put(*REACH[s])
            if extra < 4:
                w.put(rest, extra)
            else:
                w.put(rest >> 4, extra - 4); w.put(*LOW[rest & 15])
    data, bits = w.bytes()
    flags = bits - 1 | (0x40 if last else 0) | (0x80 if table else 0)
    size = struct.pack("<I", len(data))[:1 if len(data) < 256 else 2 if len(data) < 65536 else 3]
    flags |= len(size) - 1 << 3
    check = 0x5a ^ flags
    for b in size:
        check ^= b
    return bytes([flags, check]) + size + data

def pack(plain, before=b"", filters=()): # filters: at, length, kind, channels
    raw = bytearray(plain)
    for f in filters:
        raw[f[0]:f[0]+f[1]] = undo(bytes(raw[f[0]:f[0]+f[1]]), *f)
    b = before + bytes(raw)
    last, recent, again, todo = {}, [], 0, list(filters)
    for k in range(max(0, len(before) - 3)):
        last[b[k:k+3]] = k
    out, i, blocks = [], len(before), []
    while i < len(b):
        while todo and todo[0][0] - (i - len(before)) < 100:
            f = todo.pop(0)
            out.append(("filter", f[0] - (i - len(before)), f[1], f[2]) + f[3:])
        best = 0, 0
        for d in recent + [i - last[k] for k in [b[i:i+3]] if k in last]:
            n = 0
            while i + n < len(b) and n < 4000 and b[i+n] == b[i+n-d]:
                n += 1
            if n > best[0]:
                best = n, d
        n, d = best
        if n >= 6 or n >= 2 and d in recent:
            if n == again and recent[0] == d:
                out.append(("again",))
            elif d in recent:
                out.append(("recent", recent.index(d), n)); recent.remove(d); recent.insert(0, d)
            else:
                out.append(("match", n, d)); recent = ([d] + recent)[:4]
            again = n
        else:
            n = 1
            out.append(("byte", b[i]))
        for k in range(i, min(i + n, len(b) - 2)):
            last[b[k:k+3]] = k
        i += n
        if len(out) > 1000:
            blocks.append(out); out = []
    blocks.append(out)
    return b"".join(block(t, k == len(blocks) - 1, k % 3 == 0) for k, t in enumerate(blocks)), bytes(raw)

def undo(b, at, n, kind, channels=0): # what the filter makes b of
    out = bytearray(b)
    if kind == 0:
        planes = bytearray()
        for c in range(channels):
            prev = 0
            for x in b[c::channels]:
                planes.append(prev - x & 255)
                prev = x
        return bytes(planes)
    i = 0
    while kind in (1, 2) and i + 4 < n:
        i += 1
        if b[i-1] == 0xe8 or b[i-1] == 0xe9 and kind == 2:
            to, here = struct.unpack_from("<i", b, i)[0], (at + i) % (1 << 24)
            if -here <= to < (1 << 24) - here:
                struct.pack_into("<i", out, i, to + here)
            elif (1 << 24) - here <= to < 1 << 24:
                struct.pack_into("<i", out, i, to - (1 << 24))
            i += 4
    for i in range(0, n - 3, 4) if kind == 3 else ():
        if b[i+3] == 0xeb:
            to = struct.unpack_from("<I", b, i)[0]
            struct.pack_into("<I", out, i, (to + (at + i) // 4) & 0xffffff | 0xeb000000)
    return bytes(out)

def num(v):
    out = b""
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])
def head(kind, rest, data=b""):
    h = num(kind) + num(2 if data else 0) + (num(len(data)) if data else b"") + rest
    h = num(len(h)) + h
    return struct.pack("<I", zlib.crc32(h)) + h + data
def member(name, plain, data, solid):
    return head(2, num(6) + num(len(plain)) + num(0o100644) + struct.pack("<II", 1709210096, zlib.crc32(plain)) + num(3 << 7 | (0x40 if solid else 0)) + num(1) + num(len(name)) + name.encode(), data)

text = "".join("%d squared is %d\n" % (i, i * i) for i in range(300)).encode()
x86 = b"".join(b"\x55\xe8" + struct.pack("<i", 4000 - 7 * i) + b"\x0f\xe9" + struct.pack("<i", 9 * i) for i in range(200))
arm = b"".join(struct.pack("<II", 0xeb000000 | 5000 - 2 * i & 0xffffff, 0xe1a00000 + i % 7) for i in range(200))
wave = bytes(v for i in range(700) for v in (i * i // 900 & 255, i // 3 & 255, 255 - i // 5 & 255))
mixed = text[:1500] + x86 + arm + wave + text
a, b, c = 1500, 1500 + len(x86), 1500 + len(x86) + len(arm)
files = [
    ("text", text, ()),
    ("filters", mixed, ((a, 700, 1), (a + 700, len(x86) - 700, 2), (b, len(arm), 3), (c, len(wave), 0, 3))),
    ("again", text + b"x" * 5000 + text, ()),
]
for case in ("lz5", "solid5"):
    out, before = b"Rar!\x1a\x07\1\0" + head(1, num(4 if case == "solid5" else 0)), b""
    for i, (name, plain, filters) in enumerate(files):
        solid = case == "solid5" and i > 0
        data, raw = pack(plain, before if solid else b"", filters)
        out += member(name, plain, data, solid)
        before += raw
    os.makedirs(case, exist_ok=True)
    with open(case + "/input", "wb") as f:
        f.write(out + head(5, num(0)))
    with open(case + "/truth.txt", "w") as f:
        f.writelines(hashlib.sha256(plain).hexdigest() + "  " + name + "\n" for name, plain, _ in files)
