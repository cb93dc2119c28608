# SPDX-License-Identifier: GPL-2.0
"""perf record, held back until it is told to begin.

It is steered through two FIFOs (`--control fifo:`), since a perf that runs as
root cannot be signalled by us.
"""

import os
import select
import signal
import subprocess
import time

from . import perf_data, snapshots
from .messages import ProfilingError, see
from .process import process_cpu_seconds, read_line
from .usage_log import UsageLog

LEAST_FREE_BYTES = 24 << 20


class Recorder:
    """One perf record: start(), enable(), then stop().

    What all threads do when it begins and ends, and what the processes use
    meanwhile, goes beside perf.data (snapshots.py), and pyframes is asked for
    every Python stack.

    data      where perf.data is written
    folder    takes perf.log and the two FIFOs
    user      whose the files become
    stacks    stack_dumps.StackDumps
    monitors  folder in which monitor_pam.py may write its tables, or None
    scenario  what the processes do meanwhile, or None
    """

    def __init__(self, permission, data, folder, children, user, stacks,
                 monitors=None, scenario=None):
        self.permission = permission
        self.data = data
        self.log = os.path.join(folder, "perf.log")
        self.children = children
        self.user = user
        self.stacks = stacks
        self.monitors = monitors
        self.scenario = scenario
        self._usage = None
        self._pids = []
        self._snapshots = []
        self.cpu_used_s = self._cpu_begin_s = 0.0
        self.child = None
        self._fifos = [os.path.join(folder, name)
                       for name in ("perf.ctl", "perf.ack")]
        self._control = self._answers = -1

    def start(self, pids, stop, at_once=False):
        """Start perf on processes, disabled, and wait until it answers.

        To be called when a process is healthy, not before: with -p and
        -D -1 perf's tracking event is disabled too (perf 6.1: attr.disabled
        with enable_on_exec), so a library mapped or a thread begun between
        perf's start and its `enable` is in no record, and the frames in it
        get no name. Started late, perf reads all of them from /proc. A process
        that is held back before its exec is recorded `at_once` instead.

        Raises ProfilingError when perf does not come up within 15 s.
        """
        self._pids = pids
        for path in self._fifos:
            os.mkfifo(path, 0o600)
        self._control, self._answers = [
            os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            for path in self._fifos]
        command = [*self.permission.prefix, self.permission.perf, "record",
                   *([] if at_once else ["-D", "-1"]), "--control", "fifo:" + ",".join(self._fifos),
                   *self.permission.options, "-p",
                   ",".join(str(pid) for pid in pids), "-o", self.data]
        self.child = self.children.start(
            "perf", command, self.log, stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT)
        if not self._command("ping", 15.0, stop) and not stop.count:
            raise ProfilingError(
                f"perf did not come up ({self.child.last_words() or 'silent'})"
                f": try this command by hand: {' '.join(command[:-2])}")

    def enable(self, stop):
        """Begin to record.

        Raises ProfilingError when perf does not confirm within 5 s.
        """
        if not self._command("enable", 5.0, stop) and not stop.count:
            raise ProfilingError(
                "perf did not begin to record "
                f"({self.child.last_words() or 'silent'}): free some CPU and "
                "try again.")
        self._cpu_begin_s = self._cpu_seconds()
        self._usage = UsageLog(self._pids, self.monitors)
        self._look_around(snapshots.START)

    def _look_around(self, when):
        """Take a snapshot of all threads, in /proc and in pyframes.

        Written at once: a recording that is killed keeps the first one.
        """
        self._snapshots.append(snapshots.take(self._pids, when))
        self._write_snapshots(self._usage.own_looks())
        self.stacks.ask(snapshots.family(self._pids))

    def _write_snapshots(self, usage):
        self.user.own(snapshots.write(self.data, self._snapshots, usage,
                                      self.scenario))

    def note_usage(self):
        """Look at what the processes use, now and then."""
        self._usage.note()

    def look_around_last(self):
        """Take the last snapshot now, since the processes are about to end."""
        if len(self._snapshots) == 1:
            self._look_around(snapshots.END)
            self._usage.end()

    def _command(self, word, seconds, stop):
        """Send a control command; True when perf acknowledges it."""
        while select.select([self._answers], [], [], 0)[0]:
            os.read(self._answers, 4096)
        os.write(self._control, word.encode() + b"\n")
        deadline = time.monotonic() + seconds
        while self.child.is_running() and time.monotonic() < deadline:
            if select.select([self._answers], [], [], 0.05)[0]:
                return b"ack" in os.read(self._answers, 4096)
            if stop is not None and stop.count:
                break
        return False

    def is_running(self):
        return self.child is not None and self.child.is_running()

    def bytes_written(self):
        """Size of perf.data so far, in bytes."""
        try:
            return os.stat(self.data).st_size
        except OSError:
            return 0

    def disk_problem(self):
        """A sentence when the disk is nearly full, else "".

        Converting needs room, too, and so does PAM.
        """
        folder = os.path.dirname(self.data)
        try:
            left = os.statvfs(folder)
        except OSError:
            return ""
        free = left.f_bavail * left.f_frsize
        if free >= LEAST_FREE_BYTES:
            return ""
        return (f"The recording ended early, because {folder} has only "
                f"{free >> 20} MB left: free some space, or name another "
                "folder with --output DIR." + see("disk"))

    def measure_cpu(self):
        """CPU seconds that perf has used since it was enabled."""
        self.cpu_used_s = self._cpu_seconds() - self._cpu_begin_s
        return self.cpu_used_s

    def _cpu_seconds(self):
        pid = self.child.pid
        if self.permission.prefix:
            children = read_line(f"/proc/{pid}/task/{pid}/children") or ""
            pid = int(children.split()[0]) if children.split() else pid
        return process_cpu_seconds(pid)

    def count_lost(self):
        """Events that perf had no room for; known when it has ended."""
        return perf_data.count_lost(self.data)

    def larger_buffer(self):
        """Four times the buffer of this recording, as -m takes it."""
        size = self.permission.settings.ring_buffer
        return f"{4 * int(size[:-1])}{size[-1]}"

    def stop(self):
        """End the recording; perf.data written through sudo becomes ours.

        Returns a sentence when it failed, else "".
        """
        if self.child is None:
            return ""
        if self.child.is_running():
            self.look_around_last()
            self._command("disable", 2.0, None)
            self._command("stop", 2.0, None)
            self.child.wait(30.0)
        status = self.children.stop(self.child)
        for descriptor in (self._control, self._answers):
            os.close(descriptor)
        for path in self._fifos:
            os.unlink(path)
        if self.permission.prefix and os.path.exists(self.data):
            subprocess.run(
                [*self.permission.prefix, "chown", "--no-dereference",
                 f"{self.user.uid}:{self.user.gid}", self.data],
                stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if self._usage:
            # A monitor's tables may be long: perf is not to record that.
            self._write_snapshots(self._usage.looks())
        if status in (0, -signal.SIGINT, -signal.SIGTERM):
            return ""
        return self.obituary()

    def obituary(self):
        """One sentence about a perf that has ended by itself."""
        words = self.child.last_words() or "it said nothing"
        remedy = ("free some space" if "No space left" in words
                  else f"read {self.log}")
        return f"perf ended by itself ({words}): {remedy}." + see("perf-ended")
