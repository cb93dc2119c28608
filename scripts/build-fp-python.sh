#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# build-fp-python.sh - build CPython 3.11 with frame pointers from Debian's own
# source package, so that `perf record -g` sees through it.
#
#   scripts/build-fp-python.sh DIR
#
# DIR gets bin/python3.11, lib/libpython3.11.so.1.0 and the standard library.
# Debian's /usr/bin/python3.11 has its interpreter linked in, so putting this
# library before it with LD_LIBRARY_PATH changes nothing there: run
# DIR/bin/python3.11, which knows where its library is.  Extensions built for
# any 3.11 can be loaded.  Needs the network, dpkg-dev, gcc and make; optional
# modules are built for those libraries whose headers are installed.
# DIR/built appears last.
set -eu

RELEASE=bookworm
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
FRAME_POINTERS="-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer"

die()
{
	echo "build-fp-python: $*" >&2
	exit 1
}

# apt with lists of its own: the machine's sources stay as they are.
private_apt()
{
	apt-get -qq -o Dir::Etc::SourceList="$dir/apt/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" \
		-o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 "$@"
}

# Where this machine's own packages of the release come from.
mirror()
{
	# shellcheck disable=SC2016  # apt fills these in
	apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		sed -n "s/^Debian $RELEASE //p" | head -n 1
}

fetch()
{
	uri=$(mirror)
	[ -n "$uri" ] || die "apt knows no source of Debian $RELEASE's packages: run apt-get update"
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/source"
	echo "deb-src [signed-by=$KEYRING] $uri $RELEASE main" >"$dir/apt/sources.list"
	private_apt update || die "apt-get cannot fetch the list of source packages"
	(cd "$dir/source" && private_apt source python3.11) >"$dir/fetch.log" 2>&1 || {
		tail -n 15 "$dir/fetch.log" >&2
		die "apt-get cannot fetch and unpack the source of python3.11"
	}
}

# No PGO and no LTO: both take long, and neither changes who calls whom for perf.
build()
{
	cd "$1"
	./configure --prefix="$dir" --enable-shared --without-ensurepip \
		CFLAGS="-O2 -g $FRAME_POINTERS" LDFLAGS="-Wl,-rpath,$dir/lib"
	make -j"$jobs"
	make install
}

[ $# -eq 1 ] || die "usage: build-fp-python.sh DIR"
command -v dpkg-source >/dev/null || die "dpkg-source is missing: install dpkg-dev"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CFLAGS CPPFLAGS LDFLAGS O V CC SAN || :
mkdir -p "$1"
dir=$(cd "$1" && pwd)
jobs=$(nproc)
[ ! -e "$dir/built" ] || exit 0
case $(uname -m) in
x86_64 | aarch64) ;;
*) FRAME_POINTERS=-fno-omit-frame-pointer ;;
esac

rm -rf "$dir/source" "$dir/apt"
fetch
(build "$dir"/source/python3.11-*/) >"$dir/build.log" 2>&1 || {
	tail -n 20 "$dir/build.log" >&2
	die "python3.11 does not build: the whole log is $dir/build.log"
}
"$dir/bin/python3.11" -c 'import sysconfig' || die "the python that was built does not run"
rm -rf "$dir/source" "$dir/apt"
touch "$dir/built"
