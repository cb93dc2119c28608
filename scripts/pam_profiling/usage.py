# SPDX-License-Identifier: GPL-2.0
"""CPU time and memory of running processes, by thread, read from /proc.

100 % of CPU is one core. A thread's time is the scheduler's, in nanoseconds; of
a thread that ends between two looks the rest is not seen.
"""

import json
import os
import subprocess
import time

from . import find_pam, snapshots
from .attach import ProcessUser
from .process import read_line
from .usage_log import resident_bytes

NAMES_S = 5.0
# Between two questions for names: each one interrupts PAM's main thread.
NAMES_INTERVAL_S = 30.0


class Sample:
    """One look.

    elapsed_s      since the first look
    cpu_percent    of all threads, since the look before
    memory_bytes   resident, of all processes
    threads        (tid, name) -> CPU in percent
    """

    def __init__(self, elapsed_s, threads, memory_bytes):
        self.elapsed_s = elapsed_s
        self.threads = threads
        self.cpu_percent = sum(threads.values())
        self.memory_bytes = memory_bytes
        self.time = time.time()


class Usage:
    """Looks at a process and its descendants again and again.

    pid     their first
    names   ThreadNames
    """

    def __init__(self, pid, names):
        self.pid = pid
        self.names = names
        self._started = find_pam.started(pid)
        self._begin = self._last = time.monotonic()
        self._used = self._read()

    def is_running(self):
        return find_pam.started(self.pid) == self._started

    def look(self):
        """A Sample of what was used since the last look."""
        now, used = time.monotonic(), self._read()
        seconds = max(1e-6, now - self._last)
        names = self.names.of({tid: pid for pid, tid in used})
        threads = {
            (tid, names[tid]): 100e-9 * max(
                0, nanoseconds - self._used.get((pid, tid), 0)) / seconds
            for (pid, tid), nanoseconds in used.items()}
        self._last, self._used = now, used
        memory = sum(resident_bytes(pid) for pid in {pid for pid, _ in used})
        return Sample(now - self._begin, threads, memory)

    def _read(self):
        """(pid, tid) -> CPU time in ns since the thread began."""
        used = {}
        for pid in snapshots.family([self.pid]):
            try:
                tids = os.listdir(f"/proc/{pid}/task")
            except OSError:
                continue
            for tid in tids:
                words = (read_line(f"/proc/{pid}/task/{tid}/schedstat")
                         or "").split()
                if words:
                    used[pid, int(tid)] = int(words[0])
        return used


class ThreadNames:
    """What Python calls the threads of a process.

    Before CPython 3.14 the kernel knows none of these names. pyframes gives
    them to it while it is active; its agent is asked for them while it sleeps.
    """

    def __init__(self, pid):
        self.pid = pid
        self._python = find_pam.python_of(pid)
        self._known = {}
        self._asked = None

    def of(self, tids):
        """tid -> name for each of the tids, given as {tid: pid}."""
        if set(tids) - set(self._known) and self._may_ask():
            self._known.update(dict.fromkeys(tids))
            self._known.update(self._ask())
        main = read_line(f"/proc/{self.pid}/comm")
        names = {}
        for tid, pid in tids.items():
            comm = read_line(f"/proc/{pid}/task/{tid}/comm") or "?"
            if tid == self.pid:
                names[tid] = "MainThread"
            elif comm != main:
                names[tid] = self._known.get(tid) or comm
            else:
                names[tid] = self._known.get(tid) or f"{comm} (tid {tid})"
        return names

    def _may_ask(self):
        now = time.monotonic()
        if self._asked is not None and now - self._asked < NAMES_INTERVAL_S:
            return False
        self._asked = now
        return self._python is not None

    def _ask(self):
        """tid -> name, as pyframes' agent tells; {} where there is none."""
        try:
            result = subprocess.run(
                [self._python, "-m", "pyframes", "dump", "--json",
                 str(self.pid)], stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=NAMES_S, cwd="/",
                env=dict(find_pam.environment(self.pid), PYFRAMES="0"),
                check=False, **ProcessUser(self.pid).popen_options())
            return {int(stack["tid"]): str(stack["name"])
                    for stack in json.loads(result.stdout)
                    if stack.get("tid") and stack.get("name")}
        except (OSError, ValueError, KeyError, TypeError, AttributeError,
                subprocess.TimeoutExpired):
            return {}


def memory_bytes():
    """Memory of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
