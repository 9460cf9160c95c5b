#!/usr/bin/env bash
# Times `estate check` on 100,000 made-up devices, all four outputs, five runs; prints the median.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -trimpath -o "$dir/hallmark" ./cmd/hallmark
awk 'BEGIN {
	split("Hikvision Dahua Amcrest Bosch Nobody", brand)
	print "site,site_class,network,device,brand,model,firmware_version,status,planned,done"
	for (i = 0; i < 100000; i++)
		printf "Site %d,sensitive,%s,cam-%d,%s,M-%d,%d.0,%s,,%s\n", i % 900, i % 3 ? "core" : "separate", i, brand[i % 5 + 1],
			i % 50, i % 9, i % 7 ? "removed" : "in use", i % 7 ? sprintf("2024-%02d-%02d", i % 12 + 1, i % 28 + 1) : ""
}' >"$dir/estate.csv"
TIMEFORMAT='%R %U'
for _ in 1 2 3 4 5; do
	{ time "$dir/hallmark" estate check --as-of 2025-04-30 -o text="$dir/t" -o json="$dir/j" -o csv="$dir/c" -o svg="$dir/s" "$dir/estate.csv"; } 2>&1
done | sort -n | awk 'NR == 3 { printf "100,000 devices: %s s wall, %s s user (median of 5 by wall)\n", $1, $2 }'
