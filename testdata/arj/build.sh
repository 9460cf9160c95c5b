#!/bin/sh
# Builds the ARJ fixtures. Needs the Debian package arj.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
out=$(mktemp -d)
trap 'rm -rf "$tree" "$out"' EXIT
umask 022
export TZ=UTC
cd "$tree"
mkdir -p etc/empty
seq 1 400 > etc/numbers
printf 'one line\n' > etc/motd
: > none
awk 'BEGIN { for (i = 0; i < 700; i++) print i, "squared is", i * i }' > squares
head -c 3000 /dev/zero > zero
chmod 755 zero
find . -exec touch -d '2024-02-29 12:34:56 UTC' {} +
files='etc/numbers etc/motd none squares zero'
put() { mkdir -p "$here/$1"; cp "$out/sample.arj" "$here/$1/input"; sha256sum $files > "$here/$1/truth.txt"; rm "$out/sample.arj"; }
make() { name=$1; shift; arj a -r -a1 "$@" "$out/sample.arj" > /dev/null; [ "$name" = - ] || put "$name"; }
for m in 0 1 2 3 4; do make method$m -m$m; done
make dos -2d
make - -m4; head -c 300 /dev/urandom >> "$out/sample.arj"; put trailing
make - -m0; sed -i 's/one line/two line/' "$out/sample.arj"; put altered; sed -i /motd/d "$here/altered/truth.txt"
make garbled -gsecret; rm "$here/garbled/truth.txt"
