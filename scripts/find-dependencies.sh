#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# find-dependencies.sh - say in one sentence what perfconv's build lacks.
#
#   CC=... PKG_CONFIG=... LIBPERF_DIR=... scripts/find-dependencies.sh PACKAGE...
#
# PACKAGE is a pkg-config name.  Exit status 0: all found; 1: not.
set -eu

missing=
debian=

lacks()
{
	missing="$missing${missing:+, }$1"
	debian="$debian $2"
}

debian_name()
{
	case $1 in
	libdw) echo libdw-dev ;;
	libelf) echo libelf-dev ;;
	liblzma) echo liblzma-dev ;;
	libtraceevent) echo libtraceevent-dev ;;
	libzstd) echo libzstd-dev ;;
	zlib) echo zlib1g-dev ;;
	jansson) echo libjansson-dev ;;
	cmocka) echo libcmocka-dev ;;
	*) echo "$1-dev" ;;
	esac
}

has_header()
{
	printf '#include <%s>\n' "$1" | $CC -E -x c - >/dev/null 2>&1
}

: "${CC:=gcc}" "${PKG_CONFIG:=pkg-config}"

if ! command -v "${CC%% *}" >/dev/null; then
	lacks "the compiler $CC" "${CC%% *} libc6-dev libiberty-dev"
elif ! has_header stdio.h; then
	lacks "the C library's headers" libc6-dev
elif ! has_header libiberty/demangle.h; then
	lacks libiberty libiberty-dev
fi

if ! command -v "${PKG_CONFIG%% *}" >/dev/null; then
	lacks pkg-config pkg-config
	for package; do
		debian="$debian $(debian_name "$package")"
	done
else
	for package; do
		$PKG_CONFIG --exists "$package" || lacks "$package" "$(debian_name "$package")"
	done
fi

if [ -n "$missing" ]; then
	echo "perfconv needs $missing: run 'make setup', or on Debian: apt-get install$debian" >&2
	exit 1
fi
if [ -z "${LIBPERF_DIR-}" ] && ! $PKG_CONFIG --exists libperf; then
	echo "perfconv needs libperf, which pkg-config does not know: leave LIBPERF_DIR unset to" \
		"build it from Debian's kernel source, or name the prefix of one" >&2
	exit 1
fi
