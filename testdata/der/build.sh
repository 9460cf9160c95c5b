#!/bin/sh
# The fixtures of unpack/key are built together.
exec sh "$(dirname "$0")/../pem/build.sh"
