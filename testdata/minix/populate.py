# populate.py IMAGE TREE OUT [ENDIAN [BLOCK BLOCKS]]: fills the empty file system of mkfs.minix in
# IMAGE with the files of TREE. After Linux include/uapi/linux/minix_fs.h.
import os, stat, struct, sys

image, tree, out = sys.argv[1:4]
b = open(image, 'rb').read()
sb = b[1024:1056]
magic = struct.unpack_from('<H', sb, 16)[0]
version, length = {0x137f: (1, 14), 0x138f: (1, 30), 0x2468: (2, 14), 0x2478: (2, 30)}.get(magic, (3, 60))
if version == 3:
    ninodes, imap, zmap, first, shift, most, zones, magic, block = struct.unpack_from('<I2x4H2xIIH2xH', sb)
else:
    ninodes, zones1, imap, zmap, first, shift, most, magic, state, zones2 = struct.unpack_from('<6HIHHI', sb)
    zones, block = zones1 if version == 1 else zones2, 1024
isize = 32 if version == 1 else 64
order = '>' if 'big' in sys.argv else '<'
if len(sys.argv) > 5:
    block, zones = int(sys.argv[5]), int(sys.argv[6])
    imap = zmap = 1
    first = 4 + -(-ninodes * isize // block)
width, code = (2, 'H') if version == 1 else (4, 'I')
per = block // width
fs = bytearray(zones * block)
free = iter(range(first, zones))
inodes, links, numbers, zones_used = {}, {}, {}, set()

def zone(data):
    z = next(free)
    zones_used.add(z)
    fs[z * block:z * block + len(data)] = data
    return z

def store(data):
    "Returns the numbers of an inode for data; a block of zeros is a hole."
    blocks = [data[i:i + block] for i in range(0, len(data), block)]
    leaves = [zone(x) if any(x) else 0 for x in blocks]
    slots, rest = leaves[:7], leaves[7:]
    for depth in range(1, 4 if version > 1 else 3):
        part, rest = rest[:per**depth], rest[per**depth:]
        for _ in range(depth):
            groups = [part[i:i + per] for i in range(0, len(part), per)]
            part = [zone(struct.pack(f'{order}{len(g)}{code}', *g)) if any(g) else 0 for g in groups]
        slots += [0] * (6 + depth - len(slots)) + (part or [0])
    return slots + [0] * ((9 if version == 1 else 10) - len(slots))

def add(path, parent):
    st = os.lstat(path)
    key = st.st_ino
    if key in numbers:
        links[numbers[key]] += 1
        return numbers[key]
    n = numbers[key] = len(numbers) + 1
    links[n] = 1
    size, slots = 0, [0] * (9 if version == 1 else 10)
    if stat.S_ISDIR(st.st_mode):
        links[n] += 1
        names = [('.', n), ('..', parent or n), ('deleted', 0)]
        for name in sorted(os.listdir(path)):
            names.append((name, add(os.path.join(path, name), n)))
            if stat.S_ISDIR(os.lstat(os.path.join(path, name)).st_mode):
                links[n] += 1
        entry = order + ('H' if version < 3 else 'I') + f'{length}s'
        data = b''.join(struct.pack(entry, i, name.encode()) for name, i in names)
        size, slots = len(data), store(data)
    elif stat.S_ISREG(st.st_mode):
        data = open(path, 'rb').read()
        size, slots = len(data), store(data)
    elif stat.S_ISLNK(st.st_mode):
        data = os.readlink(path).encode()
        size, slots = len(data), store(data)
    elif stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        slots[0] = os.major(st.st_rdev) << 8 | os.minor(st.st_rdev)
    inodes[n] = st, size, slots
    return n

add(tree, 0)
assert len(numbers) <= ninodes
for n, (st, size, slots) in inodes.items():
    at, t = (2 + imap + zmap) * block + (n - 1) * isize, int(st.st_mtime)
    if version == 1:
        struct.pack_into(order + 'HHIIBB9H', fs, at, st.st_mode, st.st_uid, size, t, st.st_gid, links[n], *slots)
    else:
        struct.pack_into(order + '4H4I10I', fs, at, st.st_mode, links[n], st.st_uid, st.st_gid, size, t, t, t, *slots)

def bitmap(at, blocks, used, bits):
    "Bit 0 is always used, as is what is behind the last."
    for i in range(8 * blocks * block):
        if i == 0 or i > bits or i in used:
            fs[at + i // 8] |= 1 << i % 8
bitmap(2 * block, imap, set(inodes), ninodes)
bitmap((2 + imap) * block, zmap, {z - first + 1 for z in zones_used}, zones - first)
if version == 3:
    struct.pack_into(order + 'I2x4H2xIIH2xH', fs, 1024, ninodes, imap, zmap, first, shift, most, zones, magic, block)
else:
    struct.pack_into(order + '6HIHHI', fs, 1024, ninodes, zones1, imap, zmap, first, shift, most, magic, state, zones2)
open(out, 'wb').write(fs)
