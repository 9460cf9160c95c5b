#!/usr/bin/env bash
# Times hallmark against binwalk and unblob with extraction on the same image, in turn, in one
# run, and prints medians and ratios.
#
#   bench/scan.sh [-n RUNS] [IMAGE]
#
# IMAGE is a firmware file; without one, a 20 MB camera flash dump is made of Debian programs.
# Peers are installed if they are missing: binwalk 2 by apt-get, unblob by pip, binwalk 3 by cargo.
# A peer that cannot be installed is left out and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=5
if [ "${1:-}" = -n ]; then runs=$2; shift 2; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
peers=${PEERS:-$HOME/.cache/hallmark-bench}
mkdir -p "$peers"

image=${1:-}
if [ -z "$image" ]; then
	image=$work/camera.bin
	mkdir -p "$work/root"
	cp -r --parents /usr/bin/[a-d]* /usr/lib/x86_64-linux-gnu/lib[a-g]*.so* "$work/root" 2>/dev/null || true
	(cd "$work/root" && find . -type f -size +4M -delete)
	mksquashfs "$work/root" "$work/sq" -comp xz -b 131072 -noappend -quiet -no-progress >/dev/null
	mkdir -p "$work/etc" && cp -r /etc/default /etc/init.d "$work/etc"
	mkfs.jffs2 -r "$work/etc" -e 64KiB -o "$work/jffs2"
	{ head -c 262144 /dev/zero | tr '\0' '\377'; cat "$work/sq"; } >"$image"
	truncate -s %65536 "$image"
	cat "$work/jffs2" >>"$image"
fi
echo "image: $(stat -c %s "$image") bytes"

CGO_ENABLED=0 go build -trimpath -o "$work/hallmark" ./cmd/hallmark
command -v binwalk >/dev/null || apt-get -qq install -y --no-install-recommends binwalk >/dev/null 2>&1 || true
[ -x "$peers/unblob/bin/unblob" ] || { python3 -m venv "$peers/unblob" && "$peers/unblob/bin/pip" -q install unblob; } >/dev/null 2>&1 || true
[ -x "$peers/bw3/bin/binwalk" ] || cargo install -q --root "$peers/bw3" binwalk >/dev/null 2>&1 || true

declare -A command
command[hallmark-scan]="$work/hallmark scan -q $image"
command[hallmark-unpack]="$work/hallmark unpack -q -o $work/out/x $image"
command -v binwalk >/dev/null && command[binwalk-2]="binwalk --run-as=root -q -e -M -C $work/out $image"
[ -x "$peers/bw3/bin/binwalk" ] && command[binwalk-3]="$peers/bw3/bin/binwalk -q -e -M -C $work/out $image"
[ -x "$peers/unblob/bin/unblob" ] && command[unblob]="$peers/unblob/bin/unblob -e $work/out $image"

: >"$work/times"
for i in $(seq "$runs"); do
	for name in "${!command[@]}"; do
		rm -rf "$work/out"; mkdir -p "$work/out"
		(cd "$work" && /usr/bin/time -o "$work/t" -f "%e %U %S %M" ${command[$name]} >/dev/null 2>&1) || true
		echo "$name $(tail -1 "$work/t") $(find "$work/out" -type f | wc -l)" >>"$work/times"
	done
done
python3 - "$work/times" <<'EOF'
import statistics, sys
rows = {}
for line in open(sys.argv[1]):
    name, wall, user, system, rss, files = line.split()
    rows.setdefault(name, []).append((float(wall), float(user) + float(system), int(rss), int(files)))
med = {n: [statistics.median(c) for c in zip(*r)] for n, r in rows.items()}
base = med["hallmark-unpack"][0] or 0.01
print(f"{'tool':16} {'wall s':>8} {'cpu s':>8} {'peak MiB':>9} {'files':>7} {'wall / hallmark unpack':>23}")
for n, (wall, cpu, rss, files) in sorted(med.items(), key=lambda x: x[1][0]):
    print(f"{n:16} {wall:8.2f} {cpu:8.2f} {rss/1024:9.0f} {files:7.0f} {wall/base:23.1f}")
for peer in ("binwalk-2", "binwalk-3", "unblob"):
    if peer not in med:
        print(f"{peer}: not installed, not measured")
EOF
