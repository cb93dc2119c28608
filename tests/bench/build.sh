#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Link a measuring program with the archive that lies beside the program under test:
#     tests/bench/build.sh PERFCONV SOURCE OUTPUT
set -e
root=$(cd "$(dirname "$0")/../.." && pwd)
packages=$(sed -n 's/^PACKAGES := //p' "$root/Makefile")
# shellcheck disable=SC2046,SC2086 # words
exec cc -std=gnu11 -D_GNU_SOURCE -O2 -iquote "$root" -o "$3" "$2" "$(dirname "$1")/libperfconv.a" \
	-Wl,--as-needed $(pkg-config --libs $packages) -liberty -lm
