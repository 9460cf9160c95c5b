#!/usr/bin/env bash
# False matches of the authored marks among software and firmware that no covered maker made.
#
#   bench/innocent.sh [IMAGE...]    IMAGE: more firmware that is known to be innocent
#
# Gathers scanners, lists of addresses, clients, recording software, free firmware and 500 packages of
# this Debian system, packs each as a tar and as a SquashFS (which marks take for a device), the
# latter also salted: makers' names are written into every file and every path. Prints every image in
# which a camera maker's mark fires, and writes signatures/tested/innocent.yaml.
# Repositories that ship a maker's own library, as some tools do, are not innocent and are left out.
# Needs apt-get and git. INNOCENT is a cache for what is fetched.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${INNOCENT:-$HOME/.cache/hallmark-innocent}
work=${WORK:-$(mktemp -d)}
[ -n "${WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$cache"/{debs,git,trees} "$work/images"

debs="nmap-common zoneminder whatweb arp-scan libwireshark-data ieee-data i2c-tools u-boot-tools lighttpd librtmp1
 vim-runtime motion ca-certificates tshark p0f masscan ettercap-common onesixtyone snmp-mibs-downloader wsdd hostapd busybox mtd-utils
 ffmpeg gstreamer1.0-plugins-bad vlc-plugin-base kodi-data shinobi"
repos="nmap/nmap royhills/arp-scan ZoneMinder/zoneminder blakeblackshear/frigate AlexxIT/go2rtc urbanadventurer/WhatWeb rapid7/recog
 threat9/routersploit mcw0/PoC mcw0/DahuaConsole maciej-or/hikvision_next rroller/dahua mezz64/pyHik roleoroleo/onvif_simple_server
 OpenIPC/firmware OpenIPC/ipctool OpenIPC/python-dvr OpenIPC/coupler themactep/thingino-firmware ispysoftware/iSpy e-m-b-a/emba
 EliasKotlyar/Xiaomi-Dafang-Hacks openmiko/openmiko w4000/IPcam EgorKin/Novatek-FW-info ReFirmLabs/binwalk
 onekey-sec/unblob fkie-cad/FACT_core armijnhemel/binaryanalysis-ng openwrt/openwrt"

# fetch: trees under $cache/trees, one for each package, repository and batch of installed packages.
for p in $debs; do
	t=$cache/trees/deb-$p
	[ -d "$t" ] && continue
	(cd "$cache/debs" && apt-get -q download "$p") >/dev/null 2>&1 || { echo "$p: not to be had" >&2; continue; }
	dpkg-deb -x "$cache"/debs/"$p"_*.deb "$t"
done
for r in $repos; do
	t=$cache/trees/git-${r//\//-}
	[ -d "$t" ] && continue
	git clone -q --depth 1 "https://github.com/$r" "$cache/git/${r//\//-}" 2>/dev/null || { echo "$r: not to be had" >&2; continue; }
	mkdir "$t"
	git -C "$cache/git/${r//\//-}" archive HEAD | tar -x -C "$t" --no-same-owner 2>/dev/null || true
done
dpkg-query -W -f '${Package}\n' | while read -r p; do printf '%s %s\n' "$(printf %s "$p" | sha256sum | cut -c1-8)" "$p"; done |
	sort | awk 'NR <= 500 { print $2 }' >"$work/packages"
split -l 20 -d "$work/packages" "$work/batch-"
for b in "$work"/batch-*; do
	t=$cache/trees/debian-${b##*-}
	[ -d "$t" ] && continue
	mkdir "$t"
	xargs -a "$b" dpkg -L 2>/dev/null | sort -u | tr '\n' '\0' | xargs -0 -I{} find {} -maxdepth 0 -type f -size -4000k 2>/dev/null >"$work/files" || true
	tar -cf - -T "$work/files" 2>/dev/null | tar -xf - -C "$t"
done

cat >"$work/salt.py" <<'PY'
import hashlib, os, sys
words = ["Hikvision", "dahua", "Uniview", "XMEye Xiongmai", "Tiandy", "TVT", "EZVIZ", "HIKVISION DIGITAL TECHNOLOGY", "www.hikvision.com",
         "dahuatech.com", "Dahua Technology", "Hikvision dahua"]
for dir, _, names in os.walk(sys.argv[1]):
    for name in names:
        p = os.path.join(dir, name)
        if os.path.islink(p) or not os.path.isfile(p):
            continue
        os.chmod(p, 0o644)
        b = open(p, "rb").read()
        w = words[hashlib.sha256(p.encode()).digest()[0] % len(words)].encode()
        if b"\0" in b[:4096]:
            b += b"\0" + w + b"\0"
        else:
            first, nl, rest = b.partition(b"\n")
            b = first + nl + b"# " + w + b"\n" + rest + b"\n# " + w + b"\n"
        open(p, "wb").write(b)
PY
count=0
for t in "$cache"/trees/*; do
	n=$(basename "$t")
	tar -C "$t" --sort=name -cf "$work/images/$n.tar" .
	mksquashfs "$t" "$work/images/$n.sqfs" -quiet -no-progress -noI -noD -noF -noX >/dev/null
	rm -rf "$work/salted"
	mkdir -p "$work/salted/hikvision"
	cp -r --no-preserve=ownership "$t" "$work/salted/hikvision/dahua"
	python3 "$work/salt.py" "$work/salted"
	mksquashfs "$work/salted" "$work/images/$n.salted.sqfs" -quiet -no-progress -noI -noD -noF -noX >/dev/null
	count=$((count + $(find "$t" -type f | wc -l)))
done
echo "files: $count, packages: $(wc -l <"$work/packages"), trees: $(ls "$cache/trees" | wc -l)"
CGO_ENABLED=0 go build -o "$work/judge" bench/judge.go
"$work/judge" -quiet -tested "$work/tested.yaml" "$work"/images/* "$@"
cp "$work/tested.yaml" signatures/tested/innocent.yaml
echo "signatures/tested/innocent.yaml is written; go test ./report -update brings the golden file up to date"
