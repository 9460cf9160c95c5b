#!/bin/sh
# Builds the ext fixtures. Needs e2fsprogs and attr, and to be root for owners and devices.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".img' EXIT
umask 022
mkdir -p "$tree/etc" "$tree/dev" "$tree/many"
seq 1 300 > "$tree/etc/numbers"
printf 'odd' > "$tree/etc/odd"
: > "$tree/etc/none"
ln "$tree/etc/odd" "$tree/etc/same"
chown 100000:33 "$tree/etc/odd"; chmod 4711 "$tree/etc/odd"
ln -s numbers "$tree/etc/link"
ln -s "$(head -c 100 /dev/zero | tr '\0' t)" "$tree/etc/longlink"
for i in $(seq 1 60); do : > "$tree/many/a-file-with-a-long-name-$i"; done
# Holes, and more blocks than the 12 that an inode names itself.
seq 1 3500 | head -c 13000 > "$tree/etc/big"
printf end | dd of="$tree/etc/big" bs=1 seek=400000 conv=notrunc status=none
setfattr -n user.note -v value "$tree/etc/numbers"
mknod "$tree/dev/console" c 5 1; mknod "$tree/dev/far" b 260 70000; mkfifo "$tree/dev/pipe"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +

build() { # name, blocks of 1 KiB, options
	name=$1 size=$2; shift 2
	mkdir -p "$here/$name"; rm -f "$tree.img"; : > "$tree.img"
	mke2fs -q -d "$tree" -U 11111111-2222-3333-4444-555555555555 -E hash_seed=11111111-2222-3333-4444-555555555555,root_owner=0:0 -L sample "$@" "$tree.img" "$size"k
	truncate -s "${size}K" "$tree.img"
	cp "$tree.img" "$here/$name/input"
	cd "$tree"
	{
		find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
		find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
	} > "$here/$name/truth.txt"
	cd "$here"
}
build ext2 80 -t ext2 -I 128 -b 1024 -N 96
rm "$tree"/many/*
build ext4 80 -t ext4 -O inline_data,64bit,metadata_csum,^has_journal,^resize_inode,^flex_bg -I 256 -b 1024 -N 32
