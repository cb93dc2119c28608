#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Record xperf.py on CPythons with trampolines of their own:
#
#     tests/files/recipes/xperf.sh PYTHON3.12 PYTHON3.13
#
# Makes good-xperf-*.data with their perf maps and jitdump, and skeletons of the
# ELF files in skeletons/.  tests/cli/run.py says what they hold.
set -eu
recipes=$(cd "$(dirname "$0")" && pwd)
files=$recipes/..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$recipes/xperf.py" "$work"
cd "$work"

# Names in the files come from here, not from where the Pythons are installed.
ln -s "$(dirname "$(dirname "$1")")" python3.12
ln -s "$(dirname "$(dirname "$2")")" python3.13

# NAME PYTHON X-OPTION PERF-OPTIONS...
record() {
	name=$1 python=$2 option=$3
	shift 3
	env -i PATH=/usr/bin:/bin perf record -q -e cpu-clock:u -c 4000000 -k CLOCK_MONOTONIC --no-bpf-event "$@" \
		-o "$name.data" -- "./$python/bin/python3" -S -E -X "$option" xperf.py
}

record dwarf python3.12 perf --call-graph dwarf,8192
record fp python3.12 perf --call-graph fp
record jit python3.13 perf_jit --call-graph dwarf,8192
rm -rf "$files/skeletons" "$files"/perf-*.map "$files"/jit-*.dump
"$recipes/skeleton.py" "$files/skeletons" dwarf.data "$files/good-xperf-dwarf.data" \
	fp.data "$files/good-xperf-fp.data" jit.data "$files/good-xperf-jit.data"

# The maps and the dump are named by pid, which the captures hold.
for capture in dwarf fp jit; do
	for pid in $(perf script -i "$capture.data" -F pid 2>/dev/null | sort -u); do
		for file in "/tmp/perf-$pid.map" "/tmp/jit-$pid.dump"; do
			[ ! -e "$file" ] || mv "$file" "$files"
		done
	done
done
chmod 644 "$files"/perf-*.map "$files"/jit-*.dump
ls -l "$files"/good-xperf-* "$files"/perf-*.map "$files"/jit-*.dump "$files/skeletons"
