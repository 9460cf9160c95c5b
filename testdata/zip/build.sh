#!/bin/sh
# Builds the ZIP fixtures. Needs the Debian packages zip, p7zip-full (or 7zip) and python3, and hwzip (https://www.hanshq.net/zip.html).
set -eu
cd "$(dirname "$0")"
here=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".zip "$tree".sfx' EXIT
umask 022

mkdir -p "$tree/etc/init.d" "$tree/bin" "$tree/empty"
seq 1 400 > "$tree/etc/numbers"
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$tree/etc/passwd"
printf '#!/bin/sh\necho start\n' > "$tree/etc/init.d/rcS"
chmod 755 "$tree/etc/init.d/rcS"
: > "$tree/etc/none"
head -c 3000 /dev/zero > "$tree/bin/zero"
ln -s ../etc/numbers "$tree/bin/numbers"
ln -s zero "$tree/bin/null"
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +

truth() ( # of a case made from the whole tree; $2 = nolinks if the tool stores none
	cd "$tree"
	find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
	[ "${2-}" = nolinks ] || find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort
) > "$here/$1/truth.txt"
put() { mkdir -p "$here/$1"; cp "$2" "$here/$1/input"; truth "$1" "${3-}"; }

export TZ=UTC
cd "$tree"
rm -f "$tree.zip"; zip -qry "$tree.zip" .;           put deflate "$tree.zip"
(cat "$tree.zip"; head -c 2000 /dev/urandom) > "$tree.sfx"; put trailing "$tree.sfx"
rm -f "$tree.zip"; zip -qry0z "$tree.zip" . <<-'C'
	a comment
C
put store "$tree.zip"
rm -f "$tree.zip"; zip -qryfz "$tree.zip" .;         put zip64 "$tree.zip"
rm -f "$tree.zip"; zip -qry - . | cat > "$tree.zip"; put stream "$tree.zip"
# A directory that is cut off leaves the local headers.
head -c "$(($(LC_ALL=C grep -abo 'PK..' "$tree.zip" | grep -a -m1 "$(printf 'PK\001\002')" | cut -d: -f1) + 20))" "$tree.zip" > "$tree.sfx"
put nodirectory "$tree.sfx" nolinks
# Offsets that count from the start of a program before the archive.
rm -f "$tree.zip"; zip -qry "$tree.zip" .
(head -c 777 /dev/zero; cat "$tree.zip") > "$tree.sfx"; zip -qA "$tree.sfx"; tail -c +778 "$tree.sfx" > "$tree.zip"
put prepended "$tree.zip"
# What Dahua does to an update.
rm -f "$tree.zip"; zip -qry "$tree.zip" .
(printf DH; tail -c +3 "$tree.zip") > "$tree.sfx";   put dahua "$tree.sfx"
for m in BZip2 LZMA Deflate64; do
	rm -f "$tree.zip"; 7z a -tzip -mm=$m -snl "$tree.zip" . > /dev/null
	put "$(echo $m | tr A-Z a-z)" "$tree.zip"
done
# No other writer of these is left. It takes the time from the clock.
for m in shrink reduce implode; do
	rm -f "$tree.zip"; hwzip create "$tree.zip" -m $m etc/numbers etc/passwd bin/zero > /dev/null
	mkdir -p "$here/$m"; cp "$tree.zip" "$here/$m/input"
	sha256sum etc/numbers etc/passwd bin/zero > "$here/$m/truth.txt"
done
rm -f "$tree.zip"; 7z a -tzip -mem=AES256 -psecret "$tree.zip" etc/numbers etc/passwd > /dev/null
put aes "$tree.zip"; rm "$here/aes/truth.txt"
rm -f "$tree.zip"; zip -qP secret "$tree.zip" etc/numbers etc/passwd
put encrypted "$tree.zip"; rm "$here/encrypted/truth.txt"
python3 - "$tree.zip" <<-'P'
	import sys, zipfile
	zipfile.ZipFile(sys.argv[1], 'w').close()
P
put empty "$tree.zip"; rm "$here/empty/truth.txt"
