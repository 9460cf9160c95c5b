#!/bin/sh
# The fixtures of unpack/dlink are built together.
exec sh "$(dirname "$0")/../mh01/build.sh"
