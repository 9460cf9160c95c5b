#!/bin/sh
# Builds the fixtures of unpack/cramfs. Needs the Debian packages util-linux-extra or util-linux (mkfs.cramfs) and python3; run as root.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree=$work/tree
mkdir -p "$tree/bin" "$tree/etc/empty" "$tree/dev"
python3 - "$tree" <<'PY'
import random, sys
tree, rnd = sys.argv[1], random.Random(28)
words = [bytes(rnd.choices(b"abcdefghijklmnop", k=rnd.randint(2, 9))) for _ in range(60)]
text = b" ".join(rnd.choices(words, k=3500))
open(tree + "/bin/app", "wb").write(text)
open(tree + "/etc/conf", "wb").write(b"camera=1\n" * 30)
open(tree + "/etc/random", "wb").write(rnd.randbytes(300))
open(tree + "/etc/holes", "wb").write(b"a" * 4096 + bytes(8192) + b"b" * 100)
open(tree + "/empty", "wb").close()
open(tree + "/../inserted", "wb").write(b"kernel " * 20)
PY
ln -s ../bin/app "$tree/etc/link"
cp "$tree/etc/conf" "$tree/etc/copy"
mknod "$tree/dev/console" c 5 1
mknod "$tree/dev/mtdblock3" b 31 3
mkfifo "$tree/dev/pipe"
chmod 4755 "$tree/bin/app"
chmod 1777 "$tree/etc/empty"
chown 12:34 "$tree/etc/random"

make_case() { # name, options
	name=$1
	shift
	mkdir -p "$name"
	mkfs.cramfs "$@" "$tree" "$name/input" >/dev/null 2>&1
	(cd "$tree" && find . -type f -exec sha256sum {} + | sed 's|  \./|  |'
	find . -type l -printf 'link %P -> %l\n') | sort >"$name/truth.txt"
}

make_case little -N little -n camera -e 7
make_case big-holes -N big -z
make_case boot-code -p
make_case inserted-image -i "$work/inserted"
make_case block-16k -b 16384

# Followed by other bytes, and with a changed byte in a block of bin/app.
python3 - <<'PY'
b = open("little/input", "rb").read()
import os
os.makedirs("damaged", exist_ok=True)
d = bytearray(b)
at = d.rindex(b"\x78\x9c", 0, len(d) - 3000)
d[at + 20] ^= 0xff
open("damaged/input", "wb").write(d + b"other bytes")
PY

# What vendors made of it: blocks of xz, and of LZMA with 13, 5 or no bytes of header.
python3 - <<'PY'
import hashlib, lzma, os, struct, zlib
files = {"numbers": b"".join(b"%d\n" % i for i in range(1100)), "short": b"a short file " * 9}
raw = [{"id": lzma.FILTER_LZMA1, "dict_size": 65536, "lc": 3, "lp": 0, "pb": 2}]
bare = lambda b: lzma.compress(b, lzma.FORMAT_RAW, filters=raw)
head = b"\x5d" + struct.pack("<I", 65536)
kinds = {
    "xz": lambda b: lzma.compress(b, lzma.FORMAT_XZ, lzma.CHECK_CRC32),
    "lzma": lambda b: head + struct.pack("<Q", len(b)) + bare(b),
    "lzma-5": lambda b: head + bare(b),
    "lzma-0": bare,
}
for kind, pack in kinds.items():
    names = sorted(files)
    at = 76 + sum(12 + (len(n) + 3 & ~3) for n in names)
    inode = lambda mode, uid, size, gid, namelen, off: struct.pack("<HHII", mode, uid, size | gid << 24, namelen | off << 6)
    root, data = b"", b""
    for n in names:
        b = files[n]
        root += inode(0o100644, 0, len(b), 0, len(n) + 3 >> 2, at + len(data) >> 2) + n.encode().ljust(len(n) + 3 & ~3, b"\0")
        blocks = [pack(b[i:i + 4096]) for i in range(0, len(b), 4096)]
        end, table = at + len(data) + 4 * len(blocks), b""
        for x in blocks:
            end += len(x)
            table += struct.pack("<I", end)
        data += table + b"".join(blocks)
        data += b"\0" * (-len(data) % 4)
    size = at + len(data)
    size += -size % 4096
    head_ = lambda crc: struct.pack("<IIII16sIIII16s", 0x28cd3d45, size, 3, 0, b"Compressed ROMFS", crc, 0, 4, len(names), b"vendor")
    body = inode(0o40755, 0, len(root), 0, 0, 76 >> 2) + root + data
    body = body.ljust(size - 64, b"\0")
    os.makedirs(kind, exist_ok=True)
    open(kind + "/input", "wb").write(head_(zlib.crc32(head_(0) + body)) + body)
    open(kind + "/truth.txt", "w").write("".join("%s  %s\n" % (hashlib.sha256(files[n]).hexdigest(), n) for n in names))
PY
