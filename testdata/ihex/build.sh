#!/bin/sh
# Builds the ihex fixtures. Needs the Debian packages srecord and coreutils.
set -eu
cd "$(dirname "$0")"
here=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
seq 1 300 > "$tmp/low"
seq 500 700 > "$tmp/high"
put() { mkdir -p "$here/$1"; cp "$tmp/out" "$here/$1/input"; cat > "$here/$1/truth.txt"; }
sum() { sha256sum | sed "s/-$/$1/"; }
make() { srec_cat "$@" -o "$tmp/out" -intel; }
make "$tmp/low" -binary; sum 00000000.bin < "$tmp/low" | put plain
make "$tmp/low" -binary -offset 0x8000000 -execution-start-address=0x8000101
{ cat "$tmp/out"; printf 'and more'; } > "$tmp/o"; mv "$tmp/o" "$tmp/out"; sum 08000000.bin < "$tmp/low" | put linear
srec_cat "$tmp/low" -binary -offset 0x1fff0 -o "$tmp/out" -intel -address-length=3 -line-length=77; sed -i 's/$/\r/' "$tmp/out"; sum 0001fff0.bin < "$tmp/low" | put segment
# Two parts, near to each other and far.
make "$tmp/low" -binary "$tmp/high" -binary -offset 2000
{ cat "$tmp/low"; head -c $((2000 - $(stat -c %s "$tmp/low"))) /dev/zero | tr '\0' '\377'; cat "$tmp/high"; } | sum 00000000.bin | put near
make "$tmp/low" -binary "$tmp/high" -binary -offset 0x20000
{ sum 00000000.bin < "$tmp/low"; sum 00020000.bin < "$tmp/high"; } | put far
# Lines in another order.
make "$tmp/low" -binary; { tail -n +6 "$tmp/out" | head -n -1; head -n 5 "$tmp/out"; tail -n 1 "$tmp/out"; } > "$tmp/o"; mv "$tmp/o" "$tmp/out"
sum 00000000.bin < "$tmp/low" | put order
