#!/bin/sh
# Builds the CHK fixtures. Needs python3: the checksum is written as OpenWrt's mkchkimg has it.
set -eu
cd "$(dirname "$0")"
python3 - <<'P'
import hashlib, os, struct
def checksum(b):
	c0 = c1 = 0
	for x in b:
		c0 = c0 + x & 0xffffffff
		c1 = c1 + c0 & 0xffffffff
	def fold(c):
		c = (c & 65535) + (c >> 16 & 65535)
		return (c >> 16) + c & 65535
	return fold(c1) << 16 | fold(c0)
kernel, rootfs = b"the kernel\n" * 300, bytes(i * i & 255 for i in range(5000))
def put(name, kernel, rootfs, tail=b"", alter=None, cut=None):
	board = b"U12H000T00_SAMPLE"
	def header(own):
		return b"*#$^" + struct.pack(">IB7BIIIIII", 40 + len(board), 1, 1, 2, 3, 4, 0, 0, 0, checksum(kernel), checksum(rootfs), len(kernel), len(rootfs), checksum(kernel + rootfs), own) + board
	b = bytearray(header(checksum(header(0))) + kernel + rootfs)
	if alter: b[alter] ^= 1
	os.makedirs(name, exist_ok=True)
	open(name + "/input", "wb").write((b + tail)[:cut])
	if not alter and not cut:
		with open(name + "/truth.txt", "w") as f:
			f.write(hashlib.sha256(kernel).hexdigest() + "  kernel\n")
			if rootfs: f.write(hashlib.sha256(rootfs).hexdigest() + "  rootfs\n")
put("both", kernel, rootfs)
put("kernel", kernel, b"", b"trailing")
put("altered", kernel, rootfs, alter=-1)
put("cut", kernel, rootfs, cut=4000)
P
