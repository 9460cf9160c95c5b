#!/bin/sh
# Builds the EROFS fixtures. Needs erofs-utils 1.8 or later with lz4, liblzma and libzstd, attr, and
# to be root for owners and devices.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
umask 022
mkdir -p "$tree/etc" "$tree/dev" "$tree/many"
seq 1 1100 > "$tree/etc/numbers"
seq 1 1090 > "$tree/etc/fewer"
{ seq 1 300; head -c 1500 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null; seq 5000 5050; } > "$tree/etc/mixed"
printf 'odd' > "$tree/etc/odd"
: > "$tree/etc/none"
ln "$tree/etc/odd" "$tree/etc/same"
chown 100000:33 "$tree/etc/odd"; chmod 4711 "$tree/etc/odd"
ln -s numbers "$tree/etc/link"
for i in $(seq 1 40); do : > "$tree/many/a-file-with-a-long-name-$i"; done
truncate -s 10000 "$tree/etc/sparse"
setfattr -n user.note -v value "$tree/etc/numbers"
for f in odd fewer mixed; do setfattr -n user.shared -v "the same for several" "$tree/etc/$f"; done
mknod "$tree/dev/console" c 5 1; mknod "$tree/dev/far" b 260 70000; mkfifo "$tree/dev/pipe"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +

build() { # name, options
	name=$1; shift
	mkdir -p "$here/$name"; rm -f "$here/$name/input"
	mkfs.erofs --quiet -U 11111111-2222-3333-4444-555555555555 -T 1709210096 --mkfs-time "$@" "$here/$name/input" "$tree" > /dev/null
	cd "$tree"
	{
		find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
		find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
	} > "$here/$name/truth.txt"
	cd "$here"
}
build chunks -b512 --chunksize=1024 -L sample
rm -r "$tree/many"
build lz4-tail -zlz4 -Eztailpacking
build lz4-full -b512 -zlz4hc -Elegacy-compress
build lz4-big -b512 -zlz4hc -C4096 --zD=1
build lzma-fragments -b512 -zlzma -C8192 -Eall-fragments,dedupe
build deflate -b512 -zdeflate -C4096 -Efragments
build zstd-dedupe -b512 -zzstd -C4096 -Ededupe
build zstd-48bit -b512 -zzstd -C4096 -E48bit
build metabox -b512 -zlz4 -m512
