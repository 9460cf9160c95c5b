#!/usr/bin/env bash
# Bill of materials of a Debian root file system, against syft on the same folder.
#
#   bench/sbom.sh [DIR]    without one, a root of 500 MiB is made of this system
. "$(dirname "$0")/common.sh"
root=${1:-$work/root}
[ -n "${1:-}" ] || programs "$root" 500
x=$(syft); [ -n "$x" ] || { echo "syft: not installed"; exit 1; }
count() { python3 -c 'import json, sys; print(len({(c["name"], c.get("version")) for c in json.load(open(sys.argv[1]))["components"] if c["type"] != "file"}))' "$1"; }
"$hallmark" sbom -q "$root" >"$work/a.json" || true # a limit that cut something short is told on standard error
"$x" -q "dir:$root" -o cyclonedx-json >"$work/b.json"
echo "checked: hallmark lists $(count "$work/a.json") components, syft $(count "$work/b.json")"
add "hallmark sbom" "$hallmark sbom -q $root"
add "syft dir:" "$x -q dir:$root -o cyclonedx-json"
compare "root of $(du -sm --apparent-size "$root" | cut -f1) MiB"
