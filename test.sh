#!/usr/bin/env bash
# All tests, on a machine with Go and git: installs the programs that tests compare with
# (Debian and its kin), then formatting, vet, staticcheck, and every test with the race detector.
set -euo pipefail
cd "$(dirname "$0")"

packages=(squashfs-tools mtd-utils xz-utils lzop lz4 zstd bzip2 lzip ncompress zip unzip cpio p7zip-full openssl openssh-client libxml2-utils)
programs=(unsquashfs mkfs.jffs2 xz lzop lz4 zstd bzip2 lzip compress zip unzip cpio 7z openssl ssh-keygen xmllint)
export PATH="$PATH:/usr/sbin:/sbin"
missing=0
for p in "${programs[@]}"; do command -v "$p" >/dev/null || missing=1; done
if [ "$missing" = 1 ] && command -v apt-get >/dev/null; then
	sudo=$([ "$(id -u)" = 0 ] || echo sudo)
	$sudo apt-get -qq update
	$sudo apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
fi

echo "== gofmt"
unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }
echo "== vet"
go vet ./...
echo "== staticcheck"
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
echo "== the program builds without cgo"
CGO_ENABLED=0 go build -trimpath -o /dev/null ./cmd/hallmark
echo "== test"
go test -race -timeout 25m ./...
