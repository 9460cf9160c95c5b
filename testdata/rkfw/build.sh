#!/bin/sh
# The fixture is built together with that of the package it holds.
exec sh "$(dirname "$0")/../rkaf/build.sh"
