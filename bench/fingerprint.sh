#!/bin/bash
# Measures learnt fingerprints (docs/fingerprints.md): Debian packages across releases and processors,
# the rebrand of HiSilicon's SDK as Goke and xmedia, and client SDKs of public repositories.
#
#	bench/fingerprint.sh [debian|goke|goke-all|hikvision|dahua ...]
#
# PEERS (~/.cache/hallmark-bench) keeps what is downloaded: some 1.5 GB of packages by apt-get with lists
# of its own, and shallow clones. Nothing of it enters the repository. SPLIT=calibration measures on that
# part; NAMES=1 prints every miss and every false match by name. split.tsv lists the parts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
peers=${PEERS:-$HOME/.cache/hallmark-bench}/fingerprint
split=${SPLIT:-test}
mkdir -p "$peers/features"
export CACHE=${CACHE:-$peers/features}
CGO_ENABLED=0 go build -o "$peers/fingerprint" bench/fingerprint.go

packages="
busybox dropbear-bin dnsmasq-base lighttpd nginx-core mosquitto avahi-daemon curl libcurl4 wget rsync openssh-server
openssh-client iptables nftables iproute2 iw wpasupplicant hostapd ppp udhcpd ntpsec chrony sqlite3 libsqlite3-0
libevent-2.1-7 libwebsockets17 libxml2 libexpat1 libjpeg62-turbo libpng16-16 libtiff5 libfreetype6 libmad0 libfaad2
libmp3lame0 libogg0 libvorbis0a libopus0 libspeex1 libx264-164 libvpx7 libsrtp2-1 liblua5.4-0 lua5.4 libpcre2-8-0
libglib2.0-0 libdbus-1-3 dbus libusb-1.0-0 usbutils i2c-tools mtd-utils u-boot-tools e2fsprogs f2fs-tools dosfstools
btrfs-progs squashfs-tools gdisk parted lvm2 smartmontools hdparm strace gdb tcpdump nmap libpcap0.8 bind9-dnsutils
libgnutls30 libssh2-1 libssh-4 libmbedtls14 libgcrypt20 libmicrohttpd12 libmodbus5 bluez alsa-utils libasound2 motion
fswebcam v4l-utils zbar-tools minidlna vsftpd proftpd-core samba-common-bin nfs-common snmpd libsnmp40 collectd-core
rrdtool monit cron logrotate rsyslog syslog-ng-core tftpd-hpa telnetd inetutils-telnet vim-tiny nano screen tmux bash
dash gawk sed grep findutils tar gzip xz-utils bzip2 zstd lz4 file less python3.11-minimal"

# Libraries that others embed: background, and nothing else.
libraries="
libc6 libgcc-s1 libstdc++6 libgomp1 libatomic1 zlib1g libminizip1 libssl3 libssl1.1 openssl libtinyxml2.6.2v5
libtinyxml2-9 libtinyxml2-8 libjsoncpp25 libjsoncpp24 libxerces-c3.2 libpugixml1v5 libprotobuf32 libprotobuf-lite32
libprotobuf23 libboost-filesystem1.74.0 libboost-thread1.74.0 libboost-system1.74.0 libboost-regex1.74.0
liblog4cplus-2.0.5 liblog4cpp5v5 libavcodec59 libavformat59 libavutil57 libswscale6 libswresample4 libavfilter8
libavcodec58 libavformat58 libavutil56 libx265-199 liblivemedia112 livemedia-utils liblivemedia-dev libsdl2-2.0-0
libopenal1 libcurl3-gnutls libpcre3 libuuid1 libblkid1 libusrsctp2 libwebrtc-audio-processing1 libspeexdsp1 libfaac0
libvo-aacenc0 libmpg123-0 libopencore-amrnb0 libvo-amrwbenc0 libgsm1 libilbc3 libfribidi0 libharfbuzz0b libfontconfig1
libcairo2 libpixman-1-0 libqrencode4 libzxing2 libopencv-core406 libopencv-imgproc406 libglu1-mesa libgl1 libegl1
libgles2 libglew2.2 libglfw3 libicu72 libidn2-0 libnghttp2-14 librtmp1 libcares2 libc-ares2 libzmq5 libnanomsg5 libev4
libuv1 libhiredis0.14 libmosquitto1 libpaho-mqtt1.3 libsoap-lite-perl libgsoap-2.8.124 libexif12 libgif7 libwebp7
libjbig0 liblzma5 libbz2-1.0 liblzo2-2 libsnappy1v5 libbrotli1 libarchive13 libsqlcipher0 libmariadb3 libldap-2.5-0
libsasl2-2 libkrb5-3 libp11-kit0 libgmp10 libnettle8 libsodium23 libmbedcrypto7 libwolfssl35 libunwind8
libgoogle-glog0v6 libgflags2.2 libyaml-cpp0.7 libyaml-0-2 libncurses6 libreadline8 libedit2 libv4l-0
libasound2-plugins libpulse0 libdrm2 qtbase5-dev-tools libqt5core5a libqt5network5 libqt5xml5"

# mirror prints where the machine's own Debian packages come from.
mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep '/debian/$' | sort -u | head -n 1
}

