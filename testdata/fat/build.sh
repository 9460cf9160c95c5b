#!/bin/sh
# Builds the FAT fixtures. Needs dosfstools, mtools and python3.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".img' EXIT
mkdir -p "$tree/config/a directory with a long name" "$tree/LOG"
seq 1 300 > "$tree/config/numbers.txt"
printf 'x' > "$tree/UPPER.BIN"
printf 'y' > "$tree/lower.bin"
printf 'z' > "$tree/config/a directory with a long name/Grüße 日本.txt"
: > "$tree/LOG/EMPTY"
seq 1 700 > "$tree/split"
find "$tree" -exec touch -d '2024-02-29 12:34:56 UTC' {} +
export TZ=UTC MTOOLS_SKIP_CHECK=1 LC_ALL=C.UTF-8
build() {
	name=$1; shift
	rm -f "$tree.img"
	mkfs.fat -i 1234abcd -n SAMPLE -C "$@" > /dev/null
	cd "$tree"
	# A file deleted between two others leaves a gap, in which the next begins.
	head -c 1500 /dev/zero > "$tree.gap"
	mcopy -m -i "$tree.img" "$tree.gap" ::gone.bin
	mcopy -sm -i "$tree.img" UPPER.BIN lower.bin config LOG ::
	mdel -i "$tree.img" ::gone.bin
	mcopy -m -i "$tree.img" split ::
	rm "$tree.gap"
	mkdir -p "$here/$name"; cp "$tree.img" "$here/$name/input"
	find . -type f | LC_ALL=C sort | sed 's,^\./,,' | tr '\n' '\0' | xargs -0 sha256sum > "$here/$name/truth.txt"
	cd "$here"
}
build fat12 -F 12 -s 1 "$tree.img" 64
