#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# record.sh - make tests/files anew: needs perf, gcc and Debian's python3.11.
#
# The goldens follow: tests/golden/run.py --update, and look at the difference.
set -eu

recipes=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$recipes/../../.." && pwd)
files=$recipes/..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

gcc -O2 -g0 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -static -pthread \
	-o threads "$recipes/threads.c"
perf record -q -e cpu-clock:u -c 2000000 -k CLOCK_MONOTONIC --call-graph fp -o c.data ./threads
python3 "$recipes/portable.py" c.data "$files/good-c-threads.data"

/usr/bin/python3.11 -m venv venv
venv/bin/pip install -q "$root/pyframes"
cp "$recipes/threads.py" .
mkdir side
PYFRAMES_DIR=$work/side PYFRAMES_SLOTS=192 PYFRAMES_SNAPSHOTS=0 PYFRAMES_STEPS=0 \
	perf record -q -e cpu-clock:u -c 3000000 -k CLOCK_MONOTONIC --call-graph dwarf,65528 \
	-o python.data venv/bin/python threads.py
python3 "$recipes/portable.py" python.data "$files/good-python-threads.data"

cp "$recipes/waits.py" .
PYFRAMES_DIR=$work/side PYFRAMES_SLOTS=64 PYFRAMES_STEPS=0 \
	perf record -q -N -m 4M -k CLOCK_MONOTONIC --sample-identifier --switch-events \
	-e cpu-clock/freq=99,call-graph=dwarf,stack-size=65528/ \
	-e context-switches/freq=99,call-graph=dwarf,stack-size=65528/ \
	-e sched:sched_switch/call-graph=fp/ \
	--user-regs=ax,bx,cx,dx,si,di,bp,sp,ip,r8,r9,r10,r11,r12,r13,r14,r15 \
	-o waits.data venv/bin/python waits.py
python3 "$recipes/portable_waits.py" waits.data "$files/good-waits.data"

rm -f "$files"/pyframes-*
cp side/* "$files"

# pyframes makes its file as large as it may ever get; what is used is at offset 32.
for side in "$files"/pyframes-*.side; do
	used=$(od -A n -t u8 -j 32 -N 8 "$side")
	truncate -s "$((used))" "$side"
done
chmod 644 "$files"/pyframes-*
ls -l "$files"
