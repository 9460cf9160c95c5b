#!/usr/bin/env bash
# Makes rebadged-camera.bin: an update file as a camera sold under an invented brand could have
# it. The brand stands on the web page and in the configuration; the container, the boot header,
# the partition names and one start script are shaped as public descriptions show those of the
# true maker (see signatures/makers, which cite them). No byte of any maker is in it.
#
# Programs in it, from Debian 12 armhf, with their licences (full texts in COPYING):
#   dropbear-bin 2022.83 (MIT), zlib1g 1.2.13 (Zlib), lighttpd 1.4.69 (BSD-3-Clause)
#
# Needs: apt-get, dpkg-deb, squashfs-tools, u-boot-tools, util-linux-extra (mkfs.cramfs), python3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1481290345 PATH="$PATH:/usr/sbin:/sbin"

# A package state of its own, so that the machine's stays as it is.
mkdir -p "$work"/apt/{lists/partial,archives/partial}
: >"$work/apt/status"
apt=(-o "Dir::State::status=$work/apt/status" -o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt" -o APT::Architecture=armhf -o APT::Architectures=armhf -o APT::Sandbox::User=root)
apt-get -qq "${apt[@]}" update || true # one index out of step need not stop it
(cd "$work" && apt-get -qq "${apt[@]}" download dropbear-bin zlib1g lighttpd)
for d in "$work"/*.deb; do dpkg-deb -x "$d" "$work/x"; done

root=$work/root
mkdir -p "$root"/{bin,sbin,usr/sbin,usr/bin,usr/lib,lib,etc/init.d,mnt/web,mnt/custom,proc,dev,tmp}
cp "$work"/x/usr/sbin/dropbear "$work"/x/usr/sbin/lighttpd "$root/usr/sbin/"
cp -L "$work"/x/lib/arm-linux-gnueabihf/libz.so.1 "$root/lib/"
cat >"$root/etc/init.d/rcS" <<'EOF'
#!/bin/sh
mount -t proc none /proc
cat /proc/dahua/bootpara >/tmp/bootpara
/usr/sbin/dropbear -R
/usr/bin/sonia &
EOF
chmod 755 "$root/etc/init.d/rcS"
printf '#!/bin/sh\n# stands for the main application\nexec sleep 99999\n' >"$root/usr/bin/sonia"
chmod 755 "$root/usr/bin/sonia"
printf 'NAME="Harbourlight"\nPRETTY_NAME="Harbourlight HL-B204 4.2"\n' >"$root/etc/os-release"

web=$work/web
mkdir -p "$web"
printf '<html><head><title>Harbourlight HL-B204</title></head><body>Welcome to Harbourlight</body></html>\n' >"$web/index.htm"
printf 'body { color: #036 }\n' >"$web/style.css"

part=$work/part
mkdir -p "$part"
printf '#  Version=3\nromfs,0,00000000002f0000,00000000000e0000,0,0,squashfs,,\nweb,0,00000000003d0000,0000000000280000,0,0,squashfs,,\n' >"$part/partitionV2.txt"

sq() { mksquashfs "$1" "$2" -comp xz -b 131072 -all-root -noappend -quiet -no-progress >/dev/null; }
sq "$root" "$work/romfs.sq"
sq "$web" "$work/web.sq"
mkfs.cramfs -N little "$part" "$work/partition.cramfs" >/dev/null
wrap() { mkimage -A arm -O u-boot -T standalone -C gzip -n "$2" -a "$3" -e "$4" -d "$1" "$5" >/dev/null; }
wrap "$work/romfs.sq" romfs 0x2f0000 0x3d0000 "$work/romfs-x.squashfs.img"
wrap "$work/web.sq" web 0x3d0000 0x650000 "$work/web-x.squashfs.img"
wrap "$work/partition.cramfs" partition 0x110000 0x130000 "$work/partition-x.cramfs.img"

python3 - "$work" "$here/rebadged-camera.bin" <<'EOF'
import json, struct, sys, zipfile, zlib
work, out = sys.argv[1:]
body = b"U-Boot 2010.06-svn (Dec 09 2016 - 13:32:04)\0" + bytes(range(256)) * 8
head = bytearray(2048)  # see unpack/dahua for the layout
struct.pack_into("<4sIIIII", head, 0, b"BUHD", 1481290324, len(body), 0x82000000, 0, zlib.crc32(body))
head[28:33] = b"uboot"
boot = bytes(head) + body
uh = struct.pack(">IIIIIIIBBBB32s", 0x27051956, 0, 1481290324, len(boot), 0x90000, 0xC0000, zlib.crc32(boot), 17, 2, 5, 0, b"boot")
uh = uh[:4] + struct.pack(">I", zlib.crc32(uh)) + uh[8:]
install = json.dumps({"Commands": ["burn romfs-x.squashfs.img romfs", "burn web-x.squashfs.img web"], "Devices": [["HL-B204", "1.00"]], "Vendor": "Harbourlight"}, indent=1).encode()
members = [("Install", install), ("dhboot.bin.img", uh + boot)]
members += [(n, open(f"{work}/{n}", "rb").read()) for n in ("romfs-x.squashfs.img", "web-x.squashfs.img", "partition-x.cramfs.img")]
with zipfile.ZipFile(out, "w") as z:
    for name, data in members:
        i = zipfile.ZipInfo(name, (2016, 12, 9, 13, 32, 6))
        i.external_attr = 0o644 << 16
        z.writestr(i, data, zipfile.ZIP_DEFLATED)
b = bytearray(open(out, "rb").read())
b[0:2] = b"DH"  # only the first local header is altered
open(out, "wb").write(b)
EOF
for p in dropbear-bin zlib1g lighttpd; do
	echo "===== $p"
	cat "$work/x/usr/share/doc/$p/copyright"
done >"$here/COPYING"
ls -l "$here"
