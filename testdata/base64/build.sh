#!/bin/sh
# Builds the fixtures of unpack/base64. Needs coreutils and gzip.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
seq 1 2000 | gzip -9n > "$tmp/gz"
{ printf '\177ELF\001\001\001'; seq 1 400; } > "$tmp/elf"
put() { mkdir -p "$1"; cat > "$1/input"; sha256sum < "$tmp/$2" | sed 's/-$//' > "$1/truth.txt"; }
base64 -w 76 "$tmp/gz" | put lines gz
{ base64 -w 0 "$tmp/elf"; printf '";\nmore\n'; } | put string elf
{ base64 -w 64 "$tmp/gz" | sed 's/$/\r/'; printf 'the end\n'; } | put returns gz
