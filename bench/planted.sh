#!/usr/bin/env bash
# Which rung an image gets that a component of known making was planted in.
#
#   bench/planted.sh [-k]    -k: keep the images
#
# Takes genuine files of makers from public repositories (they stay where they are fetched), plants
# them in a small root file system, packs it in every file system and container that has a tool here,
# and, in one of them, under every disguise. The right rung is that of what was planted, whatever the
# disguise. Then cuts, encrypts and masks images: those must never read "no evidence".
# Needs git, the packages named below, and hallmark's own mutate. PLANTED is a cache.
. "$(dirname "$0")/common.sh"
cache=${PLANTED:-$HOME/.cache/hallmark-planted}
mkdir -p "$cache" "$work/images" "$work/hidden"
for p in squashfs-tools mtd-utils util-linux-extra genromfs e2fsprogs erofs-utils cpio zip p7zip-full mtools dosfstools xorriso u-boot-tools; do
	dpkg -s "$p" >/dev/null 2>&1 || apt-get -qq install -y --no-install-recommends "$p" >/dev/null 2>&1 || echo "$p: not installed" >&2
done
from() { # from OWNER/NAME prints where the repository is
	local d=$cache/${1/\//+}
	[ -d "$d" ] || git clone -q --depth 1 "https://github.com/$1" "$d" 2>/dev/null || { echo "$1: not to be had" >&2; mkdir -p "$d"; }
	echo "$d"
}
dhx=$(from BotoX/DH_IPC-HX4XXX-Eos) uv=$(from GainSec/DigitalAlly-ThermoVu-Uniview-Security-Research)/evidence/dtm-600/program_factory
tme=$(from dennis-tmeinc/dvr)/dvr/deploy nvr=$(from wacelvpn-png/NVR) addons=$(from pergolafabio/Hikvision-Addons)/hikvision-doorbell/lib-aarch64
kit=$(from faradzhalelov/dahua_net_sdk)/android/libs/arm64-v8a client=$(from rroller/dahua)/custom_components/dahua

base=$work/base
mkdir -p "$base"/{bin,etc,lib,www,usr/bin,lib/modules,home}
cp /bin/busybox "$base/bin/" 2>/dev/null || cp /bin/dash "$base/bin/"
cp /usr/bin/env "$base/usr/bin/"; cp /lib/x86_64-linux-gnu/libz.so.1 "$base/lib/" 2>/dev/null || true
printf 'root:x:0:0:root:/:/bin/sh\n' >"$base/etc/passwd"; echo '<html><title>Camera</title><body>live</body></html>' >"$base/www/index.html"

# plant NAME DIR puts a component into DIR; the rung that it stands for is rung[NAME].
declare -A rung=(
	[none]="no evidence" [client]="compatible with" [lead]="lead" [kit-a]="contains SDK client" [kit-b]="contains SDK client"
	[modules-a]="contains device component" [modules-b]="contains device component" [web-b]="contains device component"
	[shared]="family undetermined" [device-a]="rebadged device" [device-c]="rebadged device")
plant() {
	local d=$2
	cp -r "$base/." "$d"
	case $1 in
	none) ;;
	client) mkdir -p "$d/usr/lib/app"; cp "$client/client.py" "$client/rpc2.py" "$d/usr/lib/app/" ;;
	lead) echo nothing >"$d/home/hicore.tar.lzma" ;;
	kit-a) cp "$kit/libToUProxy.so" "$d/lib/" ;;
	kit-b) cp "$addons"/lib{hcnetsdk,hpr}.so "$d/lib/" ;;
	modules-a) cp "$dhx"/user-x.squashfs.img.extracted/lib/modules/{binder,osa,prc}.ko "$d/lib/modules/" ;;
	modules-b) cp "$tme"/TVS22/host/{ext3,rt73}.ko "$d/lib/modules/" ;;
	web-b) mkdir -p "$d/home/webLib/doc"; cp "$nvr/project_config.json" "$d/home/webLib/doc/"; cp "$nvr/doc/favicon.ico" "$d/home/webLib/" ;;
	shared) printf '\x7fELF\1\1\1\0 \0/mnt/mtd/Config/Account1\0/mnt/custom/ProductDefinition\0/mnt/mtd/Config\0' >"$d/usr/bin/upgraded"
		mkdir -p "$d/tmp"; for n in romfs user web; do echo "$n" >"$d/tmp/$n-x.squashfs.img"; done ;;
	device-a) cp "$dhx"/user-x.squashfs.img.extracted/lib/modules/{binder,osa}.ko "$d/lib/modules/"
		mkdir -p "$d/www/jsBase"; cp "$dhx"/web-x.squashfs.img.extracted/webplugin.exe "$d/www/"
		cp "$dhx"/web-x.squashfs.img.extracted/jsBase/common/rpcBase.js "$d/www/jsBase/"; cp "$dhx"/check.img.raw "$d/etc/check.json" 2>/dev/null || true ;;
	device-c) mkdir -p "$d/program/bin" "$d/usr/bin"; cp "$uv"/bin/{init.sh,cfgtool} "$d/program/bin/"; cp "$uv"/lib/modules/4.9.37/extra/kgpio.ko "$d/lib/modules/" ;;
	esac
}

