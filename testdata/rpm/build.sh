#!/bin/sh
# Builds the RPM fixtures. Needs the Debian packages rpm and python3.
set -eu
cd "$(dirname "$0")"
here=$PWD
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cat > "$top/sample.spec" <<'S'
Name: sample
Version: 1.2
Release: 3
Summary: A sample
License: MIT
Vendor: Nobody
URL: https://example.org/
BuildArch: noarch
%description
A sample.
%install
mkdir -p %{buildroot}/etc
seq 1 300 > %{buildroot}/etc/sample
%files
/etc/sample
S
make() { # name, payload flags, file name
	SOURCE_DATE_EPOCH=1709210096 rpmbuild --quiet --define "_topdir $top" --define "_buildhost builder.example.org" \
		--define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
		--define "_binary_payload $2" -bb "$top/sample.spec" > /dev/null 2>&1
	mkdir -p "$here/$1"; cp "$top"/RPMS/noarch/sample-1.2-3.noarch.rpm "$here/$1/input"
	# What rpm itself reads as the payload, packed.
	python3 - "$here/$1/input" "$3" > "$here/$1/truth.txt" <<'P'
import hashlib, struct, sys
b, pos = open(sys.argv[1], "rb").read(), 96
for _ in range(2):
	n, size = struct.unpack(">II", b[pos + 8:pos + 16])
	pos = (pos + 16 + 16 * n + size + 7) // 8 * 8 if _ == 0 else pos + 16 + 16 * n + size
print(hashlib.sha256(b[pos:]).hexdigest() + "  " + sys.argv[2])
P
}
make gzip w9.gzdio payload.cpio.gz
make xz w2.xzdio payload.cpio.xz
make zstd w3.zstdio payload.cpio.zst
make bzip2 w9.bzdio payload.cpio.bz2
make plain w.ufdio payload.cpio
# Something behind the package, first with sizes in the signature, then without: the stream tells the end.
mkdir -p "$here/trailing" "$here/sizeless" "$here/altered"
cp "$here/zstd/truth.txt" "$here/trailing/"; cp "$here/zstd/truth.txt" "$here/sizeless/"
python3 - "$here" <<'P'
import struct, sys
here = sys.argv[1]
b = bytearray(open(here + "/zstd/input", "rb").read())
open(here + "/trailing/input", "wb").write(b + b"something else" * 9)
n = struct.unpack(">I", b[104:108])[0]
c = bytearray(b)
for i in range(n):
	tag = struct.unpack(">I", c[112 + 16 * i:116 + 16 * i])[0]
	if tag in (1000, 1004): # size, MD5
		c[112 + 16 * i:116 + 16 * i] = struct.pack(">I", 5000 + i)
open(here + "/sizeless/input", "wb").write(c + b"something else" * 9)
b[-1] ^= 1
open(here + "/altered/input", "wb").write(b)
P
