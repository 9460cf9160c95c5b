# Sourced by the benchmarks: builds hallmark, installs peers, times commands in turn, prints medians.
#
# Every script takes RUNS (5), WORK (a new temporary folder, removed at the end) and PEERS (a cache
# for what is not in Debian) from the environment. Peers come from apt-get, pip, cargo or go install;
# one that cannot be installed is left out, and the table says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${RUNS:-5}
work=${WORK:-$(mktemp -d)}
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
peers=${PEERS:-$HOME/.cache/hallmark-bench}
mkdir -p "$work" "$peers"
hallmark=$work/hallmark
CGO_ENABLED=0 go build -trimpath -o "$hallmark" ./cmd/hallmark

# debian COMMAND PACKAGE installs PACKAGE if there is no COMMAND.
debian() { command -v "$1" >/dev/null || apt-get -qq install -y --no-install-recommends "$2" >/dev/null 2>&1 || echo "$2: not installed" >&2; }
debian /usr/bin/time time
# The three below print the command, or nothing if it cannot be had.
unblob() {
	local x=$peers/unblob/bin/unblob
	[ -x "$x" ] || { python3 -m venv "$peers/unblob" && "$peers/unblob/bin/pip" -q install unblob; } >/dev/null 2>&1 || true
	[ -x "$x" ] && echo "$x" || true
}
binwalk3() {
	local x=$peers/bw3/bin/binwalk
	[ -x "$x" ] || cargo install -q --root "$peers/bw3" binwalk >/dev/null 2>&1 || true
	[ -x "$x" ] && echo "$x" || true
}
syft() {
	local x=$peers/bin/syft
	[ -x "$x" ] || GOBIN=$peers/bin go install github.com/anchore/syft/cmd/syft@v1.54.1 >/dev/null 2>&1 || true
	[ -x "$x" ] && echo "$x" || true
}

# programs DIR MIB copies programs and data of this Debian system, up to MIB, files over 8 MiB aside.
programs() {
	mkdir -p "$1"
	find /usr/bin /usr/sbin /usr/lib/x86_64-linux-gnu /usr/lib/python3* /usr/share /var/lib/dpkg -xdev -type f -size -16384 -printf '%s %P %H\n' 2>/dev/null |
		LC_ALL=C sort -k3,3 -k2,2 | awk -v max="$(($2 << 20))" 'NF == 3 && (sum += $1) < max { print substr($3, 2) "/" $2 }' >"$work/list"
	tar -C / -cf - -T "$work/list" | tar -C "$1" -xf -
}

names=() commands=()
# add NAME COMMAND... enters a shell command. Each run begins with an empty folder $out.
out=$work/out
add() { names+=("$1"); commands+=("$2"); }

# compare TITLE times what was added, in turn, and prints a table with ratios to the first.
compare() {
	local i k
	: >"$work/times"
	for ((k = 0; k <= runs; k++)); do # the first round warms the caches and does not count
		for i in "${!names[@]}"; do
			rm -rf "$out"; mkdir -p "$out"
			/usr/bin/time -q -o "$work/t" -f '%e %U %S %M' bash -c "${commands[i]}" >/dev/null 2>"$work/stderr" || true
			[ "$k" -eq 0 ] || echo "${names[i]// /_} $(tail -1 "$work/t")" >>"$work/times"
		done
	done
	rm -rf "$out"
	echo; echo "## $1"; echo
	python3 - "$work/times" <<'PY'
import statistics, sys
rows = {}
for line in open(sys.argv[1]):
    name, *f = line.split()
    wall, user, system, rss = map(float, f)
    rows.setdefault(name, []).append((wall, user, system, user + system, rss / 1024))
base = list(rows.values())[0]
ratio = lambda r, c: statistics.median(x[c] / max(y[c], 0.01) for x, y in zip(base, r))
print("| command | wall s | user s | sys s | peak MiB | first / this, wall | first / this, processor | first / this, memory |")
print("|---|---|---|---|---|---|---|---|")
for name, r in rows.items():
    m = [statistics.median(c) for c in zip(*r)]
    print(f"| {name.replace('_', ' ')} | {m[0]:.2f} | {m[1]:.2f} | {m[2]:.2f} | {m[4]:.0f} | {ratio(r, 0):.2f} | {ratio(r, 3):.2f} | {ratio(r, 4):.2f} |")
PY
	names=() commands=()
}

# same_files IMAGE DIR fails unless hallmark reads every regular file of DIR out of IMAGE, byte for byte.
same_files() {
	"$hallmark" unpack -q --list "$1" 2>/dev/null | awk '$3 != "-" { print $3 }' | sort -u >"$work/have" || true
	find "$2" -type f -size +0 -print0 | xargs -0 sha256sum | cut -c1-64 | sort -u >"$work/want"
	local lost; lost=$(comm -13 "$work/have" "$work/want" | wc -l)
	[ "$lost" -eq 0 ] || { echo "$1: $lost of $(wc -l <"$work/want") files not read" >&2; exit 1; }
	echo "checked: all $(wc -l <"$work/want") distinct contents of $(basename "$1") come out byte for byte"
}

# mirror prints where the machine's own Debian packages come from.
mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep '/debian/$' | sort -u | head -n 1
}
