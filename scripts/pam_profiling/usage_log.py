# SPDX-License-Identifier: GPL-2.0
"""CPU and memory of what is recorded, over time, for the report.

A look a second at two small files of each process: of the recording's time, not
of its threads. Where monitor_pam.py watches the same process all the while,
and writes into the same folder, its looks are taken instead.
"""

import csv
import datetime
import glob
import os
import stat
import time

from . import snapshots

INTERVAL_S = 1.0
# A worker that starts later is found this much later.
FAMILY_INTERVAL_S = 10.0
MOST_LOOKS = 1000
# Of the recording, that a monitor has to know.
LEAST_COVERED = 0.75
MOST_BYTES = 16 << 20
TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class UsageLog:
    """Looks at processes and their descendants again and again.

    pids      the first of them
    monitors  folder in which monitor_pam.py may write tables, or None
    """

    def __init__(self, pids, monitors=None):
        self.pids = pids
        self.monitors = monitors
        self._family = snapshots.family(pids)
        self._family_time = self._time = self._begin = now_ns()
        self._used = self._cpu_seconds()
        self._looks = []
        self._interval_s = INTERVAL_S

    def note(self):
        """Take a look, if the last one is long enough ago."""
        now = now_ns()
        seconds = (now - self._time) / 1e9
        if seconds < self._interval_s:
            return
        if (now - self._family_time) / 1e9 >= FAMILY_INTERVAL_S:
            self._family, self._family_time = snapshots.family(self.pids), now
        used = self._cpu_seconds()
        spent = sum(value - self._used.get(pid, 0.0)
                    for pid, value in used.items())
        self._time, self._used = now, used
        memory = sum(resident_bytes(pid) for pid in used)
        if memory:
            self._looks.append(look(now, 100 * spent / seconds, memory))
        if len(self._looks) > MOST_LOOKS:
            self._thin()

    def _thin(self):
        """Two looks become one, with their mean CPU and the larger memory."""
        pairs = zip(self._looks[::2], self._looks[1::2])
        self._looks = [
            look(second["time_ns"],
                 (first["cpu_percent"] + second["cpu_percent"]) / 2,
                 max(first["memory_bytes"], second["memory_bytes"]))
            for first, second in pairs]
        self._interval_s *= 2

    def _cpu_seconds(self):
        """pid -> CPU time of a process so far, its ended threads included."""
        used = {}
        for pid in self._family:
            fields = snapshots.stat_fields(f"/proc/{pid}/stat")
            if fields:
                used[pid] = (int(fields[11]) + int(fields[12])) * TICK_S
        return used

    def looks(self):
        """What `FILE.threads.json` has under "usage"; docs/recording.md."""
        if self.monitors:
            now = now_ns()
            theirs = monitor_looks(self.monitors, set(self._family),
                                   self._begin, now)
            if theirs and (theirs[-1]["time_ns"] - theirs[0]["time_ns"]
                           >= LEAST_COVERED * (now - self._begin)):
                return theirs
        return self._looks


def look(time_ns, cpu_percent, memory_bytes):
    return {"time_ns": time_ns, "cpu_percent": round(cpu_percent, 2),
            "memory_bytes": memory_bytes}


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def resident_bytes(pid):
    """Resident memory of a process; 0 when it is gone."""
    words = (snapshots.read_text(f"/proc/{pid}/statm") or "").split()
    return int(words[1]) * PAGE_BYTES if len(words) > 1 else 0


def monitor_looks(folder, pids, begin_ns, end_ns):
    """Looks of the monitor that tells most of a process between two moments.

    Its tables tell wall-clock times; CLOCK_MONOTONIC is what a capture has.
    """
    offset = now_ns() - time.time_ns()
    best = []
    for path in sorted(glob.glob(os.path.join(glob.escape(folder),
                                              "pam_*_cpu.csv"))):
        threads = path[:-len("_cpu.csv")] + "_threads.csv"
        try:
            if not pids & {int(row["tid"]) for row in rows(threads)}:
                continue
            found = [look(wall_ns(row["timestamp"]) + offset,
                          float(row["cpu_percent"]),
                          int(float(row["memory_mb"]) * 1e6))
                     for row in rows(path)]
        except (OSError, KeyError, TypeError, ValueError):
            continue  # not a table of ours, or its last line is half written
        found = [one for one in found if begin_ns <= one["time_ns"] <= end_ns]
        best = max(best, found, key=len)
    return best[-MOST_LOOKS:]


def wall_ns(text):
    """A moment as monitor_pam.py writes it, in ns since 1970."""
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1e9)


def rows(path):
    """The rows of a table as dictionaries.

    It may be anybody's, and we may be root: only a regular file is read, no
    link is followed. Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
                     | os.O_CLOEXEC)
    with open(handle, newline="", encoding="utf-8", errors="replace") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > MOST_BYTES:
            raise OSError(f"{path} is no table")
        return list(csv.DictReader(file))