# debian SUITE ARCH FOLDER PACKAGES unpacks packages, or their successors, to FOLDER/SUITE-ARCH/SOURCE.
debian() {
	local d=$peers/apt/$1-$2 out=$3/$1-$2 p f src
	[ ! -e "$out/.done" ] || return 0
	mkdir -p "$d"/{lists/partial,archives/partial,state,debs} "$out"
	touch "$d/state/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${MIRROR:-$(mirror)} $1 main" >"$d/sources.list"
	cat >"$d/apt.conf" <<-EOF
		Dir::State "$d/state"; Dir::State::lists "$d/lists"; Dir::State::status "$d/state/status";
		Dir::Cache "$d"; Dir::Cache::archives "$d/archives";
		Dir::Etc::sourcelist "$d/sources.list"; Dir::Etc::sourceparts "-";
		APT::Sandbox::User "root"; Acquire::Languages "none"; APT::Architecture "$2"; APT::Architectures {"$2";};
	EOF
	export APT_CONFIG=$d/apt.conf
	[ -s "$d/names" ] || { apt-get -qq update && apt-cache pkgnames | LC_ALL=C sort >"$d/names"; }
	for p in $4; do # a library's name ends in its version, which another release has raised
		grep -Fx "$p" "$d/names" || grep -Ex "$(sed -E 's/[-.]?[0-9][0-9.-]*(t64)?$//; s/[.+]/\\&/g' <<<"$p")[-.]?[0-9][0-9.-]*(t64)?" "$d/names" | tail -1 || true
	done >"$d/want"
	(cd "$d/debs" && for p in $(sort -u "$d/want"); do apt-get -qq download "$p" 2>/dev/null || true; done)
	for f in "$d"/debs/*.deb; do
		src=$(dpkg-deb -f "$f" Source | cut -d' ' -f1)
		[ -n "$src" ] || src=$(dpkg-deb -f "$f" Package)
		src=$(sed -E 's/^(lua|python|faad|gnutls)[0-9.]*$/\1/; s/[0-9.]+$//; s/-[0-9.]+$//' <<<"$src")
		mkdir -p "$out/$src"
		dpkg-deb -x "$f" "$out/$src"
	done
	find "$out" -type l -delete
	unset APT_CONFIG
	touch "$out/.done"
}

# clone GROUP OWNER/NAME keeps the newest commit of a repository at vendor/GROUP/OWNER+NAME.
clone() {
	local d=$peers/vendor/$1/${2/\//+}
	[ -d "$d" ] || git clone -q --depth 1 "https://github.com/$2" "$d"
}

libs() { for s in "bookworm armhf" "bookworm amd64" "bookworm arm64" "bookworm armel" "bullseye armhf"; do debian ${s% *} ${s#* } "$peers/bg" "$libraries"; done; }
suites() { for s in "bookworm armhf" "trixie armhf" "bullseye armhf" "bookworm arm64" "bookworm mipsel"; do debian ${s% *} ${s#* } "$peers/debian" "$packages"; done; }
vendors() {
	local r
	for r in stepabogdanov/HikvisionSDK pergolafabio/Hikvision-Addons lkqm/hcnetsdk-java enjoyfan/HCNetSDK; do clone hik $r; done
	for r in faradzhalelov/dahua_net_sdk GeorgeChan95/dahua-sdk-java-demo hysios/dhnetsdk.v2 BotoX/DH_IPC-HX4XXX-Eos; do clone dahua $r; done
	for r in OpenIPC/firmware EliasKotlyar/Xiaomi-Dafang-Hacks w4000/IPcam dennis-tmeinc/dvr ispysoftware/iSpy GainSec/DigitalAlly-ThermoVu-Uniview-Security-Research; do clone other $r; done
	for r in armhf arm64; do [ -d "$peers/vendor/debian-$r" ] || cp -al "$peers/debian/bookworm-$r" "$peers/vendor/debian-$r"; done
}
vendor() { vendors; "$peers/fingerprint" vendor "$peers/vendor" "$@" "$split"; }

o=other/OpenIPC+firmware/general/package
goke=hisilicon=$o/goke-osdrv-gk7205v200,$o/goke-osdrv-gk7205v500
suites
libs
for what in "${@:-debian goke hikvision dahua goke-all}"; do
	for m in $what; do
		echo; echo "## $m, $split"; echo
		case $m in
		debian) "$peers/fingerprint" debian "$peers/debian" "$split" ;;
		# What shares its code stands aside: HiSilicon's other chips, and devices that have them.
		goke) vendor hisilicon=$o/hisilicon-osdrv-hi3516ev200 $goke leave=$o/hisilicon,$o/goke,$o/legacy,other/GainSec,dahua/BotoX ;;
		goke-all) vendor hisilicon=$o/hisilicon-osdrv $goke leave=$o/goke,$o/legacy,other/GainSec,dahua/BotoX ;;
		hikvision) vendor hikvision=hik/stepabogdanov+HikvisionSDK,hik/enjoyfan+HCNetSDK hikvision=hik/pergolafabio+Hikvision-Addons,hik/lkqm+hcnetsdk-java leave=other/ispysoftware,other/dennis ;;
		dahua) vendor dahua=dahua/faradzhalelov+dahua_net_sdk dahua=dahua/GeorgeChan95+dahua-sdk-java-demo,dahua/hysios+dhnetsdk.v2 leave=other/ispysoftware,dahua/BotoX,other/dennis ;;
		*) echo "no measurement $m" >&2; exit 64 ;;
		esac
	done
done
