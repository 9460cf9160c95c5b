#!/bin/sh
# Builds the tar fixtures. Needs GNU tar, libarchive-tools (bsdtar), attr and python3, and to be root for the devices.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".tar' EXIT
umask 022

long=directory-with-a-rather-long-name/and-another-one-below-it-to-pass-the-limit-of-one-hundred/characters
mkdir -p "$tree/etc" "$tree/$long" "$tree/dev" "$tree/empty"
seq 1 300 > "$tree/etc/numbers"
printf '#!/bin/sh\necho start\n' > "$tree/etc/rcS"
chmod 4755 "$tree/etc/rcS"
: > "$tree/etc/none"
printf 'far down\n' > "$tree/$long/file"
ln -s ../etc/numbers "$tree/empty/link"
ln "$tree/etc/numbers" "$tree/etc/same"
chown 1000:33 "$tree/etc/none"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +

truth() {
	cd "$tree"
	find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
	find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
}
put() { mkdir -p "$here/$1"; cp "$tree.tar" "$here/$1/input"; truth > "$here/$1/truth.txt"; }

T="tar -b 4 --sort=name --numeric-owner --owner=0 --group=0 -C $tree -cf $tree.tar"
tar --sort=name --format=ustar --numeric-owner -C "$tree" -cf "$tree.tar" .; put ustar
mkdir "$tree/very" && echo x > "$tree/very/$(head -c 120 /dev/zero | tr '\0' n)" && ln -s "$(head -c 130 /dev/zero | tr '\0' t)" "$tree/very/link"
find "$tree/very" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +
setfattr -n user.note -v 'attribute value' "$tree/etc/rcS" 2> /dev/null || true
mknod "$tree/dev/console" c 5 1; mknod "$tree/dev/ram" b 1 0; mkfifo "$tree/dev/pipe"
touch -d '2024-02-29 12:34:56.5 UTC' "$tree"/dev/*
tar -b 1 --sort=name --format=gnu --numeric-owner -C "$tree" -cf "$tree.tar" .; put gnu
tar -b 1 --sort=name --format=gnu --numeric-owner --owner=:3000000 --group=:4000000 -C "$tree" -cf "$tree.tar" .; put base256
tar -b 1 --sort=name --format=pax --pax-option=delete=atime,delete=ctime --xattrs --numeric-owner -C "$tree" -cf "$tree.tar" .; put pax
bsdtar -b 1 --format pax --options 'pax:hdrcharset=BINARY' --numeric-owner -C "$tree" -cf "$tree.tar" dev empty etc "${long%%/*}" very; put bsdtar
rm -r "$tree/very" "$tree/dev" "$tree/directory-with-a-rather-long-name"
$T --format=v7 .; put v7
$T --format=ustar -b 1 .
python3 - "$tree.tar" <<-'P' # no end blocks, then bytes of something else
	import sys
	b = open(sys.argv[1], 'rb').read().rstrip(b'\0')
	b += bytes(-len(b) % 512)
	open(sys.argv[1], 'wb').write(b + b'\xff' * 700)
P
put noend
# The header of the second member is damaged.
$T --format=ustar etc/numbers etc/none etc/rcS empty
(head -c 2048 "$tree.tar"; printf '\377'; tail -c +2050 "$tree.tar") > "$tree.x"; mv "$tree.x" "$tree.tar"
put damaged; sed -i '/etc\/none\|etc\/same/d; /^link/d' "$here/damaged/truth.txt"

rm -r "$tree/etc" "$tree/empty"
holes() { # a file of $1 regions
	python3 - "$tree/holes" "$1" <<-'P'
		import sys
		n = int(sys.argv[2])
		with open(sys.argv[1], 'wb') as f:
		    for i in range(n):
		        f.seek(i << 17)
		        f.write(b'region %d' % i)
		    f.truncate(n << 17)
	P
	touch -d '2024-02-29 12:34:56 UTC' "$tree/holes"
}
printf 'behind\n' > "$tree/next"; touch -d '2024-02-29 12:34:56 UTC' "$tree/next"
holes 5
tar -b 1 --sort=name --format=gnu --numeric-owner -S -C "$tree" -cf "$tree.tar" holes next; put sparse-old
holes 2
for v in 0.0 0.1 1.0; do
	tar -b 1 --sort=name --format=pax --pax-option=delete=atime,delete=ctime --sparse-version=$v --numeric-owner -S -C "$tree" -cf "$tree.tar" holes next
	put sparse-$v
done
