#!/usr/bin/env python3
"""Writes a small SquashFS 1.0, 2.1, 3.1 or 4.0 image, for which no packaged tool is left.

Called by build.sh: legacy.py OUT VERSION ORDER PACK. VERSION is 1 to 4, ORDER is "little",
"big" or, for 4.0, "avm": big but for the lengths of metadata blocks. PACK says how blocks are compressed: zlib, lzma13, lzma9, lzma5, lzma1, lzma0, xz, or
xz-tvt, whose stream magics are replaced. OUT.truth gets the sums and links, as sha256sum and find
would say them. Layouts are those of squashfs_compat.h in squashfs-tools, whose unsquashfs reads
versions 1 to 3 in either order if PACK is zlib.
"""
import hashlib, lzma, struct, sys, zlib

out, version, order, pack = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
BLOCK, LOG, NOW = 4096, 12, 1100000000
big = order != 'little'
avm, order = order == 'avm', 'big' if big else 'little'


def bits(*fields):
    """Packs (value, width) pairs as C bit fields are in this byte order."""
    n = acc = 0
    for value, width in fields:
        value &= (1 << width) - 1
        acc = acc << width | value if big else acc | value << n
        n += width
    return acc.to_bytes(n // 8, order)


def compress(data):
    if pack == 'zlib':
        return zlib.compress(data, 9)
    if pack.startswith('xz'):
        x = lzma.compress(data, check=lzma.CHECK_CRC32)
        if pack == 'xz-tvt':  # the first 11 and the last 7 bytes, as zb3/tvt-firmware-decryptor has them
            x = bytes.fromhex('e274567400504b47b3e300') + x[11:-7] + bytes.fromhex('05c5007456745e')
        return x
    props = 0x5d if pack != 'lzma5' else 0x6d
    filters = [{'id': lzma.FILTER_LZMA1, 'dict_size': 1 << 16, 'lc': props % 9, 'lp': props // 9 % 5, 'pb': props // 45}]
    raw = lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)
    header = struct.pack('<BIQ', props, 1 << 16, len(data))
    return header[:int(pack[4:])] + raw


class Metadata:
    """A table in metadata blocks, each of 8 KiB before compression."""

    def __init__(self):
        self.data = b''

    def place(self):  # of what comes next; everything here fits in one block
        return 0, len(self.data)

    def add(self, b):
        at = self.place()
        self.data += b
        return at

    def write(self):
        c = compress(self.data)
        stored = len(c) >= len(self.data)
        head = bits((len(self.data) | 0x8000 if stored else len(c), 16))
        return (head[::-1] if avm else head) + (self.data if stored else c)


text = b''.join(b'line %d of a file of several blocks\n' % i for i in range(300))
noise = b''.join(zlib.crc32(b'%d' % i).to_bytes(4, 'big') for i in range(1100))
tree = {
    'bin': {'noise': ('f', 0o4755, noise if pack == 'zlib' and version != 2 else b'short'), 'text': ('f', 0o644, text), 'busybox': ('f', 0o755, b'made up\n')},
    'dev': {'console': ('c', 0o600, 5 << 8 | 1), 'fifo': ('p', 0o644, 0), 'mtd': ('b', 0o660, 31 << 8 | 3), 'sock': ('s', 0o755, 0)},
    'empty': {},
    'etc': {'hard': None, 'link': ('l', 0o777, b'../bin/text'), 'none': ('f', 0o600, b'')},
}

image = bytearray(b'\0' * {1: 51, 2: 63, 3: 119, 4: 96}[version])
inodes, dirs = Metadata(), Metadata()
fragment, fragments = b'', []
count = 0
KINDS = {'d': 1, 'f': 2, 'l': 3, 'b': 4, 'c': 5, 'p': 6, 's': 7}


def blocks(data, tail):
    """Stores the blocks of a file; returns where, and their sizes."""
    start, sizes = len(image), []
    for i in range(0, len(data) - (len(data) % BLOCK if tail else 0), BLOCK):
        b = data[i:i + BLOCK]
        c = compress(b)
        if version >= 3 and not any(b):
            sizes.append(0)
        elif len(c) < len(b):
            sizes.append(len(c))
            image.extend(c)
        else:
            sizes.append(len(b) | (1 << 15 if version == 1 else 1 << 24))
            image.extend(b)
    return start, b''.join(bits((s, 16 if version == 1 else 32)) for s in sizes)


def base(kind, mode, uid):
    """The head of an inode. uid is an index; the last gid index of before 4.0 means the uid."""
    global count
    count += 1
    if version == 4:
        return bits((kind, 16), (mode, 16), (uid, 16), (0, 16), (NOW, 32), (count, 32))
    if version == 1:
        if kind >= 6:
            return bits((0, 4), (mode, 12), (uid, 4), (15, 4))
        return bits((kind + 5 * (uid // 16), 4), (mode, 12), (uid % 16, 4), (15, 4))
    head = bits((kind, 4), (mode, 12), (uid, 8), (255, 8))
    return head + bits((NOW, 32), (count, 32)) if version == 3 else head


def inode(kind, mode, value):
    global fragment
    k, uid = KINDS[kind], 1 if kind == 'f' else 0
    head = base(k, mode, uid)
    links = bits((1, 32)) if version >= 3 else b''
    if kind == 'f':
        tail = version > 1 and len(value) % BLOCK != 0
        start, sizes = blocks(value, tail)
        index, offset = (0, len(fragment)) if tail else (0xffffffff, 0)
        if tail:
            fragment += value[len(value) - len(value) % BLOCK:]
        if version == 1:
            body = bits((NOW, 32), (start, 32), (len(value), 32))
        elif version == 2:
            body = bits((NOW, 32), (start, 32), (index, 32), (offset, 32), (len(value), 32))
        else:
            body = bits((start, 64 if version == 3 else 32), (index, 32), (offset, 32), (len(value), 32))
        return head + body + sizes
    if kind == 'l':
        return head + links + bits((len(value), 32 if version == 4 else 16)) + value
    if kind in 'bc':
        return head + links + bits((value, 32 if version == 4 else 16))
    return head + links + (bits((k, 4), (uid // 16, 4)) if version == 1 else b'')


def directory(entries):
    """Writes what is in a directory, its listing and its inode; returns the inode's place and number."""
    rows = []
    for name, e in sorted(entries.items()):
        if e is None:
            rows.append((name, 'f') + linked)
        elif isinstance(e, dict):
            rows.append((name, 'd') + directory(e))
        else:
            b = inode(*e)
            rows.append((name, e[0], inodes.add(b), count))
            if name == 'text':
                linked_to(rows[-1][2:])
    start, offset = dirs.place()
    listing = b''
    if rows:
        first = rows[0][3]
        if version == 4:
            listing = bits((len(rows) - 1, 32), (0, 32), (first, 32))
        elif version == 3:
            listing = bits((len(rows) - 1, 8), (0, 32), (first, 32))
        else:
            listing = bits((len(rows) - 1, 8), (0, 24))
        for name, kind, (_, at), number in rows:
            k, n = KINDS[kind], len(name) - 1
            if version == 4:
                listing += bits((at, 16), (number - first, 16), (k, 16), (n, 16))
            elif version == 3:
                listing += bits((at, 13), (k, 3), (n, 8), (number - first, 16))
            else:
                listing += bits((at, 13), (k, 3), (n, 8))
            listing += name.encode()
    dirs.add(listing)
    head = base(1, 0o755, 0)
    size = len(listing) + (3 if version >= 3 else 0)
    if version == 4:
        b = head + bits((start, 32), (2, 32), (size, 16), (offset, 16), (0, 32))
    elif version == 3:
        b = head + bits((2, 32), (size, 19), (offset, 13), (start, 32), (0, 32))
    else:
        b = head + bits((size, 19), (offset, 13), (NOW, 32), (start, 24))
    return inodes.add(b), count


def linked_to(place):
    global linked
    linked = place


(_, root), _ = directory(tree)
if fragment:
    c = compress(fragment)
    stored = len(c) >= len(fragment)
    fragments = [len(image), len(fragment) | 1 << 24 if stored else len(c)]
    image += fragment if stored else c
inode_table = len(image)
image += inodes.write()
dir_table = len(image)
image += dirs.write()
fragment_table = 0
if version > 1:
    m = Metadata()
    m.add(bits((fragments[0], 32), (fragments[1], 32)) if version == 2 else bits((fragments[0], 64), (fragments[1], 32), (0, 32)))
    at = len(image)
    image += m.write()
    fragment_table = len(image)
    image += bits((at, 32 if version == 2 else 64))
none = (1 << 64) - 1
if version == 4:
    m = Metadata()
    m.add(bits((0, 32), (1000, 32)))
    at = len(image)
    image += m.write()
    ids = len(image)
    image += bits((at, 64))
    fields = [(count, 32), (NOW, 32), (BLOCK, 32), (1, 32), ({'z': 1, 'l': 2, 'x': 4}[pack[0]], 16), (LOG, 16), (0, 16), (2, 16), (4, 16), (0, 16),
              (root, 64), (len(image), 64), (ids, 64), (none, 64), (inode_table, 64), (dir_table, 64), (fragment_table, 64), (none, 64)]
else:
    uids = len(image)
    # Version 1 has room for more uids than an inode's 4 bits can say; nothing here needs it.
    image += bits((0, 32), (1000, 32))
    new = version == 3
    fields = [(count, 32), (0 if new else len(image), 32), (0 if new else uids, 32), (0, 32), (0 if new else inode_table, 32), (0 if new else dir_table, 32),
              (version, 16), (0 if version == 1 else 1, 16), (BLOCK, 16), (LOG, 16), (0, 8), (2, 8), (0, 8), (NOW, 32), (root, 64)]
    if version > 1:
        fields += [(BLOCK, 32), (1, 32), (0 if new else fragment_table, 32)]
    if new:
        fields += [(len(image), 64), (uids, 64), (0, 64), (inode_table, 64), (dir_table, 64), (fragment_table, 64), (none, 64)]
head = (b'sqsh' if big else b'hsqs') + b''.join(bits(f) for f in fields)
image[:len(head)] = head
open(out, 'wb').write(image)
with open(out + '.truth', 'w') as f:
    tree['etc']['hard'] = tree['bin']['text']
    for d, entries in tree.items():
        for name, e in entries.items():
            if e[0] == 'f':
                print('%s  %s/%s' % (hashlib.sha256(e[2]).hexdigest(), d, name), file=f)
            if e[0] == 'l':
                print('link %s/%s -> %s' % (d, name, e[2].decode()), file=f)
