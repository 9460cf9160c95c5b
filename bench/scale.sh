#!/usr/bin/env bash
# Time and peak memory of images of 1 MB to 4 GB: recorder images (uImage, SquashFS, ext4) of other
# contents each time, so that nothing is met twice, up to 256 MiB; from there on those again and noise.
#
#   bench/scale.sh [SVG]    writes the plot there, docs/scale.svg without
. "$(dirname "$0")/common.sh"
debian mksquashfs squashfs-tools
debian mkimage u-boot-tools
plot=${1:-docs/scale.svg}
programs "$work/root" 350
find "$work/root" -type f -print0 | LC_ALL=C sort -z >"$work/files"

# image MIB: as many files of the root as fit, half of them in SquashFS, half in ext4, and noise
# up to the size.
image() {
	rm -rf "$work/a" "$work/b" "$work/image"; mkdir "$work/a" "$work/b"
	python3 - "$1" "$work" <<'PY'
import os, shutil, sys
mib, work = int(sys.argv[1]), sys.argv[2]
left = {"a": mib << 20, "b": (mib << 20) * 3 // 10}  # SquashFS halves what it holds
for i, f in enumerate(open(f"{work}/files", "rb").read().split(b"\0")[:-1]):
    half = min(left, key=lambda h: (left[h] <= 0, h != "ab"[i % 2]))
    size = os.path.getsize(f)
    if size <= left[half]:
        left[half] -= size
        shutil.copy(f, f"{work}/{half}/{i}")
PY
	mksquashfs "$work/a" "$work/sq" -comp gzip -b 131072 -noappend -quiet -no-progress >/dev/null
	truncate -s "$(($(du -sk "$work/b" | cut -f1) * 11 / 10 + 1024))K" "$work/e"
	mke2fs -q -t ext4 -d "$work/b" "$work/e"
	head -c 300K "$work/sq" | gzip >"$work/k"
	mkimage -A arm64 -T kernel -C gzip -n Linux -d "$work/k" "$work/u" >/dev/null
	cat "$work/u" "$work/sq" "$work/e" >"$work/image"
	rm -rf "$work/a" "$work/b" "$work/sq" "$work/e" "$work/k" "$work/u"
}
: >"$work/points"
for mib in 1 4 16 64 256 1024 4000; do
	if [ "$mib" -le 256 ]; then
		image "$mib"
		cp "$work/image" "$work/largest"
	else
		while [ "$(stat -c %s "$work/image")" -lt $((mib << 20)) ]; do
			{ cat "$work/largest"; head -c 100M /dev/urandom; } >>"$work/image"
		done
		truncate -s "${mib}M" "$work/image"
	fi
	for command in "unpack --list" scan; do
		for ((k = 0; k < runs; k++)); do
			code=0
			/usr/bin/time -q -o "$work/t" -f '%e %U %S %M' "$hallmark" $command -q "$work/image" >/dev/null 2>&1 || code=$?
			case $code in 0 | 2 | 75) ;; *) echo "hallmark $command ended with $code" >&2; exit 1 ;; esac
			echo "${command%% *} $(stat -c %s "$work/image") $(tail -1 "$work/t")" >>"$work/points"
		done
	done
done
CGO_ENABLED=0 go run bench/scale.go "$work/points" "$plot"
