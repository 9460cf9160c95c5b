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
