#!/bin/sh
# Builds hello-cam.sqlite.gz, the database of one made-up package. Needs the Debian package rpm, 4.18.
set -eu
cd "$(dirname "$0")"
here=$PWD
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cat > "$top/a.spec" <<'S'
Name: hello-cam
Version: 1.2.3
Release: 4
Epoch: 1
Summary: made up
License: MIT
Vendor: Nobody
BuildArch: noarch
%description
made up
%install
mkdir -p %{buildroot}/usr/bin; echo hello > %{buildroot}/usr/bin/hello
%files
/usr/bin/hello
S
rpmbuild --quiet -bb --define "_topdir $top/b" "$top/a.spec"
mkdir "$top/root"
rpm --root "$top/root" --dbpath /db --define '_db_backend sqlite' --initdb
rpm --root "$top/root" --dbpath /db --define '_db_backend sqlite' -i --nodeps "$top"/b/RPMS/noarch/*.rpm
gzip -9 -n -c "$top/root/db/rpmdb.sqlite" > "$here/hello-cam.sqlite.gz"
