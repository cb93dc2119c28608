#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Record modes.c in each mode of perf:  tests/files/recipes/modes.sh OUTPUT_FOLDER
#
# Needs perf's full privilege (root) for the system-wide modes; their records of
# other programs are taken out by tidy.py, as is what names the machine.
# shellcheck disable=SC2086  # the options in $each and $user are several words
set -e
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -pthread -o "$scratch/modes" "$here/modes.c"
cd "$scratch"

# NAME MILLISECONDS OPTIONS...
record() {
	name=$1 ms=$2
	shift 2
	env -i PATH="$PATH" perf record -q -o "$name.raw" "$@" -- ./modes "$ms" 2>"$name.log" || {
		echo "$name: cannot be recorded here:" >&2
		cat "$name.log" >&2
		return 1
	}
}

tidy() {
	"$here/tidy.py" "$1.raw" "$out/good-$1.data"
}

each="-e cpu-clock -c 2000000"
record fp 20 $each -g && tidy fp
"$here/../../reader/grow.py" "$out/good-fp.data" "$out/good-no-rounds.data" 1 --no-rounds
record bpf 20 $each -g && tidy bpf
record fp-user 20 -e cpu-clock:u -c 2000000 -g && tidy fp-user
record dwarf 10 $each --call-graph dwarf,1024 && tidy dwarf
record plain 20 $each && tidy plain
record no-buildid 20 $each --no-buildid --no-buildid-cache && tidy no-buildid
record buildid-mmap 20 $each --buildid-mmap && tidy buildid-mmap
record no-inherit 20 $each --no-inherit -g && tidy no-inherit
record clock-monotonic 20 $each -g -k CLOCK_MONOTONIC && tidy clock-monotonic
record switch-events 20 $each -g --switch-events && tidy switch-events
record frequency 20 -e cpu-clock -F 500 -g && tidy frequency
record task-clock 20 -e task-clock -c 2000000 -g && tidy task-clock
record several 20 -e cpu-clock/period=2000000/ -e page-faults/period=20/ \
	-e context-switches/period=1/ -g && tidy several
record group 20 -e '{cpu-clock,task-clock}:S' -c 2000000 -g && tidy group
record per-event-stacks 10 \
	-e cpu-clock/period=4000000,call-graph=dwarf,stack-size=1024/ \
	-e task-clock/period=4000000,call-graph=dwarf,stack-size=256/ \
	-e page-faults/period=20,call-graph=fp/ && tidy per-event-stacks
record namespaces 20 $each --namespaces && tidy namespaces
record all-cpus-sched-switch 20 -a -e cpu-clock/period=2000000/ \
	-e sched:sched_switch -g && tidy all-cpus-sched-switch
record tracepoints 10 -e sched:sched_wakeup -e syscalls:sys_enter_mmap && tidy tracepoints
record data-addr-phys 10 $each -d --phys-data -W --sample-cpu --code-page-size -g &&
	tidy data-addr-phys

# Files that tidy.py cannot rewrite are recorded without the kernel's maps.
user="-e cpu-clock:u -c 4000000 --no-bpf-event"
record compressed 10 $user -g -z && cp compressed.raw "$out/good-compressed.data"
env -i PATH="$PATH" perf record -q $user -g -o - -- ./modes 10 >"$out/good-pipe.data"
env -i PATH="$PATH" perf record -q $user -g -z -o - -- ./modes 10 >"$out/good-pipe-compressed.data"
record threads 10 $user -g --threads && rm -rf "$out/good-threads" &&
	cp -r threads.raw "$out/good-threads"
record switch-output 150 -e cpu-clock:u -c 1000000 -m 1 --no-bpf-event -g --switch-output=8K
n=0
for file in switch-output.raw.*; do
	"$here/tidy.py" "$file" "$out/good-switch-output-$n.data"
	n=$((n + 1))
done
# Killed before it could complete its header.
env -i PATH="$PATH" perf record -q -e cpu-clock:u -c 20000000 -m 1 --no-bpf-event -g \
	-o killed.raw -- ./modes 2000 2>/dev/null &
victim=$!
while [ "$(stat -c %s killed.raw 2>/dev/null || echo 0)" -lt 8000 ]; do sleep 0.05; done
kill -9 $victim
wait $victim 2>/dev/null || true
cp killed.raw "$out/good-killed.data"
