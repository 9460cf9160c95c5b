#!/usr/bin/env bash
# Builds the fixtures of unpack/squashfs, from made-up content. Run as root: it makes device
# nodes, owners and extended attributes.
# Needs: squashfs-tools (4.5.1), squashfs-tools-ng, xz-utils, python3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
unset SOURCE_DATE_EPOCH

tree=$work/tree
mkdir -p "$tree"/{etc/init.d,bin,empty,dev,deep/a/b/c}
python3 - "$tree" <<'PY'
import hashlib, os, struct, sys
os.chdir(sys.argv[1])
def write(name, data): open(name, 'wb').write(data)
noise = b''.join(hashlib.sha256(b'%d' % i).digest() for i in range(150))
write('etc/long.txt', b''.join(b'line %d of a file that spans several blocks\n' % i for i in range(220)))
write('bin/stored', noise[:4200])                   # one block that does not compress, and a tail
write('bin/mixed', b'before the hole ' * 256 + b'\0' * 8192 + b'after the hole ' * 300)
write('bin/exact', b'0123456789abcdef' * 256)       # one block, no tail
# ARM branches and their targets, for the BCJ filter.
write('bin/arm', b''.join(struct.pack('<I', 0xeb000000 | (0x4000 - i) & 0xffffff) + b'\x00\x48\x2d\xe9' for i in range(600)))
write('empty.txt', b'')
write('etc/passwd', b'root:x:0:0:root:/root:/bin/sh\n')
write('etc/copy', open('etc/long.txt', 'rb').read())  # a duplicate
write('etc/init.d/rcS', b'#!/bin/sh\nmount -a\n')
write('deep/a/b/c/f', b'deep\n')
with open('etc/sparse', 'wb') as f:
    f.seek(9000); f.write(b'end'); f.truncate(9500)
os.link('etc/passwd', 'etc/passwd-hard'); os.link('etc/long.txt', 'deep/long-hard')
os.symlink('../bin/exact', 'etc/link'); os.symlink('/nowhere/' + 'x' * 60, 'etc/dangling')
os.symlink('link', 'etc/link-with-attribute')
os.mknod('dev/console', 0o20600, os.makedev(5, 1)); os.mknod('dev/mtdblock0', 0o60640, os.makedev(31, 300))
os.mknod('dev/fifo', 0o10644); os.mknod('dev/socket', 0o140755)
os.chmod('etc/init.d/rcS', 0o755); os.chmod('bin/exact', 0o4755); os.chmod('bin/stored', 0o2711); os.chmod('empty', 0o1777)
os.chown('etc/passwd', 1000, 1001); os.chown('bin', 70000, 5); os.chown('etc/link', 7, 8, follow_symlinks=False)
os.setxattr('etc/passwd', 'user.comment', b'made up'); os.setxattr('bin', 'trusted.dir', b'\0\1\2')
for name in 'bin/exact', 'bin/mixed', 'etc/copy':     # a value worth storing once, out of line
    os.setxattr(name, 'user.shared', b'the same long value ' * 2)
    os.setxattr(name, 'security.name', name.encode())
os.setxattr('dev/console', 'trusted.device', b'tty'); os.setxattr('dev/fifo', 'trusted.pipe', b'p')
os.setxattr('etc/link-with-attribute', 'trusted.link', b'yes', follow_symlinks=False)
for d, ds, fs in os.walk('.', topdown=False):
    for n in fs + ds:
        os.utime(os.path.join(d, n), (1600000000, 1600000000 + len(n)), follow_symlinks=False)
PY

truth() { # TREE
	(cd "$1" && find . -type f | LC_ALL=C sort | sed 's|^\./||' | tr '\n' '\0' | xargs -0 -r sha256sum
	find . -type l -printf 'link %P -> %l\n' | LC_ALL=C sort)
}
keep() { # CASE: takes $work/image
	mkdir -p "$here/$1"
	mv "$work/image" "$here/$1/input"
	truth "$tree" >"$here/$1/truth.txt"
	[ -s "$here/$1/truth.txt" ] || rm "$here/$1/truth.txt"
}
mk() { # CASE OPTION...
	local name=$1
	shift
	rm -f "$work/image"
	mksquashfs "$tree" "$work/image" -quiet -nopad -no-progress -processors 1 -mkfs-time 1600000000 "$@" >/dev/null
	keep "$name"
}
ng() { # CASE OPTION...
	local name=$1
	shift
	gensquashfs -q -f -j 1 --pack-dir "$tree" --keep-time --keep-xattr "$@" "$work/image" 2>/dev/null
	keep "$name"
}

small=$work/small # what matters to a compressor
mkdir "$small"
cp -a "$tree"/etc/{long.txt,sparse} "$tree"/bin/{arm,stored} "$small"
plain=$work/plain
mkdir -p "$plain/etc"
cp -a "$tree"/etc/{sparse,copy,init.d} "$plain/etc"
fifos=$work/fifos # more than one run of entries, and a directory with an index
mkdir -p "$fifos/d"
(cd "$fifos/d" && for i in $(seq 260); do mkfifo "$i"; touch -d @1600000000 "$i"; done)
touch -d @1600000000 "$small" "$plain" "$plain/etc" "$fifos/d" "$fifos"

mk gzip -b 4096
truncate -s %4096 "$here/gzip/input" # padded as mksquashfs does, and more behind it
head -c 512 /dev/zero >>"$here/gzip/input"
ng ng-xz --compressor xz --block-size 4096
tree=$small
mk lzma -comp lzma -b 8192 -tailends
mk lzo -comp lzo -b 4096 -Xalgorithm lzo1x_999 -no-fragments
mk lz4 -comp lz4 -b 4096 -Xhc -always-use-fragments
mk xz-bcj -comp xz -b 8192 -Xbcj arm,armthumb,x86 -Xdict-size 8192
mk zstd -comp zstd -b 4096 -Xcompression-level 3
tree=$plain
mk stored -b 4096 -noI -noId -noD -noF -noX
mk stored-inodes -comp xz -b 16384 -noI -noX -no-xattrs
ng ng-zstd --compressor zstd --block-size 4096 --exportable
tree=$fifos
mk many -Xcompression-level 5 -Xwindow-size 10 -no-exports -no-duplicates

old() { # CASE ARGUMENT...
	local name=$1
	shift
	"$here/legacy.py" "$work/image" "$@"
	mkdir -p "$here/$name"
	mv "$work/image" "$here/$name/input"
	mv "$work/image.truth" "$here/$name/truth.txt"
}
old v1-little 1 little zlib
old v1-big 1 big zlib
old v2-little-lzma5 2 little lzma5
old v2-big 2 big zlib
old v3-little 3 little zlib
old v3-big-lzma0 3 big lzma0
old v4-big-lzma9 4 big lzma9
old v4-avm 4 avm xz
old v4-tvt 4 little xz-tvt
old v4-lzma5 4 little lzma5