# pack LAYOUT DIR FILE
pack() {
	local d=$2 f=$3 t=$work/pack
	rm -rf "$t" "$f"; mkdir -p "$t"
	case $1 in
	squashfs-*) mksquashfs "$d" "$f" -quiet -no-progress -comp "${1#squashfs-}" ;;
	squashfs) mksquashfs "$d" "$f" -quiet -no-progress -noI -noD -noF ;;
	jffs2-*) mkfs.jffs2 -d "$d" -o "$f" -e 65536 $([ "${1#jffs2-}" = be ] && echo -b || echo -l) ;;
	ubifs) mkfs.ubifs -r "$d" -o "$f" -m 2048 -e 126976 -c 2000 ;;
	ubi) mkfs.ubifs -r "$d" -o "$t/u" -m 2048 -e 126976 -c 2000; printf '[a]\nmode=ubi\nimage=%s\nvol_id=0\nvol_type=dynamic\nvol_name=rootfs\nvol_size=64MiB\n' "$t/u" >"$t/ini"
		ubinize -o "$f" -m 2048 -p 128KiB "$t/ini" ;;
	cramfs) mkfs.cramfs "$d" "$f" ;;
	romfs) genromfs -d "$d" -f "$f" ;;
	ext2 | ext4) truncate -s 40M "$f"; mke2fs -q -t "$1" -d "$d" "$f" ;;
	erofs) mkfs.erofs --quiet "$f" "$d" ;;
	erofs-lz4) mkfs.erofs --quiet -zlz4 "$f" "$d" ;;
	cpio) (cd "$d" && find . | cpio --quiet -o -H newc) >"$f" ;;
	cpio-gz) (cd "$d" && find . | cpio --quiet -o -H newc) | gzip -n >"$f" ;;
	uimage) pack squashfs-xz "$d" "$t.s"; mkimage -A arm -O linux -T filesystem -C none -n rootfs -d "$t.s" "$f" ;;
	zip) pack squashfs-xz "$d" "$t.s"; mkimage -A arm -O linux -T filesystem -C none -n rootfs -d "$t.s" "$t.i"; mkdir -p "$t"; cp "$t.i" "$t/rootfs.img"; (cd "$t" && zip -q "$f" rootfs.img) ;;
	tar-gz | tar-xz | tar-bz2 | tar-zst) pack jffs2-le "$d" "$t.s"; mkdir -p "$t"; cp "$t.s" "$t/rootfs.jffs2"; tar -C "$t" -caf "$f.tmp.${1/-/.}" rootfs.jffs2; mv "$f.tmp.${1/-/.}" "$f" ;;
	7z) pack cramfs "$d" "$t.s"; 7z a -bd "$f.7z" "$t.s"; mv "$f.7z" "$f" ;;
	iso) pack squashfs-gzip "$d" "$t.s"; mkdir -p "$t/iso"; cp "$t.s" "$t/iso/root.sfs"; xorrisofs -quiet -o "$f" "$t/iso" ;;
	fat) pack squashfs-gzip "$d" "$t.s"; truncate -s 40M "$f"; mkfs.vfat "$f"; mcopy -i "$f" "$t.s" ::root.sfs ;;
	flash) pack squashfs-xz "$d" "$t.s"; head -c 262144 /dev/zero | tr '\0' '\377' >"$f"; cat "$t.s" >>"$f"; head -c 65536 /dev/zero | tr '\0' '\377' >>"$f"; mkdir -p "$t/c"; echo a=1 >"$t/c/a.txt"; mkfs.jffs2 -d "$t/c" -e 65536 -p 131072 -l >>"$f" ;;
	esac >/dev/null 2>&1
}
layouts="squashfs squashfs-gzip squashfs-xz squashfs-lzo squashfs-lz4 squashfs-zstd squashfs-lzma jffs2-le jffs2-be ubifs ubi cramfs romfs ext2 ext4
 erofs erofs-lz4 cpio cpio-gz uimage zip tar-gz tar-xz tar-bz2 tar-zst 7z iso fat flash"
