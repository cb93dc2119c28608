# SPDX-License-Identifier: GPL-2.0
"""Children that never outlive us, and the signals that ask us to stop.

Every child gets its own session, so that Ctrl+C on the terminal reaches only
us and we stop things in the right order; SIGINT set back to its default,
since a shell starts background jobs with SIGINT ignored and that would be
inherited; and PR_SET_PDEATHSIG, so that even `kill -9` of us leaves nothing
behind. Children are stopped by their pid, never by name.
"""

import ctypes
import glob
import os
import select
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class StopRequest:
    """Counts SIGINT, SIGTERM and SIGHUP; every wait of ours ends on them.

    Handlers only write to a pipe, so a signal never interrupts the stopping
    of children half way.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self):
        self.count = 0
        self.number = 0
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        os.set_blocking(self._read, False)
        self._previous = {number: signal.signal(number, self._handle)
                          for number in self.SIGNALS}

    def _handle(self, number, _frame):
        self.count += 1
        self.number = number
        try:
            os.write(self._write, b"x")
        except BlockingIOError:
            pass

    def wait(self, seconds):
        """Sleep, at most `seconds`; True as soon as a stop is asked for."""
        if not self.count:
            select.select([self._read], [], [], max(0.0, seconds))
        return self.count > 0

    def release(self):
        """Give the signals back to their previous handlers."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)


class Child:
    """One program that we started; stopped by `stop`, at the latest at exit.

    `name` is what the user calls it, `log` the file its output goes to. With
    `held` the process is there, with its pid, and waits until release() before
    it becomes the program.
    """

    # exec keeps the pid, so that perf can watch before the program begins.
    HOLD = ("/bin/sh", "-c", 'read -r line && exec "$@"', "sh")

    def __init__(self, name, command, log, *, user=None, env=None, cwd=None,
                 stop_signal=signal.SIGTERM, death_signal=signal.SIGTERM,
                 pass_fds=(), held=False):
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        options = user.popen_options() if user else {}
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [*self.HOLD, *command] if held else command,
                stdin=subprocess.PIPE if held else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT, env=env, cwd=cwd,
                pass_fds=pass_fds, start_new_session=True,
                preexec_fn=_child_setup(death_signal), **options)

    @property
    def pid(self):
        return self.process.pid

    def release(self):
        """Let a held process become its program."""
        with self.process.stdin as pipe:
            pipe.write(b"\n")

    def is_running(self):
        return self.process.poll() is None

    def last_words(self, limit=160):
        """The last line of its output that is not blank, at most `limit`."""
        try:
            with open(self.log, "rb") as stream:
                stream.seek(0, os.SEEK_END)
                stream.seek(max(0, stream.tell() - 8192))
                lines = stream.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        lines = [line.strip() for line in lines if line.strip()]
        return lines[-1][:limit] if lines else ""

    def signal(self, number):
        """Send a signal to this process alone; gone already is fine."""
        if self.is_running():
            try:
                self.process.send_signal(number)
            except PermissionError:
                pass

    def wait(self, seconds):
        """True when it has ended within `seconds`."""
        try:
            self.process.wait(timeout=seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self, patience_s=4.0):
        """Stop it: its own signal, twice, SIGTERM, then SIGKILL to its group.

        uvicorn waits for requests that are being answered until it is told
        again.

        Returns the exit status as subprocess gives it (negative: a signal).
        """
        if self.is_running():
            for number in (self.stop_signal, self.stop_signal,
                           signal.SIGTERM):
                self.signal(number)
                if self.wait(patience_s):
                    break
            else:
                self._kill_group()
        return self.process.returncode

    def _kill_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.wait(3.0)


def _child_setup(death_signal):
    """What runs in the child before exec; only system calls."""
    parent = os.getpid()

    def setup():
        for number in StopRequest.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return setup


class Children:
    """All children of one run, stopped in the reverse order of their start."""

    def __init__(self):
        self._children = []

    def start(self, *arguments, **options):
        """Start a Child and look after it."""
        child = Child(*arguments, **options)
        self._children.append(child)
        return child

    def stop(self, child):
        """Stop one child and forget it; returns its exit status."""
        status = child.stop()
        if child in self._children:
            self._children.remove(child)
        return status

    def stop_all(self):
        """Stop everything that is still running, last started first."""
        while self._children:
            self._children.pop().stop()


def process_cpu_seconds(pid):
    """CPU time used by a process so far, in seconds; 0.0 when it is gone.

    From the scheduler's nanoseconds where the kernel has them: stat counts
    whole ticks, and perf's bursts are shorter than a tick.
    """
    nanoseconds = [_first_number(path) for path
                   in glob.glob(f"/proc/{pid}/task/*/schedstat")]
    if any(nanoseconds):
        return sum(nanoseconds) / 1e9
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii",
                  errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _first_number(path):
    """The first number in a file of numbers; 0 when it cannot be read."""
    try:
        with open(path, encoding="ascii") as stream:
            return int(stream.read().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def wait_until(condition, seconds, stop, poll_s=0.1):
    """Poll `condition` until it is true; False on timeout or a stop."""
    deadline = time.monotonic() + seconds
    while True:
        if condition():
            return True
        left = deadline - time.monotonic()
        if left <= 0 or stop.wait(min(poll_s, left)):
            return False


def read_line(path):
    """First line of a small file without its end; None when unreadable."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.readline().rstrip("\n\0")
    except OSError:
        return None
