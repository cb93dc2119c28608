#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# build-libperf.sh - build libperf, which no Debian package has, from the
# kernel source that Debian packages (linux-source-*).
#
#   scripts/build-libperf.sh DIR [SOURCE]
#
# DIR gets include/perf/*.h, lib/libperf.a and lib/libapi.a.  SOURCE is a kernel
# source archive or an unpacked kernel tree, 5.10 or newer; without it the
# newest /usr/src/linux-source-*.tar.* is taken.  Only tools/ is unpacked.
# DIR/lib/libperf.a appears last and whole, so it can stand for the result.
set -eu

die()
{
	echo "build-libperf: $*" >&2
	exit 1
}

newest_source()
{
	find /usr/src -maxdepth 1 -name 'linux-source-*.tar.*' 2>/dev/null |
		sort -V | tail -n 1
}

# Unpack what tools/lib/perf and tools/lib/api are built from.
unpack()
{
	archive=$1
	into=$2
	case $archive in
	*.xz)
		# Kernel archives have many xz blocks: -T0 uses every core.
		command -v xz >/dev/null || die "xz is missing: install xz-utils, or run 'make setup'"
		xz -T0 -dc "$archive"
		;;
	*) cat "$archive" ;;
	esac | tar -x -f - -C "$into" --strip-components=1 --wildcards \
		'*/tools/arch/*' '*/tools/build/*' '*/tools/include/*' \
		'*/tools/lib/*' '*/tools/scripts/*' ||
		die "$archive does not unpack: reinstall its package, or run 'make setup'"
}

build()
{
	tree=$1
	into=$2
	log=$into/build.log
	[ -f "$tree/tools/lib/perf/Makefile" ] ||
		die "$tree holds no tools/lib/perf: name a kernel source tree of 5.10 or newer"
	mkdir -p "$into/obj" "$into/lib"
	if ! make -C "$tree/tools/lib/perf" O="$into/obj" all install_headers \
		prefix='' DESTDIR="$into" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		die "libperf does not build from $tree: the lines above are the end of make's output"
	fi
	cp "$into/obj/libapi.a" "$into/obj/libperf.a" "$into/lib/"
}

case $# in
1 | 2) ;;
*) die "usage: build-libperf.sh DIR [KERNEL-SOURCE]" ;;
esac
dir=$1
source=${2:-$(newest_source)}
[ -n "$source" ] ||
	die "no kernel source in /usr/src: install linux-source-6.12 or run 'make setup', or name a libperf by LIBPERF_DIR="

# The kernel's makefiles take these from us otherwise.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CFLAGS CPPFLAGS LDFLAGS O V CC SAN || :

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
work=$dir/work.$$
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$work/tree" "$work/out"

if [ -d "$source" ]; then
	build "$source" "$work/out"
else
	[ -r "$source" ] || die "$source cannot be read: name a kernel source archive or tree"
	unpack "$source" "$work/tree"
	build "$work/tree" "$work/out"
fi

mkdir -p "$dir/include" "$dir/lib"
cp -R "$work/out/include/." "$dir/include/"
mv -f "$work/out/lib/libapi.a" "$dir/lib/libapi.a"
mv -f "$work/out/lib/libperf.a" "$dir/lib/libperf.a"
