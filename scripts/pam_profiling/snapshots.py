# SPDX-License-Identifier: GPL-2.0
"""What every thread was doing when a recording began and when it ended.

A thread that sleeps through the whole capture is in none of its records, and
of a wait that began earlier only the end is. /proc knows both. What was read
goes into `<capture>.threads.json`, beside the capture; docs/recording.md
describes it. What cannot be read (another user's thread, one that has just
ended, a kernel built without it) is left out.
"""

import glob
import json
import os
import re
import time

VERSION = 1
SUFFIX = ".threads.json"
START, END = "start", "end"
STACK_FRAMES = 64


def family(pids):
    """These processes and all that descend from them, in order of pid."""
    children = {}
    for name in os.listdir("/proc"):
        fields = stat_fields(f"/proc/{name}/stat") if name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
    found, left = set(), list(pids)
    while left:
        pid = left.pop()
        if pid not in found:
            found.add(pid)
            left += children.get(pid, [])
    return sorted(found)


def stat_fields(path):
    """Fields of a stat file from the state on, or None when it is gone."""
    text = read_text(path)
    return text.rpartition(")")[2].split() if text else None


def read_text(path):
    """What a small file holds; None when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return None


def read_thread(pid, tid):
    """What /proc says about a thread; only what could be read."""
    folder = f"/proc/{pid}/task/{tid}"
    fields = stat_fields(f"{folder}/stat")
    status = read_text(f"{folder}/status") or ""
    thread = {"pid": pid, "tid": tid,
              "time_ns": time.clock_gettime_ns(time.CLOCK_MONOTONIC)}
    thread.update(
        comm=stripped(f"{folder}/comm"),
        state=fields[0] if fields else None,
        schedstat=numbers(f"{folder}/schedstat"),
        syscall=stripped(f"{folder}/syscall"),
        wchan=wait_channel(f"{folder}/wchan"),
        stack=kernel_stack(f"{folder}/stack"),
        voluntary=switches(status, "voluntary"),
        involuntary=switches(status, "nonvoluntary"),
        start_ticks=int(fields[19]) if fields else None)
    return {key: value for key, value in thread.items() if value is not None}


def stripped(path):
    text = read_text(path)
    return text.strip() if text else None


def numbers(path):
    """The numbers in a file, or None."""
    text = read_text(path) or ""
    return [int(word) for word in text.split()] or None


def wait_channel(path):
    """The kernel function that a thread waits in; "0" means none is told."""
    text = stripped(path)
    return None if text == "0" else text


def kernel_stack(path):
    """Names of the kernel's functions, leaf first, or None."""
    lines = (read_text(path) or "").splitlines()
    names = [re.sub(r"^\[<[0-9a-f]+>\] |\+0x.*$", "", line)
             for line in lines[:STACK_FRAMES]]
    return names or None


def switches(status, kind):
    """A count of context switches in the text of a status file, or None."""
    found = re.search(rf"^{kind}_ctxt_switches:\s*(\d+)", status, re.MULTILINE)
    return int(found.group(1)) if found else None


def machine(pid):
    """What the machine has its part in; only what could be read.

    Throttled periods and time are of the process's control group.
    """
    found = dict(zip(("throttled_periods", "throttled_us"), throttling(pid)))
    found["swapped_in_pages"] = counter("/proc/vmstat", "pswpin")
    found["swapped_out_pages"] = counter("/proc/vmstat", "pswpout")
    found["mhz"] = mean_mhz("scaling_cur_freq")
    found["max_mhz"] = mean_mhz("cpuinfo_max_freq")
    return {key: value for key, value in found.items() if value is not None}


def throttling(pid):
    """How often, and for how many us, a process's control group stood still.

    None for each that is not counted: in version 2 without a CPU controller,
    and in the root.
    """
    groups = read_text(f"/proc/{pid}/cgroup") or ""
    for controllers, path in re.findall(r"^\d+:(.*?):/(.*)$", groups,
                                        re.MULTILINE):
        folder = f"/sys/fs/cgroup/{controllers}/{path}/cpu.stat"
        if "cpu" in controllers.split(","):
            taken_ns = counter(folder, "throttled_time")
            return (counter(folder, "nr_throttled"),
                    None if taken_ns is None else taken_ns // 1000)
        if not controllers and counter(folder, "nr_throttled") is not None:
            return (counter(folder, "nr_throttled"),
                    counter(folder, "throttled_usec"))
    return None, None


def counter(path, name):
    """The number behind a name in a file of such lines, or None."""
    found = re.search(rf"^{name} (\d+)$", read_text(path) or "", re.MULTILINE)
    return int(found.group(1)) if found else None


def mean_mhz(name):
    """The mean of a cpufreq file, in kHz, over all CPUs; None: there is none."""
    values = [numbers(path) for path in glob.glob(
        f"/sys/devices/system/cpu/cpu[0-9]*/cpufreq/{name}")]
    known = [value[0] for value in values if value]
    return sum(known) // len(known) // 1000 if known else None


def take(pids, when):
    """A snapshot of all threads of these processes and their descendants."""
    threads = []
    begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    for pid in family(pids):
        try:
            tids = sorted(int(tid) for tid in os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue
        threads += [read_thread(pid, tid) for tid in tids]
    return {"when": when, "time_ns": begin,
            "machine": machine(pids[0]) if pids else {},
            "threads": [thread for thread in threads if "comm" in thread]}


def write(capture, snapshots, usage=(), scenario=None):
    """Write the snapshots beside the capture; returns the file's path.

    usage     what the processes used over time, as usage_log.UsageLog has it
    scenario  what they did meanwhile, if it has a name

    For its owner's eyes, as perf.data is: it tells where the kernel's
    functions and the threads' stacks lie.
    """
    path = capture + SUFFIX
    content = {"version": VERSION, "snapshots": snapshots, "usage": list(usage)}
    if scenario:
        content["scenario"] = scenario
    text = json.dumps(content, indent=1, allow_nan=False)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
    return path
