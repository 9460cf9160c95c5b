#!/bin/sh
# The fixture is built with the others.
exec "$(dirname "$0")/../yaffs/build.sh"
