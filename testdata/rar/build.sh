#!/bin/sh
# Builds the RAR fixtures. Needs the Debian packages python3 and libarchive-tools (bsdtar), which reads them as a check:
# there is no free program that writes RAR, so the headers are written by hand.
set -eu
cd "$(dirname "$0")"
python3 - <<'P'
import hashlib, os, struct, zlib
numbers = "".join("%d\n" % i for i in range(1, 200)).encode()
files = [("etc/numbers", numbers), ("etc/motd", b"one line\n"), ("none", b"")]
def put(name, b, truth):
	os.makedirs(name, exist_ok=True)
	open(name + "/input", "wb").write(b)
	with open(name + "/truth.txt", "w") as f:
		f.write("".join(hashlib.sha256(c).hexdigest() + "  " + n + "\n" for n, c in truth))
# Version 4.
def block4(kind, flags, rest, data=b""):
	h = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
	return struct.pack("<H", zlib.crc32(h) & 0xffff) + h + data
def file4(name, c, attrs=0o100644, host=3, flags=0, method=0x30, crc=None):
	crc = zlib.crc32(c) if crc is None else crc
	return block4(0x74, 0x8000 | flags, struct.pack("<IIBIIBBHI", len(c), len(c), host, crc, 0x585d645c, 20, method, len(name), attrs) + name, c)
head4, end4 = b"Rar!\x1a\x07\0" + block4(0x73, 0, bytes(6)), block4(0x7b, 0x4000, b"")
plain4 = b"".join(file4(n.encode(), c) for n, c in files)
grün = b"gr_n\0\0" + bytes([0b00000000]) + b"gr\xfcn"
wide = b"__\0\x04" + bytes([0b01011000]) + b"\x1f\x30\xac\x20" # two with the common byte, one with its own
special4 = file4(b"sub", b"", 0o40755, flags=0xe0) + file4(b"link", b"etc/motd", 0o120777) + file4(b"win\\dows", b"dos", 0x20, 2) + file4(grün, b"u", flags=0x200) + file4(wide, b"w", flags=0x200)
put("rar4", head4 + plain4 + special4 + end4 + b"trailing", files + [("win/dows", b"dos"), ("grün", b"u"), ("\u041f\u0430\u20ac", b"w")])
put("noend4", head4 + plain4, files)
put("packed4", head4 + file4(b"packed", b"not really", method=0x33) + file4(b"secret", b"cipher", flags=4) + file4(b"altered", b"text", crc=1) + end4, [])
put("sealed4", b"Rar!\x1a\x07\0" + block4(0x73, 0x80, bytes(6)) + bytes(range(100)), [])
# Version 5.
def num(v):
	out = b""
	while v > 127: out += bytes([v & 127 | 128]); v >>= 7
	return out + bytes([v])
def block5(kind, rest, data=b"", extra=b"", flags=0):
	flags |= (1 if extra else 0) | (2 if kind == 2 else 0)
	h = num(kind) + num(flags) + (num(len(extra)) if extra else b"") + (num(len(data)) if kind == 2 else b"") + rest + extra
	h = num(len(h)) + h
	return struct.pack("<I", zlib.crc32(h)) + h + data
def file5(name, c, attrs=0o100644, flags=0, method=0, extra=b"", crc=None, header=0):
	crc = zlib.crc32(c) if crc is None else crc
	return block5(2, num(flags | 6) + num(len(c)) + num(attrs) + struct.pack("<II", 1709210096, crc) + num(method << 7) + num(1) + num(len(name)) + name, c, extra, header)
def record(kind, b): return num(len(num(kind) + b)) + num(kind) + b
def link(kind, target): return record(5, num(kind) + num(0) + num(len(target)) + target)
head5, end5 = b"Rar!\x1a\x07\1\0" + block5(1, num(0)), block5(5, num(0))
plain5 = b"".join(file5(n.encode(), c) for n, c in files)
special5 = file5(b"sub", b"", 0o40755, 1) + file5(b"link", b"", 0o120777, extra=link(1, b"etc/motd")) + file5(b"hard", b"", extra=link(4, b"etc/motd")) + file5("grün".encode(), b"u", extra=record(3, num(2) + struct.pack("<Q", (1700000000 + 11644473600) * 10**7)))
put("rar5", head5 + plain5 + special5 + end5 + b"trailing", files + [("hard", files[1][1]), ("grün", b"u")])
open("rar5/truth.txt", "a").write("link link -> etc/motd\n")
put("packed5", head5 + file5(b"packed", b"not really", method=3) + file5(b"secret", b"cipher", extra=record(1, bytes(30))) + file5(b"altered", b"text", crc=1) + file5(b"part", b"begins", header=0x10) + end5, [])
put("sealed5", b"Rar!\x1a\x07\1\0" + block5(4, num(0) + num(0) + num(15) + bytes(16)) + bytes(range(100)), [])
P
for c in rar4 noend4 rar5; do bsdtar -tf $c/input > /dev/null; [ "$(bsdtar -xOf $c/input etc/numbers | sha256sum | cut -d' ' -f1)" = "$(grep etc/numbers $c/truth.txt | cut -d' ' -f1)" ]; done
for c in packed4 sealed4 packed5 sealed5; do rm $c/truth.txt; done
python3 rar5.py
for c in lz5 solid5; do for f in text filters again; do [ "$(bsdtar -xOf $c/input $f | sha256sum | cut -d' ' -f1)" = "$(grep " $f\$" $c/truth.txt | cut -d' ' -f1)" ]; done; done
