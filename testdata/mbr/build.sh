#!/bin/sh
# Builds the MBR fixture. Needs sfdisk (util-linux).
set -eu
cd "$(dirname "$0")"
img=$(mktemp)
trap 'rm -f "$img"' EXIT
chmod 644 "$img"
mkdir -p logical
truncate -s 40K "$img"
sfdisk -q --no-reread --no-tell-kernel -X dos "$img" <<-'T'
	label-id: 0x12345678
	start=4, size=10, type=c
	start=16, size=6, type=83
	start=24, size=50, type=5
	start=26, size=10, type=83
	start=44, size=12, type=82
T
part() { # number, name, first sector, sectors
	seq "$1" 3000 | head -c $(($4 * 512)) | dd of="$img" bs=512 seek="$3" conv=notrunc status=none
	printf '%s  %s\n' "$(dd if="$img" bs=512 skip="$3" count="$4" status=none | sha256sum | cut -d' ' -f1)" "$2"
}
# A boot loader between the table and the first partition.
printf 'loader' | dd of="$img" bs=512 seek=2 conv=notrunc status=none
{
	part 1 1-fat32 4 10
	part 2 2-linux 16 6
	part 5 5-linux 26 10
	part 6 6-swap 44 12
} > logical/truth.txt
cp "$img" logical/input
