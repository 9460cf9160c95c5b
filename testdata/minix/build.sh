#!/bin/sh
# Builds the MINIX fixtures. Needs util-linux-extra (mkfs.minix, fsck.minix) and python3, and to be
# root for owners and devices.
#
# mkfs.minix makes an empty file system and cannot fill it, so populate.py does: it takes size and
# layout from the superblock that mkfs.minix wrote. fsck.minix checks the result. It knows neither the other
# byte order nor larger blocks; for those populate.py writes what it wrote before in another way.
# GRUB's readers (grub-fstest INPUT cat '(loop0)/PATH') find the same in all of them, but that they take
# a hole for a copy of the first block.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".img' EXIT
umask 022
mkdir -p "$tree/etc/deep" "$tree/dev" "$tree/many"
seq 1 300 > "$tree/etc/numbers"
printf 'odd' > "$tree/etc/odd"
: > "$tree/etc/none"
ln "$tree/etc/odd" "$tree/etc/deep/same"
chown 1000:33 "$tree/etc/odd"; chmod 4711 "$tree/etc/odd"
ln -s ../etc/numbers "$tree/etc/deep/link"
printf 'long name' > "$tree/etc/deep/fourteen-chars"
# More than a block of names in versions 2 and 3.
for i in $(seq 1 31); do ln "$tree/etc/none" "$tree/many/$i"; done
# Holes, and blocks that are named by the inode, by a block and by a block of blocks.
seq 1 1000 | head -c 3000 > "$tree/etc/big"
printf middle | dd of="$tree/etc/big" bs=1 seek=20000 conv=notrunc status=none
printf end | dd of="$tree/etc/big" bs=1 seek=700000 conv=notrunc status=none
mknod "$tree/dev/console" c 5 1; mknod "$tree/dev/disk" b 8 17; mkfifo "$tree/dev/pipe"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +

build() { # name, version, longest name, blocks, options of populate.py
	name=$1 version=$2 length=$3 blocks=$4; shift 4
	mkdir -p "$here/$name"; : > "$tree.img"; truncate -s "${blocks}K" "$tree.img"
	case $version in 3) mkfs.minix -3 -i 24 "$tree.img" "$blocks" ;; *) mkfs.minix "-$version" -n "$length" -i 24 "$tree.img" "$blocks" ;; esac > /dev/null
	python3 "$here/populate.py" "$tree.img" "$tree" "$here/$name/input" "$@"
	[ $# -gt 0 ] || fsck.minix -f "$here/$name/input"
	cd "$tree"
	{
		find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
		find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
	} > "$here/$name/truth.txt"
	cd "$here"
}
build v1-14 1 14 26
build v1-big-endian 1 30 26 big
build v2 2 30 28
build v3 3 60 30
rm -r "$tree/many"
build v3-2k-big-endian 3 60 28 big 2048 18
