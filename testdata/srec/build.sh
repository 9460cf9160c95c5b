#!/bin/sh
# Builds the srec fixtures. Needs the Debian packages srecord and coreutils.
set -eu
cd "$(dirname "$0")"
here=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
seq 1 300 > "$tmp/low"
seq 500 700 > "$tmp/high"
put() { mkdir -p "$here/$1"; cp "$tmp/out" "$here/$1/input"; cat > "$here/$1/truth.txt"; }
sum() { sha256sum | sed "s/-$/$1/"; }
make() { srec_cat "$@" -o "$tmp/out" -motorola; }
make "$tmp/low" -binary -header sample; sum 00000000.bin < "$tmp/low" | put s1
make "$tmp/low" -binary -offset 0x123456 -disable=header; sum 00123456.bin < "$tmp/low" | put s2
make "$tmp/low" -binary -offset 0x80001000 "$tmp/high" -binary -offset 0x90000000 -execution-start-address=0x80001000
{ cat "$tmp/out"; printf 'S9 no more'; } > "$tmp/o"; mv "$tmp/o" "$tmp/out"; { sum 80001000.bin < "$tmp/low"; sum 90000000.bin < "$tmp/high"; } | put s3
