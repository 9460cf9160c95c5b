#!/usr/bin/env bash
# How many of the source packages in a root filesystem are found once its package database is gone,
# and how many of the findings are right: hallmark with and without a learnt base, syft, and
# cve-bin-tool's patterns. The trees are made of Debian packages, the truth is their control files.
#
#   bench/components.sh [ARCH...]     armhf, mipsel and arm64 if none is named
#
# SUITE (bookworm) is the release looked at, LEARN (bullseye) the one learnt from, MIRROR where
# packages come from (else where the machine's own do); mipsel ends with bookworm. About 180 MB are
# downloaded for each release and architecture, into PEERS. -v as the first argument lists what was missed and what was wrong.
. "$(dirname "$0")/common.sh"
suite=${SUITE:-bookworm} learn=${LEARN:-bullseye}
verbose=
[ "${1:-}" != -v ] || { verbose=-v; shift; }
debian dpkg-deb dpkg
debian python3 python3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || apt-get -qq install -y debian-archive-keyring >/dev/null
here=bench/components

# debs SUITE ARCH DIR PACKAGES... downloads packages into DIR; PACKAGES of "-" are those of sources.txt.
debs() {
	local suite=$1 arch=$2 dir=$3 a=$peers/debian/$1-$2; shift 3
	mkdir -p "$a"/{lists/partial,archives/partial,state} "$dir"
	: >>"$a/state/status"
	echo "deb [signed-by=$keyring] ${MIRROR:-$(mirror)} $suite main" >"$a/sources.list"
	cat >"$a/apt.conf" <<-CONF
		Dir::State "$a/state"; Dir::State::lists "$a/lists"; Dir::State::status "$a/state/status";
		Dir::Cache "$a"; Dir::Cache::archives "$a/archives";
		Dir::Etc::sourcelist "$a/sources.list"; Dir::Etc::sourceparts "-";
		APT::Architecture "$arch"; APT::Architectures {"$arch";};
		APT::Sandbox::User "root"; Acquire::Languages "none";
	CONF
	[ ! -e "$dir/done" ] || return 0
	(
		export APT_CONFIG=$a/apt.conf
		apt-get -q update
		[ "$*" != - ] || set -- $(apt-cache dumpavail | python3 $here/tree.py list $here/sources.txt)
		cd "$dir" && apt-get -q download "$@" && touch done
	) >"$a/log" 2>&1 || { tail -3 "$a/log" >&2; echo "$suite $arch: not every package could be had" >&2; }
}

# cvebintool TREE prints what cve-bin-tool's patterns find in TREE as a bill of materials.
cvebintool() {
	local venv=$peers/cve-bin-tool
	[ -x "$venv/bin/python" ] || { python3 -m venv "$venv" && "$venv/bin/pip" -q install cve-bin-tool setuptools; } >/dev/null 2>&1 || true
	"$venv/bin/python" $here/patterns.py "$1" 2>/dev/null || true
}

for arch in ${*:-armhf mipsel arm64}; do
	debs "$suite" "$arch" "$peers/debian/$suite-$arch/debs" -
	debs "$learn" "$arch" "$peers/debian/$learn-$arch/debs" -
	tree=$work/$arch base=$work/$learn-$arch.base
	python3 $here/tree.py make "$peers/debian/$suite-$arch/debs" "$tree"
	"$hallmark" learn-component -q --deb "$peers/debian/$learn-$arch/debs" -o "$base"
	cp -al "$tree" "$tree.bare" && rm -rf "$tree.bare/var/lib/dpkg"
	boms=()
	# bom NAME COMMAND... keeps what COMMAND prints if it is a document.
	bom() {
		local name=$1 file=$work/$arch.${#boms[@]}.json; shift
		"$@" >"$file" 2>/dev/null || true
		[ ! -s "$file" ] || boms+=("$name=$file")
	}
	bom hallmark "$hallmark" sbom -q "$tree.bare"
	bom "hallmark, base of $learn" "$hallmark" sbom -q --component-base "$base" "$tree.bare"
	[ "${#boms[@]}" -lt 2 ] || boms+=("the base alone=${boms[1]#*=}:learnt")
	x=$(syft); [ -z "$x" ] || bom syft "$x" -q "dir:$tree.bare" -o cyclonedx-json
	bom "cve-bin-tool's patterns" cvebintool "$tree.bare"
	echo; echo "## $suite $arch, package database removed"; echo
	python3 $here/score.py "$tree.truth.json" $verbose "${boms[@]}"

	"$hallmark" sbom -q "$tree" >"$work/$arch.full.json" || true
	echo; echo "with the package database: $(python3 $here/score.py "$tree.truth.json" --packages "$work/$arch.full.json")"

	debs "$suite" "$arch" "$peers/debian/$suite-$arch/static" bash-static busybox-static e2fsck-static sash zsh-static tini
	echo; echo "## $suite $arch, static programs, each alone"; echo
	python3 $here/static.py "$peers/debian/$suite-$arch/static" "$work/static-$arch" "$hallmark" "$base" "$x"
	rm -rf "$tree" "$tree.bare"
done
