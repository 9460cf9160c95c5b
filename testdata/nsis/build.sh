#!/bin/sh
# Builds the fixtures of unpack/nsis: what stands behind the program of an installer. Needs the
# Debian package nsis.
set -eu
cd "$(dirname "$0")"
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p src/sub/deep
seq 1 1500 > src/a.txt
cp src/a.txt src/sub/copy.txt
echo hello > src/sub/deep/other.txt
: > src/empty
find src -exec touch -d '2024-02-29 12:34:56 UTC' {} +
cat > t.nsi <<'NSI'
Name "Example Tool"
OutFile "t.exe"
InstallDir "$PROGRAMFILES\Example"
BrandingText "Example Camera Ltd, https://camera.example/"
Section "main"
  SetOutPath $INSTDIR
  File /r src\*
  SetOutPath "$SYSDIR\drivers"
  File src\a.txt
  File "/oname=$TEMP\x $$1.txt" src\sub\deep\other.txt
  WriteRegStr HKLM "Software\Example" "Maker" "Example Camera Ltd"
  WriteUninstaller "$INSTDIR\uninstall.exe"
SectionEnd
Section "Uninstall"
  Delete "$INSTDIR\a.txt"
SectionEnd
NSI
build() { # case, target, compressor
	makensis -V1 -NOCD "-XTarget $2" "-X$3" t.nsi
	at=$(LC_ALL=C grep -aobP '\xef\xbe\xad\xdeNullsoftInst' t.exe | head -1 | cut -d: -f1)
	mkdir -p "$root/$1"
	(tail -c +$((at - 3)) t.exe; printf 'behind') > "$root/$1/input"
	(cd src && find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum) > "$root/$1/truth.txt"
}
build stored x86-unicode "SetCompress off"
build zlib x86-unicode "SetCompressor zlib"
build zlib-solid amd64-unicode "SetCompressor /SOLID zlib"
build bzip2 x86-ansi "SetCompressor bzip2"
build bzip2-solid x86-unicode "SetCompressor /SOLID bzip2"
build lzma amd64-unicode "SetCompressor lzma"
build lzma-solid x86-ansi "SetCompressor /SOLID lzma"
