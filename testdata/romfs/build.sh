#!/bin/sh
# Builds the fixtures of unpack/romfs. Needs the Debian packages genromfs and python3; run as root.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree=$work/tree
mkdir -p "$tree/bin" "$tree/etc/empty" "$tree/dev" tree loop
python3 -c 'import random; print(*random.Random(1).choices(range(10**9), k=300))' >"$tree/bin/app"
echo camera >"$tree/etc/conf"
echo long >"$tree/etc/a-name-of-more-than-sixteen-bytes.conf"
: >"$tree/empty"
ln -s ../bin/app "$tree/etc/link"
ln "$tree/etc/conf" "$tree/etc/hard"
chmod 755 "$tree/bin/app"
mknod "$tree/dev/console" c 5 1
mknod "$tree/dev/mtdblock3" b 31 3
mkfifo "$tree/dev/pipe"
genromfs -f tree/input -d "$tree" -V camera
(cd "$tree" && find . -type f -exec sha256sum {} + | sed 's|  \./|  |'
find . -type l -printf 'link %P -> %l\n') | sort >tree/truth.txt

# The header of "mtdblock3" made to follow itself; other bytes behind the end.
python3 - <<'PY'
b = bytearray(open("tree/input", "rb").read())
at = b.index(b"mtdblock3") - 16
word = int.from_bytes(b[at:at + 4], "big")
b[at:at + 4] = (at | word & 15).to_bytes(4, "big")
open("loop/input", "wb").write(b + b"other")
PY
