#!/usr/bin/env bash
# Counts the files that hallmark and its peers recover, format by format, by SHA-256.
#
#   bench/recall.sh [CORPUS]
#
# TOOLS, such as "hallmark,unblob", names those to run; all without.
# CORPUS is a folder of CATEGORY/IMAGE files, each with IMAGE.truth.json beside it
# ({"files": [{"type": "f", "sha256": ..., "size": ...}]}). Without one, images are made of
# Debian's programs with each format's own tools. Needs root, to shut the tools into a box: one
# of them is known to write through links that an image makes.
# Peers are installed if missing: binwalk 2 and 7-Zip by apt-get, unblob (with jefferson and
# ubi_reader) by pip, binwalk 3 by cargo. sasquatch, which unblob and binwalk 3 call for SquashFS,
# is in none of these registries: install it by hand to give them their due.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
peers=${PEERS:-$HOME/.cache/hallmark-bench}
mkdir -p "$peers"

apt-get -qq install -y --no-install-recommends squashfs-tools mtd-utils u-boot-tools genromfs util-linux-extra \
	e2fsprogs dosfstools mtools cpio zip p7zip-full erofs-utils genisoimage lzop lz4 zstd binwalk >/dev/null 2>&1 || true
[ -x "$peers/unblob/bin/unblob" ] || { python3 -m venv "$peers/unblob" && "$peers/unblob/bin/pip" -q install unblob jefferson ubi_reader; } >/dev/null 2>&1 || true
[ -x "$peers/bw3/bin/binwalk" ] || cargo install -q --root "$peers/bw3" binwalk >/dev/null 2>&1 || true
CGO_ENABLED=0 go build -trimpath -o "$work/hallmark" ./cmd/hallmark

