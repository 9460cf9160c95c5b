#!/bin/sh
# Builds the fixtures of unpack/pe from made-up code, with the Debian packages mingw-w64, openssl and
# osslsigncode. The key that signs is thrown away.
set -eu
cd "$(dirname "$0")"
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > main.c <<'C'
int start(void) { return 42; }
const char banner[] = "libexample 1.2.3";
C
cat > main.rc <<'RC'
1 VERSIONINFO
FILEVERSION 1,2,3,4
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904b0"
    BEGIN
      VALUE "CompanyName", "Example \251 Ltd"
      VALUE "ProductName", "Camera plug-in"
      VALUE "FileVersion", "1.2.3.4"
      VALUE "OriginalFilename", "webplugin.exe"
    END
  END
END
101 RCDATA "blob"
FIRMWARE UPDATE "blob"
RC
seq 1 200 > blob
for cpu in i686 x86_64; do
	$cpu-w64-mingw32-windres main.rc $cpu.res.o
	entry=start; [ $cpu = x86_64 ] || entry=_start
	$cpu-w64-mingw32-gcc -nostdlib -s -Wl,-e,$entry,--no-insert-timestamp -o $cpu.exe main.c $cpu.res.o
done
mkdir -p "$root/plain" "$root/overlay" "$root/signed"
cp x86_64.exe "$root/plain/input"
cat i686.exe blob > "$root/overlay/input"
openssl req -x509 -newkey rsa:1024 -nodes -keyout k -out c -days 3650 -subj "/O=Example Ltd/CN=Example" 2> /dev/null
cat x86_64.exe blob > both.exe
osslsigncode sign -certs c -key k -in both.exe -out signed.exe > /dev/null
cp signed.exe "$root/signed/input"
sum() { sha256sum < "$1" | cut -d' ' -f1; }
printf '%s  program\n%s  overlay\n' "$(sum i686.exe)" "$(sum blob)" > "$root/overlay/truth.txt"
