#!/bin/sh
# Builds the fixtures of unpack/jffs2. Needs the Debian packages mtd-utils and python3; run as root.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tree=$work/tree
mkdir -p "$tree/bin" "$tree/etc/empty" "$tree/dev"
python3 - "$tree" <<'PY'
import random, sys
tree, rnd = sys.argv[1], random.Random(1985)
words = [bytes(rnd.choices(b"abcdefghijklmnop", k=rnd.randint(2, 9))) for _ in range(60)]
text = b" ".join(rnd.choices(words, k=1500))
open(tree + "/bin/app", "wb").write(text)
open(tree + "/etc/conf", "wb").write(b"camera=1\n" * 30)
open(tree + "/etc/random", "wb").write(rnd.randbytes(300))
open(tree + "/etc/zeros", "wb").write(bytes(9000))
open(tree + "/empty", "wb").close()
PY
ln -s ../bin/app "$tree/etc/link"
ln "$tree/etc/conf" "$tree/etc/hard"
chmod 4755 "$tree/bin/app"
chmod 1777 "$tree/etc/empty"
chown 12:34 "$tree/etc/random"
printf '/dev/console c 600 0 5 5 1 - - -\n/dev/mtdblock3 b 660 0 6 31 3 - - -\n' >"$work/devices"
find "$tree" -exec touch -h -d @1700000000 {} +

truth() {
	(cd "$tree" && find . -type f -exec sha256sum {} + | sed 's|  \./|  |'
	find . -type l -printf 'link %P -> %l\n') | sort
}

make_case() { # name, options
	name=$1
	shift
	mkdir -p "$name"
	mkfs.jffs2 -e 8KiB -r "$tree" -D "$work/devices" -o "$name/input" "$@" 2>/dev/null
	truth >"$name/truth.txt"
}

make_case little -l
make_case big-lzo -b -x zlib -x rtime -X lzo
make_case rtime -l -x zlib -x lzo -X rtime
make_case none-nocleanmarkers -l -n -m none --pad=40960

python3 -c "import os, sys; os.setxattr(sys.argv[1], 'user.origin', b'made up')" "$tree/bin/app"
make_case xattr -b --with-xattr
make_case plain -l -n
sumtool -l -e 8KiB -i plain/input -o plain/summed
mkdir -p summary
mv plain/summed summary/input
mv plain/truth.txt summary/truth.txt
rm -r plain