# make CATEGORY NAME COMMAND...: the command writes $work/image from the tree $tree.
make_images() {
	corpus=$work/corpus tree=$work/tree
	mkdir -p "$corpus" "$tree/bin" "$tree/etc" "$tree/lib"
	cp /usr/bin/{ls,cat,find,grep,gzip,sort,tar} "$tree/bin"
	cp -L /usr/lib/x86_64-linux-gnu/lib{c,m,z}.so* "$tree/lib" 2>/dev/null || true
	cp -r /etc/init.d /etc/default "$tree/etc" 2>/dev/null || true
	find "$tree" -type l -delete
	ln -s ls "$tree/bin/dir"
	python3 - "$tree" >"$work/truth.json" <<'EOF'
import hashlib, json, os, sys
files = []
for d, _, names in os.walk(sys.argv[1]):
    for n in names:
        p = os.path.join(d, n)
        if os.path.isfile(p) and not os.path.islink(p) and os.path.getsize(p):
            files.append(dict(type="f", path=os.path.relpath(p, sys.argv[1]), size=os.path.getsize(p), sha256=hashlib.sha256(open(p, "rb").read()).hexdigest()))
json.dump(dict(files=files), sys.stdout)
EOF
	image() { mkdir -p "$corpus/$1"; mv "$work/image" "$corpus/$1/$2"; cp "$work/truth.json" "$corpus/$1/$2.truth.json"; }
	for c in gzip lzma lzo lz4 xz zstd; do rm -f "$work/image"; mksquashfs "$tree" "$work/image" -comp $c -noappend -quiet -no-progress >/dev/null; image squashfs $c; done
	for e in l b; do mkfs.jffs2 -$e -r "$tree" -e 64KiB -o "$work/image"; image jffs2 "$e"; done
	mkfs.ubifs -r "$tree" -m 2048 -e 126976 -c 400 -o "$work/image"; cp "$work/image" "$work/ubifs"; image ubifs lzo
	printf '[root]\nmode=ubi\nimage=%s\nvol_id=0\nvol_type=dynamic\nvol_name=root\nvol_flags=autoresize\nvol_size=40MiB\n' "$work/ubifs" >"$work/ubi.ini"
	ubinize -p 128KiB -m 2048 -o "$work/image" "$work/ubi.ini"; image ubi ubi
	for n in little big; do mkfs.cramfs -N $n "$tree" "$work/image" >/dev/null; image cramfs $n; done
	genromfs -d "$tree" -f "$work/image"; image romfs romfs
	for k in ext2 ext4; do truncate -s 48M "$work/image"; mke2fs -q -t $k -d "$tree" "$work/image"; image ext $k; done
	mkfs.erofs -zlz4 "$work/image" "$tree" >/dev/null; image erofs lz4
	genisoimage -quiet -R -o "$work/image" "$tree"; image iso rockridge
	(cd "$tree" && find . | cpio -oH newc --quiet) >"$work/image"; image cpio newc
	(cd "$tree" && find . | cpio -oH odc --quiet) >"$work/image"; image cpio odc
	tar -C "$tree" -cf "$work/image" .; image tar gnu
	(cd "$tree" && zip -qr "$work/z.zip" .) && mv "$work/z.zip" "$work/image"; image zip deflate
	(cd "$tree" && 7z a -bd "$work/x.7z" . >/dev/null) && mv "$work/x.7z" "$work/image"; image 7z lzma2
	tar -C "$tree" -cf "$work/t" .
	for c in gzip xz bzip2 zstd lz4 lzop; do $c -qc "$work/t" >"$work/image" 2>/dev/null; image stream $c; done
	mkimage -A arm -O linux -T filesystem -C none -n rootfs -d "$corpus/squashfs/xz" "$work/image" >/dev/null; image uimage squashfs
	{ head -c 262144 /dev/zero | tr '\0' '\377'; cat "$corpus/squashfs/xz"; } >"$work/image"; truncate -s %65536 "$work/image"; cat "$corpus/jffs2/l" >>"$work/image"; image flash nor
	for c in squashfs/gzip jffs2/l cpio/newc zip/deflate tar/gnu ubifs/lzo; do # one bit flipped in the middle
		python3 -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[len(b) // 2] ^= 4; open(sys.argv[2], "wb").write(b)' "$corpus/$c" "$work/image"; image damaged "${c/\//-}"
	done
}
corpus=${1:-}
[ -n "$corpus" ] || make_images

python3 - "$corpus" "$work" "$peers" <<'EOF'
import glob, hashlib, json, os, resource, shutil, subprocess, sys, time
corpus, work, peers = sys.argv[1:]
tools = {"hallmark": [f"{work}/hallmark", "unpack", "-q", "-o", "{out}/x", "{in}"]}
if shutil.which("binwalk"): tools["binwalk 2"] = ["binwalk", "--run-as=root", "-q", "-e", "-M", "-C", "{out}", "{in}"]
if os.path.exists(f"{peers}/bw3/bin/binwalk"): tools["binwalk 3"] = [f"{peers}/bw3/bin/binwalk", "-q", "-e", "-M", "-C", "{out}", "{in}"]
if os.path.exists(f"{peers}/unblob/bin/unblob"): tools["unblob"] = [f"{peers}/unblob/bin/unblob", "-e", "{out}", "{in}"]
if shutil.which("7z"): tools["7-Zip"] = ["7z", "x", "-y", "-bd", "-o{out}", "{in}"]
if os.environ.get("TOOLS"): tools = {t: c for t, c in tools.items() if t in os.environ["TOOLS"].split(",")}
box = f"{work}/box"
def processor():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime
jail = ["unshare", "-m", "--propagation", "private", "sh", "-c", 'mount --bind "$1" "$1" && mount -o remount,bind,ro / && cd "$1" && shift && exec "$@"', "sh", box]
def sums(top):
    have = set()
    for d, _, names in os.walk(top):
        for n in names:
            p = os.path.join(d, n)
            if os.path.isfile(p) and not os.path.islink(p):
                have.add(hashlib.sha256(open(p, "rb").read()).hexdigest())
    return have
score, spent, busy = {}, {t: 0.0 for t in tools}, {t: 0.0 for t in tools}
for truth in sorted(glob.glob(f"{corpus}/*/*.truth.json")):
    want = {f["sha256"] for f in json.load(open(truth))["files"] if f["type"] == "f" and f["size"]}
    if not want: continue
    category = truth.split("/")[-2]
    for tool, command in tools.items():
        subprocess.run(["rm", "-rf", box]); os.makedirs(f"{box}/out"); os.makedirs(f"{box}/tmp")
        image = shutil.copy(truth[:-11], f"{box}/{os.path.basename(truth)[:-11]}")
        c = [x.replace("{in}", image).replace("{out}", f"{box}/out") for x in command]
        start, began = time.time(), processor()
        try: subprocess.run(jail + c, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, env=dict(os.environ, PATH=f"{peers}/unblob/bin:" + os.environ["PATH"], TMPDIR=f"{box}/tmp", HOME=f"{box}/tmp"))
        except subprocess.TimeoutExpired: pass
        spent[tool] += time.time() - start
        busy[tool] += processor() - began
        got, all_ = score.setdefault(category, {}).setdefault(tool, [0, 0])
        score[category][tool] = [got + len(want & sums(f"{box}/out")), all_ + len(want)]
print("| format | files | " + " | ".join(tools) + " |\n|---|---|" + "---|" * len(tools))
total = {t: [0, 0] for t in tools}
for category, row in sorted(score.items()):
    print(f"| {category} | {row['hallmark'][1]} | " + " | ".join(f"{row[t][0] / row[t][1]:.4f}" for t in tools) + " |")
    for t in tools: total[t] = [a + b for a, b in zip(total[t], row[t])]
print(f"| all | {total['hallmark'][1]} | " + " | ".join(f"{g / n:.4f}" for g, n in total.values()) + " |")
print("| wall seconds | | " + " | ".join(f"{s:.1f}" for s in spent.values()) + " |")
print("| processor seconds | | " + " | ".join(f"{s:.1f}" for s in busy.values()) + " |")
EOF
