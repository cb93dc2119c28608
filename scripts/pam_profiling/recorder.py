# SPDX-License-Identifier: GPL-2.0
"""perf record of one process, held back until it is told to begin.

perf is the only program here that may need privilege: it runs directly where
that is allowed, else through `sudo -n`. It is steered through two FIFOs
(`--control fifo:`), since a perf that runs as root cannot be signalled by us.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import time

from .messages import ProfilingError
from .process import process_cpu_seconds

FREQUENCY_HZ = 99
DUMP_BYTES = 65528
# One busy core fills 99 dumps of 64 KiB a second; pyframes reserves its side
# file, and PAM writes logs.
BYTES_PER_SECOND = 8 << 20
BYTES_BESIDES = 64 << 20
RING_BUFFER = "4M"
SMALL_RING_BUFFER = "512K"


def record_options(ring_buffer=RING_BUFFER):
    """What is recorded, as options of perf record.

    -N: no build-id cache, it would copy every file at the end. The clock is
    the one that pyframes stamps its records with. The dump size is the
    largest that the kernel takes: uvloop and FastAPI stacks are deep.
    """
    return ["-N", "-m", ring_buffer, "-k", "CLOCK_MONOTONIC",
            "--sample-identifier", "-e", "cpu-clock", "-F",
            str(FREQUENCY_HZ), "--call-graph", f"dwarf,{DUMP_BYTES}"]


class Permission:
    """How perf may be run here.

    prefix      [] or ["sudo", "-n"]
    options     options of perf record that were tried and work
    kernel      True when kernel frames are recorded too
    """

    def __init__(self, perf, prefix, options, kernel):
        self.perf = perf
        self.prefix = prefix
        self.options = options
        self.kernel = kernel


def find_permission(folder):
    """Try a recording of `true` in the ways that are open to this user.

    Returns (Permission, None), or (None, a sentence with the remedy).
    `folder` takes the trial's file.
    """
    perf = shutil.which("perf")
    if perf is None:
        return None, ("perf is not installed: apt-get install linux-perf "
                      "(Debian, Raspberry Pi OS) or linux-tools-$(uname -r) "
                      "(Ubuntu).")
    attempts = [([], RING_BUFFER)]
    if os.geteuid() != 0:
        if shutil.which("sudo"):
            attempts.append((["sudo", "-n"], RING_BUFFER))
        attempts.append(([], SMALL_RING_BUFFER))
    best = None
    refusal = ""
    for prefix, ring_buffer in attempts:
        permission, words = _try(perf, prefix, ring_buffer, folder)
        if permission and permission.kernel:
            return permission, None
        best = best or permission
        refusal = refusal or words
    if best:
        return best, None
    return None, _permission_remedy(refusal)


def _try(perf, prefix, ring_buffer, folder):
    """One trial: (Permission, "") or (None, perf's words)."""
    trial = os.path.join(folder, "trial.data")
    options = record_options(ring_buffer)
    command = [*prefix, perf, "record", *options, "-o", trial, "--", "true"]
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=20, check=False,
            start_new_session=True)  # as the recording: sudo asks per terminal
        if result.returncode != 0 or not os.path.exists(trial):
            return None, result.stderr
        kernel = bool(prefix or os.geteuid() == 0
                      or _records_kernel(perf, trial))
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    finally:
        if os.path.exists(trial):
            os.unlink(trial)
    return Permission(perf, prefix, options, kernel), ""


def _records_kernel(perf, data):
    """False when perf fell back to `cpu-clock:u`, user space only."""
    events = subprocess.run(
        [perf, "evlist", "-i", data], capture_output=True,
        stdin=subprocess.DEVNULL, text=True, timeout=20, check=False)
    return re.search(r"^cpu-clock:\w*u", events.stdout, re.MULTILINE) is None


def _permission_remedy(words):
    """One sentence for the kernel's refusal."""
    paranoid = read_line("/proc/sys/kernel/perf_event_paranoid") or "unknown"
    if paranoid.lstrip("-").isdigit() and int(paranoid) > 1:
        return ("perf may not watch processes here (perf_event_paranoid is "
                f"{paranoid}): run this with sudo, or allow it until the next "
                "boot with: sudo sysctl kernel.perf_event_paranoid=1")
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    reason = lines[0][:100] if lines else "no reason given"
    return (f"perf could not record a trial ({reason}): in a container allow "
            "perf_event_open (--cap-add PERFMON), else run this with sudo.")


def read_line(path):
    """First line of a small file without its end; None when unreadable."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.readline().rstrip("\n\0")
    except OSError:
        return None


class Recorder:
    """One perf record: start(), enable(), then stop().

    `folder` takes perf.data, perf.log and the two FIFOs.
    """

    def __init__(self, permission, folder, children):
        self.permission = permission
        self.data = os.path.join(folder, "perf.data")
        self.log = os.path.join(folder, "perf.log")
        self.children = children
        self.child = None
        self._fifos = [os.path.join(folder, name)
                       for name in ("perf.ctl", "perf.ack")]
        self._control = self._answers = -1

    def start(self, pid, stop):
        """Start perf on `pid`, disabled, and wait until it answers.

        To be called when the process is healthy, not before: with -p and
        -D -1 perf's tracking event is disabled too (perf 6.1: attr.disabled
        with enable_on_exec), so a library mapped or a thread begun between
        perf's start and its `enable` is in no record, and the frames in it
        get no name. Started late, perf reads all of them from /proc.

        Raises ProfilingError when perf does not come up within 15 s.
        """
        for path in self._fifos:
            os.mkfifo(path, 0o600)
        self._control, self._answers = [
            os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            for path in self._fifos]
        command = [*self.permission.prefix, self.permission.perf, "record",
                   "-D", "-1", "--control", "fifo:" + ",".join(self._fifos),
                   *self.permission.options, "-p", str(pid), "-o", self.data]
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

    def cpu_seconds(self):
        """CPU time that perf has used so far, in seconds."""
        pid = self.child.pid
        if self.permission.prefix:
            children = read_line(f"/proc/{pid}/task/{pid}/children") or ""
            pid = int(children.split()[0]) if children.split() else pid
        return process_cpu_seconds(pid)

    def stop(self, user):
        """End the recording; perf.data written through sudo becomes ours.

        Returns a sentence when it failed, else "".
        """
        if self.child is None:
            return ""
        if self.child.is_running():
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
                 f"{user.uid}:{user.gid}", self.data],
                stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if status in (0, -signal.SIGINT, -signal.SIGTERM):
            return ""
        return self.obituary()

    def obituary(self):
        """One sentence about a perf that has ended by itself."""
        words = self.child.last_words() or "it said nothing"
        remedy = ("free some space" if "No space left" in words
                  else f"read {self.log}")
        return f"perf ended by itself ({words}): {remedy}."
