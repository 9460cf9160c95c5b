# Writes a cabinet of Quantum folders, and their content into the folder quantum: no free program does.
# A plain encoder after the published descriptions of the decoder. Used by build.sh.
import os, struct, sys

class Model:
    def __init__(self, first, n):
        self.n, self.left = n, 4
        self.symbols = list(range(first, first + n))
        self.sums = list(range(n, -1, -1))
    def gain(self, i):
        for k in range(i + 1):
            self.sums[k] += 8
        if self.sums[0] <= 3800:
            return
        self.left -= 1
        if self.left:
            for k in range(self.n - 1, -1, -1):
                self.sums[k] = max(self.sums[k] >> 1, self.sums[k + 1] + 1)
            return
        self.left = 50
        f = [(a - b + 1) >> 1 for a, b in zip(self.sums, self.sums[1:])]
        for k in range(self.n - 1):
            for j in range(k + 1, self.n):
                if f[k] < f[j]:
                    f[k], f[j] = f[j], f[k]
                    self.symbols[k], self.symbols[j] = self.symbols[j], self.symbols[k]
        self.sums = [sum(f[k:]) for k in range(self.n + 1)]

class Frame:
    # The decoder is 16 bits ahead of what it decodes, so other bits stand behind those.
    def __init__(self):
        self.low, self.high, self.shifts, self.pending, self.coded, self.other = 0, 0xffff, 0, 0, [], []
    def out(self, bit):
        self.coded += [bit] + [1 - bit] * self.pending
        self.pending = 0
    def code(self, m, symbol):
        i = m.symbols.index(symbol)
        span, total = self.high - self.low + 1, m.sums[0]
        self.high = self.low + m.sums[i] * span // total - 1
        self.low += m.sums[i + 1] * span // total
        m.gain(i)
        while True:
            if (self.low ^ self.high) >> 15 == 0:
                self.out(self.low >> 15)
            elif self.low >> 14 == 1 and self.high >> 14 == 2:
                self.pending += 1
                self.low, self.high = self.low & 0x3fff, self.high | 0x4000
            else:
                return
            self.low, self.high = self.low << 1 & 0xffff, (self.high << 1 | 1) & 0xffff
            self.shifts += 1
    def raw(self, v, n):
        self.other.append((16 + self.shifts, [v >> k & 1 for k in range(n - 1, -1, -1)]))
    def end(self):
        self.pending += 1
        self.out(int(self.low >= 0x4000))
        self.coded += [0] * (16 + self.shifts - len(self.coded))
        bits, at = [], 0
        for to, more in self.other:
            bits += self.coded[at:to] + more
            at = to
        bits += self.coded[at:]
        bits += [0] * (-len(bits) % 8)
        return int("1" + "".join(map(str, bits)), 2).to_bytes(len(bits) // 8 + 1, "big")[1:]

def bases(n, group):
    at, out = 0, []
    for i in range(n):
        extra = max(0, i - 2) // group
        out.append((at, extra))
        at += 1 << extra
    return out
SLOTS, LENGTHS = bases(42, 2), bases(26, 4) + [(254, 0)]

def slot(table, v):
    return max(i for i, (at, _) in enumerate(table) if at <= v)

def quantum(b, bits):
    selectors = Model(0, 7)
    literals = [Model(64 * i, 64) for i in range(4)]
    slots = [Model(0, min(2 * bits, 24)), Model(0, min(2 * bits, 36)), Model(0, 2 * bits)]
    lengths = Model(0, 27)
    frames, last = [], {}
    for start in range(0, len(b), 32768):
        w, i, end = Frame(), start, min(len(b), start + 32768)
        while i < end:
            d, n = i - last.get(b[i:i+3], i), 0
            while 0 < d <= 1 << bits and i + n < end and n < 259 and b[i+n] == b[i+n-d]:
                n += 1
            kind = min(n, 5) - 3
            s = slot(SLOTS, d - 1) if n else 0
            if n < 3 or s >= slots[kind].n:
                n = 1
                w.code(selectors, b[i] >> 6)
                w.code(literals[b[i] >> 6], b[i])
            else:
                w.code(selectors, 4 + kind)
                if kind == 2:
                    l = slot(LENGTHS, n - 5)
                    w.code(lengths, l)
                    w.raw(n - 5 - LENGTHS[l][0], LENGTHS[l][1])
                w.code(slots[kind], s)
                w.raw(d - 1 - SLOTS[s][0], SLOTS[s][1])
            for k in range(i, i + n):
                last[b[k:k+3]] = k
            i += n
        frames.append(w.end())
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
near = noise(300)
far = near + squares[:6000] + b"ab" * 15000 + near + squares[:2000]
cases = {"small": (squares[:1500], 10), "far": (far, 16)}
if len(sys.argv) > 2: # larger ones of any content
    cases = {os.path.basename(f): (open(f, "rb").read(), 21) for f in sys.argv[2:]}
head = 36 + 8 * len(cases)
files = b"".join(struct.pack("<IIHHHH", len(c[0]), 0, i, 0x585d, 0x645c, 0x20) + n.encode() + b"\0" for i, (n, c) in enumerate(cases.items()))
folders, data = b"", b""
for plain, bits in cases.values():
    frames = quantum(plain, bits)
    folders += struct.pack("<IHH", head + len(files) + len(data), len(frames), 2 | bits << 8)
    for i, f in enumerate(frames):
        h = struct.pack("<HH", len(f), min(32768, len(plain) - 32768 * i))
        data += struct.pack("<I", checksum(h, checksum(f))) + h + f
size = head + len(files + data)
with open(sys.argv[1], "wb") as out:
    out.write(b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, size, 0, head, 0, 3, 1, len(cases), len(cases), 0, 7, 0) + folders + files + data)
os.makedirs("quantum", exist_ok=True)
for n, c in cases.items():
    with open("quantum/" + n, "wb") as out:
        out.write(c[0])