disguises="brands prefix reskin rename strip strings magic hosts config all"

for p in "${!rung[@]}"; do
	d=$work/tree-$p
	mkdir -p "$d"
	plant "$p" "$d"
	for l in $layouts; do
		pack "$l" "$d" "$work/images/$p.$l.plain" || true
	done
	for k in $disguises; do
		"$hallmark" mutate -q --do "$k" "$d" "$work/mutated" 2>/dev/null
		pack squashfs-xz "$work/mutated" "$work/images/$p.squashfs-xz.$k" || true
		rm -rf "$work/mutated"
	done
	# what nobody can read: cut, encrypted, masked
	for l in squashfs-xz jffs2-le ubi ext4 uimage zip tar-gz; do
		i=$work/images/$p.$l.plain
		[ -s "$i" ] || continue
		head -c $(($(stat -c %s "$i") * 6 / 10)) "$i" >"$work/hidden/$p.$l.cut"
		{ head -c 64 "$i"; tail -c +65 "$i" | openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 00000000000000000000000000000000; } >"$work/hidden/$p.$l.encrypted"
		python3 -c 'import sys; b = open(sys.argv[1], "rb").read(); k = bytes((i * 73 + 41) & 255 for i in range(256)); sys.stdout.buffer.write(bytes(x ^ y for x, y in zip(b, k * (len(b) // 256 + 1))))' "$i" >"$work/hidden/$p.$l.masked"
	done
done
find "$work/images" -empty -delete
CGO_ENABLED=0 go build -o "$work/judge" bench/judge.go
"$work/judge" "$work"/images/* >"$work/found"
"$work/judge" "$work"/hidden/* >"$work/found-hidden"
for p in "${!rung[@]}"; do printf '%s\t%s\n' "$p" "${rung[$p]}"; done >"$work/rungs"
python3 - "$work" <<'PY'
import math, sys
from collections import Counter, defaultdict
dir = sys.argv[1]
ladder = ["no evidence", "inconclusive", "lead", "compatible with", "contains SDK client", "family undetermined", "contains device component", "rebadged device"]
want = dict(line.rstrip("\n").split("\t") for line in open(dir + "/rungs"))
def rows(name):
    for line in open(dir + "/" + name):
        f = line.rstrip("\n").split("\t")
        if len(f) > 4:
            yield f[0], next(r for r in ladder if f[4].startswith(r)), f[4]
def lower(k, n):
    lo, hi = 0.0, 1.0
    tail = lambda p: sum(math.comb(n, i) * p**i * (1 - p)**(n - i) for i in range(k, n + 1))
    for _ in range(50):
        mid = (lo + hi) / 2
        lo, hi = (mid, hi) if tail(mid) < 0.05 else (lo, mid)
    return lo
groups, bad = defaultdict(Counter), []
for name, got, said in rows("found"):
    p, layout, k = name.split(".")
    a, b = ladder.index(got), ladder.index(want[p])
    if want[p] == "no evidence" and got == "inconclusive":
        a = b
    kind = "exact" if a == b else "too high" if a > b else "too low"
    groups["packed, no disguise" if k == "plain" else "disguise: " + k][kind] += 1
    if kind != "exact":
        bad.append((kind, name, want[p], said))
total = Counter()
print("| images | n | exact | too low | too high | exact, lower bound 95 % |")
print("|---|---|---|---|---|---|")
for g, c in groups.items():
    n = sum(c.values())
    total += c
    print(f"| {g} | {n} | {c['exact']} | {c['too low']} | {c['too high']} | {lower(c['exact'], n):.3f} |")
n = sum(total.values())
print(f"| all | {n} | {total['exact']} ({100 * total['exact'] / n:.1f} %) | {total['too low']} | {total['too high']} | {lower(total['exact'], n):.3f} |")
for b in sorted(bad):
    print("  %s: %s is %s, said: %s" % b)
hidden = Counter()
for name, got, said in rows("found-hidden"):
    hidden[name.rsplit(".", 1)[1], "no evidence" if got == "no evidence" else "said to be unread or named"] += 1
    if got == "no evidence":
        print("  hidden and called no evidence:", name)
print("hidden:", ", ".join(f"{k}: {n} {what}" for (k, what), n in sorted(hidden.items())))
PY
