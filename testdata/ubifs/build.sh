#!/bin/sh
# Builds the fixture of unpack/ubifs. Needs the Debian packages mtd-utils and python3; run as root.
# There is one only, since mkfs.ubifs writes at least 11 blocks of 15 KiB; favor_lzo makes it
# use LZO, zlib and no compression side by side.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree=$work/tree
mkdir -p "$tree/bin" "$tree/etc/empty" "$tree/dev" tree
python3 - "$tree" <<'PY'
import random, sys
tree, rnd = sys.argv[1], random.Random(26)
words = [bytes(rnd.choices(b"abcdefghijklmnop", k=rnd.randint(2, 9))) for _ in range(60)]
open(tree + "/bin/app", "wb").write(b" ".join(rnd.choices(words, k=3500)))
open(tree + "/etc/conf", "wb").write(b"camera=1\n" * 30)
open(tree + "/etc/random", "wb").write(rnd.randbytes(300))
open(tree + "/etc/text", "wb").write(b"a line of text, the same\n" * 150)
open(tree + "/etc/holes", "wb").write(b"a" * 4096 + bytes(8192) + b"b" * 100)
open(tree + "/empty", "wb").close()
PY
ln -s ../bin/app "$tree/etc/link"
ln "$tree/etc/conf" "$tree/etc/hard"
mknod "$tree/dev/console" c 5 1
mknod "$tree/dev/mtdblock3" b 31 3
mkfifo "$tree/dev/pipe"
chmod 4755 "$tree/bin/app"
chmod 1777 "$tree/etc/empty"
chown 12:34 "$tree/etc/random"
find "$tree" -exec touch -h -d @1700000000 {} +
mkfs.ubifs -m 8 -e 15360 -c 40 -l 2 -x favor_lzo -r "$tree" -o tree/input
(cd "$tree" && find . -type f -exec sha256sum {} + | sed 's|  \./|  |'
find . -type l -printf 'link %P -> %l\n') | sort >tree/truth.txt
