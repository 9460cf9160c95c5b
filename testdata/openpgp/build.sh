#!/bin/sh
# Builds the fixtures of OpenPGP armour with a key that is thrown away. Needs the Debian package gpg.
set -eu
cd "$(dirname "$0")"
root=$PWD
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
chmod 700 "$GNUPGHOME"
cd "$GNUPGHOME"
g() { gpg --batch --quiet --yes --no-tty --pinentry-mode loopback --passphrase '' --trust-model always "$@"; }
put() { mkdir -p "$root/$1"; (printf 'behind' | cat "$2" -) > "$root/$1/input"; }
g --quick-gen-key 'Example Maker <firmware@maker.example>' rsa2048 default never
g --quick-gen-key 'Other <other@maker.example>' future-default default never
seq 1 300 > text
g --armor --export firmware@maker.example > out; put public out
g --armor --export other@maker.example > out; put curve out
g --armor --encrypt -r other@maker.example < text > out; put encrypted out
gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase example --armor --symmetric < text > out; put passphrase out
g --armor --detach-sign text; put signature text.asc
for z in none zip zlib bzip2; do
	g --armor --store --compress-algo $z -z 6 --set-filename firmware.bin < text > out; put stored-$z out
done
printf '%s  firmware.bin\n' "$(sha256sum < text | cut -d' ' -f1)" > "$root/stored-none/truth.txt"
