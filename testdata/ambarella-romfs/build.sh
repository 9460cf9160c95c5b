#!/bin/sh
# The fixture is built together with that of the section it stands in.
exec sh "$(dirname "$0")/../ambarella/build.sh"
