#!/usr/bin/env bash
# SquashFS in four compressions, every file read and hashed, against unsquashfs and sha256sum.
#
#   bench/squashfs.sh [MIB]    of content, 150 without
. "$(dirname "$0")/common.sh"
debian mksquashfs squashfs-tools
programs "$work/root" "${1:-150}"
for c in xz gzip zstd lz4; do
	image=$work/$c.squashfs
	mksquashfs "$work/root" "$image" -comp $c -b 131072 -noappend -quiet -no-progress >/dev/null
	same_files "$image" "$work/root"
	add "hallmark unpack" "$hallmark unpack -q -o $out/x $image"
	add "hallmark unpack --list" "$hallmark unpack -q --list $image"
	add "unsquashfs -p 2, sha256sum" "unsquashfs -q -n -p 2 -d $out/x $image; find $out/x -type f -print0 | xargs -0 -P 2 -n 64 sha256sum"
	compare "SquashFS $c, $(($(stat -c %s "$image") >> 20)) MiB image of $(du -sm --apparent-size "$work/root" | cut -f1) MiB"
	rm "$image"
done
