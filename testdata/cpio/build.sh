#!/bin/sh
# Builds the cpio fixtures. Needs GNU cpio and python3, and to be root for the devices.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".cpio' EXIT
umask 022

mkdir -p "$tree/etc" "$tree/bin" "$tree/dev"
seq 1 300 > "$tree/etc/numbers"
printf 'odd' > "$tree/etc/odd"
printf '#!/bin/sh\necho start\n' > "$tree/init"
chmod 755 "$tree/init"
chown 1000:33 "$tree/etc/odd"
ln "$tree/init" "$tree/bin/first"
ln "$tree/init" "$tree/bin/second"
: > "$tree/etc/none"
ln "$tree/etc/none" "$tree/etc/nothing"
ln -s ../etc/numbers "$tree/bin/link"
mknod "$tree/dev/console" c 5 1; mknod "$tree/dev/ram" b 1 0; mkfifo "$tree/dev/pipe"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +

cd "$tree"
put() {
	mkdir -p "$here/$1"; cp "$tree.cpio" "$here/$1/input"
	{
		find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
		find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
	} > "$here/$1/truth.txt"
}
names() { find . | LC_ALL=C sort; }
for h in newc crc odc bin; do
	names | cpio -o --quiet --reproducible -H $h > "$tree.cpio"; put $h
done
# The other byte order: every number of a header turned, not the names and contents.
python3 - "$tree.cpio" <<-'P'
	import struct, sys
	b = bytearray(open(sys.argv[1], 'rb').read())
	p = 0
	while True:
	    f = struct.unpack_from('<13H', b, p)
	    struct.pack_into('>13H', b, p, *f)
	    name = b[p + 26:p + 25 + f[10]]
	    p += 26 + f[10] + f[10] % 2
	    p += ((f[11] << 16 | f[12]) + 1) & ~1
	    if name == b'TRAILER!!!':
	        break
	open(sys.argv[1], 'wb').write(b)
P
put bin-be
# A sum that does not fit, and no trailer.
names | cpio -o --quiet --reproducible -H crc | sed 's/^299$/298/' | head -c 2650 > "$tree.cpio"
mkdir -p "$here/damaged"; cp "$tree.cpio" "$here/damaged/input"
