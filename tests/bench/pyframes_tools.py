# SPDX-License-Identifier: GPL-2.0
"""What the measurements of pyframes' cost share: the tools beside the program, and the kernel's
own record of when the program was stopped."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "python"), os.path.join(ROOT, "scripts")]

import venvs  # noqa: E402
from pam_profiling.process import process_cpu_seconds  # noqa: E402

PERF = ["perf", "record", "-q", "-N", "-k", "CLOCK_MONOTONIC", "-m", "4M", "-F", "99",
        "-e", "cpu-clock", "--call-graph", "dwarf,65528"]
STOPPED = re.compile(r"prev_state=[tT]")
READY_S = 30


def find_py_spy():
    """py-spy's path, installed by pip below the build folder at need; None without it."""
    found = shutil.which("py-spy")
    folder = os.path.join(venvs.build_dir(), "bench", "py-spy")
    own = os.path.join(folder, "bin", "py-spy")
    if found or os.path.exists(own):
        return found or own
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet", "py-spy"])
    return own if os.path.exists(own) else None


def find_perf():
    """Whether perf may record a process with stack dumps here."""
    with tempfile.TemporaryDirectory(prefix="pyframes-bench-") as folder:
        command = [*PERF, "-o", os.path.join(folder, "data"), "--", "true"]
        try:
            return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
        except OSError:
            return False


class Tool:
    """A profiler beside a process: samples it from the end of __init__ until stop()."""

    def __init__(self, command, log, **options):
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, **options)

    def cpu_seconds(self):
        """CPU time until now."""
        return process_cpu_seconds(self.process.pid)

    def stop(self):
        """Ends it; its CPU time until it has written its file."""
        try:
            self.process.send_signal(signal.SIGINT)
        except ProcessLookupError:
            pass
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return used.ru_utime + used.ru_stime


class PySpy(Tool):
    def __init__(self, program, pid, folder, *options):
        log = os.path.join(folder, "py-spy.log")
        super().__init__([program, "record", "-r", "100", "-d", "600", "-f", "raw", *options,
                          "-o", os.path.join(folder, "py-spy.txt"), "-p", str(pid)], log)
        wait_for(lambda: b"Sampling process" in read_bytes(log), self.process, log)


class PerfRecord(Tool):
    """perf record; it answers a ping once it records."""

    def __init__(self, folder, target, command=PERF, name="perf"):
        self.pipes = [*os.pipe(), *os.pipe()]
        control, our_control, our_answers, answers = self.pipes
        log = os.path.join(folder, name + ".log")
        self.data = os.path.join(folder, name + ".data")
        super().__init__([*command, "--control", "fd:%d,%d" % (control, answers),
                          "-o", self.data, *target], log, pass_fds=(control, answers))
        os.write(our_control, b"ping\n")
        wait_for(lambda: select.select([our_answers], [], [], 0)[0], self.process, log)

    def stop(self):
        used = super().stop()
        for descriptor in self.pipes:  # perf fails when they close before its end
            os.close(descriptor)
        return used


class StopWatch:
    """How long each thread of a process was stopped by a tracer or a signal.

    By the scheduler's own events: from the switch that takes the thread off its
    CPU in state t or T to the wake-up that ends that state.  The time it then
    waits for a CPU does not count.
    """

    def __init__(self, pid, folder):
        self.tids = sorted(int(name) for name in os.listdir("/proc/%d/task" % pid))
        switch = "||".join("prev_pid==%d" % tid for tid in self.tids)
        waking = "||".join("pid==%d" % tid for tid in self.tids)
        command = ["perf", "record", "-q", "-N", "-a", "-m", "2M", "-k", "CLOCK_MONOTONIC",
                   "-e", "sched:sched_switch", "--filter", switch,
                   "-e", "sched:sched_waking", "--filter", waking]
        self.perf = PerfRecord(folder, [], command, "stops")
        self.begin_s = time.monotonic()
        self.seconds = None

    def stop(self):
        """Ends the watch, which lasted self.seconds; seconds stopped, by thread id."""
        self.seconds = time.monotonic() - self.begin_s
        self.perf.stop()
        text = subprocess.run(["perf", "script", "-i", self.perf.data, "-F", "time,event,trace"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=True).stdout
        stopped, since = dict.fromkeys(self.tids, 0.0), {}
        for line in text.splitlines():
            time_s = float(line.split(":", 1)[0])
            tid = int(re.search(r" (?:prev_)?pid=(\d+)", line).group(1))
            if "sched_switch" in line:
                if STOPPED.search(line):
                    since[tid] = time_s
            elif tid in since:
                stopped[tid] += time_s - since.pop(tid)
        return stopped


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def wait_for(condition, process, log):
    """Waits until the tool is ready; ends the measurement with its words when it never is."""
    for _ in range(READY_S * 100):
        if condition():
            return
        try:
            process.wait(0.01)
            break
        except subprocess.TimeoutExpired:
            pass
    process.kill()
    raise SystemExit("%s: %s" % (process.args[0], read_bytes(log).decode(errors="replace").strip()))
