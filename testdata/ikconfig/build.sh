#!/bin/sh
# Builds the fixture of the kernel configuration reader. Needs: gzip.
set -eu
cd "$(dirname "$0")"
mkdir -p config
{ printf '# Linux/arm 4.9.37 Kernel Configuration\nCONFIG_ARM=y\nCONFIG_IKCONFIG=y\n'; seq -f 'CONFIG_TEST_%g=m' 1 200; } | gzip -n9 > config/truth.gz
{ printf 'IKCFG_ST'; cat config/truth.gz; printf 'IKCFG_EDrodata behind'; } > config/input
printf '%s  config.gz\n' "$(sha256sum < config/truth.gz | cut -d' ' -f1)" > config/truth.txt
rm config/truth.gz
