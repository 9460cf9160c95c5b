#!/bin/sh
# Builds the GPT fixtures. Needs sfdisk (util-linux).
set -eu
cd "$(dirname "$0")"
img=$(mktemp)
trap 'rm -f "$img"' EXIT
chmod 644 "$img"
truncate -s 50K "$img"
sfdisk -q --no-reread --no-tell-kernel "$img" <<-'T'
	label: gpt
	label-id: 11111111-2222-3333-4444-555555555555
	first-lba: 34
	start=36, size=10, type=linux, name=rootfs, uuid=11111111-2222-3333-4444-555555555556
	start=50, size=8, type=uefi, uuid=11111111-2222-3333-4444-555555555557
T
part() { # number, name, first sector, sectors
	seq "$1" 3000 | head -c $(($4 * 512)) | dd of="$img" bs=512 seek="$3" conv=notrunc status=none
	printf '%s  %s\n' "$(dd if="$img" bs=512 skip="$3" count="$4" status=none | sha256sum | cut -d' ' -f1)" "$2"
}
mkdir -p both backup
{
	part 1 1-rootfs 36 10
	part 2 2-efi 50 8
} > both/truth.txt
cp "$img" both/input
# The first copy is lost.
dd if=/dev/zero of="$img" bs=512 count=20 conv=notrunc status=none
cp "$img" backup/input; cp both/truth.txt backup/truth.txt
