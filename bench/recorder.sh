#!/usr/bin/env bash
# A recorder image (uImage, SquashFS, ext4) and 4 GB of the like: hallmark with one worker and with
# all, against 7-Zip, unblob and binwalk with extraction.
#
#   bench/recorder.sh [MIB]    of content in each of the two file systems, 150 without
. "$(dirname "$0")/common.sh"
debian mksquashfs squashfs-tools
debian 7z p7zip-full
debian mkimage u-boot-tools
debian binwalk binwalk
programs "$work/root" "${1:-150}"
mksquashfs "$work/root" "$work/sq" -comp zstd -b 131072 -noappend -quiet -no-progress >/dev/null
truncate -s "$((${1:-150} * 3 / 2 + 32))M" "$work/ext4"
mke2fs -q -t ext4 -d "$work/root" "$work/ext4"
head -c 8M "$work/sq" | xz -9 --check=crc32 >"$work/kernel.xz"
mkimage -A arm64 -T kernel -C none -n Linux -d "$work/kernel.xz" "$work/uimage" >/dev/null
image=$work/recorder.bin
cat "$work/uimage" >"$image"; truncate -s %65536 "$image"
cat "$work/sq" >>"$image"; truncate -s %65536 "$image"
cat "$work/ext4" >>"$image"
rm "$work/sq" "$work/ext4" "$work/kernel.xz" "$work/uimage"
same_files "$image" "$work/root"
rm -r "$work/root"

add "hallmark unpack" "$hallmark unpack -q -o $out/x $image"
add "hallmark unpack --list" "$hallmark unpack -q --list $image"
add "hallmark unpack --list -j 1" "$hallmark unpack -q --list -j 1 $image"
add "hallmark scan" "$hallmark scan -q $image"
add "7z x" "7z x -y -o$out $image"
# 7-Zip may stop at the first layer that it knows: look at what it wrote before reading its time.
x=$(unblob); [ -z "$x" ] || add "unblob" "$x -e $out $image"
x=$(binwalk3); [ -z "$x" ] || add "binwalk 3 -e -M" "$x -q -e -M -C $out $image"
! command -v binwalk >/dev/null || add "binwalk 2 -e -M" "cd $out && binwalk --run-as=root -q -e -M -C $out $image"
compare "recorder image of $(($(stat -c %s "$image") >> 20)) MiB"

large=$work/large.bin
for ((size = 0; size < 4000000000; size = $(stat -c %s "$large"))); do
	{ cat "$image"; head -c 20M /dev/urandom; } >>"$large"
done
runs=1
add "hallmark unpack --list" "$hallmark unpack -q --list $large"
add "hallmark scan" "$hallmark scan -q $large"
compare "$(($(stat -c %s "$large") >> 20)) MiB of recorder images and noise"
