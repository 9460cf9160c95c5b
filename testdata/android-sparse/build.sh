#!/bin/sh
# Builds the sparse image fixture. Needs img2simg (android-sdk-libsparse-utils) and python3.
set -eu
cd "$(dirname "$0")"
img=$(mktemp)
trap 'rm -f "$img"' EXIT
python3 - "$img" <<-'P'
	import sys
	with open(sys.argv[1], 'wb') as f:
	    f.write(b'data at the start'.ljust(4096, b'.'))
	    f.write(b'\xde\xad\xbe\xef' * 4096)
	    f.write(bytes(1 << 20))
	    f.write(b'data behind a hole'.ljust(8192, b'!'))
P
mkdir -p holes
img2simg "$img" holes/input 4096
printf '%s  \n' "$(sha256sum < "$img" | cut -d' ' -f1)" > holes/truth.txt
