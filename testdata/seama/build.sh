#!/bin/sh
# Builds the SEAMA fixtures. Needs python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'P'
import hashlib, os, struct
def header(image, meta):
	meta = b"".join(m + b"\0" for m in meta)
	meta += b"\0" * (-len(meta) % 4)
	h = struct.pack(">IHHI", 0x5ea3a417, 0, len(meta), len(image))
	return h + (hashlib.md5(image).digest() if image else b"") + meta + image
one, two = b"an image\n" * 200, bytes(i * i & 255 for i in range(3000))
def put(name, b, images):
	os.makedirs(name, exist_ok=True)
	open(name + "/input", "wb").write(b)
	with open(name + "/truth.txt", "w") as f:
		f.write("".join(hashlib.sha256(c).hexdigest() + "  %d\n" % i for i, c in enumerate(images)))
put("image", header(one, [b"dev=/dev/mtdblock/2", b"type=firmware"]) + b"trailing", [one])
put("sealed", header(b"", [b"signature=sample_router"]) + header(one, [b"dev=/dev/mtdblock/2", b"type=firmware"]) + header(two, [b"type=rootfs"]), [one, two])
put("second", header(one, []) + header(two, [])[:-1] + b"?", [one])
P
