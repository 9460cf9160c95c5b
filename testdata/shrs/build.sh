#!/bin/sh
# Builds the SHRS fixture from bytes that are not encrypted, which cannot be told. Needs python3.
set -eu
cd "$(dirname "$0")"
python3 - <<'P'
import hashlib, os, struct
content = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(100))
sha = lambda b: hashlib.sha512(b).digest()
h = b"SHRS" + struct.pack(">II", len(content), len(content) - 5) + bytes(range(16)) + sha(b"a") + sha(b"b") + sha(content[:-5]) + bytes(512) + b"1" * 512 + b"2" * 512
os.makedirs("sample", exist_ok=True)
open("sample/input", "wb").write(h + content + b"trailing")
P
