# SPDX-License-Identifier: GPL-2.0
"""CPU and memory of what is recorded, over time, for the report.

A look a second at two small files of each process: of the recording's time, not
of its threads. Where monitor_pam.py watches the same process all the while,
and writes into the same folder, its looks are taken instead.
"""

import csv
import datetime
import glob
import io
import os
import stat
import time

from . import snapshots
from .messages import say

INTERVAL_S = 1.0
# A worker that starts later is found this much later.
FAMILY_INTERVAL_S = 10.0
MOST_LOOKS = 1000
# Of the recording, that a monitor has to know.
LEAST_COVERED = 0.75
# Of the end of a table: some 18 hours of looks.
MOST_BYTES = 4 << 20
# More than any machine has: what is beyond is no figure of ours.
MOST_PERCENT = 1e6
MOST_MB = 1e9
MOST_TID = 1 << 22
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
        self._end = None
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
        # A process that is new here may have begun long before the last look.
        spent = sum(value - self._used.get(process, value)
                    for process, value in used.items())
        self._time, self._used = now, used
        memory = sum(resident_bytes(pid) for pid, _ in used)
        if memory:
            self._looks.append(look(now, 100 * spent / seconds, memory))
        if len(self._looks) > MOST_LOOKS:
            self._thin()

    def _thin(self):
        """Two looks become one, with their CPU and the larger memory.

        An odd last one stays as it is.
        """
        old, self._looks = self._looks, []
        begin = self._begin
        for first, second in zip(old[::2], old[1::2]):
            self._looks.append(joined(begin, first, second))
            begin = second["time_ns"]
        self._looks += old[len(self._looks) * 2:]
        self._interval_s *= 2

    def _cpu_seconds(self):
        """(pid, start) -> CPU time of a process so far, ended threads included."""
        used = {}
        for pid in self._family:
            fields = snapshots.stat_fields(f"/proc/{pid}/stat")
            if fields:
                used[pid, fields[19]] = (int(fields[11]) + int(fields[12])) * TICK_S
        return used

    def end(self):
        """The recording ends now."""
        self._end = now_ns()

    def own_looks(self):
        return self._looks

    def looks(self):
        """What `FILE.threads.json` has under "usage"; docs/recording.md."""
        if self.monitors:
            end = self._end or now_ns()
            theirs = monitor_looks(self.monitors, set(self._family),
                                   self._begin, end)
            if theirs and (theirs[-1]["time_ns"] - theirs[0]["time_ns"]
                           >= LEAST_COVERED * (end - self._begin)):
                return theirs
        return self._looks


def look(time_ns, cpu_percent, memory_bytes):
    return {"time_ns": time_ns, "cpu_percent": round(cpu_percent, 2),
            "memory_bytes": memory_bytes}


def joined(begin_ns, first, second):
    """One look of two that follow each other from a moment on."""
    middle, end = first["time_ns"], second["time_ns"]
    spent = (first["cpu_percent"] * (middle - begin_ns)
             + second["cpu_percent"] * (end - middle))
    return look(end, spent / (end - begin_ns),
                max(first["memory_bytes"], second["memory_bytes"]))


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def resident_bytes(pid):
    """Resident memory of a process; 0 when it is gone."""
    words = (snapshots.read_text(f"/proc/{pid}/statm") or "").split()
    return int(words[1]) * PAGE_BYTES if len(words) > 1 else 0


def monitor_looks(folder, pids, begin_ns, end_ns):
    """Looks of the monitor that tells most of a process between two moments.

    Its tables tell wall-clock times; CLOCK_MONOTONIC is what a capture has.
    Those that were last written before are not read.
    """
    offset = now_ns() - time.time_ns()
    best = []
    for path in sorted(glob.glob(os.path.join(glob.escape(folder),
                                              "pam_*_cpu.csv"))):
        try:
            if os.lstat(path).st_mtime_ns + offset < begin_ns:
                continue
            found = table_looks(path, pids, offset)
        except Exception as error:  # whatever is in it, the recording is whole
            say(f"  {path!r} is left out, since it is no table of "
                f"monitor_pam.py ({' '.join(str(error).split())[:100]}).")
            continue
        found = [one for one in found if begin_ns <= one["time_ns"] <= end_ns]
        best = max(best, found, key=len)
    return best[-MOST_LOOKS:]


def table_looks(path, pids, offset):
    """The looks of one monitor; none when it watches other processes.

    Raises OSError, ValueError, csv.Error and others.
    """
    threads = path[:-len("_cpu.csv")] + "_threads.csv"
    if not any(figure(row, "tid", MOST_TID) in pids for row in rows(threads)):
        return []
    return [look(wall_ns(row["timestamp"]) + offset,
                 figure(row, "cpu_percent", MOST_PERCENT),
                 round(figure(row, "memory_mb", MOST_MB) * 1e6))
            for row in rows(path)]


def figure(row, column, most):
    """A number from 0 to `most`; raises ValueError when it is none."""
    value = float(row.get(column) or "nan")
    if not 0 <= value <= most:
        raise ValueError(f"{column} is {row.get(column)!r}")
    return value


def wall_ns(text):
    """A moment as monitor_pam.py writes it, in ns since 1970."""
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1e9)


def rows(path):
    """The rows at the end of a table, as dictionaries.

    It may be anybody's, and we may be root: only a regular file is read, no
    link is followed. A line that is half written is left out. Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
                     | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise OSError("it is not a regular file")
        names = file.readline(MOST_BYTES)
        if info.st_size - MOST_BYTES > file.tell():
            file.seek(info.st_size - MOST_BYTES)
            file.readline(MOST_BYTES)
        lines = file.read(MOST_BYTES).rpartition(b"\n")[0]
    text = (names + lines).decode("utf-8", "replace")
    yield from csv.DictReader(io.StringIO(text, newline=""))
