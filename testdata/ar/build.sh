#!/bin/sh
# Builds the ar fixtures. Needs binutils, dpkg, libarchive-tools (bsdtar) and a C compiler.
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".a "$tree".d' EXIT
umask 022
cd "$tree"
seq 1 101 > numbers
printf 'odd' > odd
: > none
printf 'long\n' > a-name-of-more-than-fifteen-characters.txt
chown 100:33 odd
touch -d '2024-02-29 12:34:56 UTC' ./*
put() { mkdir -p "$here/$1"; cp "$tree.a" "$here/$1/input"; sha256sum ${2-*} > "$here/$1/truth.txt"; }
ar rcU "$tree.a" ./*; put gnu
bsdtar --format arbsd -cf "$tree.a" ./*; put bsd
rm "$tree.a"; ar rcUT "$tree.a" ./*; put thin; rm "$here/thin/truth.txt"
printf 'int one(void) { return 1; }\n' > one.c; printf 'int two(void) { return 2; }\n' > two.c
gcc -c -Os one.c two.c; strip -g one.o two.o
rm "$tree.a"; ar rcs "$tree.a" one.o two.o; put library '*.o'
mkdir -p "$tree.d/DEBIAN" "$tree.d/etc"; cp numbers "$tree.d/etc/"
printf 'Package: sample\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a sample\n' > "$tree.d/DEBIAN/control"
SOURCE_DATE_EPOCH=1709210096 dpkg-deb -Zgzip --root-owner-group -b "$tree.d" "$tree.a" > /dev/null
mkdir "$tree/x"; cd "$tree/x"; ar x "$tree.a"; put deb
